"""What a visitor asks for in words: the search, the chips that show what was understood, swatches.

A text is kept as it was typed; a chip that is taken away or a swatch that is picked writes it
anew from what was understood of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fashify.demo.state import Query, Selection
from fashify.errors import FashifyError, QueryError
from fashify.heads.head import unit_length
from fashify.retrieval.feedback import move_query
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.search import VARIANTS, Request, leave_out
from fashify.text.meaning import Meaning, Term
from fashify.text.table import load_table
from fashify.text.words import check_text, stems

#: Colours to pick, by their names in the table of words, with what they look like.
SWATCHES = {
    "black": "#17151a",
    "white": "#ffffff",
    "grey": "#8f8d92",
    "beige": "#dcc9a6",
    "brown": "#6f4528",
    "red": "#c6232f",
    "pink": "#ee8fb2",
    "orange": "#e8792a",
    "yellow": "#f2c832",
    "green": "#2f7d46",
    "blue": "#2a5fb8",
    "purple": "#6b3a94",
}

#: How colours of labels look that are none of ``SWATCHES`` and narrower than none.
_PAINTS = {
    "off white": "#f6f1e4",
    "cream": "#f3e7c8",
    "khaki": "#a3946a",
    "taupe": "#8b7d72",
    "gold": "#c9a227",
    "mustard": "#d0a01f",
    "peach": "#f5b895",
    "rust": "#a5482a",
    "copper": "#b4693c",
    "bronze": "#8c6b3a",
    "maroon": "#6d1f2c",
    "burgundy": "#5e1a2b",
    "magenta": "#b8288a",
    "teal": "#1f7272",
    "silver": "#c0c2c9",
    "metallic": "#b7bac2",
    "multi": "conic-gradient(#c6232f, #f2c832, #2f7d46, #2a5fb8, #6b3a94, #c6232f)",
}


@dataclass(frozen=True)
class Chip:
    """One thing that was understood.

    Attributes:
        text: as the visitor reads it, such as "black" or "not striped".
        kind: of ``Term``, such as ``colour``.
        excluded: it is not wanted.
        known: False for a word that nothing here knows.
        colour: as CSS has it, "" for what is no colour of ``SWATCHES``.
    """

    text: str
    kind: str
    excluded: bool
    known: bool
    colour: str = ""


@dataclass(frozen=True)
class Wishes:
    """A text as the page shows it.

    Attributes:
        chips: in the order of the text.
        corrections: (typed, read as) pairs.
        colours: names of ``SWATCHES`` that are asked for.
    """

    chips: tuple[Chip, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    colours: frozenset[str] = frozenset()


def describe_wishes(retriever: Retriever, text: str) -> Wishes:
    """What is shown of a text; nothing of one that cannot be read."""
    try:
        meaning = understand(retriever, text)
    except FashifyError:
        return Wishes()
    if meaning is None:
        return Wishes()
    chips = tuple(_chip(term, meaning) for term in meaning.terms)
    colours = frozenset(term.name for term in meaning.of("colour"))
    return Wishes(chips, tuple(meaning.corrections.items()), colours)


def _chip(term: Term, meaning: Meaning) -> Chip:
    # A label of the catalogue is said back as it was said: "dress", not "dresses".
    name = term.said if term.name in map(str.lower, term.labels) else term.name
    text = f"not {name}" if term.excluded else name
    known = term.said not in meaning.unknown
    colour = SWATCHES.get(term.name, "") if term.kind == "colour" else ""
    return Chip(text, term.kind, term.excluded, known, colour)


def paint_label(label: str) -> str:
    """A colour's label as CSS paints it: as its swatch, or that of the colour it belongs to.

    >>> paint_label("Navy Blue"), paint_label("Gold")
    ('#2a5fb8', '#c9a227')
    """
    table = load_table()
    concept = table.find(tuple(stems(label)), ("en",))
    name = concept.name if concept is not None and concept.kind == "colour" else ""
    broader = [swatch for swatch in SWATCHES if name in table.concepts["colour", swatch].narrower]
    paints = (SWATCHES | _PAINTS).get
    return paints(name) or paints(broader[0] if broader else "multi", "")


def understand(retriever: Retriever, text: str) -> Meaning | None:
    """What a text means in this gallery; None for the empty one.

    Raises:
        QueryError: as ``Wording.understand``.
    """
    return retriever.wording.understand(text) if text else None


def drop_term(meaning: Meaning | None, number: object) -> str:
    """The text without one of its terms; "" when none is left.

    Raises:
        QueryError: no such term.
    """
    terms, at = [] if meaning is None else list(meaning.terms), str(number)
    if not at.isdecimal() or int(at) >= len(terms):
        raise QueryError("one of the words shown", "another", "click a word below the text")
    del terms[int(at)]
    return _write_terms(terms)


def switch_colour(meaning: Meaning | None, name: object) -> str:
    """The text with another colour, or without it if it was that already.

    Raises:
        QueryError: a colour that is none of ``SWATCHES``.
    """
    if not isinstance(name, str) or name not in SWATCHES:
        raise QueryError("a colour of this page", repr(name), "click one of the swatches")
    terms = () if meaning is None else meaning.terms
    chosen = any(
        term.kind == "colour" and term.name == name and not term.excluded for term in terms
    )
    # The others go, and so does "not red" once red is picked.
    kept = [
        term for term in terms if term.kind != "colour" or (term.excluded and term.name != name)
    ]
    rest = _write_terms(kept)
    return rest if chosen else f"{name} {rest}".strip()


def _write_terms(terms: Iterable[Term]) -> str:
    """A text that means just these."""
    ordered = sorted(terms, key=lambda term: term.excluded)
    wanted = " ".join(term.said for term in ordered if not term.excluded)
    unwanted = [f"not {term.said}" for term in ordered if term.excluded]
    return ", ".join(filter(None, [wanted, *unwanted]))


def suggest_texts(retriever: Retriever, text: object) -> list[str]:
    """How a text that is being typed may go on; none for what is no text."""
    try:
        return retriever.wording.index.suggest(check_text(text))
    except FashifyError:
        return []


def make_request(
    retriever: Retriever,
    query: Query,
    feature: np.ndarray | None,
    k: int,
    where: object,
    selection: Selection,
) -> Request:
    """What is asked by a query with a text, alone or beside a picture.

    Args:
        feature: (d,) float32 of the picture; None for a text alone.
        where: a filter in any form that ``Retriever.mask`` takes.

    Raises:
        QueryError: the filter names no column, or a product is not there.
    """
    return Request(
        text=query.text,
        item_id=query.item_id or None,
        vector=_bend(retriever, feature, selection),
        k=k,
        where=_mask_passing(retriever, where, selection),
        weights={part: value / 100 for part, value in selection.weights} or None,
        variety=selection.variety / 100,
        collapse=VARIANTS if selection.collapse else None,
    )


def _bend(
    retriever: Retriever, feature: np.ndarray | None, selection: Selection
) -> np.ndarray | None:
    """The picture's vector moved by votes; with a text alone the liked products make one."""
    liked, disliked = (
        np.array([retriever.feature(one) for one in ids], np.float32).reshape(
            -1, retriever.store.dim
        )
        for ids in (selection.liked, selection.disliked)
    )
    if feature is None:
        if not len(liked):
            return None
        feature = unit_length(liked).mean(axis=0)
    return move_query(feature, liked, disliked)


def _mask_passing(retriever: Retriever, where: object, selection: Selection) -> np.ndarray | None:
    """(n,) bool: products that pass the filters and were not disliked."""
    mask = retriever.mask(where or None)  # type: ignore[arg-type]
    return leave_out(retriever, mask, selection.disliked)
