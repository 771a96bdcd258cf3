"""Figures of search: what speed costs in recall, what an index costs, and how cost grows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from fashify.plots.style import (
    INK,
    MAIN,
    MARKERS,
    PALETTE,
    SOFT,
    NamedFigure,
    note,
    picture,
    thousands,
    tidy,
    use_house_style,
)


@use_house_style
def recall_speed(table: pd.DataFrame, *, reference: pd.DataFrame | None = None) -> NamedFigure:
    """Queries a second against the true neighbours missed, a line for each index.

    The picture of ann-benchmarks, turned so that nothing missed, 0, is the left edge.

    Args:
        table: a row a setting, columns ``index``, ``recall`` (0 to 1), ``qps_1`` (queries a
            second, one at a time), ``n`` and ``k``.
        reference: columns ``metric`` and ``qps_1`` of plain scikit-learn, drawn as lines.
    """
    fig = picture("recall-speed", "Speed against neighbours missed", size=(8.0, 4.4))
    axes = tidy(fig.add_subplot(), grid="both")
    fig.data = table
    for name, rows, colour, marker in _by_index(table):
        rows = rows.sort_values("recall")
        missed = 100 * (1 - rows["recall"])
        axes.plot(missed, rows["qps_1"], color=colour, marker=marker, label=name, linewidth=2)
    rows = () if reference is None else reference.sort_values("qps_1").itertuples()
    for place, one in enumerate(rows):
        axes.axhline(one.qps_1, color=SOFT, linestyle=":", linewidth=1.2)
        # The slower one is named below its line: the two may lie close together.
        where, side = ((-4, -3), "top") if place == 0 else ((-4, 3), "bottom")
        text = f"scikit-learn, {one.metric}"
        note(axes, text, (axes.get_xlim()[1], one.qps_1), where, ha="right", va=side)
    axes.set_yscale("log")
    # A little air left of 0, so that what misses nothing is not drawn on the axis.
    axes.set_xlim(left=-0.03 * axes.get_xlim()[1])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 0 else "")
    axes.set_xlabel("true neighbours missed, of 100 (0: exact)")
    axes.set_ylabel("queries per second, one at a time")
    _plain_numbers(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    axes.set_title(f"n = {int(table['n'].iloc[0]):,} items, k = {int(table['k'].iloc[0])}")
    fig.alt = f"Queries per second against missed neighbours for {', '.join(_names(table))}."
    return fig


@use_house_style
def index_costs(table: pd.DataFrame) -> NamedFigure:
    """Seconds to build and bytes an item beside the vectors, a bar for each index.

    Args:
        table: a row a setting; columns ``index``, ``build_s``, ``structure_bytes_per_item``, ``n``.
    """
    costs = table.groupby("index", sort=False)[["build_s", "structure_bytes_per_item"]].first()
    fig = picture("index-costs", "What an index costs to build and keep", size=(8.0, 3.0))
    fig.data = costs.reset_index()
    panels = fig.subplots(1, 2, sharey=True)
    labels = ("seconds to build", "bytes an item, beside the vectors")
    for axes, column, label in zip(panels, costs.columns, labels, strict=True):
        values = costs[column].to_numpy(dtype=float)
        places = np.arange(len(values))
        tidy(axes, grid="x").barh(places, values, color=MAIN, height=0.6)
        for place, value in zip(places, values, strict=True):
            note(axes, _figure(value), (value, place))
        axes.set_xlim(0, values.max() * 1.25 or 1)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.set_xlabel(label)
        axes.set_yticks(places, costs.index)
    panels[0].invert_yaxis()
    panels[0].set_title(f"n = {int(table['n'].iloc[0]):,} items")
    fig.alt = "Bars of build time and of bytes an item for each index."
    return fig


@use_house_style
def growth(table: pd.DataFrame) -> NamedFigure:
    """Median time of one query against the size of the gallery, a line for each index.

    Args:
        table: a row a size and index; columns ``index``, ``n``, ``n_jittered``, ``p50_ms``,
            ``recall``, ``dim``.
    """
    fig = picture("growth", "Time of a query as the gallery grows", size=(8.0, 4.2))
    axes = tidy(fig.add_subplot(), grid="both")
    fig.data = table
    for name, rows, colour, marker in _by_index(table):
        rows = rows.sort_values("n")
        axes.plot(rows["n"], rows["p50_ms"], color=colour, marker=marker, label=name, linewidth=2)
        last = rows.iloc[-1]
        text = f"recall {last['recall']:.3f}"
        note(axes, text, (last["n"], last["p50_ms"]), (6, -3), color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(x=0.14)
    real = table.loc[table["n_jittered"] == 0, "n"].max()
    if (table["n_jittered"] > 0).any() and real == real:
        axes.axvline(real, color=SOFT, linestyle=":", linewidth=1.2)
        note(axes, "jittered copies beyond", (real, axes.get_ylim()[0]), (5, 6), color=INK)
    axes.set_xlabel("items in the gallery")
    axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
    _plain_numbers(axes)
    axes.set_ylabel("milliseconds a query, median")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=5)
    sizes = table["n"].agg(["min", "max"])
    axes.set_title(
        f"n = {sizes['min']:,} to {sizes['max']:,} items of {table['dim'].iloc[0]} numbers"
    )
    fig.alt = f"Median query time against gallery size for {', '.join(_names(table))}."
    return fig


def _plain_numbers(axes: Axes) -> None:
    """Plain numbers on a log axis; between the powers of ten 2 and 5, or all on a short one."""
    low, high = axes.get_ylim()
    between = (2, 5) if high > 20 * low else range(2, 10)
    axes.yaxis.set_minor_locator(LogLocator(subs=between))
    for name in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        name(lambda value, _: f"{value:,g}")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _names(table: pd.DataFrame) -> list[str]:
    return sorted(table["index"].unique())


def _by_index(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, str, str]]:
    for place, name in enumerate(_names(table)):
        colour, marker = PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]
        yield name, table[table["index"] == name], colour, marker
