"""Figures of search, checked by what they hold."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
import pytest

from fashify import plots


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rows = [("exact", 1.0, 100, 0.1, 90), ("hnsw", 0.98, 2000, 8, 2700), ("hnsw", 1, 1500, 8, 2700)]
    names = ["index", "recall", "qps_1", "build_s", "structure_bytes_per_item"]
    return pd.DataFrame(rows, columns=names).assign(n=44_441, k=5)


def all_text(figure: plots.NamedFigure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(mpl.text.Text))


def test_speed_against_what_is_missed(table):
    reference = pd.DataFrame({"metric": ["euclidean", "cosine"], "qps_1": [19, 6]})
    figure = plots.recall_speed(table, reference=reference)
    (axes,) = figure.axes
    missed = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
    assert missed["exact"] == [0]
    assert missed["hnsw"] == pytest.approx([2, 0])
    text = all_text(figure)
    assert "n = 44,441 items, k = 5" in text
    assert "scikit-learn, cosine" in text
    assert figure.png().startswith(b"\x89PNG")
    assert "$" not in "".join(label.get_text() for label in axes.get_yticklabels())


def test_costs_are_one_bar_for_each_index(table):
    figure = plots.index_costs(table)
    assert [len(axes.patches) for axes in figure.axes] == [2, 2]
    assert all(axes.get_xlim()[0] == 0 for axes in figure.axes)
    assert "2,700" in all_text(figure)


@pytest.mark.parametrize("jittered", [0, 900])
def test_growth_marks_where_the_copies_begin(jittered):
    rows = [("exact", 100, 0, 1.0), ("exact", 1000, jittered, 9.0), ("hnsw", 100, 0, 0.4)]
    table = pd.DataFrame(rows, columns=["index", "n", "n_jittered", "p50_ms"])
    figure = plots.growth(table.assign(recall=1.0, dim=256))
    assert ("jittered copies beyond" in all_text(figure)) == bool(jittered)
    assert "n = 100 to 1,000 items of 256 numbers" in all_text(figure)
    assert figure.alt


def test_growth_axis_plain_numbers():
    """A short growth axis is labelled in plain numbers."""
    rows = [("exact", 100, 0, 0.22), ("exact", 1000, 0, 0.9), ("hnsw", 100, 0, 0.41)]
    table = pd.DataFrame(rows, columns=["index", "n", "n_jittered", "p50_ms"])
    figure = plots.growth(table.assign(recall=1.0, dim=256))
    figure.png()
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.yaxis.get_ticklabels(which="minor")]
    assert "0.4" in labels
    assert not [text for text in labels if "$" in text]
