"""Groups are connected components; splits keep them whole and do not mind the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify.catalogue.groups import SPLITS, group_ids, parts_by_group, split_by_group
from fashify.errors import ConfigError


def items(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_id", "name", "article_type"])


#: a and b are variants, c has b's picture, d looks like c; e has only its type in common.
FIVE = items(
    ("a", "Acme  Red", "Shirts"),
    ("b", "acme red", "Shirts"),
    ("c", "Other", "Shirts"),
    ("d", "Acme Red", "Heels"),
    ("e", "", "Heels"),
)
IDENTITIES = ["p1", "p2", "p2", "p4", ""]
HASHES = ["", "", "h", "h", ""]


def shared(groups: np.ndarray) -> list[set[str]]:
    return [set(FIVE["item_id"][groups == group]) for group in pd.unique(groups)]


def test_what_joins_two_products_joins_all_they_are_joined_to():
    assert shared(group_ids(FIVE)) == [{"a", "b"}, {"c"}, {"d"}, {"e"}]
    assert shared(group_ids(FIVE, IDENTITIES)) == [{"a", "b", "c"}, {"d"}, {"e"}]
    assert shared(group_ids(FIVE, IDENTITIES, HASHES)) == [{"a", "b", "c", "d"}, {"e"}]


def test_no_name_no_identity_no_hash_joins_nothing():
    table = items(*[(str(n), "", "Shirts") for n in range(4)])
    assert len(set(group_ids(table, [""] * 4, ["", "", None, np.nan]))) == 4


def test_numbers_do_not_mind_the_order_of_rows_or_products_elsewhere():
    groups = group_ids(FIVE, IDENTITIES)
    turned = group_ids(FIVE.iloc[::-1], IDENTITIES[::-1])
    np.testing.assert_array_equal(turned, groups[::-1])
    more = pd.concat([items(("0", "New", "Shirts")), FIVE])
    np.testing.assert_array_equal(group_ids(more, ["p0", *IDENTITIES])[1:], groups)
    assert groups.dtype == np.int64


def test_an_empty_table_has_no_groups():
    assert group_ids(FIVE.iloc[:0]).shape == (0,)
    assert split_by_group(np.empty(0, np.int64)).shape == (0,)


@pytest.fixture
def groups():
    return np.random.default_rng(0).integers(0, 3_000, 10_000)


def test_a_split_keeps_groups_whole_and_its_shares(groups):
    split = split_by_group(groups)
    assert pd.Series(split).groupby(groups).nunique().max() == 1
    shares = pd.Series(split).value_counts(normalize=True)
    np.testing.assert_allclose(shares[list(SPLITS)], (0.7, 0.15, 0.15), atol=0.02)


def test_a_split_is_the_same_whatever_else_is_there(groups):
    split = split_by_group(groups, seed=4)
    order = np.random.default_rng(1).permutation(len(groups))[:2_000]
    np.testing.assert_array_equal(split_by_group(groups[order], seed=4), split[order])
    assert (split_by_group(groups, seed=5) != split).any()


def test_labels_are_spread_evenly_and_groups_stay_whole(groups):
    labels = np.where(groups < 60, "rare", "common")
    split = split_by_group(groups, labels=labels)
    assert pd.Series(split).groupby(groups).nunique().max() == 1
    rare = pd.Series(split[labels == "rare"]).value_counts(normalize=True)
    np.testing.assert_allclose(rare[list(SPLITS)], (0.7, 0.15, 0.15), atol=0.03)


def test_lone_groups_of_rare_labels_are_not_all_in_one_part():
    groups, labels = np.arange(300), [f"label {n}" for n in range(300)]
    assert set(split_by_group(groups, labels=labels)) == set(SPLITS)


def test_two_parts_of_a_handful_are_both_there():
    for seed in range(20):
        parts = parts_by_group(np.arange(8), (0.5, 0.5), seed, labels=[""] * 8)
        assert np.bincount(parts).tolist() in ([4, 4], [5, 3], [3, 5])


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.9, 0.2, 0.1), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_shares_are_refused(groups, fractions):
    with pytest.raises(ConfigError):
        split_by_group(groups, fractions)
