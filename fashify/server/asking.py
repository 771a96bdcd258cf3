"""A query as the API takes it, carried out by the service that the page uses."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Any
from urllib.parse import quote

import numpy as np
import orjson
from fastapi import Response

from fashify.demo.service import DemoService
from fashify.demo.state import Selection
from fashify.demo.uploads import read_picture
from fashify.errors import ImageReadError, QueryError
from fashify.retrieval.match import Match
from fashify.retrieval.search import Request
from fashify.server.problems import ProblemError
from fashify.server.schemas import Product, SearchQuery

#: Facts that mean nothing outside the server.
_INNER = ("path",)


def search(
    service: DemoService, asked: SearchQuery, picture: np.ndarray | None, base: str
) -> Response:
    """The answer to a query, as ``SearchAnswer`` describes it.

    Args:
        service: what is searched.
        asked: the query; its image is ``picture``.
        picture: (h, w, 3) uint8, or None for a query without one.
        base: where the API is, for the matches' pictures.

    Raises:
        QueryError: nothing asked, or a value out of its range.
    """
    begin = time.perf_counter()
    if picture is None and not asked.text and asked.item_id is None:
        raise QueryError("an image, a text or an item_id", "none of them", "send at least one")
    if asked.item_id is not None:
        check_item(service, asked.item_id)
    both = picture is not None and asked.item_id is not None
    several = bool(asked.text) or both or asked.collapse is not None
    matches = (_search_parts if several else _search_one)(service, asked, picture)
    return write_json(
        {
            "matches": [answer_match(match, base) for match in matches],
            "n_products": len(service.store),
            "milliseconds": round(1000 * (time.perf_counter() - begin), 2),
        }
    )


def write_json(content: dict[str, Any] | list[dict[str, Any]]) -> Response:
    """An answer written in one go: a model would look at each of its values twice more."""
    try:
        body = orjson.dumps(content)
    except TypeError:
        # A whole number beyond 64 bits, or half a letter, in a fact of the catalogue.
        body = json.dumps(content, default=str).encode()
    return Response(body, media_type="application/json")


def _search_one(
    service: DemoService, asked: SearchQuery, picture: np.ndarray | None
) -> tuple[Match, ...]:
    """A picture or a product alone: answered together with what others ask at the same time."""
    query = (
        service.photo_query(picture, "a picture", as_it_is=asked.as_it_is)
        if picture is not None
        else service.item_query(str(asked.item_id))
    )
    selection = Selection(
        liked=tuple(asked.liked),
        disliked=tuple(asked.disliked),
        weights=tuple((asked.weights or {}).items()),  # type: ignore[arg-type]
        variety=round(100 * asked.variety),
    )
    return service.find(query, asked.k, asked.where, selection).matches


def _search_parts(
    service: DemoService, asked: SearchQuery, picture: np.ndarray | None
) -> list[Match]:
    shown = {asked.item_id, *asked.liked, *asked.disliked} - {None}
    most = len(service.store) - len(shown)
    if most < 1:
        return []
    return service.answer(
        Request(
            picture,
            asked.text or None,
            asked.item_id,
            min(asked.k, most),
            where=asked.where,
            weights=asked.weights,
            liked=asked.liked,
            disliked=asked.disliked,
            variety=asked.variety,
            collapse=asked.collapse,
            as_it_is=asked.as_it_is,
        )
    )


def read_image(service: DemoService, image: str | None) -> np.ndarray | None:
    """A picture from a ``data:`` URL, or from the web where that is allowed.

    Raises:
        ImageReadError: not an image, or not to be had.
        ProblemError: 403, an address where none may be named.
    """
    if not image:
        return None
    if image.startswith("data:"):
        head, _, data = image.partition(",")
        try:
            if not head.endswith(";base64"):
                raise ValueError
            return read_picture(base64.b64decode(data, validate=True))
        except (ValueError, binascii.Error):
            raise ImageReadError(
                "a data: URL in base64", image[:40], "send data:image/jpeg;base64,..."
            ) from None
    if service.fetcher is None or not image.lower().startswith(("http://", "https://")):
        raise ProblemError(
            403 if service.fetcher is None else 422,
            "a picture as data: URL or as multipart/form-data",
            image[:80],
            "send the picture itself, or start the server with --urls",
        )
    return read_picture(service.fetcher.fetch(image))


def answer_match(match: Match, base: str) -> dict[str, Any]:
    """A match as ``MatchAnswer`` describes it, without what means nothing outside this process."""
    return {
        "rank": match.rank,
        "item_id": match.item_id,
        "distance": match.distance,
        "picture": picture_url(match.item_id, base, match.view if match.view != match.path else ""),
        "facts": write_facts(match),
        "parts": dict(match.parts),
        "probability": match.probability,
        "strength": match.strength,
        "variants": list(match.variants),
    }


def write_facts(match: Match) -> dict[str, Any]:
    """Every column of the catalogue that means something outside this process."""
    return {name: value for name, value in match.json_facts().items() if name not in _INNER}


def answer_product(service: DemoService, item_id: str, base: str) -> Product:
    """A product with all its facts; ProblemError 404 for one that is not there."""
    position = check_item(service, item_id)
    match = Match(0, item_id, 0.0, position, service.retriever.facts_of(position))
    return Product(item_id=item_id, picture=picture_url(item_id, base), facts=write_facts(match))


def picture_url(item_id: str, base: str, view: str = "") -> str:
    """Where a product's picture is served; ``view`` is the path of one that is not its main one."""
    place = f"{base}/products/{quote(item_id, safe='')}/picture"
    return f"{place}?view={quote(view, safe='')}" if view else place


def check_item(service: DemoService, item_id: str) -> int:
    """A product's position; ProblemError 404 for one that is not there."""
    position = service.position(item_id)
    if position is None:
        raise ProblemError(
            404,
            f"an item_id of the {len(service.store):,} products",
            repr(item_id)[:200],
            "take one from a match",
        )
    return position
