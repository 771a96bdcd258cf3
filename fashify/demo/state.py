"""The state of one visitor's page: small frozen values, one per browser session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from fashify.retrieval import Match

#: How many results a visitor may ask for, and how many come unasked.
MAX_RESULTS = 20
DEFAULT_RESULTS = 5


@dataclass(frozen=True)
class Query:
    """What is searched with: a visitor's photo or a catalogue item.

    Attributes:
        kind: ``"photo"`` or ``"item"``.
        title: what to call it on the page.
        item_id: the catalogue item, "" for a photo.
        picture: (height, width, 3) uint8 RGB of a photo; None for an item.
    """

    kind: Literal["photo", "item"]
    title: str
    item_id: str = ""
    picture: np.ndarray | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Answer:
    """The matches of one query and the time they took.

    Attributes:
        matches: best first.
        milliseconds: from decoded picture to matches, embedding included.
    """

    matches: tuple[Match, ...]
    milliseconds: float


@dataclass(frozen=True)
class View:
    """All one visitor sees; every action makes a new one from the last."""

    query: Query | None = None
    answer: Answer | None = None
    k: int = DEFAULT_RESULTS
    notice: str = ""

    def having(self, **changes: object) -> View:
        """A copy with ``changes``; an old notice does not survive."""
        return replace(self, **{"notice": "", **changes})
