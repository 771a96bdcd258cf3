"""How well a gallery answers texts: names, labels, attributes, and "like this but in black".

The protocols of public text-to-image benchmarks on the Kaggle catalogue: names as in the task
KAGL of marqo-FashionCLIP, labels as in hopit-ai/Moda, attributes as in catalogiq. Every method
stands beside chance and, as ``oracle``, the best order there is. A text tower is honest only on
names that it never read, which is for the caller to choose.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.errors import CatalogueError, QueryError, join_names
from fashify.evaluation.intervals import bootstrap
from fashify.io.plain import to_plain
from fashify.retrieval.composed import PARTS, rank
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.wording import Wording, standardise
from fashify.store import FeatureStore
from fashify.text.index import WordIndex
from fashify.text.words import stems

#: What decides the order: see ``order_by``.
METHODS = ("picture", "tower", "names", "mixed", "words", "joined", "filter")

#: Shares of the picture and of the own name in ``mixed``, as in the published label queries.
MIXED = (0.9, 0.1)

#: Measures of a protocol in which a query has few right products, and of one in which many.
FEW, MANY = ("recall@1", "recall@10", "mrr"), ("precision@1", "precision@10")

K = 10

#: Of each label or combination at least so many products must be in the gallery.
LEAST = 5

Scorer = Callable[[str], np.ndarray]


@dataclass(frozen=True)
class TextQuery:
    """A text and the products that answer it.

    Attributes:
        text: as asked.
        relevant: (m,) rows of the gallery.
    """

    text: str
    relevant: np.ndarray


@dataclass(frozen=True, eq=False)
class TextReport:
    """Figures of text queries.

    Attributes:
        table: one row per protocol, method and measure: ``protocol, method, measure, value, low,
            high`` (95 % bootstrap over queries), ``n`` queries.
        queries: one row per query and method: ``protocol, method, text``, ``n_relevant`` and the
            protocol's measures.
        facts: the gallery, as plain values.
    """

    table: pd.DataFrame
    queries: pd.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Table and facts as JSON-ready values."""
        return to_plain({"facts": self.facts, "table": self.table.to_dict("records")})

    def value(self, protocol: str, method: str, measure: str) -> float:
        """One figure; ``QueryError`` where it was not measured."""
        t = self.table
        at = (t["protocol"] == protocol) & (t["method"] == method) & (t["measure"] == measure)
        if not at.any():
            raise QueryError("a figure that was measured", f"{protocol}, {method}", "look at table")
        return float(t.loc[at, "value"].iloc[0])

    def worst(self, protocol: str, method: str, n: int = 5) -> pd.DataFrame:
        """The n worst queries of a protocol and method, the first measure deciding."""
        rows = self.queries
        rows = rows[(rows["protocol"] == protocol) & (rows["method"] == method)]
        measured = [name for name in (*MANY, *FEW)[::-1] if rows.get(name, _NONE).notna().any()]
        return rows.sort_values(measured, kind="stable").head(n)

    def conclusions(self) -> list[str]:
        """A sentence for each protocol: the best method beside the others, and chance."""
        said = []
        for protocol in self.table["protocol"].unique():
            rows = self.table[self.table["protocol"] == protocol]
            measure = rows["measure"].iloc[-1] if "precision@10" in set(rows["measure"]) else ""
            rows = rows[rows["measure"] == (measure or "recall@10")]
            told = ", ".join(f"{row.method} {row.value:.3f}" for row in rows.itertuples())
            n = int(rows["n"].max())
            said.append(f"{protocol}, {rows['measure'].iloc[0]} over {n:,} queries: {told}.")
        return said


_NONE = pd.Series([], dtype=float)


def evaluate_texts(
    store: FeatureStore,
    queries: str | Path | pd.DataFrame | None = None,
    *,
    wording: Wording | None = None,
    gallery: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    methods: Sequence[str] = METHODS,
    progress: bool = True,
) -> TextReport:
    """Judges what a gallery answers to texts.

    Args:
        store: the gallery.
        queries: table ``query, item_ids`` (ids separated by blanks), as ``names.csv``; columns
            ``rank_*`` are published ranks of the first right product. Without it labels and
            attribute combinations of the gallery are asked.
        wording: of the store, with another tower for instance.
        gallery: (n,) bool, the products that may be answered and that queries are made of; all
            by default.
        held_out: (n,) bool; figures of the names all of whose products are among these stand
            beside those of all names.
        methods: of ``METHODS``.

    Raises:
        QueryError: an unknown method, or a table without the columns.

    >>> from fashify import FeatureStore, evaluate_texts
    >>> store = FeatureStore.load("data/sample-store")
    >>> report = evaluate_texts(store, methods=["words"], progress=False)
    >>> report.facts["n_gallery"]
    120
    """
    unknown = set(methods) - set(METHODS)
    if unknown:
        raise QueryError(f"methods of {join_names(METHODS)}", join_names(unknown), "use these")
    wording = wording or Wording(store)
    mask = np.ones(len(store), bool) if gallery is None else np.asarray(gallery, bool)
    tables = []
    for protocol, asked, measures in _protocols(store, queries, mask):
        for method in methods:
            scorer = order_by(method, wording)
            rows = [
                {"protocol": protocol, "method": method} | _judge(query, scorer, mask, measures)
                for query in tqdm(asked, desc=f"{protocol}: {method}", disable=not progress)
            ]
            tables.append(pd.DataFrame(rows))
        tables += [_chance(protocol, asked, mask, measures), _oracle(protocol, asked, measures)]
    if queries is not None:
        tables += _find_published(_read_queries(queries), tables[0])
    # A gallery so small that no label can be asked has an empty report.
    nothing = pd.DataFrame(columns=["protocol", "method", "text", "n_relevant"])
    found = [table for table in tables if len(table)] or [nothing]
    whole = pd.concat(found, ignore_index=True)
    if queries is not None and held_out is not None:
        whole = pd.concat(
            [whole, _select_held_out(store, queries, whole, held_out)], ignore_index=True
        )
    facts = {"n_gallery": int(mask.sum()), "backbone": store.meta.get("backbone", {}).get("name")}
    return TextReport(_summarise(whole), whole, facts)


def order_by(method: str, wording: Wording) -> Scorer:
    """Scores (n,) of the gallery for a text, by one method.

    ``picture``: tower and seen classes; ``tower``: its cosine alone; ``names``: BM25 over names
    alone; ``mixed``: ``MIXED`` of the two, standardised; ``words``: BM25 over names and labels;
    ``joined``: what a search does; ``filter``: products that have all labels the text names.
    """
    if method in ("names", "mixed"):
        index = WordIndex.build(wording.store.items.reindex(columns=["item_id", "name"]))
        if method == "names":
            return lambda text: index.scores(stems(text))
        return lambda text: _mix(wording, index, text)
    n = len(wording.store)
    if method == "tower":
        tower, pictures = wording.tower, wording.pictures
        if tower is None or pictures is None:
            return lambda text: np.zeros(n, np.float32)
        return lambda text: pictures @ tower(text)
    if method == "words":
        return lambda text: wording.index.scores(wording.query_stems(wording.understand(text)))
    if method == "filter":
        return lambda text: wording.count_labels(wording.understand(text))
    return lambda text: _rank_gallery(wording, text, labels=method == "joined")


def _rank_gallery(wording: Wording, text: str, *, labels: bool) -> np.ndarray:
    asked = wording.score(wording.understand(text), labels=labels)
    found = rank(asked, None, weights=dict.fromkeys(PARTS, 1.0))
    scores = np.full(len(wording.store), -np.inf)
    scores[found.positions] = -found.distances
    return scores


def _mix(wording: Wording, index: WordIndex, text: str) -> np.ndarray:
    picture = wording.score(wording.understand(text), labels=False).picture
    of_picture, of_name = MIXED
    name = of_name * standardise(index.scores(stems(text)))
    return name if picture is None else name + of_picture * standardise(picture)


def label_queries(store: FeatureStore, level: str, mask: np.ndarray) -> list[TextQuery]:
    """Each label of a level with ``K`` products or more in the gallery, as a query."""
    labels = store.labels(level)
    counted = pd.Series(labels[mask]).value_counts()
    wanted = sorted(
        str(label) for label, n in counted.items() if n >= K and label not in ("", "NA")
    )
    return [TextQuery(label, np.flatnonzero((labels == label) & mask)) for label in wanted]


def attribute_queries(store: FeatureStore, mask: np.ndarray) -> list[TextQuery]:
    """Each combination of colour, type and gender with ``LEAST`` products or more."""
    levels = ["base_colour", "article_type", "gender"]
    if not set(levels) <= set(store.items):
        return []
    rows = store.items.loc[mask, levels].astype(str)
    rows = rows[~rows.isin(["", "NA"]).any(axis=1)]
    found = []
    for (colour, kind, gender), group in rows.groupby(levels):
        if len(group) >= LEAST:
            text = f"{colour} {kind} for {gender}".lower()
            found.append(TextQuery(text, group.index.to_numpy()))
    return found


def _protocols(
    store: FeatureStore, queries: str | Path | pd.DataFrame | None, mask: np.ndarray
) -> Iterator[tuple[str, list[TextQuery], tuple[str, ...]]]:
    if queries is not None:
        yield "names", _name_queries(store, _read_queries(queries), mask), FEW
        return
    for level in ("article_type", "base_colour"):
        if level in store.items:
            yield f"labels: {level}", label_queries(store, level, mask), MANY
    yield "attributes", attribute_queries(store, mask), MANY


def _read_queries(queries: str | Path | pd.DataFrame) -> pd.DataFrame:
    table = queries
    if not isinstance(table, pd.DataFrame):
        try:
            table = pd.read_csv(queries, dtype={"query": str, "item_ids": str})
        except (OSError, ValueError) as error:
            raise QueryError(
                "a CSV table with columns query, item_ids", f"{queries} ({error})", "name another"
            ) from error
    if not {"query", "item_ids"} <= set(table):
        raise QueryError(
            "columns query, item_ids", join_names(map(str, table)), "rename those of the table"
        )
    return table


def _name_queries(store: FeatureStore, table: pd.DataFrame, mask: np.ndarray) -> list[TextQuery]:
    place = {str(item_id): row for row, item_id in enumerate(store.item_ids)}
    found = []
    for text, ids in zip(table["query"].astype(str), table["item_ids"].astype(str), strict=True):
        rows = [place[one] for one in ids.split() if one in place]
        found.append(TextQuery(text, np.array([row for row in rows if mask[row]], np.int64)))
    if not any(len(query.relevant) for query in found):
        raise CatalogueError("item_ids of the gallery", "none of them", "use this catalogue's own")
    return found


def _select_held_out(
    store: FeatureStore, queries: str | Path | pd.DataFrame, whole: pd.DataFrame, part: np.ndarray
) -> pd.DataFrame:
    """The rows of the names all of whose products are in a part of the gallery."""
    asked = _name_queries(store, _read_queries(queries), np.ones(len(store), bool))
    inside = {q.text for q in asked if len(q.relevant) and part[q.relevant].all()}
    return whole[whole["text"].isin(inside)].assign(protocol="names, held out")


def _judge(
    query: TextQuery, scorer: Scorer, mask: np.ndarray, measures: Sequence[str]
) -> dict[str, Any]:
    """Measures of one query; products that score alike share their places evenly."""
    row: dict[str, Any] = {"text": query.text, "n_relevant": len(query.relevant)}
    if not len(query.relevant):
        return row | dict.fromkeys(measures, np.nan)
    try:
        scores = np.where(mask, scorer(query.text), -np.inf)
    except QueryError:
        scores = np.where(mask, 0.0, -np.inf)
    if "mrr" in measures:
        place = _first_place(scores, query.relevant)
        row["rank"] = place
        return row | dict(zip(FEW, (place <= 1, place <= K, 1 / place), strict=True))
    right = np.zeros(len(scores), bool)
    right[query.relevant] = True
    return row | {f"precision@{k}": _precision(scores, right, k) for k in (1, K)}


def _first_place(scores: np.ndarray, relevant: np.ndarray) -> float:
    """Expected place of the first right product, ties broken by chance."""
    best = scores[relevant].max()
    above, alike = int((scores > best).sum()), int((scores == best).sum())
    right = int((scores[relevant] == best).sum())
    return above + (alike + 1) / (right + 1)


def _precision(scores: np.ndarray, right: np.ndarray, k: int) -> float:
    """Expected share of right products among the first k, ties broken by chance."""
    edge = np.partition(scores, -k)[-k]
    above, alike = scores > edge, scores == edge
    left = k - int(above.sum())
    return float((right[above].sum() + left * right[alike].mean()) / k)


def _chance(
    protocol: str, asked: Sequence[TextQuery], mask: np.ndarray, measures: Sequence[str]
) -> pd.DataFrame:
    n = int(mask.sum())
    rows = []
    for query in (query for query in asked if len(query.relevant)):
        share = len(query.relevant) / n
        several = 1 - (1 - share) ** K
        few = (share, several, share * np.log(n))
        values = few if "mrr" in measures else (share, share)
        rows.append(
            {"protocol": protocol, "method": "chance", "text": query.text}
            | dict(zip(measures, values, strict=True))
        )
    return pd.DataFrame(rows)


def _oracle(protocol: str, asked: Sequence[TextQuery], measures: Sequence[str]) -> pd.DataFrame:
    """What the best order there is reaches: of fewer right products than places less than 1."""
    rows = []
    for query in (query for query in asked if len(query.relevant)):
        values = [min(len(query.relevant), k) / k for k in (1, K)]
        values = [1.0] * len(measures) if "mrr" in measures else values
        row = {"protocol": protocol, "method": "oracle", "text": query.text}
        rows.append(row | dict(zip(measures, values, strict=True)))
    return pd.DataFrame(rows)


def _find_published(table: pd.DataFrame, ours: pd.DataFrame) -> list[pd.DataFrame]:
    """The published ranks of the same queries, those that the gallery can answer."""
    answered = ours["n_relevant"].to_numpy() > 0
    found = []
    for column in (name for name in table if str(name).startswith("rank_")):
        place = table[column].to_numpy(float)
        rows = pd.DataFrame(
            {"protocol": "names", "method": str(column)[5:], "text": table["query"]}
        )
        values = (place <= 1, place <= K, 1 / place)
        rows = rows.assign(rank=place, **dict(zip(FEW, values, strict=True)))
        found.append(rows[answered])
    return found


def _summarise(whole: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (protocol, method), group in whole.groupby(["protocol", "method"], sort=False):
        measures = [name for name in (*FEW, *MANY) if group.get(name, _NONE).notna().any()]
        values = group[measures].dropna().to_numpy(float)
        q = len(values)
        if not q:
            continue
        drawn = bootstrap(values, np.zeros(q, np.int64), np.arange(q), np.array([True]))
        for at, measure in enumerate(measures):
            low, high = drawn.micro[at]
            row: Mapping[str, Any] = {"protocol": protocol, "method": method, "measure": measure}
            rows.append({**row, "value": values[:, at].mean(), "low": low, "high": high, "n": q})
    columns = ["protocol", "method", "measure", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def load_hand_queries() -> pd.DataFrame:
    """Forty queries written by hand, most with a word that no name of the Kaggle catalogue has.

    Returns:
        ``query`` and, for ``base_colour, article_type, gender, usage``, the labels that answer it
        with bars between them, "" where any does.
    """
    text = files("fashify").joinpath("data/hand-queries.csv").read_text(encoding="utf-8")
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def judge_hand_queries(
    retriever: Retriever, queries: pd.DataFrame | None = None, *, k: int = 5, labels: bool = True
) -> pd.DataFrame:
    """What share of the first k answers has the labels that answer each query.

    Args:
        queries: as ``load_hand_queries``, the default.
        labels: whether names and labels of the gallery are read; else pictures alone.

    Returns:
        one row per query: ``query, precision`` (0 where nothing is answered), ``wrong``: the labels
        of the first wrong answer, ``matches``: the item_ids.
    """
    rows = []
    for row in (load_hand_queries() if queries is None else queries).to_dict("records"):
        text = str(row.pop("query"))
        wanted = {level: set(str(said).split("|")) for level, said in row.items() if said}
        try:
            matches = retriever.by_text(text, k, labels=labels)
        except QueryError:
            matches = []
        right = [all(m.facts.get(a) in b for a, b in wanted.items()) for m in matches]
        wrong = [m for m, good in zip(matches, right, strict=True) if not good][:1]
        rows.append(
            {
                "query": text,
                "precision": float(np.mean(right)) if right else 0.0,
                "wrong": ", ".join(str(m.facts.get(level)) for m in wrong for level in wanted),
                "matches": [m.item_id for m in matches],
            }
        )
    return pd.DataFrame(rows)
