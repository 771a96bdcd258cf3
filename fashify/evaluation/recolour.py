"""How well "like this but in COLOUR" is answered: the colour asked for, and all the rest kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.config import SEED
from fashify.errors import NoLabelsError
from fashify.evaluation.intervals import bootstrap
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.variants import name_stems

#: Answers looked at.
K = 5

#: Products of the query's type and gender that the colour asked for must have.
LEAST = 5

#: Share of the gallery nearest to the item, colour left out, that counts as its shape.
NEAR = 0.01

MEASURES = ("colour", "type", "both", "shape", "sibling")


@dataclass(frozen=True)
class ColourChange:
    """An item, and the colour that it is wanted in."""

    position: int
    colour: str


def draw_changes(
    retriever: Retriever, part: np.ndarray, n: int, *, seed: int = SEED
) -> list[ColourChange]:
    """Items of a part of the gallery, each with another colour of its type and gender.

    A colour is drawn as often as the type's products have it, of those with ``LEAST`` or more.

    Args:
        part: (n,) bool, where items are drawn from.
        n: how many at most.

    Raises:
        NoLabelsError: a gallery without colours and types.
    """
    items = retriever.store.items
    named = items.reindex(columns=["base_colour", "article_type"]).fillna("").astype(str) != ""
    if not named.all(axis=1).any():
        raise NoLabelsError(
            "products with base_colour and article_type",
            "a gallery without, so which colours are right cannot be known",
            "add these columns to its table",
        )
    rng = np.random.default_rng(seed)
    kind = items["article_type"].astype(str) + "\x00" + items.get("gender", "").astype(str)
    colours = items["base_colour"].astype(str)
    counted = {key: group.value_counts() for key, group in colours.groupby(kind)}
    found: list[ColourChange] = []
    for position in rng.permutation(np.flatnonzero(part)):
        counts = counted[kind.iloc[position]].drop(
            ["", "NA", colours.iloc[position]], errors="ignore"
        )
        counts = counts[counts >= LEAST]
        if len(counts) and len(found) < n:
            share = counts.to_numpy(float) / counts.sum()
            found.append(ColourChange(int(position), str(rng.choice(counts.index, p=share))))
    return found


def evaluate_recolour(
    retriever: Retriever,
    changes: list[ColourChange],
    *,
    labels: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Judges the first ``K`` answers to "like this but in COLOUR".

    Measures, a mean over queries of the share of answers: ``colour`` and ``type`` right, ``both``;
    ``shape``: among the ``NEAR`` share of the gallery most like the item with colour left out;
    ``sibling``: whether one of the answers has the item's own name but for the colour, over the
    items that have such a sibling of the type in the colour.

    Args:
        changes: from ``draw_changes``.
        labels: whether names and labels of the gallery are read.

    Returns:
        one row per method and measure: ``method`` (``search``; ``image``: the item alone;
        ``chance``), ``measure, value, low, high, n``.
    """
    rows: dict[str, list[list[float]]] = {"search": [], "image": [], "chance": []}
    stems = name_stems(retriever.store.items)
    for change in tqdm(changes, desc="recolour", disable=not progress):
        item_id = str(retriever.store.item_ids[change.position])
        asked = retriever.search(item_id=item_id, text=f"in {change.colour}", k=K, labels=labels)
        plain = retriever.by_item(item_id, K)
        right = _Right(retriever, change, stems)
        rows["search"].append(right.judge(np.array([m.position for m in asked])))
        rows["image"].append(right.judge(np.array([m.position for m in plain])))
        rows["chance"].append(right.chance())
    tables = {method: np.array(v).reshape(-1, len(MEASURES)) for method, v in rows.items()}
    means = [row for method, values in tables.items() for row in _means(method, values)]
    return pd.DataFrame(means, columns=["method", "measure", "value", "low", "high", "n"])


def describe_recolour(table: pd.DataFrame, how: str) -> str:
    """What share of the first answers is right in colour and type, as a sentence.

    Args:
        table: from ``evaluate_recolour``.
        how: of the search, such as "by pictures alone".
    """
    both = table[(table["method"] == "search") & (table["measure"] == "both")]
    if both.empty:
        return "No product could be asked for in another colour: too few share a type and a colour."
    return (
        f"In another colour, {how}: colour and type right in {both['value'].iloc[0]:.3f} of the "
        "first answers."
    )


class _Right:
    """Which products are right for one query."""

    def __init__(self, retriever: Retriever, change: ColourChange, stems: np.ndarray) -> None:
        items, at = retriever.store.items, change.position
        self.colour = (items["base_colour"] == change.colour).to_numpy()
        self.type = (items["article_type"] == items["article_type"].iloc[at]).to_numpy()
        self.near = _mask_nearest(retriever, at)
        same = (stems == stems[at]) & (stems[at] != "")
        self.sibling = same & self.colour
        self.sibling[at] = False

    def judge(self, rows: np.ndarray) -> list[float]:
        """The measures of an answer, in the order of ``MEASURES``."""
        has = self.sibling.any()
        found = float(self.sibling[rows].any()) if has else np.nan
        shares = (self.colour, self.type, self.colour & self.type, self.near)
        return [*(float(share[rows].mean()) for share in shares), found]

    def chance(self) -> list[float]:
        """The same of an answer drawn at random."""
        shares = (self.colour, self.type, self.colour & self.type, self.near)
        found = 1 - (1 - self.sibling.mean()) ** K if self.sibling.any() else np.nan
        return [*(float(share.mean()) for share in shares), float(found)]


def _mask_nearest(retriever: Retriever, position: int) -> np.ndarray:
    """(n,) bool: the products most like an item with its colour left out."""
    store = retriever.store
    vectors, head = store.vectors[store.first_views], store.head
    query = vectors[position]
    if head is not None and "colour" in head.names and len(head.names) > 1:
        query = head.weigh_query(query, {**head.weights, "colour": 0.0})
    similarity = vectors @ query
    edge = np.partition(similarity, -max(1, round(NEAR * len(vectors))))
    return similarity >= edge[-max(1, round(NEAR * len(vectors)))]


def _means(method: str, values: np.ndarray) -> list[dict]:
    rows = []
    for at, measure in enumerate(MEASURES):
        column = values[:, at]
        column = column[~np.isnan(column)][:, None]
        q = len(column)
        if not q:
            continue
        drawn = bootstrap(column, np.zeros(q, np.int64), np.arange(q), np.array([True]))
        low, high = drawn.micro[0]
        rows.append(
            {"method": method, "measure": measure, "value": float(column.mean())}
            | {"low": float(low), "high": float(high), "n": q}
        )
    return rows
