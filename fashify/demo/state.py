"""The state of one visitor's page: small frozen values, one per browser session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from fashify.errors import QueryError
from fashify.retrieval.match import Match
from fashify.retrieval.region import Box

#: How many results a visitor may ask for, and how many come unasked.
MAX_RESULTS = 20
DEFAULT_RESULTS = 5

#: How many earlier queries a visitor can go back to; each may hold a photo.
MAX_TRAIL = 6

#: Levels a visitor can filter by, with the name on the page.
FILTER_LEVELS = {
    "gender": "Gender",
    "article_type": "Category",
    "base_colour": "Colour",
    "season": "Season",
    "usage": "Usage",
}


@dataclass(frozen=True)
class Query:
    """What is searched with: a visitor's photo, a catalogue item or words.

    Attributes:
        kind: ``"photo"``, ``"item"``, or ``"text"`` for words alone.
        title: what to call it on the page.
        item_id: the catalogue item, "" for a photo.
        text: words alone, or beside a picture what shall be different; "" for none.
        picture: (height, width, 3) uint8 RGB of a photo; None for an item.
        whole: the photo before a region was cut from it; None if none was.
        feature: (dim,) float32, so that refining does not embed again; None until known.
        garments: of a photo of several garments each one's own query, answered row by row.
    """

    kind: Literal["photo", "item", "text"]
    title: str
    item_id: str = ""
    text: str = ""
    picture: np.ndarray | None = field(default=None, repr=False, compare=False)
    whole: np.ndarray | None = field(default=None, repr=False, compare=False)
    feature: np.ndarray | None = field(default=None, repr=False, compare=False)
    garments: tuple[Query, ...] = field(default=(), repr=False, compare=False)

    @property
    def unread(self) -> Query:
        """The query without what a store's network read in it."""
        return replace(self, feature=None, garments=tuple(one.unread for one in self.garments))

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture, and not words alone."""
        return self.kind != "text"

    @property
    def heading(self) -> str:
        """What the whole query is called on the page, its words included."""
        return f"{self.title}, {self.text}" if self.text and self.has_picture else self.title

    @property
    def photo(self) -> np.ndarray:
        """A photo's picture; QueryError for a catalogue item."""
        if self.picture is None:
            raise QueryError("a photo to work on", "a catalogue item", "choose a photo first")
        return self.picture


@dataclass(frozen=True)
class Selection:
    """What narrows and bends a search: filters, likes and dislikes.

    Attributes:
        filters: (column, values) pairs; an item passes if it has one of the values at each.
        ranges: (column, low, high) of columns of numbers; an item passes if it lies within each.
        liked, disliked: item ids.
        weights: (part, 0 to 100) pairs of all parts, in the retriever's order; () for its own.
        variety: 0 for the nearest alone to 100 for variety alone.
        collapse: products that differ in colour alone, or are copies, are one card.
    """

    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    weights: tuple[tuple[str, int], ...] = ()
    variety: int = 0
    collapse: bool = False

    @property
    def where(self) -> dict[str, list[str] | dict[str, float]]:
        """Filters and ranges as ``Filter.parse`` takes them."""
        values: dict[str, list[str] | dict[str, float]]
        values = {column: list(values) for column, values in self.filters}
        return values | {column: {">=": low, "<=": high} for column, low, high in self.ranges}

    def set_range(self, column: str, ends: tuple[float, float] | None) -> Selection:
        """With the numbers of a column held between two ends, or free again."""
        others = tuple(one for one in self.ranges if one[0] != column)
        return replace(self, ranges=others if ends is None else (*others, (column, *ends)))

    def toggle(self, level: str, value: str) -> Selection:
        """With ``value`` switched on or off at ``level``."""
        chosen = dict(self.filters)
        chosen[level] = _switch_value(chosen.get(level, ()), value)
        return replace(self, filters=tuple((name, some) for name, some in chosen.items() if some))

    def set_vote(self, item_id: str, liked: bool) -> Selection:
        """With an item liked or disliked, or no longer so if it was already."""
        mine, other = ("liked", "disliked") if liked else ("disliked", "liked")
        kept = tuple(one for one in getattr(self, other) if one != item_id)
        changes: dict[str, Any] = {mine: _switch_value(getattr(self, mine), item_id), other: kept}
        return replace(self, **changes)

    def without_votes(self, items: Iterable[str] | None = None) -> Selection:
        """Without the likes and dislikes of some items; without all, for they belonged to an
        old query.
        """
        gone = {*self.liked, *self.disliked} if items is None else set(items)
        liked, disliked = (
            tuple(one for one in votes if one not in gone) for votes in (self.liked, self.disliked)
        )
        return replace(self, liked=liked, disliked=disliked)


NOTHING = Selection()

#: What a visitor begins with.
UNCHANGED = Selection(collapse=True)


def _switch_value(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    if value in values:
        return tuple(one for one in values if one != value)
    return (*values, value)


@dataclass(frozen=True)
class Answer:
    """The matches of one query and the time they took.

    Attributes:
        matches: best first.
        milliseconds: from decoded picture to matches, embedding included.
        feature: (d,) float32 of the query as served, before likes and dislikes bent it.
        rows: of a query of several garments each one's answer; ``matches`` are all of theirs.
    """

    matches: tuple[Match, ...]
    milliseconds: float
    feature: np.ndarray | None = field(default=None, repr=False, compare=False)
    rows: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class View:
    """All one visitor sees; every action makes a new one from the last.

    Attributes:
        query, answer: what was searched and found; None before the first search.
        k: how many results are wanted.
        selection: filters, likes, dislikes.
        trail: earlier queries, oldest first.
        explained: the match shown side by side with the query, "" for none.
        opened: the match whose variants are shown beside it, "" for none.
        region: the region of the photo that is suggested or drawn.
        open_facet: the filter menu to leave open.
        notice: a sentence on what did not work, "" if all did.
        typed: words that could not be answered, left in their box; "" for none.
        stamp: which build of a store answered; None before the first action.
    """

    query: Query | None = None
    answer: Answer | None = None
    k: int = DEFAULT_RESULTS
    selection: Selection = UNCHANGED
    trail: tuple[Query, ...] = ()
    explained: str = ""
    opened: str = ""
    region: Box | None = None
    open_facet: str = ""
    notice: str = ""
    typed: str = ""
    stamp: object = None

    @property
    def current_query(self) -> Query:
        """The query; QueryError before the first."""
        if self.query is None:
            raise QueryError("a search", "none yet", "search first")
        return self.query

    @property
    def current_answer(self) -> Answer:
        """The answer; QueryError before the first."""
        if self.answer is None:
            raise QueryError("an answered search", "none yet", "search first")
        return self.answer

    def with_changes(self, **changes: Any) -> View:
        """A copy with ``changes``; what was open for a moment (notice, menu, ...) is closed."""
        closed: dict[str, Any] = {"notice": "", "open_facet": "", "explained": "", "region": None}
        closed |= {"typed": "", "opened": ""}
        return replace(self, **(closed | changes))
