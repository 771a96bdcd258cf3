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


def test_groups_are_transitive():
    """What joins two products joins all they are joined to."""
    assert shared(group_ids(FIVE)) == [{"a", "b"}, {"c"}, {"d"}, {"e"}]
    assert shared(group_ids(FIVE, IDENTITIES)) == [{"a", "b", "c"}, {"d"}, {"e"}]
    assert shared(group_ids(FIVE, IDENTITIES, HASHES)) == [{"a", "b", "c", "d"}, {"e"}]


def test_empty_keys_join_nothing():
    """No name no identity no hash joins nothing."""
    table = items(*[(str(n), "", "Shirts") for n in range(4)])
    assert len(set(group_ids(table, [""] * 4, ["", "", None, np.nan]))) == 4


def test_group_ids_independent_of_order():
    """Numbers do not mind the order of rows or products elsewhere."""
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


def test_split_keeps_groups(groups):
    """A split keeps groups whole and its shares."""
    split = split_by_group(groups)
    assert pd.Series(split).groupby(groups).nunique().max() == 1
    shares = pd.Series(split).value_counts(normalize=True)
    np.testing.assert_allclose(shares[list(SPLITS)], (0.7, 0.15, 0.15), atol=0.02)


def test_split_independent_of_others(groups):
    """A split is the same whatever else is there."""
    split = split_by_group(groups, seed=4)
    order = np.random.default_rng(1).permutation(len(groups))[:2_000]
    np.testing.assert_array_equal(split_by_group(groups[order], seed=4), split[order])
    assert (split_by_group(groups, seed=5) != split).any()


def test_labels_spread_evenly(groups):
    """Labels are spread evenly and groups stay whole."""
    labels = np.where(groups < 60, "rare", "common")
    split = split_by_group(groups, labels=labels)
    assert pd.Series(split).groupby(groups).nunique().max() == 1
    rare = pd.Series(split[labels == "rare"]).value_counts(normalize=True)
    np.testing.assert_allclose(rare[list(SPLITS)], (0.7, 0.15, 0.15), atol=0.03)


def test_rare_labels_spread():
    """Lone groups of rare labels are not all in one part."""
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
