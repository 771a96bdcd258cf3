"""Figures of a catalogue: how many products of which kind, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fashify.io.plain import format_count
from fashify.plots.named_colours import swatches
from fashify.plots.style import (
    FAINT,
    INK,
    MAIN,
    PALETTE,
    WASH,
    NamedFigure,
    note,
    picture,
    readable_level,
    rows_size,
    shorten,
    subtitle,
    thousands,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator


@use_house_style
def counts(labels: Iterable[str], *, level: str, top: int = 25) -> NamedFigure:
    """Bars of how many products carry each label of a level, the most frequent first.

    Args:
        labels: (n,) labels, "" where missing.
        level: name of the level, for the title.
        top: labels shown; the rest is summed up in one grey bar.
    """
    sizes, n, n_missing = _sizes(labels)
    shown, rest = sizes.head(top), sizes.iloc[top:]
    fig = picture(f"counts-{level}", _counts_title(level, sizes), size=rows_size(len(shown) + 1))
    axes = tidy(fig.add_subplot(), grid="x")
    names = [shorten(name) for name in shown.index]
    colours = [MAIN] * len(shown)
    if len(rest):
        names, colours = [*names, f"{len(rest)} others together"], [*colours, "#a9b1c0"]
        shown = pd.concat([shown, pd.Series({names[-1]: rest.sum()})])
    fig.data = _tabulate_counts(shown, level)
    axes.barh(range(len(shown)), shown, color=colours, height=0.72)
    _label_bars(axes, shown, n)
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("products")
    subtitle(axes, _describe_count(n, n_missing, readable_level(level)), width=72)
    fig.alt = f"{_counts_title(level, sizes)}; most frequent: {_describe_first(sizes)}."
    return fig


@use_house_style
def colours(labels: Iterable[str], *, top: int = 24) -> NamedFigure:
    """Bars of the base colours, each drawn in the colour it names, outlined to show white.

    Args:
        labels: (n,) colour names, "" where missing.
        top: colours shown.
    """
    sizes, n, n_missing = _sizes(labels)
    shown = sizes.head(top)
    title = f"{len(sizes)} base colours"
    fig = picture("colours", title, size=rows_size(len(shown)))
    axes = tidy(fig.add_subplot(), grid="x")
    fig.data = _tabulate_counts(shown, "base_colour")
    for row, (name, size) in enumerate(shown.items()):
        paints = swatches(name)
        for part, paint in enumerate(paints):
            left = size * part / len(paints)
            axes.barh(row, size / len(paints), left=left, color=paint, height=0.74)
        hatch = None if paints else "////"
        axes.barh(
            row, size, color="none", edgecolor="#6f7787", hatch=hatch, linewidth=0.8, height=0.74
        )
    _label_bars(axes, shown, n)
    axes.set_yticks(range(len(shown)), [shorten(name) for name in shown.index])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("products")
    rest = f"; {len(sizes) - len(shown)} rarer colours not shown" if len(sizes) > top else ""
    subtitle(axes, _describe_count(n, n_missing, "base colour") + rest, width=72)
    fig.alt = f"{title}; most frequent: {_describe_first(sizes)}."
    return fig


@use_house_style
def years(values: Iterable) -> NamedFigure:
    """Bars of the products a year; years that stand between with none are shown empty.

    Args:
        values: (n,) years, NA where missing.
    """
    given = pd.to_numeric(pd.Series(list(values)), errors="coerce")
    known = given.dropna().astype(int)
    sizes = known.value_counts().sort_index()
    fig = picture("years", "Products by year")
    axes = tidy(fig.add_subplot())
    fig.data = _tabulate_counts(sizes, "year")
    axes.bar(sizes.index, sizes, color=MAIN, width=0.75)
    for year, size in sizes.items():
        note(axes, thousands(size), (year, size), (0, 7), ha="center")
    if len(sizes):
        axes.set_xticks(range(sizes.index.min(), sizes.index.max() + 1))
    axes.set_xlabel("year")
    axes.set_ylabel("products")
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_title(_describe_count(len(given), len(given) - len(known), "year"))
    fig.alt = f"Products by year; most in: {_describe_first(sizes.sort_values(ascending=False))}."
    return fig


@use_house_style
def shares(
    rows: Iterable[str], parts: Iterable[str], *, level: str, by: str, top: int = 6
) -> NamedFigure:
    """Stacked bars: within each label of one level, the shares of another's labels.

    Args:
        rows: (n,) labels of ``level``; one bar each.
        parts: (n,) labels of ``by``; the parts of the bars.
        level, by: names of the two levels, for the title.
        top: labels of ``by`` told apart; the rest is one grey part.
    """
    frame = pd.DataFrame({"row": list(rows), "part": list(parts)})
    frame = frame[(frame["row"] != "") & (frame["part"] != "")]
    names = frame["part"].value_counts().index[:top]
    frame["part"] = frame["part"].where(frame["part"].isin(names), "others")
    table = pd.crosstab(frame["row"], frame["part"])
    table = table.loc[table.sum(axis=1).sort_values(ascending=False).index]
    ordered = [*names, *(["others"] if "others" in table else [])]
    title = f"{readable_level(by).capitalize()} within each {readable_level(level)}"
    fig = picture(f"shares-{level}-{by}", title, size=rows_size(len(table), row=0.42))
    axes = tidy(fig.add_subplot(), grid="x")
    fig.data = table[ordered].rename_axis(level, axis=0).rename_axis(None, axis=1).reset_index()
    left = np.zeros(len(table))
    for name, paint in zip(ordered, _paints(ordered), strict=True):
        share = (table[name] / table.sum(axis=1)).to_numpy()
        style = {"color": paint, "edgecolor": "white", "linewidth": 1.2, "label": name}
        axes.barh(range(len(table)), share, left=left, height=0.7, **style)
        _name_parts(axes, share, left, name, paint)
        left += share
    axes.set_yticks(
        range(len(table)), [f"{row}  (n = {n:,})" for row, n in table.sum(axis=1).items()]
    )
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of the {readable_level(level)}'s products (fraction)")
    fig.legend(
        *axes.get_legend_handles_labels(), loc="outside lower left", ncols=min(6, len(ordered))
    )
    axes.set_title(f"n = {len(frame):,} products with both labels")
    return fig


@use_house_style
def missing(table: pd.DataFrame) -> NamedFigure:
    """What is missing or odd in a catalogue, one bar a kind of gap, with its count.

    Args:
        table: columns ``what`` (str), ``n`` (int) and ``of`` (int, out of how many).
    """
    fig = picture("missing", "Gaps and oddities", size=rows_size(len(table), row=0.3))
    axes = tidy(fig.add_subplot(), grid="x")
    share = (table["n"] / table["of"].clip(lower=1)).to_numpy()
    rows = range(len(table))
    fig.data = table[["what", "n", "of"]].assign(share=share)
    axes.barh(rows, share, color=PALETTE[1], height=0.66)
    for row, (n, part) in enumerate(zip(table["n"], share, strict=True)):
        text = "none" if n == 0 else f"{n:,}  ({_percent(part)})"
        note(axes, text, (part, row))
    axes.set_yticks(rows, table["what"])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(0, max(0.01, share.max() * 1.25))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.2%}")
    axes.set_xlabel("share of rows (percent)")
    axes.set_title(f"n = {int(table['of'].max()):,} rows")
    odd = table[table["n"] > 0]
    found = [f"{what}: {n:,}" for what, n in zip(odd["what"], odd["n"], strict=True)]
    fig.alt = f"Gaps and oddities: {', '.join(found) or 'none'}."
    return fig


@use_house_style
def image_facts(facts: pd.DataFrame, *, top: int = 8) -> NamedFigure:
    """Two panels: the most frequent image sizes, drawn to scale too, and the colour modes.

    Args:
        facts: one row an image: ``width, height`` (pixels) and ``mode``.
        top: sizes shown.
    """
    n = len(facts)
    sizes = facts.groupby(["width", "height"]).size().sort_values(ascending=False)
    modes = facts["mode"].value_counts()
    fig = picture("image-facts", f"Image sizes and modes of {n:,} images", size=(8.0, 3.6))
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    shown = sizes.head(top)
    parts = {"size": {f"{w} x {h}": n for (w, h), n in shown.items()}, "mode": modes.to_dict()}
    rows = [
        (fact, value, images) for fact, found in parts.items() for value, images in found.items()
    ]
    fig.data = pd.DataFrame(rows, columns=["fact", "value", "images"])
    _panel(left, [f"{w} × {h}" for w, h in shown.index], shown, n, "width × height, pixels")
    _panel(right, [str(mode) for mode in modes.index], modes, n, "mode, as stored")
    if len(sizes) > top:
        left.set_title(f"width × height, pixels: {top} of {len(sizes)} sizes")
    common = " × ".join(str(side) for side in shown.index[0])
    counted = format_count(len(sizes), "image size")
    fig.alt = f"{counted}, most frequent {common}; modes {_describe_first(modes)}."
    return fig


def _panel(axes: Axes, names: list[str], sizes: pd.Series, n: int, title: str) -> None:
    tidy(axes, grid="x").barh(range(len(sizes)), sizes, color=MAIN, height=0.66)
    _label_bars(axes, sizes, n)
    axes.set_yticks(range(len(sizes)), names)
    axes.set_ylim(max(len(sizes), 4) - 0.4, -0.6)
    axes.set_xlabel("images")
    axes.set_title(title)


def _sizes(labels: Iterable[str]) -> tuple[pd.Series, int, int]:
    given = pd.Series(np.asarray(list(labels)), dtype=str)
    return given[given != ""].value_counts(), len(given), int((given == "").sum())


def _tabulate_counts(sizes: pd.Series, name: str) -> pd.DataFrame:
    return pd.DataFrame({name: sizes.index, "products": sizes.to_numpy()})


def _describe_count(n: int, n_missing: int, what: str) -> str:
    return f"n = {n:,} products" + (f", of which {n_missing:,} without {what}" if n_missing else "")


def _counts_title(level: str, sizes: pd.Series) -> str:
    name = readable_level(level)
    if name == "usage":
        return f"{format_count(len(sizes), 'kind')} of usage"
    return format_count(len(sizes), name)


def _describe_first(sizes: pd.Series) -> str:
    return ", ".join(f"{name} {size:,}" for name, size in sizes.head(3).items())


def _percent(share: float) -> str:
    if 0 < share < 0.0001:
        return "<0.01%"
    return f"{share:.2%}" if 0 < share < 0.01 else f"{share:.0%}"


def _label_bars(axes: Axes, sizes: pd.Series, n: int) -> None:
    """Count and share behind each bar, and room for them."""
    for row, size in enumerate(sizes):
        note(axes, f"{size:,}  ({_percent(size / max(n, 1))})", (size, row))
    axes.set_xlim(0, max(sizes.max() if len(sizes) else 1, 1) * 1.22)
    axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.xaxis.set_major_locator(_whole_numbers())


def _whole_numbers() -> MaxNLocator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=5, integer=True)


def _paints(names: list[str]) -> list[str]:
    palette = iter(PALETTE)
    return ["#c3c9d4" if name == "others" else next(palette) for name in names]


def _name_parts(
    axes: Axes, share: Iterable[float], left: Iterable[float], name: str, paint: str
) -> None:
    """Write the part's name into bars long enough for it: colour does not speak alone."""
    ink = INK if paint in (FAINT, WASH, "#c3c9d4", "#56B4E9", "#E69F00", "#CC79A7") else "white"
    for row, (width, start) in enumerate(zip(share, left, strict=True)):
        if width > 0.012 * len(name) + 0.02:
            axes.text(start + width / 2, row, name, ha="center", va="center", fontsize=8, color=ink)
