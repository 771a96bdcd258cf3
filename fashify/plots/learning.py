"""Figures of learned embeddings: what a head gains, by category and by method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fashify.plots.style import (
    ACCENT,
    INK,
    MAIN,
    MARKERS,
    PALETTE,
    SOFT,
    NamedFigure,
    picture,
    readable_level,
    rows_size,
    shorten,
    subtitle,
    tidy,
    use_house_style,
)

if TYPE_CHECKING:
    from fashify.evaluation.report import EvaluationReport


@use_house_style
def gains(table: pd.DataFrame, *, level: str, k: int = 5, top: int = 28) -> NamedFigure:
    """Gain in precision@k of each category, with its 95 % interval: dots right of 0 are better.

    Args:
        table: as ``fashify.evaluation.gains_by_category`` gives it.
        level: name of the level.
        k: places the precision looks at.
        top: categories shown, those with the most queries.
    """
    shown = table.nlargest(top, "n_queries", keep="all").head(top).sort_values("gain")
    fig = picture(
        f"gains-{level}",
        f"What the head gains in precision@{k}, by {readable_level(level)}",
        size=rows_size(len(shown) + 2),
    )
    axes = tidy(fig.add_subplot(), grid="x")
    fig.data = shown[::-1]
    rows = np.arange(len(shown))
    axes.axvline(0, color=SOFT, linewidth=1)
    axes.hlines(rows, shown["low"], shown["high"], color=INK, linewidth=1.4, label="95 % interval")
    better = shown["gain"].to_numpy() >= 0
    for mask, paint, marker, name in (
        (better, MAIN, "o", "better, or the same"),
        (~better, ACCENT, "X", "worse"),
    ):
        if mask.any():
            axes.scatter(
                shown["gain"][mask], rows[mask], color=paint, marker=marker, s=34, zorder=3,
                label=name,
            )  # fmt: skip
    axes.set_yticks(
        rows,
        [
            f"{shorten(row.category, 22)}  (n = {row.n_queries:,})"
            for row in shown.itertuples(index=False)
        ],
    )
    axes.set_xlabel(f"precision@{k} with the head minus without (fraction)")
    subtitle(axes, f"{len(shown)} of {len(table)} categories, those with the most queries")
    fig.legend(loc="outside lower left", ncols=3)
    fig.alt = (
        f"{int((table['gain'] > 0).sum())} of {len(table)} categories gain precision@{k} by the "
        "head."
    )
    return fig


@use_house_style
def methods(reports: Mapping[str, Mapping[str, EvaluationReport]], *, k: int = 5) -> NamedFigure:
    """Micro precision@k of each method at each level, with 95 % intervals.

    Args:
        reports: method -> level -> EvaluationReport.
        k: places the precision looks at.
    """
    levels = list(next(iter(reports.values())))
    fig = picture("methods", f"Precision@{k} of each head", size=(8.0, 4.4))
    axes = tidy(fig.add_subplot())
    fig.data = pd.DataFrame(
        [
            (method, level, *_bounded(report.micro, report.intervals["micro"]))
            for method, found in reports.items()
            for level, report in found.items()
        ],
        columns=["method", "level", "precision", "low", "high"],
    )
    width = 0.8 / len(reports)
    for turn, (method, found) in enumerate(reports.items()):
        x = np.arange(len(levels)) + (turn - (len(reports) - 1) / 2) * width
        values = np.array([found[level].micro["precision"] for level in levels])
        spread = np.array([found[level].intervals["micro"]["precision"] for level in levels])
        reach = np.nan_to_num(np.abs(spread.T - values))
        axes.errorbar(
            x, values, yerr=reach, fmt=MARKERS[turn % len(MARKERS)],
            color=PALETTE[turn % len(PALETTE)], capsize=2, markersize=6, label=method,
        )  # fmt: skip
    axes.set_xticks(np.arange(len(levels)), [readable_level(level) for level in levels])
    axes.set_ylim(0, 1)
    axes.set_ylabel(f"precision@{k}, micro (fraction)")
    n = next(iter(next(iter(reports.values())).values())).n_judged
    subtitle(
        axes, f"test split, n = {n:,} queries at {readable_level(levels[0])}; lines: 95 % intervals"
    )
    fig.legend(loc="outside lower left", ncols=min(5, len(reports)))
    best = max(reports, key=lambda name: reports[name][levels[0]].micro["precision"])
    fig.alt = f"Of {len(reports)} heads, {best} is the best at {readable_level(levels[0])}."
    return fig


def _bounded(means: dict, intervals: dict) -> tuple[float, float, float]:
    return means["precision"], *intervals["precision"]


@use_house_style
def reliability(table: pd.DataFrame, *, level: str = "article_type") -> NamedFigure:
    """Predicted against observed share of right matches: on the diagonal is honest.

    Args:
        table: as ``fashify.heads.strength.measure_reliability`` gives it, or
            ``TrustReport.reliability``, whose column ``kind`` makes a line for each kind.
        level: what a right match shares with its query.
    """
    title = "Does the match strength keep its word?"
    fig = picture("reliability", title, size=(5.6, 5.0))
    fig.data = table
    axes = tidy(fig.add_subplot(), grid="both")
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--", label="as predicted")
    kinds = table["kind"] if "kind" in table else pd.Series("matches", index=table.index)
    gaps, parts = (table["predicted"] - table["observed"]).abs() * table["n"], []
    for turn, (kind, rows) in enumerate(table.groupby(kinds, sort=False)):
        off = float(gaps[rows.index].sum() / rows["n"].sum())
        parts.append(f"{kind} {off:.3f} off on average (n = {rows['n'].sum():,})")
        axes.plot(
            rows["predicted"], rows["observed"], color=PALETTE[turn], linewidth=1.2,
            marker=MARKERS[turn], markersize=6, label=str(kind),
        )  # fmt: skip
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted probability")
    axes.set_ylabel(f"share that had the query's {readable_level(level)}")
    subtitle(axes, "\n".join(parts), width=54)
    axes.legend(loc="upper left")
    fig.alt = f"{title} Predicted and observed shares: {'; '.join(parts)}."
    return fig
