"""Figures made of product images: grids, and queries beside their matches."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fashify.io.plain import format_count
from fashify.plots.style import BAD, FAINT, GOOD, INK, SOFT, NamedFigure, picture, use_house_style

#: How a match is marked: sign, paint and line style all differ.
_MARKS: dict[bool | None, tuple[str, str, Any]] = {
    True: ("✓", GOOD, "-"),
    False: ("✗", BAD, (0, (4, 2))),
}


@use_house_style
def grid(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    title: str,
    columns: int = 8,
    name: str = "grid",
) -> NamedFigure:
    """Product images in rows, each with its caption below.

    Args:
        images: n arrays (height, width, 3) uint8, of any sizes.
        captions: n texts, wrapped to two lines.
        title: of the figure.
        columns: images a row.
        name: file name of the figure in a report.
    """
    columns = max(1, min(columns, len(images)))
    n_rows = max(1, -(-len(images) // columns))
    fig = picture(name, title, size=(max(4.0, 1.12 * columns), 0.6 + 1.72 * n_rows))
    cells = fig.subplots(n_rows, columns, squeeze=False).ravel()
    for axes, image, caption in zip(cells, images, captions, strict=False):
        _show(axes, image)
        axes.set_xlabel(_wrap_text(caption), fontsize=7.5, color=INK, labelpad=4)
    fig.data = pd.DataFrame({"place": range(1, len(images) + 1), "caption": list(captions)})
    for axes in cells[len(images) :]:
        axes.set_visible(False)
    fig.alt = f"{title}: {format_count(len(images), 'product image')}."
    return fig


@use_house_style
def matches(
    rows: Sequence[tuple[tuple[np.ndarray, str], Sequence[tuple[np.ndarray, str, bool | None]]]],
    *,
    title: str,
    name: str = "matches",
) -> NamedFigure:
    """Queries at the left, their matches at the right, nearest first, each hit or miss marked.

    A hit has a tick and a whole green frame, a miss a cross and a dashed orange one.

    Args:
        rows: for each query ``((image, caption), [(image, caption, hit), ...])``; hit is None
            where it cannot be told.
        title: of the figure.
        name: file name of the figure in a report.
    """
    columns = 1 + max((len(found) for _, found in rows), default=1)
    fig = picture(name, title, size=(1.34 * columns + 0.5, 0.75 + 1.95 * len(rows)))
    widths = [1.0, 0.14, *[1.0] * (columns - 1)]
    cells = fig.subplots(len(rows), columns + 1, squeeze=False, width_ratios=widths)
    for line, ((image, caption), found) in zip(cells, rows, strict=True):
        _show(line[0], image, paint=INK, width=1.6)
        line[0].set_xlabel(_wrap_text(caption), fontsize=7.5, color=INK, labelpad=4)
        line[1].set_axis_off()
        for axes, (picture_, text, hit) in zip(line[2:], found, strict=False):
            _show_match(axes, picture_, text, hit)
        for axes in line[2 + len(found) :]:
            axes.set_visible(False)
    if len(rows):
        cells[0][0].set_title("query", color=INK, fontweight="bold")
        cells[0][2].set_title("nearest →", color=SOFT)
    fig.data = pd.DataFrame(
        [
            (number, caption, rank, text, hit)
            for number, ((_, caption), found) in enumerate(rows, 1)
            for rank, (_, text, hit) in enumerate(found, 1)
        ],
        columns=["row", "query", "rank", "match", "relevant"],
    )
    hits = sum(hit is True for _, found in rows for *_, hit in found)
    total = sum(len(found) for _, found in rows)
    fig.alt = (
        f"{title}: {format_count(len(rows), 'query')} with matches, {hits} of {total} relevant."
    )
    return fig


@use_house_style
def picture_rows(
    rows: Sequence[tuple[str, Sequence[tuple[np.ndarray, str]]]], *, title: str, name: str = "rows"
) -> NamedFigure:
    """Groups of product images, one a row, with what the row is about above it.

    Args:
        rows: for each group ``(words, [(image, caption), ...])``.
        title: of the figure.
        name: file name of the figure in a report.
    """
    columns = max((len(shown) for _, shown in rows), default=1)
    size = (max(6.0, 1.12 * columns), 0.75 + 1.95 * max(1, len(rows)))
    fig = picture(name, title, size=size)
    cells = fig.subplots(max(1, len(rows)), max(columns, 1), squeeze=False)
    for line, (words, shown) in zip(cells, rows, strict=False):
        for axes, (image, caption) in zip(line, shown, strict=False):
            _show(axes, image)
            axes.set_xlabel(_wrap_text(caption, lines=2), fontsize=7.5, color=INK, labelpad=4)
        for axes in line[len(shown) :]:
            axes.set_visible(False)
        # A blank title holds the place: the words themselves would widen the first column.
        line[0].set_title(" ")
        at: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "color": SOFT,
        }
        line[0].annotate(words, (0, 1), (0, 8), annotation_clip=False, **at).set_in_layout(False)
    if not rows:
        cells[0][0].set_axis_off()
    found = [
        (words, place, caption)
        for words, shown in rows
        for place, (_, caption) in enumerate(shown, 1)
    ]
    fig.data = pd.DataFrame(found, columns=["row", "place", "caption"])
    fig.alt = f"{title}: {len(rows)} rows. " + "; ".join(words for words, _ in rows)
    return fig


def _show_match(axes: Axes, image: np.ndarray, caption: str, hit: bool | None) -> None:
    sign, paint, line = _MARKS.get(hit, ("", FAINT, "-"))
    _show(axes, image, paint=paint, line=line, width=2.2 if sign else 1.0)
    axes.set_xlabel(_wrap_text(caption), fontsize=7.5, color=INK, labelpad=4)
    if sign:
        box = {"boxstyle": "circle,pad=0.18", "fc": paint, "ec": "white"}
        style: dict[str, Any] = {
            "color": "white",
            "fontsize": 11,
            "fontweight": "bold",
            "bbox": box,
        }
        at: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right", "va": "top"}
        axes.annotate(sign, (0.97, 0.97), **at, **style)


def _show(
    axes: Axes, image: np.ndarray, *, paint: str = FAINT, line: Any = "-", width: float = 1.0
) -> None:
    """One image in a portrait cell of 3 x 4, unstretched, with a frame."""
    height, wide = image.shape[:2]
    axes.imshow(image, interpolation="lanczos", extent=(0, wide, height, 0))
    side = max(wide / 3, height / 4)
    axes.set_xlim(wide / 2 - 1.5 * side, wide / 2 + 1.5 * side)
    axes.set_ylim(height / 2 + 2 * side, height / 2 - 2 * side)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(visible=True, color=paint, linewidth=width, linestyle=line)


def _wrap_text(text: str, width: int = 18, lines: int = 3) -> str:
    parts = [textwrap.wrap(line, width) or [""] for line in str(text).split("\n")]
    flat = [piece for part in parts for piece in part]
    return "\n".join(flat[:lines]) + ("…" if len(flat) > lines else "")
