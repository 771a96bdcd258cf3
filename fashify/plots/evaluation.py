"""Figures of an evaluation: precision by category, curves, confusion, distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from fashify.evaluation.examples import name_anchor
from fashify.plots.style import (
    ACCENT,
    GOOD,
    INK,
    MAIN,
    MARKERS,
    PALETTE,
    NamedFigure,
    note,
    picture,
    readable_level,
    rows_size,
    shorten,
    subtitle,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fashify.evaluation.report import EvaluationReport

_BLUES = LinearSegmentedColormap.from_list("house", ["#ffffff", "#9cc7e3", MAIN, "#08304b"])

#: Behind a value, so that the line of the mean does not strike it out.
_CLEAR = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.9}


@use_house_style
def precision_by_category(report: EvaluationReport, *, top: int = 30) -> NamedFigure:
    """Bars of precision@k by category, the largest first, with n, chance and the best possible.

    A line shows the 95 % interval, a diamond the figure without the query's own group.

    Args:
        report: an EvaluationReport.
        top: categories shown, of those with a judged query.
    """
    judged = report.table[report.table["n_queries"] > 0]
    shown = judged.head(top).iloc[::-1]
    title = f"Precision@{report.k} by {readable_level(report.level)}"
    fig = picture(f"precision-{report.level}", title, size=rows_size(len(shown) + 2))
    axes = tidy(fig.add_subplot(), grid="x")
    rows = np.arange(len(shown))
    fig.data = _tabulate_categories(shown[::-1], report)
    axes.barh(rows, shown["precision"], color=MAIN, height=0.7)
    _ticks(axes, rows, shown["chance"], ACCENT, "chance")
    capped = shown["ceiling"].to_numpy() < 1
    if capped.any():
        _ticks(axes, rows[capped], shown["ceiling"][capped], INK, "best possible", dotted=True)
    edges = shown["precision_low"], shown["precision_high"]
    axes.hlines(rows, *edges, color="white", linewidth=3.6)
    axes.hlines(rows, *edges, color=INK, linewidth=1.4, label="95 % interval")
    _mark_excluding_group(axes, rows, shown["category"], report)
    ends = shown[["precision", "precision_high", "chance"]].max(axis=1)
    for row, value, end in zip(rows, shown["precision"], ends, strict=True):
        note(axes, f"{value:.2f}", (end, row), bbox=_CLEAR)
    axes.set_yticks(rows, [_label_with_count(row, report) for row in shown.itertuples()])
    fig.rows = {
        name: (row - 0.5, row + 0.5, name_anchor(report.level, name))
        for row, name in zip(rows, shown["category"], strict=True)
    }
    axes.set_xlim(0, 1.08)
    axes.set_xticks(np.arange(0, 1.01, 0.2))
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.axvline(
        report.micro["precision"], color=INK, linewidth=1, linestyle="--", label="micro mean"
    )
    axes.set_xlabel(f"precision@{report.k} (fraction of the first {report.k} that share the label)")
    subtitle(axes, _describe_queries(report) + _describe_hidden(len(judged) - len(shown)), width=66)
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    fig.alt = f"{title}. {report.summary}"
    return fig


@use_house_style
def precision_curve(report: EvaluationReport) -> NamedFigure:
    """Precision at k = 1, 2, ...: micro, macro and what chance gives.

    Args:
        report: an EvaluationReport.
    """
    curve = report.curve
    title = f"Precision@k by {readable_level(report.level)}"
    fig = picture(f"curve-{report.level}", title, size=(8.0, 3.9))
    axes = tidy(fig.add_subplot())
    fig.data = curve
    lines = (("micro", MAIN, "-"), ("macro", GOOD, "-"), ("chance", ACCENT, "--"))
    heights = _spread_labels(np.array([curve[name].iloc[-1] for name, *_ in lines]))
    for (name, paint, dash), marker, height in zip(lines, MARKERS, heights, strict=False):
        axes.plot(curve["k"], curve[name], color=paint, linestyle=dash, marker=marker, linewidth=2)
        text = f"{name} {curve[name].iloc[-1]:.2f}"
        note(axes, text, (curve["k"].iloc[-1], height), (9, 0), color=paint)
    _unit_axis(axes, curve["k"])
    axes.set_ylabel("precision@k (fraction)")
    subtitle(axes, _describe_queries(report))
    fig.alt = (
        f"{title}: micro falls from {curve['micro'].iloc[0]:.2f} to {curve['micro'].iloc[-1]:.2f}."
    )
    return fig


@use_house_style
def levels(reports: Mapping[str, EvaluationReport]) -> NamedFigure:
    """Precision@k of several levels, micro above macro: as found, without groups, and chance.

    Args:
        reports: level -> EvaluationReport.
    """
    names, k = list(reports), next(iter(reports.values())).k
    title = f"Precision@{k} at each level, with 95 % intervals"
    fig = picture("levels", title, size=(8.0, 6.2))
    fig.data = _tabulate_levels(reports)
    for axes, mean in zip(fig.subplots(2, sharex=True), ("micro", "macro"), strict=True):
        _level_bars(tidy(axes), reports, mean)
        axes.set_ylabel(f"precision@{k} (fraction)")
        over = "mean over queries" if mean == "micro" else "mean over categories"
        axes.set_title(f"{mean}: {over}")
    axes.set_xticks(
        np.arange(len(names)),
        [f"{readable_level(name)}\nn = {reports[name].n_judged:,}" for name in names],
    )
    axes.tick_params(axis="x", labelsize=8.5)
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    parts = (f"{name} {reports[name].format_mean('micro')}" for name in names)
    fig.alt = f"{title}, micro: {', '.join(parts)}."
    return fig


def _level_bars(axes: Axes, reports: Mapping[str, EvaluationReport], mean: str) -> None:
    places = np.arange(len(reports))
    for shift, excluding_group, paint, hatch in (
        (-0.2, False, MAIN, None),
        (0.2, True, PALETTE[4], "//"),
    ):
        found = [
            (one.excluding_group or one) if excluding_group else one for one in reports.values()
        ]
        values = np.array([getattr(one, mean)["precision"] for one in found])
        edges = np.array([one.intervals[mean]["precision"] for one in found])
        label = "copies and variants left out" if excluding_group else "as found"
        style: dict[str, Any] = {
            "color": paint,
            "hatch": hatch,
            "edgecolor": "white",
            "label": label,
        }
        axes.bar(places + shift, np.nan_to_num(values), 0.38, **style)
        axes.vlines(places + shift, *edges.T, color="white", linewidth=3.6)
        axes.vlines(places + shift, *edges.T, color=INK, linewidth=1.4)
        for place, value, high in zip(places, values, edges[:, 1], strict=True):
            at = (place + shift, np.nanmax([value, high, 0]))
            text = "-" if np.isnan(value) else f"{value:.2f}"
            note(axes, text, at, (0, 7), ha="center", bbox=_CLEAR)
    chance = [getattr(one, mean)["chance"] for one in reports.values()]
    axes.hlines(chance, places - 0.42, places + 0.42, color=ACCENT, linewidth=2.2, label="chance")
    axes.set_ylim(0, 1.12)
    axes.set_yticks(np.arange(0, 1.01, 0.2))


@use_house_style
def confusion(report: EvaluationReport, *, top: int = 20) -> NamedFigure:
    """Heat map: of the neighbours of a row's queries, the share in each column's category.

    Args:
        report: an EvaluationReport.
        top: categories shown, those with most queries; a last column sums up the others.
    """
    totals = report.confusion.sum(axis=1)
    order = np.argsort(-totals, kind="stable")[:top]
    order = order[totals[order] > 0]
    counts = report.confusion[np.ix_(order, order)]
    others = (totals[order] - counts.sum(axis=1))[:, None]
    names = [shorten(name, 20) for name in report.categories[order]]
    columns = names
    if others.any():
        counts, columns = np.hstack([counts, others]), [*names, "all others"]
    share = counts / totals[order][:, None]
    title = f"Which {readable_level(report.level)} the neighbours are of"
    side = 2.2 + 0.31 * len(columns)
    fig = picture(f"confusion-{report.level}", title, size=(max(6.4, side + 0.8), max(4.0, side)))
    fig.data = pd.DataFrame(share, columns=columns)
    fig.data.insert(0, "query", report.categories[order])
    axes = fig.add_subplot()
    mesh = axes.imshow(share, cmap=_BLUES, vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(share >= 0.005):
        value = share[row, column]
        text = f"{value:.2f}".lstrip("0") if value < 0.995 else "1"
        ink = "white" if value > 0.5 else INK
        note(axes, text, (column, row), (0, 0), ha="center", fontsize=7, color=ink)
    axes.set_xticks(range(len(columns)), columns, rotation=50, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        range(len(names)), [f"{n}  (n = {t:,})" for n, t in zip(names, totals[order], strict=True)]
    )
    axes.set_xlabel("category of the neighbour")
    axes.set_ylabel("category of the query")
    for spine in axes.spines.values():
        spine.set_visible(False)
    rest = _describe_hidden(int((totals > 0).sum()) - len(order))
    text = f"share of the first {report.k} neighbours; n = neighbours{rest}"
    subtitle(axes, text, width=10 + 4 * len(columns))
    bar = fig.colorbar(mesh, ax=axes, shrink=0.6, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("share of the row (fraction)")
    worst = report.confusions(3)
    pairs = (f"{row.query} answered by {row.neighbour}" for row in worst.itertuples())
    fig.alt = f"{title}; most confused: {', '.join(pairs) or 'none'}."
    return fig


@use_house_style
def distances(report: EvaluationReport, *, bins: int = 40) -> NamedFigure:
    """Histograms of the distances of relevant neighbours and of the others, as shares.

    Args:
        report: an EvaluationReport.
    """
    kinds = (
        ("hits", report.hit_distances, GOOD, "-"),
        ("misses", report.miss_distances, ACCENT, "--"),
    )
    everything = np.concatenate([values for _, values, *_ in kinds])
    edges = np.linspace(0, float(everything.max()) * 1.02 or 1.0, bins + 1)
    bars = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    fig = picture(f"distances-{report.level}", "Distances of hits and of misses", size=(8.0, 3.8))
    axes = tidy(fig.add_subplot())
    for name, values, paint, dash in kinds:
        if not len(values):
            continue
        heights = np.histogram(values, edges)[0] / len(values)
        bars[name] = heights
        median = float(np.median(values))
        label = f"{name} (n = {len(values):,}, median {median:.3f})"
        axes.stairs(heights, edges, fill=True, color=paint, alpha=0.18)
        axes.stairs(heights, edges, color=paint, linestyle=dash, linewidth=2, label=label)
        axes.axvline(median, color=paint, linestyle=":", linewidth=1.5)
    fig.data = bars
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0)
    axes.set_xlabel(f"{report.facts['index']['metric']} distance (smaller is closer)")
    axes.set_ylabel("share of its kind (fraction)")
    near = f"the first {report.k} neighbours of {report.n_judged:,} queries"
    subtitle(axes, f"{near}, judged by {readable_level(report.level)}")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=2)
    n_hits, n_misses = len(report.hit_distances), len(report.miss_distances)
    fig.alt = f"Distances of {n_hits:,} hits and {n_misses:,} misses."
    return fig


def _tabulate_categories(shown: pd.DataFrame, report: EvaluationReport) -> pd.DataFrame:
    """The bars, ticks, lines and diamonds of ``precision_by_category``."""
    columns = ["category", "n", "n_queries", "precision", "precision_low", "precision_high"]
    table = shown[[*columns, "chance", "ceiling"]].reset_index(drop=True)
    if report.excluding_group is not None:
        apart = report.excluding_group.table.set_index("category")["precision"]
        table["excluding_group"] = apart.reindex(table["category"]).to_numpy()
    return table


def _tabulate_levels(reports: Mapping[str, EvaluationReport]) -> pd.DataFrame:
    """One row a level, mean and view."""
    rows = [
        (level, mean, view, one.n_judged, getattr(one, mean)["precision"])
        + (*one.intervals[mean]["precision"], getattr(one, mean)["chance"])
        for level, report in reports.items()
        for mean in ("micro", "macro")
        for view, one in (("as found", report), ("excluding group", report.excluding_group))
        if one is not None
    ]
    columns = ["level", "mean", "view", "queries", "precision", "low", "high", "chance"]
    return pd.DataFrame(rows, columns=columns)


def _spread_labels(heights: np.ndarray, gap: float = 0.06) -> np.ndarray:
    """``heights`` moved upwards as little as keeps their labels from covering each other."""
    placed = heights.astype(float)
    order = np.argsort(placed, kind="stable")
    for below, above in pairwise(order):
        placed[above] = max(placed[above], placed[below] + gap)
    return placed


def _ticks(
    axes: Axes,
    rows: Sequence[float] | np.ndarray,
    values: Sequence[float],
    paint: str,
    label: str,
    *,
    dotted: bool = False,
) -> None:
    style: dict[str, Any] = {"color": paint, "linewidth": 2.0, "linestyle": ":" if dotted else "-"}
    axes.vlines(values, np.asarray(rows) - 0.36, np.asarray(rows) + 0.36, label=label, **style)


def _mark_excluding_group(
    axes: Axes, rows: np.ndarray, categories: Sequence[str], report: EvaluationReport
) -> None:
    if report.excluding_group is None:
        return
    excluding_group = report.excluding_group.table.set_index("category")["precision"].reindex(
        categories
    )
    style: dict[str, Any] = {"color": "white", "edgecolor": INK, "s": 22, "zorder": 3}
    axes.scatter(excluding_group, rows, marker="D", label="copies and variants left out", **style)


def _label_with_count(row: Any, report: EvaluationReport) -> str:
    asked = "" if row.n_queries == row.n else f", {row.n_queries:,} asked"
    return f"{shorten(row.category, 24)}  (n = {row.n:,}{asked})"


def _describe_queries(report: EvaluationReport) -> str:
    left = f", {report.n_lone:,} lone left out" if report.n_lone else ""
    missing = f", {report.n_missing:,} without label left out" if report.n_missing else ""
    return f"n = {report.n_judged:,} queries{left}{missing}, gallery of {report.n_gallery:,}"


def _describe_hidden(count: int) -> str:
    return f"; {count} smaller categories not shown" if count > 0 else ""


def _unit_axis(axes: Axes, k: np.ndarray) -> None:
    axes.set_xticks(k)
    axes.set_xlim(0.6, k.max() + 0.4)
    axes.set_xlabel("k, neighbours looked at")
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.arange(0, 1.01, 0.2))
