"""The named endpoints for programs: plain typed values in and out, no page involved."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypedDict, cast

import gradio as gr

from fashify.demo.service import DemoService
from fashify.demo.state import DEFAULT_RESULTS, MAX_RESULTS, Query
from fashify.demo.uploads import read_upload
from fashify.errors import FashifyError, ImageReadError, QueryError
from fashify.index.filters.filter import facet_counts
from fashify.retrieval.match import Match
from fashify.retrieval.search import Request
from fashify.text.words import check_text


class MatchRow(TypedDict):
    """One match as JSON; ``picture`` is its path in the catalogue, ``facts`` the other columns.

    Not called ``path``: clients take a value with a path for a file to download.
    """

    rank: int
    item_id: str
    distance: float
    picture: str
    facts: dict[str, Any]
    parts: dict[str, float]
    probability: float | None
    strength: str
    variants: list[str]


def row(match: Match) -> MatchRow:
    """A match without its position, which means nothing outside this process."""
    whole = match.to_dict()
    whole["picture"] = match.view or match.path
    whole["facts"].pop("path", None)
    return cast(MatchRow, {name: whole[name] for name in MatchRow.__annotations__})


class ExplainedMatch(TypedDict):
    """Where a likeness lies: each map is rows of places, and each sums to ``cosine``."""

    cosine: float
    query: list[list[float]]
    match: list[list[float]]


#: Methods of ``Api`` that are endpoints.
ENDPOINTS = ("search", "similar", "explain", "facets", "find", "find_with", "suggest")


class Api:
    """What the endpoints answer over one service."""

    def __init__(self, service: DemoService) -> None:
        self.service = service

    def search(
        self, image: gr.FileData, k: int = DEFAULT_RESULTS, where: str = ""
    ) -> list[MatchRow]:
        """The k catalogue products most like an uploaded picture, nearest first.

        Args:
            image: an uploaded file; `handle_file("photo.jpg")` with gradio_client.
            k: how many, 1 to 20.
            where: a filter such as "gender = Women and base_colour = Red", "" for none.
        """
        picture = read_upload(_path(image), working_side=None)
        query = self.service.photo_query(picture, "an uploaded picture")
        return self._rows(query, k, where)

    def similar(self, item_id: str, k: int = DEFAULT_RESULTS, where: str = "") -> list[MatchRow]:
        """The k products most like one of the catalogue, that one left out.

        Args:
            item_id: id of the catalogue item.
            k: how many, 1 to 20.
            where: a filter such as "gender = Women and base_colour = Red", "" for none.
        """
        return self._rows(self.service.item_query(item_id), k, where)

    def explain(self, image: gr.FileData, item_id: str) -> ExplainedMatch:
        """Where the likeness of an uploaded picture and a catalogue item lies.

        Args:
            image: an uploaded file; `handle_file("photo.jpg")` with gradio_client.
            item_id: id of the catalogue item.
        """
        picture = read_upload(_path(image), working_side=None)
        found = self.service.explain(
            Query("photo", "an uploaded picture", picture=picture), item_id
        )
        return ExplainedMatch(
            cosine=found.cosine, query=found.query.tolist(), match=found.match.tolist()
        )

    def facets(self, where: str = "") -> dict[str, dict[str, int]]:
        """How many products have each label: {level: {label: count}}, most frequent first.

        Args:
            where: count only products that pass this filter, "" for all.
        """
        return facet_counts(self.service.items, where or None)

    def find(
        self,
        text: str,
        k: int = DEFAULT_RESULTS,
        where: str = "",
        item_id: str = "",
        collapse: bool = False,
    ) -> list[MatchRow]:
        """The k catalogue products that answer a text, the best first.

        Args:
            text: what is wanted, such as "red floral dress for women, not striped".
            k: how many, 1 to 20.
            where: a filter such as "gender = Women and base_colour = Red", "" for none.
            item_id: a catalogue item of which the text says what shall be different, such as
                "but in black"; "" for none.
            collapse: show products that differ in colour alone, or are copies, as one.
        """
        asked = {"text": text, "item_id": item_id or None}
        return self._search_words(k, where, collapse="variants" if collapse else None, **asked)

    def find_with(
        self, image: gr.FileData, text: str, k: int = DEFAULT_RESULTS, where: str = ""
    ) -> list[MatchRow]:
        """The k products most like an uploaded picture but for what a text names.

        Args:
            image: an uploaded file; `handle_file("photo.jpg")` with gradio_client.
            text: what shall be different, such as "in black, not striped".
            k: how many, 1 to 20.
            where: a filter such as "gender = Women and base_colour = Red", "" for none.
        """
        picture = read_upload(_path(image), working_side=None)
        return self._search_words(k, where, image=picture, text=text)

    def suggest(self, text: str) -> list[str]:
        """Texts that begin like this one and that products answer, the most answered first.

        Args:
            text: as far as it has been typed.
        """
        return self.service.retriever.wording.index.suggest(check_text(text))

    def _search_words(self, k: int, where: str, **asked: Any) -> list[MatchRow]:
        _check_k(k)
        return [row(m) for m in self.service.answer(Request(k=k, where=where or None, **asked))]

    def _rows(self, query: Query, k: int, where: str) -> list[MatchRow]:
        _check_k(k)
        answer = self.service.find(query, k, str(where))
        return [row(match) for match in answer.matches]


def _check_k(k: int) -> None:
    if not isinstance(k, int) or not 1 <= k <= MAX_RESULTS:
        raise QueryError(f"k from 1 to {MAX_RESULTS}", f"k = {k!r}", "choose k in that range")


def _path(image: Any) -> str:
    path = image.get("path") if isinstance(image, dict) else getattr(image, "path", None)
    if not isinstance(path, str):
        raise ImageReadError("an uploaded file", "something else", "send it with handle_file")
    return path


def make_endpoints(current: Callable[[], Api]) -> list[Callable[..., Any]]:
    """Each of ``ENDPOINTS`` for ``gr.api``, of the service that answers when it is called.

    FashifyErrors become ``gr.Error``, the one kind a client is told.
    """

    def make(name: str) -> Callable[..., Any]:
        method = getattr(current(), name)

        @wraps(method)
        def answer(*args: Any, **kwargs: Any) -> Any:
            with translate_errors():
                return getattr(current(), name)(*args, **kwargs)

        # Gradio reads the types from here and does not resolve postponed annotations.
        signed: Any = answer
        signed.__signature__ = inspect.signature(method, eval_str=True)
        return answer

    return [make(name) for name in ENDPOINTS]


def as_async_endpoint(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A coroutine of Gradio's own with its FashifyErrors as ``gr.Error``."""

    @wraps(function)
    async def answer(*args: Any, **kwargs: Any) -> Any:
        with translate_errors():
            return await function(*args, **kwargs)

    return answer


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns a FashifyError into the ``gr.Error`` that reaches the client, one sentence."""
    try:
        yield
    except FashifyError as error:
        raise gr.Error(str(error), print_exception=False) from None
