"""Figures of robustness: one small panel a perturbation, one line a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fashify.plots.style import (
    INK,
    MARKERS,
    PALETTE,
    SOFT,
    NamedFigure,
    picture,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fashify.evaluation.robustness.measure import RobustnessReport

#: What each measure is called on an axis.
WORDS = {
    "hit_1": "known product found first (share)",
    "hit_k": "known product among the first {k} (share)",
    "precision": "precision@{k} excluding its group (fraction)",
}


@use_house_style
def robustness(
    report: RobustnessReport, *, measure: str = "hit_1", columns: int = 3
) -> NamedFigure:
    """What is left at each strength of each perturbation, for each remedy, with 95 % intervals.

    Args:
        report: a RobustnessReport.
        measure: "hit_1", "hit_k" or "precision".
        columns: panels a row.
    """
    table = report.table[report.table["perturbation"] != "none"]
    names = list(dict.fromkeys(table["perturbation"]))
    n_rows = -(-len(names) // columns)
    words = WORDS[measure].format(k=report.k)
    title = f"Spoiled queries: {words.split(' (')[0]}"
    size = (2.9 * columns + 0.5, 1.3 + 2.35 * n_rows)
    fig = picture(f"robustness-{measure.replace('_', '-')}", title, size=size)
    ends = [f"{measure}{end}" for end in ("", "_low", "_high")]
    fig.data = report.table[["remedy", "perturbation", "unit", "strength", "n", *ends]]
    cells = fig.subplots(n_rows, columns, squeeze=False, sharey=True)
    for axes, name in zip(cells.ravel(), names, strict=False):
        _panel(tidy(axes), report, table[table["perturbation"] == name], measure)
    for axes in cells.ravel()[len(names) :]:
        fig.delaxes(axes)
    fig.supylabel(words, fontsize=9.5, color=SOFT)
    drawn = cells[0][0].get_legend_handles_labels()
    fig.legend(*drawn, loc="outside lower left", ncols=min(4, len(drawn[0])))
    n = int(table["n"].max()) if len(table) else 0
    means = report.means()
    parts = (f"{row.remedy} {getattr(row, measure):.2f}" for row in means.itertuples())
    fig.alt = f"{title}, {n} queries, mean over all perturbations: {', '.join(parts)}."
    return fig


def _panel(axes: Axes, report: RobustnessReport, rows: pd.DataFrame, measure: str) -> None:
    clean = report.table[report.table["perturbation"] == "none"].set_index("remedy")[measure]
    strengths = sorted(rows["strength"].unique())
    places = {strength: place for place, strength in enumerate(strengths)}
    remedies = list(dict.fromkeys(rows["remedy"]))
    for number, remedy in enumerate(remedies):
        mine = rows[rows["remedy"] == remedy].sort_values("strength")
        paint, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
        at = mine["strength"].map(places) + 0.08 * (number - (len(remedies) - 1) / 2)
        axes.vlines(at, mine[f"{measure}_low"], mine[f"{measure}_high"], color=paint, linewidth=1.2)
        axes.plot(at, mine[measure], color=paint, marker=marker, markersize=5, label=remedy)
        axes.axhline(clean[remedy], color=paint, linestyle=":", linewidth=1.0)
    axes.set_xticks(np.arange(len(strengths)), [f"{strength:g}" for strength in strengths])
    axes.set_xlim(-0.4, len(strengths) - 0.6)
    axes.set_ylim(0, 1.03)
    axes.set_yticks(np.arange(0, 1.01, 0.25))
    axes.set_xlabel(rows["unit"].iloc[0], fontsize=8.2)
    axes.set_title(rows["perturbation"].iloc[0], color=INK, fontweight="bold")
