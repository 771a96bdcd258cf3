"""Figures of an audit: how many copies and variants there are, how far labels can be trusted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashify.plots.style import (
    ACCENT,
    INK,
    MAIN,
    PALETTE,
    NamedFigure,
    note,
    picture,
    readable_level,
    rows_size,
    subtitle,
    thousands,
    tidy,
    use_house_style,
)

#: Group sizes with a bar of their own; larger ones share theirs with the next.
_SIZES = ((2, 2), (3, 3), (4, 4), (5, 9), (10, 19), (20, 49), (50, None))


@use_house_style
def group_kinds(kinds: pd.DataFrame, *, n: int) -> NamedFigure:
    """Bars of the share of the catalogue that has a copy, a look-alike or a variant.

    Args:
        kinds: ``kind, groups, products, share, largest``, as ``Audit.kinds``.
        n: products in the catalogue.
    """
    title = "Products that are not alone"
    fig = picture("group-kinds", title, size=rows_size(len(kinds), row=0.5))
    axes = tidy(fig.add_subplot(), grid="x")
    rows = np.arange(len(kinds))[::-1]
    fig.data = kinds
    axes.barh(rows, kinds["share"], color=[MAIN] * (len(kinds) - 1) + [ACCENT], height=0.66)
    for row, one in zip(rows, kinds.itertuples(), strict=True):
        text = f"{one.share:.1%}: {one.products:,} products in {one.groups:,} groups"
        note(axes, text, (one.share, row))
    axes.set_yticks(rows, kinds["kind"])
    axes.set_xlim(0, max(0.05, kinds["share"].max()) * 1.9)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("share of the products")
    subtitle(axes, f"n = {n:,} products; groups are what any of the three joins", width=72)
    fig.alt = f"{title}: " + ", ".join(f"{o.kind} {o.share:.1%}" for o in kinds.itertuples())
    return fig


@use_house_style
def group_sizes(sizes: np.ndarray) -> NamedFigure:
    """Bars of how many groups of each size there are, on a logarithmic axis.

    Args:
        sizes: (n,) the size of each product's group.
    """
    counted = pd.Series(sizes).value_counts()
    groups = (counted / counted.index).round().astype(int)
    found = []
    for low, high in _SIZES:
        inside = groups[(groups.index >= low) & (groups.index <= (high or np.inf))]
        name = f"{low}" if high == low else f"{low} to {high}" if high else f"{low} or more"
        found.append((name, int(inside.sum()), int((inside * inside.index).sum())))
    fig = picture("group-sizes", "Size of the groups of copies and variants", size=(8.0, 3.8))
    fig.data = pd.DataFrame(found, columns=["size", "groups", "products"])
    axes = tidy(fig.add_subplot())
    places = np.arange(len(found))
    axes.bar(places, [max(n, 0.7) for _, n, _ in found], 0.7, bottom=0.5, color=MAIN)
    for place, (_, n, products) in zip(places, found, strict=True):
        text = f"{n:,} groups\n{products:,} products"
        note(axes, text, (place, max(n, 0.7) + 0.5), (0, 14), ha="center")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_ylim(0.5, max(10, groups.drop(1, errors="ignore").max() if len(groups) else 10) * 8)
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_xticks(places, [name for name, *_ in found])
    axes.set_xlabel("products in the group")
    axes.set_ylabel("groups (logarithmic)")
    alone = int(groups.get(1, 0))
    subtitle(axes, f"n = {len(sizes):,} products, {alone:,} of them alone")
    largest = int(max(sizes, default=0))
    fig.alt = f"Size of the groups; {alone:,} products are alone, the largest group has {largest}."
    return fig


@use_house_style
def label_noise(noise: pd.DataFrame) -> NamedFigure:
    """Bars of the estimated share of wrong labels at each level, with 95 % intervals.

    Args:
        noise: rows of one kind of copies, as ``fashify.evaluation.audit.estimate_label_noise``.
    """
    told = noise[noise["groups"] > 0]
    title = "Labels that contradict each other on the very same picture"
    fig = picture("label-noise", title, size=rows_size(len(told), row=0.42))
    axes = tidy(fig.add_subplot(), grid="x")
    rows = np.arange(len(told))[::-1]
    fig.data = told
    axes.barh(rows, told["noise"], color=PALETTE[4], height=0.62)
    axes.hlines(rows, told["low"], told["high"], color=INK, linewidth=1.6)
    top = float(told["high"].fillna(told["noise"]).max()) if len(told) else 0.0
    for row, one in zip(rows, told.itertuples(), strict=True):
        end = max(one.noise, one.high if np.isfinite(one.high) else 0)
        note(axes, f"{one.noise:.1%}  ({one.disagree:,} groups disagree)", (end, row))
    axes.set_yticks(
        rows, [f"{readable_level(o.level)}  (n = {o.groups:,})" for o in told.itertuples()]
    )
    axes.set_xlim(0, max(0.01, top) * 1.5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("estimated share of wrong labels, at the least")
    subtitle(axes, "n = groups of products with equal files; line: 95 % interval", width=72)
    parts = (f"{readable_level(o.level)} {o.noise:.1%}" for o in told.itertuples())
    fig.alt = f"{title}: {', '.join(parts) or 'no copies to tell from'}."
    return fig
