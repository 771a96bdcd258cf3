"""Figures are checked by what they hold: labels, limits, counts, marks, alternative text."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from fashify import plots
from fashify.evaluation import evaluate_levels
from fashify.evaluation.robustness import RobustnessReport
from fashify.store import FeatureStore

LABELS = ["Shirts"] * 5 + ["Heels"] * 3 + ["Watches"] + [""]


KINDS = pd.DataFrame(
    [("equal files", 3, 7, 0.07, 3), ("groups", 9, 30, 0.3, 8)],
    columns=["kind", "groups", "products", "share", "largest"],
)

NOISE = pd.DataFrame(
    [("base_colour", 40, 4, 0.05, 0.02, 0.09), ("usage", 0, 0, np.nan, np.nan, np.nan)],
    columns=["level", "groups", "disagree", "noise", "low", "high"],
)


RACE = {
    "matmul_limit": 50.0,
    "contenders": [
        {"name": "plain", "forward": 10.0, "from_files": 8.0, "ratio_forward": 1.0}
        | {"ratio_from_files": 1.0, "top5_agreement": 1.0},
        {"name": "quick", "forward": 40.0, "from_files": 32.0, "ratio_forward": 4.0}
        | {"ratio_from_files": 4.0, "top5_agreement": 0.9},
    ],
}


SPOILED = RobustnessReport(
    pd.DataFrame(
        [
            (remedy, kind, "unit", strength, 40, *[value, value - 0.1, value + 0.1] * 3)
            for remedy, value in (("plain", 0.4), ("better", 0.7))
            for kind, strength in (("none", 0.0), ("blur", 2.0), ("blur", 4.0), ("crop", 10.0))
        ],
        columns=["remedy", "perturbation", "unit", "strength", "n"]
        + [f"{m}{end}" for m in ("hit_1", "hit_k", "precision") for end in ("", "_low", "_high")],
    ),
    k=5,
    level="article_type",
    n_gallery=600,
)


def all_text(figure: plots.NamedFigure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(mpl.text.Text))


@pytest.fixture(scope="module")
def reports():
    rng = np.random.default_rng(0)
    kinds = np.repeat(["Shirts", "Heels", "Watches"], [30, 20, 10])
    items = pd.DataFrame({"item_id": [f"i{n}" for n in range(60)], "article_type": kinds})
    for level in ("gender", "master_category", "sub_category", "base_colour", "season", "usage"):
        items[level] = rng.choice(["x", "y"], 60)
    features = np.repeat(np.eye(3), [30, 20, 10], axis=0) + rng.normal(0, 0.45, (60, 3))
    store = FeatureStore(np.abs(features).astype(np.float32), items["item_id"], {}, items=items)
    return evaluate_levels(store, k=5)


@pytest.fixture(scope="module")
def drawn(reports) -> dict[str, plots.NamedFigure]:
    """One picture of each kind."""
    before = dict(mpl.rcParams)
    pictures = every_picture(reports)
    assert dict(mpl.rcParams) == before
    return pictures


def every_picture(reports) -> dict[str, plots.NamedFigure]:
    report, image = reports["article_type"], np.full((80, 60, 3), 200, np.uint8)
    facts = pd.DataFrame({"width": [60, 60, 53], "height": 80, "mode": ["RGB", "RGB", "L"]})
    gaps = pd.DataFrame({"what": ["no image", "no year"], "n": [1, 0], "of": [9, 9]})
    speed = pd.DataFrame({"batch_size": [1, 8], "images_per_second": [10.0, 30.0]})
    places = np.random.default_rng(0).normal(size=(10, 2))
    return {
        "counts": plots.counts(LABELS, level="article_type"),
        "colours": plots.colours(["Red", "White", "Multi", "NA", ""]),
        "years": plots.years([2011, 2011, 2013, None]),
        "shares": plots.shares(
            ["a", "a", "b"], ["Men", "Women", "Men"], level="usage", by="gender"
        ),
        "missing": plots.missing(gaps),
        "image_facts": plots.image_facts(facts),
        "grid": plots.grid([image] * 3, ["a", "b", "c"], title="Three"),
        "matches": plots.matches(
            [((image, "q"), [(image, "m", True), (image, "n", False)])], title="T"
        ),
        "group_kinds": plots.group_kinds(KINDS, n=100),
        "group_sizes": plots.group_sizes(np.array([1, 1, 2, 2, 7, 7, 7, 7, 7, 7, 7])),
        "label_noise": plots.label_noise(NOISE),
        "picture_rows": plots.picture_rows(
            [("Two of one", [(image, "Red"), (image, "Blue")]), ("One", [(image, "Red")])],
            title="Groups",
        ),
        "robustness": plots.robustness(SPOILED),
        "norms": plots.norms(np.array([1.0, 2.0, 3.0])),
        "engines": plots.engines(RACE),
        "reliability": plots.reliability(
            pd.DataFrame({"predicted": [0.2, 0.9], "observed": [0.3, 0.9], "n": [10, 30]})
        ),
        "throughput": plots.throughput(speed, subject="toy"),
        "spectrum": plots.spectrum(np.array([0.6, 0.3, 0.1])),
        "feature_map": plots.feature_map(places, LABELS, level="article_type", top=2),
        "precision_by_category": plots.precision_by_category(report),
        "precision_curve": plots.precision_curve(report),
        "levels": plots.levels(reports),
        "confusion": plots.confusion(report),
        "distances": plots.distances(report),
    }


def test_every_figure_draws(drawn):
    """Every figure draws has words and leaves no trace."""
    before = dict(mpl.rcParams)
    # Drawn in test_plots_search, test_gains and test_photos.
    elsewhere = {"growth", "index_costs", "recall_speed", "gains", "methods", "photo_precision"}
    assert set(drawn) | elsewhere | {"NamedFigure"} == set(plots.__all__)
    for name, figure in drawn.items():
        image = Image.open(io.BytesIO(figure.png()))
        assert image.width > 500, name
        assert np.asarray(image.convert("L")).std() > 5, name
        assert figure.alt, name
        assert figure.name, name
    assert dict(mpl.rcParams) == before


def test_axes_are_labelled(drawn):
    """Axes are labelled and nothing but pictures lacks a label."""
    for name, figure in drawn.items():
        if name in ("grid", "matches", "picture_rows"):
            continue
        for axes in figure.axes:
            assert axes.get_xlabel() or axes.get_ylabel(), name


def test_notebook_gets_png():
    """A notebook gets a PNG with name and alternative text."""
    data, facts = plots.counts(LABELS, level="usage")._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert facts["image/png"]["name"] == "counts-usage"
    assert "Shirts 5" in facts["image/png"]["alt"]
    width = Image.open(io.BytesIO(data["image/png"])).width
    assert width == 2 * facts["image/png"]["width"]


def test_every_figure_keeps_its_data(drawn):
    """What is drawn is there as CSV, which a notebook hands on beside the picture."""
    for name, figure in drawn.items():
        table = pd.read_csv(io.StringIO(figure.csv()))
        assert len(table) == len(figure.data) > 0, name
        assert table.columns.tolist() == figure.data.columns.tolist(), name
    data, _ = drawn["counts"]._repr_mimebundle_()
    assert data["text/csv"] == "article_type,products\nShirts,5\nHeels,3\nWatches,1\n"


def widths(figure: plots.NamedFigure) -> list[float]:
    """Lengths of the horizontal bars, from the top."""
    bars = [bar for axes in figure.axes for bar in axes.patches]
    return [bar.get_width() for bar in sorted(bars, key=lambda bar: -bar.get_y())]


def test_data_are_the_marks_themselves(drawn):
    """Bars, lines, cells and captions are those of the CSV: it can say nothing else."""
    categories = drawn["precision_by_category"].data
    assert categories["precision"].tolist() == widths(drawn["precision_by_category"])
    kinds, noise = drawn["group_kinds"], drawn["label_noise"]
    assert kinds.data["share"].tolist() == widths(kinds)
    assert noise.data["noise"].tolist() == widths(noise)
    curve = drawn["precision_curve"]
    lines = [line.get_ydata().tolist() for line in curve.axes[0].lines]
    assert lines == [curve.data[name].tolist() for name in ("micro", "macro", "chance")]
    cells = drawn["confusion"].axes[0].images[0].get_array()
    assert drawn["confusion"].data.drop(columns="query").to_numpy().tolist() == cells.tolist()
    heights = [bar.get_height() for bar in drawn["levels"].axes[0].patches]
    levels = drawn["levels"].data
    micro = levels[levels["mean"] == "micro"].sort_values("view", kind="stable")
    assert heights == micro["precision"].tolist()
    steps = [patch.get_data().values.tolist() for patch in drawn["distances"].axes[0].patches]
    assert [drawn["distances"].data[name].tolist() for name in ("hits", "misses")] == steps[::2]
    assert drawn["matches"].data["relevant"].tolist() == [True, False]
    assert drawn["picture_rows"].data["caption"].tolist() == ["Red", "Blue", "Red"]
    grouped = drawn["group_sizes"].data.set_index("size")["groups"]
    assert grouped["2"] == 1
    assert grouped["5 to 9"] == 1


def test_equal_figures_are_equal_bytes():
    assert plots.years([2011]).png() == plots.years([2011]).png()


def test_counts_show_n_the_rest_and_the_missing():
    text = all_text(plots.counts(LABELS, level="article_type", top=2))
    assert "n = 10 products, of which 1 without article type" in text
    assert "1 others together" in text
    assert "5  (50%)" in text


def test_colour_bars_outlined():
    """Colour bars are drawn in the colour with an outline."""
    bars = plots.colours(["Red", "Red", "White"]).axes[0].patches
    assert bars[0].get_facecolor()[:3] == to_rgb("#CC2230")
    white, outline = bars[2], bars[3]
    assert white.get_facecolor()[:3] == (1, 1, 1)
    assert outline.get_edgecolor()[3] == 1


def test_precision_axes_range(drawn):
    """Precision axes start at zero and end above one."""
    assert drawn["precision_by_category"].axes[0].get_xlim()[0] == 0
    for name in ("precision_curve", "levels"):
        low, high = drawn[name].axes[0].get_ylim()
        assert low == 0
        assert high >= 1


def test_categories_carry_their_n(drawn):
    text = all_text(drawn["precision_by_category"])
    assert "Shirts  (n = 30)" in text
    assert "Watches  (n = 10)" in text


def test_hit_and_miss_differ_in_sign(drawn):
    """Hit and miss differ in sign and line not only in colour."""
    figure = drawn["matches"]
    text = all_text(figure)
    assert "✓" in text
    assert "✗" in text
    styles = {str(axes.spines["left"].get_linestyle()) for axes in figure.axes[2:]}
    assert len(styles) == 2


def test_a_few_more_or_fewer_images_than_a_row():
    image = np.zeros((10, 30, 3), np.uint8)
    assert (
        sum(
            a.get_visible()
            for a in plots.grid([image] * 5, list("abcde"), title="", columns=4).axes
        )
        == 5
    )
    assert len(plots.grid([image], ["a"], title="").axes) == 1


def test_dollars_are_not_formulas():
    """Names with dollars are not taken for formulas."""
    assert plots.counts(["$a_b$ 5%"] * 2, level="usage").png()


def test_audit_figures(drawn):
    """The audit's figures say how many and leave out what cannot be told."""
    assert "30.0%: 30 products in 9 groups" in all_text(drawn["group_kinds"])
    text = all_text(drawn["group_sizes"])
    assert "n = 11 products, 2 of them alone" in text
    assert "1 groups\n7 products" in text
    text = all_text(drawn["label_noise"])
    assert "5.0%  (4 groups disagree)" in text
    assert "usage" not in text
    assert "Two of one" in all_text(drawn["picture_rows"])


def test_levels_figure(drawn, reports):
    """The levels figure shows both figures with their intervals."""
    text = all_text(drawn["levels"])
    assert "micro: mean over queries" in text
    assert "copies and variants left out" in text
    low, high = reports["gender"].intervals["micro"]["precision"]
    lines = [line for line in drawn["levels"].findobj(mpl.collections.LineCollection)]
    ends = np.concatenate([np.concatenate(line.get_segments())[:, 1] for line in lines])
    assert np.isclose(ends, low).any()
    assert np.isclose(ends, high).any()


def test_robustness_figure(drawn):
    """The robustness figure has a panel a perturbation and a line per remedy."""
    figure = drawn["robustness"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["blur", "crop"]
    assert all(axes.get_ylim()[0] == 0 for axes in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["plain", "better"]
    assert "plain 0.40, better 0.70" in figure.alt


def test_engines_figure(drawn) -> None:
    """Engines tell rates ratios limit and what rounding costs."""
    text = all_text(drawn["engines"])
    for told in ("32   4.0×", "fp32 matrix product: 50", "top-5 0.90"):
        assert told in text
    assert "quick is the fastest from files, 32 images a second" in drawn["engines"].alt


def test_reliability_tells_how_far_off_it_is(drawn) -> None:
    assert "matches 0.025 off on average (n = 40)" in all_text(drawn["reliability"])
    facts = {"predicted": 0.5, "observed": 0.5, "n": 9}
    table = pd.DataFrame({"kind": ["products", "photos"], **facts})
    assert "(n = 9)\nphotos 0.000 off" in all_text(plots.reliability(table))
