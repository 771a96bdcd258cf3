"""Carrying out a query of several parts for a ``Retriever``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.errors import QueryError
from fashify.features.framing import is_photo
from fashify.heads.head import unit_length
from fashify.io.images import load_image
from fashify.retrieval.composed import rank, replace_parts, split_weights
from fashify.retrieval.diversity import choose_varied, pool_size
from fashify.retrieval.feedback import move_query
from fashify.retrieval.match import Match
from fashify.retrieval.variants import collapse_matches

if TYPE_CHECKING:
    from fashify.retrieval.retriever import Retriever

#: What ``collapse`` may be.
VARIANTS = "variants"

#: Matches looked at for each set of variants wanted.
_POOL = 12


@dataclass(frozen=True)
class Request:
    """What is asked for; see ``Retriever.search``.

    ``vector`` (d,), served already, stands for the image or item where it was embedded before.
    """

    image: Any = None
    text: str | None = None
    item_id: str | None = None
    k: int = 5
    where: Any = None
    weights: Mapping[str, float] | None = None
    liked: Sequence[str] = ()
    disliked: Sequence[str] = ()
    variety: float = 0.0
    collapse: str | None = None
    labels: bool = True
    vector: np.ndarray | None = None

    @property
    def shown(self) -> list[str]:
        """Items that are part of the question, and so not of the answer."""
        own = [] if self.item_id is None else [str(self.item_id)]
        return [*own, *map(str, self.liked), *map(str, self.disliked)]


def search(retriever: Retriever, request: Request) -> list[Match]:
    """The matches of a request, the best first."""
    _check(request)
    photo = False
    if request.image is not None:
        picture = load_image(request.image)
        request, photo = replace(request, image=picture), is_photo(picture)
    vector = _query_vector(retriever, request)
    others = len(set(request.shown))
    request = replace(request, k=retriever.cut_k(request.k, others_than=others))
    pool = request.k
    if request.variety:
        pool = pool_size(pool)
    if request.collapse:
        pool *= _POOL
    pool = min(pool, len(retriever.store) - others)
    if pool < 1:
        return []
    if request.text is None and vector is not None:
        matches = retriever.by_feature(
            vector,
            pool,
            where=request.where,
            exclude=request.shown or None,
            weights=request.weights,
            photo=photo,
        )
    else:
        matches = _by_text(retriever, request, vector, pool)
    if request.collapse:
        wanted = pool_size(request.k) if request.variety else request.k
        ids = retriever.store.item_ids
        matches = collapse_matches(matches, retriever.variants, ids, wanted)
    if request.variety:
        matches = _vary(retriever, request, matches)
    return matches[: request.k]


def _check(request: Request) -> None:
    parts = (request.image, request.text, request.item_id, request.vector)
    if all(part is None for part in parts) and not request.liked:
        raise QueryError(
            "an image, a text, an item_id or liked items", "none of them", "name what to find"
        )
    if request.collapse not in (None, VARIANTS):
        raise QueryError(
            f"collapse={VARIANTS!r} or None", repr(request.collapse), "use one of these"
        )
    if not 0 <= request.variety <= 1:
        raise QueryError("a variety from 0 to 1", f"{request.variety}", "choose one within")
    if not isinstance(request.k, int | np.integer) or request.k < 1:
        raise QueryError("k of at least 1", f"k = {request.k!r}", "ask for one match or more")


def _query_vector(retriever: Retriever, request: Request) -> np.ndarray | None:
    """The served vector of image and item together, moved by what was liked and disliked."""
    given = [] if request.image is None else [retriever.embed(request.image)]
    if request.vector is not None:
        given = [request.vector]
    elif request.item_id is not None:
        given.append(retriever.feature(str(request.item_id)))
    liked, disliked = (
        np.array([retriever.feature(str(one)) for one in ids], np.float32)
        for ids in (request.liked, request.disliked)
    )
    if not given:
        if not len(liked):
            return None
        given = [unit_length(liked).mean(axis=0)]
    vector = given[0] if len(given) == 1 else np.mean([unit_length(one) for one in given], axis=0)
    if len(liked) or len(disliked):
        vector = move_query(vector, liked, disliked)
    return np.asarray(vector, np.float32)


def _by_text(
    retriever: Retriever, request: Request, vector: np.ndarray | None, pool: int
) -> list[Match]:
    assert request.text is not None
    meaning = retriever.wording.understand(request.text)
    if vector is None and not meaning.wanted:
        raise QueryError(
            "what is wanted, beside what is not",
            repr(request.text),
            'say it like "dress, not blue"',
        )
    of_query, of_head = split_weights(request.weights, retriever.parts)
    similarity = None
    if vector is not None:
        similarity = _similarity(
            retriever, vector, replace_parts(meaning, of_head, _find_own_weights(retriever))
        )
    mask = _mask(retriever, request)
    ranking = rank(
        retriever.wording,
        meaning,
        similarity,
        weights=of_query,
        mask=mask,
        labels=request.labels,
        item=_row(retriever, request),
        limit=pool,
    )
    return retriever.make_matches(
        ranking.positions,
        ranking.distances,
        [
            {name: float(values[row]) for name, values in ranking.parts.items()}
            for row in range(len(ranking.positions))
        ],
    )


def _row(retriever: Retriever, request: Request) -> int | None:
    """The row of the item asked with, where it is all that is asked with beside the text."""
    if request.item_id is None or request.image is not None:
        return None
    return int(np.flatnonzero(retriever.store.item_ids == str(request.item_id))[0])


def _find_own_weights(retriever: Retriever) -> Mapping[str, float]:
    head = retriever.store.head
    return {} if head is None or not retriever.parts else head.weights


def _similarity(
    retriever: Retriever, vector: np.ndarray, weights: Mapping[str, float] | None
) -> np.ndarray:
    """(n,) cosines of the gallery's vectors to a query's, under the weights of a head's parts."""
    head = retriever.store.head
    if weights is None or head is None:
        asked = unit_length(vector)
    else:
        asked = head.weigh_query(vector, weights)
    store = retriever.store
    cosines = store.vectors @ asked
    if not retriever.parts:
        cosines /= np.maximum(np.linalg.norm(store.vectors, axis=1), 1e-12)
    # A product of several views is as near as the nearest.
    return (
        cosines if len(cosines) == len(store) else np.maximum.reduceat(cosines, store.first_views)
    )


def _mask(retriever: Retriever, request: Request) -> np.ndarray | None:
    """(n,) bool: products that pass the filter and are no part of the question."""
    mask = retriever.mask(request.where)
    if not request.shown:
        return mask
    asked = np.isin(retriever.store.item_ids.astype(str), request.shown)
    return ~asked if mask is None else mask & ~asked


def _vary(retriever: Retriever, request: Request, matches: list[Match]) -> list[Match]:
    distances = np.array([match.distance for match in matches])
    vectors = retriever.vectors_at([match.position for match in matches])
    chosen = choose_varied(distances, vectors, request.k, request.variety, retriever.index.metric)
    return [replace(matches[at], rank=rank) for rank, at in enumerate(chosen, start=1)]
