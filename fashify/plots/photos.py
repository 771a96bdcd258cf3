"""Figures of people's photos: precision by label, for one search or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fashify.plots.style import (
    INK,
    MARKERS,
    PALETTE,
    NamedFigure,
    note,
    picture,
    rows_size,
    subtitle,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from fashify.evaluation.photos import PhotoReport


@use_house_style
def photo_precision(reports: Mapping[str, PhotoReport]) -> NamedFigure:
    """Precision@k of photos by label, chance and 95 % intervals by person beside.

    Args:
        reports: name of a search -> its report on the same photos.
    """
    last = list(reports.values())[-1]
    shown = last.table[last.table["counted"]].iloc[::-1]
    title = f"Precision@{last.k} of people's photos"
    fig = picture("photo-precision", title, size=rows_size(len(shown) * len(reports) + 2))
    axes = tidy(fig.add_subplot(), grid="x")
    fig.data = _tabulate(reports, list(shown["label"][::-1]))
    height = 0.74 / len(reports)
    for place, ((name, report), paint, marker) in enumerate(
        zip(reports.items(), PALETTE, MARKERS, strict=False)
    ):
        rows = np.arange(len(shown)) + height * (len(reports) - 1 - 2 * place) / 2
        table = report.table.set_index("label").loc[shown["label"]]
        axes.barh(rows, table["precision"], color=paint, height=height * 0.9)
        axes.hlines(rows, table["precision_low"], table["precision_high"], color="white", lw=3.4)
        axes.hlines(rows, table["precision_low"], table["precision_high"], color=INK, lw=1.3)
        axes.plot(
            table["precision"], rows, marker, color=INK, mfc=paint, ms=5, linestyle="", label=name
        )
        ends = table[["precision", "precision_high"]].max(axis=1)
        for row, value, end in zip(rows, table["precision"], ends, strict=True):
            note(axes, f"{value:.2f}", (end, row))
    places = range(len(shown))
    axes.plot(shown["chance"], places, "|", color=INK, ms=16, mew=2, linestyle="", label="chance")
    axes.set_yticks(places, [f"{row.label} (n = {row.n})" for row in shown.itertuples()])
    axes.set_xlim(0, 1.08)
    axes.set_xlabel(f"precision@{last.k} (fraction of the first {last.k} of the right kind)")
    people, gallery = last.facts["people"], last.facts["n_gallery"]
    words = f"{last.n_judged:,} photos of {people} people against {gallery:,} products"
    subtitle(axes, f"{words}; lines are 95 % intervals by person")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower left", ncols=4)
    means = ", ".join(f"{name} {one.macro['precision']:.2f}" for name, one in reports.items())
    fig.alt = f"{title}: macro mean {means}. {last.summary}"
    return fig


def _tabulate(reports: Mapping[str, PhotoReport], labels: list[str]) -> pd.DataFrame:
    """One row a search and label."""
    columns = ["label", "n", "precision", "precision_low", "precision_high", "chance"]
    tables = [
        report.table.set_index("label").loc[labels].reset_index()[columns].assign(search=name)
        for name, report in reports.items()
    ]
    return pd.concat(tables, ignore_index=True)[["search", *columns]]
