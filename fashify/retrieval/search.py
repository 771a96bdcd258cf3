"""Carrying out a query of several parts for a ``Retriever``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.errors import QueryError
from fashify.features.framing import is_photo
from fashify.heads.head import unit_length
from fashify.retrieval.attributes import PATTERN
from fashify.retrieval.composed import Ranking, rank, replace_parts, split_weights
from fashify.retrieval.diversity import choose_varied, pool_size
from fashify.retrieval.feedback import move_query
from fashify.retrieval.match import Match
from fashify.retrieval.variants import POOL, find_collapsed
from fashify.text.meaning import Meaning

if TYPE_CHECKING:
    from fashify.retrieval.retriever import Retriever

#: What ``collapse`` may be.
VARIANTS = "variants"


@dataclass(frozen=True)
class Request:
    """What is asked for; see ``Retriever.search``.

    ``vector`` (d,), served already, stands for the image or item where it was embedded before;
    with ``as_it_is`` an image is neither cut out of its frame nor turned.
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
    as_it_is: bool = False

    @property
    def shown(self) -> list[str]:
        """Items that are part of the question, and so not of the answer."""
        own = [] if self.item_id is None else [str(self.item_id)]
        return [*own, *map(str, self.liked), *map(str, self.disliked)]


@dataclass(frozen=True, eq=False)
class _Question:
    """A request that was checked.

    Attributes:
        vector: (d,) of its image, item or liked products; None for a text alone.
        photo: whether its image is a user's photo.
        pool: how many products to look at.
        most: how many there are to look at.
    """

    request: Request
    vector: np.ndarray | None
    photo: bool
    pool: int
    most: int


def search(retriever: Retriever, request: Request) -> list[Match]:
    """The matches of a request, the best first."""
    return search_together(retriever, [request])[0]


def search_together(retriever: Retriever, requests: Sequence[Request]) -> list[list[Match]]:
    """The matches of each request; those with a text read the gallery once for all of them."""
    questions = [_make_question(retriever, request) for request in requests]
    texts = [one for one in questions if one.pool > 0 and one.request.text is not None]
    found = iter(_by_texts(retriever, texts))
    answers = []
    for one in questions:
        matches: list[Match] = []
        if one.pool > 0:
            is_text = one.request.text is not None
            matches = next(found) if is_text else _by_vector(retriever, one)
        answers.append(_arrange(retriever, one, matches))
    return answers


def _make_question(retriever: Retriever, request: Request) -> _Question:
    _check(request)
    photo = False
    if request.image is not None:
        reading = retriever.read_photo(request.image, as_it_is=request.as_it_is)
        request, photo = replace(request, image=reading), is_photo(reading.image)
    vector = _query_vector(retriever, request)
    others = len(set(request.shown))
    request = replace(request, k=retriever.cut_k(request.k, others_than=others))
    most = len(retriever.store) - others
    pool = _count_wanted(request) * (POOL if request.collapse else 1)
    return _Question(request, vector, photo, min(pool, most), most)


def _count_wanted(request: Request) -> int:
    """Matches, or sets of variants, to choose the answer from."""
    return pool_size(request.k) if request.variety else request.k


def _by_vector(retriever: Retriever, asked: _Question) -> list[Match]:
    assert asked.vector is not None
    request = asked.request
    return retriever.by_feature(
        asked.vector,
        asked.pool,
        where=request.where,
        exclude=request.shown or None,
        weights=request.weights,
        photo=asked.photo,
    )


def _arrange(retriever: Retriever, asked: _Question, matches: list[Match]) -> list[Match]:
    """The first of the matches, variants collapsed and varied as was asked for."""
    request = asked.request
    if request.collapse and matches:
        find = partial(_find, retriever, asked)
        wanted, ids = _count_wanted(request), retriever.store.item_ids
        matches = find_collapsed(find, retriever.variants, ids, wanted, asked.most, found=matches)
    if request.variety and matches:
        matches = _vary(retriever, request, matches)
    return matches[: request.k]


def _find(retriever: Retriever, asked: _Question, pool: int) -> list[Match]:
    asked = replace(asked, pool=pool)
    if asked.request.text is None:
        return _by_vector(retriever, asked)
    return next(iter(_by_texts(retriever, [asked])))


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
    given = [] if request.image is None else [request.image.vector]
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


def _by_texts(retriever: Retriever, asked: Sequence[_Question]) -> list[list[Match]]:
    if not asked:
        return []
    wording = retriever.wording
    meanings = [_understand(retriever, one) for one in asked]
    weights = [split_weights(one.request.weights, retriever.parts) for one in asked]
    similarities = _compare_vectors(
        retriever,
        [
            one.vector
            if one.vector is None
            else _weigh(
                retriever, one.vector, replace_parts(meaning, of_head, _find_own_weights(retriever))
            )
            for one, meaning, (_, of_head) in zip(asked, meanings, weights, strict=True)
        ],
    )
    cosines = wording.compare_texts(meanings)
    answers = []
    for one, meaning, (of_query, _), similarity, near in zip(
        asked, meanings, weights, similarities, cosines, strict=True
    ):
        scores = wording.score(
            meaning,
            labels=one.request.labels,
            beside=similarity is not None,
            item=_row(retriever, one.request),
            cosines=near,
        )
        if similarity is not None and meaning.of(PATTERN):
            similarity = wording.without_patterns(similarity)
        mask = _mask(retriever, one.request)
        ranking = rank(scores, similarity, weights=of_query, mask=mask, limit=one.pool)
        answers.append(_join(retriever, ranking))
    return answers


def _understand(retriever: Retriever, asked: _Question) -> Meaning:
    text = asked.request.text
    assert text is not None
    meaning = retriever.wording.understand(text)
    if asked.vector is None and not meaning.wanted:
        raise QueryError(
            "what is wanted, beside what is not", repr(text), 'say it like "dress, not blue"'
        )
    return meaning


def _join(retriever: Retriever, ranking: Ranking) -> list[Match]:
    names, columns = list(ranking.parts), [values.tolist() for values in ranking.parts.values()]
    rows = zip(*columns, strict=True) if columns else ([] for _ in ranking.positions)
    parts = [dict(zip(names, row, strict=True)) for row in rows]
    return retriever.make_matches(ranking.positions, ranking.distances, parts)


def _row(retriever: Retriever, request: Request) -> int | None:
    """The row of the item asked with, where it is all that is asked with beside the text."""
    if request.item_id is None or request.image is not None:
        return None
    return retriever.store.position(str(request.item_id))


def _find_own_weights(retriever: Retriever) -> Mapping[str, float]:
    head = retriever.store.head
    return {} if head is None or not retriever.parts else head.weights


def _weigh(
    retriever: Retriever, vector: np.ndarray, weights: Mapping[str, float] | None
) -> np.ndarray:
    """A query's vector (d,) of unit length, or under the weights of a head's parts."""
    head = retriever.store.head
    if weights is None or head is None:
        return unit_length(vector)
    return head.weigh_query(vector, weights)


def _compare_vectors(
    retriever: Retriever, asked: Sequence[np.ndarray | None]
) -> list[np.ndarray | None]:
    """For each vector (n,) cosines of the gallery's to it, the gallery read once for all."""
    found: list[np.ndarray | None] = [None] * len(asked)
    rows = [row for row, vector in enumerate(asked) if vector is not None]
    if not rows:
        return found
    store = retriever.store
    cosines = np.stack([vector for vector in asked if vector is not None]) @ store.vectors.T
    if not retriever.parts:
        cosines /= np.maximum(np.linalg.norm(store.vectors, axis=1), 1e-12)
    if cosines.shape[1] != len(store):
        # A product of several views is as near as the nearest.
        cosines = np.maximum.reduceat(cosines, store.first_views, axis=1)
    for row, near in zip(rows, cosines, strict=True):
        found[row] = near
    return found


def _mask(retriever: Retriever, request: Request) -> np.ndarray | None:
    """(n,) bool: products that pass the filter and are no part of the question."""
    return leave_out(retriever, retriever.mask(request.where), request.shown)


def leave_out(
    retriever: Retriever, mask: np.ndarray | None, item_ids: Sequence[str]
) -> np.ndarray | None:
    """A mask (n,) bool, None for all products, without some of them."""
    if not item_ids:
        return mask
    kept = np.ones(len(retriever.store), bool) if mask is None else mask.copy()
    kept[[retriever.store.position(item_id) for item_id in item_ids]] = False
    return kept


def _vary(retriever: Retriever, request: Request, matches: list[Match]) -> list[Match]:
    distances = np.array([match.distance for match in matches])
    vectors = retriever.vectors_at([match.position for match in matches])
    chosen = choose_varied(distances, vectors, request.k, request.variety, retriever.index.metric)
    return [replace(matches[at], rank=rank) for rank, at in enumerate(chosen, start=1)]
