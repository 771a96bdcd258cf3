"""Gains by category: the plain differences of the same queries, and figures that say them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify import plots
from fashify.evaluation import evaluate, gains_by_category
from fashify.store import FeatureStore


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    types = np.repeat(np.array(["Shirts", "Shoes"], object), 40)
    items = pd.DataFrame({"item_id": [f"i{n}" for n in range(80)], "article_type": types})
    for level in ("gender", "master_category", "sub_category", "base_colour", "season", "usage"):
        items[level] = ""
    items["name"] = [f"thing {n}" for n in range(80)]
    noise = rng.normal(size=(80, 6)).astype(np.float32)
    clear = noise.copy()
    clear[:, 0] += np.where(types == "Shirts", 9, -9)
    return [
        evaluate(FeatureStore(vectors, items["item_id"], {}, items=items), k=3)
        for vectors in (noise, clear)
    ]


def test_gain_is_difference(runs) -> None:
    """The gain is the difference of the categories' own precisions."""
    table = gains_by_category(*runs)
    assert set(table["category"]) == {"Shirts", "Shoes"}
    for row in table.itertuples():
        before, after = (
            run.queries.loc[run.queries["label"] == row.category, "precision"].mean()
            for run in runs
        )
        assert row.before == pytest.approx(before)
        assert row.gain == pytest.approx(after - before)
        assert row.low < row.gain < row.high
    assert (table["low"] > 0).all()


def test_no_gain_over_itself(runs) -> None:
    """No gain over itself and small categories are left out."""
    assert (gains_by_category(runs[0], runs[0])["gain"] == 0).all()
    assert gains_by_category(*runs, at_least=41).empty


def test_the_figures_speak(runs) -> None:
    gained = plots.gains(gains_by_category(*runs), level="article_type", k=3)
    assert gained.alt == "2 of 2 categories gain precision@3 by the head."
    by_method = {"none": {"article_type": runs[0]}, "lda": {"article_type": runs[1]}}
    figure = plots.methods(by_method, k=3)
    assert "lda is the best" in figure.alt
    assert figure.axes[0].get_ylim() == (0, 1)
