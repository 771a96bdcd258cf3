"""Figures of features: their norms, spectrum, flat map, and how fast they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fashify.plots.style import (
    ACCENT,
    INK,
    MAIN,
    MARKERS,
    PALETTE,
    NamedFigure,
    note,
    picture,
    readable_level,
    shorten,
    thousands,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@use_house_style
def norms(values: np.ndarray, *, bins: int = 40) -> NamedFigure:
    """Histogram of the features' Euclidean norms, the median marked.

    Args:
        values: (n,) norms.
    """
    values = np.asarray(values, dtype=float)
    median = float(np.median(values))
    fig = picture("norms", "Norms of the features", size=(8.0, 3.6))
    axes = tidy(fig.add_subplot())
    _, edges, _ = axes.hist(values, bins=bins, color=MAIN, edgecolor="white", linewidth=0.5)
    counts = np.histogram(values, edges)[0]
    fig.data = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "items": counts})
    axes.axvline(median, color=ACCENT, linestyle="--")
    top = axes.get_ylim()[1]
    note(axes, f"median {median:.1f}", (median, top), (6, -6), color=ACCENT)
    axes.set_xlim(0, values.max() * 1.05 or 1)
    axes.set_xlabel("Euclidean norm")
    axes.set_ylabel("items")
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_title(
        f"n = {len(values):,} items; smallest {values.min():.2f}, largest {values.max():.2f}"
    )
    fig.alt = f"Histogram of {len(values):,} feature norms, median {median:.2f}."
    return fig


@use_house_style
def throughput(table: pd.DataFrame, *, subject: str = "") -> NamedFigure:
    """Images a second by batch size.

    Args:
        table: columns ``batch_size`` and ``images_per_second``.
        subject: backbone and engine measured, for the title.
    """
    fig = picture("throughput", "Throughput of the feature extraction", size=(8.0, 3.4))
    axes = tidy(fig.add_subplot())
    places = np.arange(len(table))
    fig.data = table[["batch_size", "images_per_second"]]
    rates = table["images_per_second"].to_numpy(dtype=float)
    axes.plot(places, rates, color=MAIN, marker="o", linewidth=2)
    for place, rate in zip(places, rates, strict=True):
        note(axes, f"{rate:.1f}", (place, rate), (0, 10), ha="center")
    axes.set_xticks(places, table["batch_size"])
    axes.set_ylim(0, rates.max() * 1.2)
    axes.set_xlabel("images a batch")
    axes.set_ylabel("images per second")
    axes.set_title(subject)
    return fig


@use_house_style
def engines(measured: Mapping[str, Any]) -> NamedFigure:
    """Images a second of every way to embed, the network alone and from files, with the limit.

    Args:
        measured: what ``fashify.bench.extraction.compare_engines`` gives.
    """
    table = pd.DataFrame(measured["contenders"])
    title = "Every engine beside one predict a picture"
    fig = picture("engines", title, size=(8.0, 0.62 * len(table) + 1.5))
    fig.data = table.assign(matmul_limit=measured["matmul_limit"])
    axes = tidy(fig.add_subplot(), grid="x")
    rows = np.arange(len(table))
    kinds = (("from_files", MAIN, "from files"), ("forward", PALETTE[4], "network alone"))
    for shift, (kind, paint, label) in zip((-0.19, 0.19), kinds, strict=True):
        axes.barh(rows + shift, table[kind], 0.36, color=paint, label=label)
        for row, rate, ratio in zip(rows, table[kind], table[f"ratio_{kind}"], strict=True):
            note(axes, f"{rate:.0f}   {ratio:.1f}×", (rate, row + shift), (5, 0), va="center")
    limit = measured["matmul_limit"]
    axes.axvline(limit, color=ACCENT, linestyle="--", label=f"fp32 matrix product: {limit:.0f}")
    axes.set_xlim(0, max(limit, table["forward"].max(), table["from_files"].max()) * 1.16)
    axes.set_yticks(rows, [_engine_label(record) for record in measured["contenders"]])
    axes.invert_yaxis()
    axes.set_xlabel("images per second")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    best = table.loc[table["from_files"].idxmax()]
    fig.alt = (
        f"{title}: {best['name']} is the fastest from files, {best['from_files']:.0f} images a "
        f"second, {best['ratio_from_files']:.1f} times the first."
    )
    return fig


def _engine_label(record: Mapping[str, Any]) -> str:
    """A contender's name, with its agreement where that is not perfect."""
    agreement = record["top5_agreement"]
    return record["name"] if agreement > 0.999 else f"{record['name']}\ntop-5 {agreement:.2f}"


@use_house_style
def spectrum(ratios: np.ndarray) -> NamedFigure:
    """Share of variance along each principal axis, and the sum so far.

    Args:
        ratios: (c,) fractions, descending.
    """
    ratios = np.asarray(ratios, dtype=float)
    axis, total = np.arange(1, len(ratios) + 1), np.cumsum(ratios)
    fig = picture("pca-spectrum", "PCA spectrum of the features", size=(8.0, 3.6))
    fig.data = pd.DataFrame({"axis": axis, "share": ratios, "together": total})
    left, right = fig.subplots(1, 2)
    tidy(left).bar(axis, ratios, color=MAIN, width=0.8)
    left.set_ylabel("share of variance (fraction)")
    left.set_title("each axis")
    tidy(right).plot(axis, total, color=MAIN, linewidth=2)
    right.fill_between(axis, total, color=MAIN, alpha=0.12)
    right.set_ylim(0, 1)
    right.set_title(f"axes together: the first {len(ratios)} hold {total[-1]:.0%}")
    half = int(np.searchsorted(total, 0.5)) + 1
    if total[-1] >= 0.5:
        right.plot([half], [total[half - 1]], "o", color=ACCENT)
        at = (half, total[half - 1])
        note(right, f"half of it in {half} axes", at, (9, -10), color=ACCENT)
    for panel in (left, right):
        panel.set_xlim(0, len(ratios) + 1)
        panel.set_xlabel("principal axis")
    fig.alt = f"The first {len(ratios)} principal axes hold {total[-1]:.0%} of the variance."
    return fig


@use_house_style
def feature_map(
    places: np.ndarray,
    labels: Iterable[str],
    *,
    level: str,
    top: int = 9,
    method: str = "t-SNE",
    name: str = "",
) -> NamedFigure:
    """The features on a flat map, the most frequent labels told apart by colour and marker.

    Args:
        places: (n, 2) coordinates.
        labels: (n,) labels, "" where missing.
        level: name of the level.
        top: labels told apart; the others are grey.
        method: how the map was made, for the title.
        name: of the figure; "" means one by the level.
    """
    labels = np.asarray(list(labels), dtype=str)
    sizes = pd.Series(labels[labels != ""]).value_counts()
    title = f"{method} map of the features by {readable_level(level)}"
    fig = picture(name or f"map-{level}", title, size=(8.0, 6.2))
    fig.data = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], level: labels})
    axes = fig.add_subplot()
    named = list(sizes.index[:top])
    others = ~np.isin(labels, named)
    if others.any():
        x, y = places[others].T
        label = f"others (n = {others.sum():,})"
        axes.scatter(x, y, s=9, color="#c6ccd6", label=label)
    for turn, name in enumerate(named):
        chosen = labels == name
        paint, marker = PALETTE[turn % len(PALETTE)], MARKERS[turn % len(MARKERS)]
        style: dict[str, Any] = {
            "s": 20,
            "color": paint,
            "marker": marker,
            "alpha": 0.8,
            "linewidths": 0,
        }
        style["label"] = f"{shorten(name, 20)} (n = {chosen.sum():,})"
        axes.scatter(*places[chosen].T, **style)
    for name in named:
        _name_cluster(axes, places[labels == name], name)
    axes.set_aspect("equal", "datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"{method} axis 1 (no unit)")
    axes.set_ylabel(f"{method} axis 2 (no unit)")
    axes.set_title(
        f"n = {len(labels):,} items; near on the map means near in feature space, not more"
    )
    fig.legend(loc="outside lower left", ncols=3, fontsize=8.5, markerscale=1.3)
    return fig


def _name_cluster(axes: Axes, places: np.ndarray, name: str) -> None:
    """The label's name at its medoid, so that the map reads without the legend."""
    middle = np.median(places, axis=0)
    at = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
    box = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.75}
    style: dict[str, Any] = {"ha": "center", "color": INK, "fontweight": "bold", "bbox": box}
    note(axes, shorten(name, 20), at, (0, 0), **style)
