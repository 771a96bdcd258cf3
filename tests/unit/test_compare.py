"""Paired comparison: by hand on a handful of queries, then what must be refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify.config import LEVELS
from fashify.errors import QueryError, StoreError
from fashify.evaluation import EvaluationRun, compare_runs, evaluate_levels
from fashify.store import FeatureStore


def frame(precision, **changes) -> pd.DataFrame:
    """Five queries of two categories in four groups; "rare" does not count in macro means."""
    columns = {
        "item_id": list("pqrst"),
        "label": ["a", "a", "a", "b", "rare"],
        "group": [1, 1, 2, 3, 4],
        "counted": [True, True, True, True, False],
        "precision": precision,
    }
    columns |= {name: [0.0] * 5 for name in ("hit_rate", "map", "map_at_r", "ndcg")}
    return pd.DataFrame(columns | changes)


def toy_run(queries: pd.DataFrame, **facts) -> EvaluationRun:
    common = {"k": 5, "depth": 9, "n_gallery": 20, "split": "test", "seed": 0, "n_groups": 15}
    return EvaluationRun("toy", common | facts, {("gender", "as found"): queries})


FIRST = frame([0.0, 0.2, 0.4, 0.6, 1.0])


def test_means_and_gains_by_hand():
    second = toy_run(frame([0.2, 0.4, 0.4, 1.0, 0.0]))
    found = compare_runs(toy_run(FIRST), second).set_index("mean")
    # Micro: 2.2 / 5 and 2.0 / 5. Macro over a and b: (0.2 + 0.6) / 2 and (1/3 + 1.0) / 2.
    assert found.loc["micro", ["first", "second", "gain"]].tolist() == pytest.approx(
        [0.44, 0.40, -0.04]
    )
    assert found.loc["macro", ["first", "second", "gain"]].tolist() == pytest.approx(
        [0.4, 2 / 3, 4 / 15]
    )
    # By group the micro differences are 0.4, 0, 0.4 and -1.0: of the eight ways to sign the
    # three that are not 0, those with |sum| >= 0.2 are all.
    assert found.loc["micro", "p"] == 1.0
    # Macro: 1/15 twice in one group and 1/5: of four ways two reach 4/15.
    assert found.loc["macro", "p"] == pytest.approx(0.5, abs=0.03)


def test_a_run_against_itself_differs_in_nothing():
    found = compare_runs(toy_run(FIRST), toy_run(FIRST))
    assert found["gain"].tolist() == [0, 0]
    assert found["p"].tolist() == [1, 1]


def test_the_order_of_queries_does_not_matter():
    second = frame([0.2, 0.4, 0.4, 1.0, 0.0])
    turned = second.iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        compare_runs(toy_run(FIRST), toy_run(second)),
        compare_runs(toy_run(FIRST), toy_run(turned)),
    )


@pytest.mark.parametrize(
    "other",
    [
        FIRST.iloc[:4],
        FIRST.assign(item_id=list("pqrsX")),
        FIRST.assign(label=["a", "a", "b", "b", "rare"]),
        FIRST.assign(group=[1, 2, 2, 3, 4]),
    ],
)
def test_different_queries_refused(other):
    """Other queries labels or groups are refused."""
    with pytest.raises(QueryError, match="same queries at gender"):
        compare_runs(toy_run(FIRST), toy_run(other))


@pytest.mark.parametrize("facts", [{"k": 3}, {"n_gallery": 21}, {"split": "train"}, {"seed": 1}])
def test_other_ways_of_judging_are_refused(facts):
    with pytest.raises(QueryError, match=f"two runs of one {next(iter(facts))}"):
        compare_runs(toy_run(FIRST), toy_run(FIRST, **facts))


def test_no_level_in_common_is_refused():
    other = EvaluationRun("toy", toy_run(FIRST).facts, {("usage", "as found"): FIRST})
    with pytest.raises(QueryError, match="gender and usage"):
        compare_runs(toy_run(FIRST), other)


@pytest.fixture
def store():
    rng = np.random.default_rng(0)
    items = pd.DataFrame({"item_id": [f"i{n}" for n in range(60)]})
    items = items.assign(**{level: rng.choice(["x", "y", "z"], 60) for level in LEVELS})
    items = items.assign(name=[f"n{n // 2}" for n in range(60)])
    features = np.eye(3)[pd.factorize(items["gender"])[0]] + rng.normal(0, 0.4, (60, 3))
    return FeatureStore(features.astype(np.float32), items["item_id"], {}, items=items)


def test_run_round_trip(store, tmp_path):
    """What is written reads the same and compares with what is at hand."""
    reports = evaluate_levels(store, levels=["gender", "usage"])
    run = EvaluationRun.from_reports(reports, "raw")
    read = EvaluationRun.load(run.save(tmp_path / "run.npz"))
    assert (read.name, read.levels) == ("raw", ["gender", "usage"])
    for key, queries in run.queries.items():
        pd.testing.assert_frame_equal(read.queries[key], queries, check_dtype=False)
    found = compare_runs(read, run)
    assert len(found) == 8
    assert (found["p"] == 1).all()
    for row in found.itertuples():
        report = (
            reports[row.level] if row.view == "as found" else reports[row.level].excluding_group
        )
        assert row.first == pytest.approx(getattr(report, row.mean)["precision"])


def test_a_plain_gain_is_found_in_every_view(store):
    blind = FeatureStore(
        np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32),
        store.item_ids,
        {},
        items=store.items,
    )
    first, second = (
        EvaluationRun.from_reports(evaluate_levels(s, levels=["gender"]), "")
        for s in (blind, store)
    )
    found = compare_runs(first, second)
    assert (found["low"] > 0).all()
    assert (found["p"] < 0.01).all()


@pytest.mark.parametrize("text", [b"", b"{}", b"PK\x03\x04 damaged"])
def test_a_file_of_another_kind_is_refused(text, tmp_path):
    (tmp_path / "run.npz").write_bytes(text)
    with pytest.raises(StoreError, match="fashify evaluate --out"):
        EvaluationRun.load(tmp_path / "run.npz")
    with pytest.raises(StoreError):
        EvaluationRun.load(tmp_path / "none.npz")
