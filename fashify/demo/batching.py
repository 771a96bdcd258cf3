"""What visitors ask at once is answered together.

A network takes one caller at a time, and a batch costs less than its pictures one by one; a
gallery is read once for all queries of a batch. One thread does the work; whatever arrived while
it was busy makes the next batch. Nobody waits for a batch to fill.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from fashify.retrieval.feedback import move_query
from fashify.retrieval.match import Match
from fashify.retrieval.photo_way import look_at
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.search import Request, search_together

#: Most questions in one batch; larger ones gain little and keep the first visitor waiting.
MOST = 16

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """Answers from any number of threads through one.

    Args:
        work: as many answers as questions, in their order; called by one thread alone.
        name: of that thread.
    """

    def __init__(self, work: Callable[[list[Question]], Sequence[Answer]], name: str) -> None:
        self._work = work
        self._waiting: queue.SimpleQueue[tuple[Question, Future]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def ask(self, question: Question) -> Answer:
        """The answer, waiting for its turn; raises what the work raised."""
        return self.ask_all([question])[0]

    def ask_all(self, questions: Iterable[Question]) -> list[Answer]:
        """The answers to several questions, which go together as far as they fit."""
        answers: list[Future] = []
        for question in questions:
            answers.append(Future())
            self._waiting.put((question, answers[-1]))
        return [answer.result() for answer in answers]

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < MOST and not self._waiting.empty():
                batch.append(self._waiting.get())
            self._answer(batch)

    def _answer(self, batch: list[tuple[Question, Future]]) -> None:
        try:
            answers = self._work([question for question, _ in batch])
        except Exception as error:
            # Handed to the one who asked; the others are asked again without him, and the
            # thread has to live on for the next.
            if len(batch) == 1:
                batch[0][1].set_exception(error)
            else:
                for one in batch:
                    self._answer([one])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            future.set_result(answer)


@dataclass(frozen=True, eq=False)
class SearchRequest:
    """One search.

    Attributes:
        asked: what is searched with: a vector (d,) float32, served, or a picture (H, W, 3) uint8
            as ``embedder.prepare`` gives it.
        k: how many matches.
        left_out: ids of items that are not to be answered.
        where, weights: as ``Retriever.by_features`` takes them; searches with the same go
            together.
        photo: whether it is a user's photo, of which a distance says something else.
        liked, disliked: (m, d) float32, what the query is moved to and away from.
    """

    asked: np.ndarray
    k: int
    left_out: frozenset[str]
    where: Mapping[str, Any] | str | None = None
    weights: Mapping[str, float] | None = None
    photo: bool = False
    liked: np.ndarray | tuple[()] = ()
    disliked: np.ndarray | tuple[()] = ()

    def goes_with(self, other: SearchRequest) -> bool:
        """Whether both are answered by one reading of the gallery."""
        return (self.where, self.weights) == (other.where, other.weights)


@dataclass(frozen=True, eq=False)
class Nearest:
    """The answer to a ``SearchRequest``: its matches, and the vector (d,) it was asked with."""

    matches: list[Match]
    vector: np.ndarray


def make_looking_batcher(retriever: Retriever) -> Batcher[np.ndarray, tuple[np.ndarray, float]]:
    """Prepared pictures, (H, W, 3) uint8, to served vectors, (d,) float32, and how far the
    nearest product is.
    """
    return Batcher(lambda pictures: _look_at_batch(retriever, pictures), "looker")


def make_search_batcher(retriever: Retriever) -> Batcher[SearchRequest, Nearest]:
    """Searches, embedded together and the gallery read once for those with the same terms.

    One thread does both: two would hand each search over once more.
    """
    return Batcher(lambda wanted: _search_batch(retriever, wanted), "searcher")


def make_wording_batcher(retriever: Retriever) -> Batcher[Request, list[Match]]:
    """Searches with a text, the gallery read once for all."""
    return Batcher(lambda asked: search_together(retriever, asked), "reader")


def _look_at_batch(
    retriever: Retriever, pictures: list[np.ndarray]
) -> list[tuple[np.ndarray, float]]:
    vectors, near = look_at(retriever, np.stack(pictures))
    return [(row.copy(), float(far)) for row, far in zip(vectors, near, strict=True)]


def _embed_batch(retriever: Retriever, pictures: list[np.ndarray]) -> list[np.ndarray]:
    # Copied, for a row that a session keeps would keep its whole batch.
    return [row.copy() for row in retriever.embed_prepared(np.stack(pictures))]


def _search_batch(retriever: Retriever, wanted: list[SearchRequest]) -> list[Nearest]:
    vectors = [one.asked for one in wanted]
    pictures = [place for place, one in enumerate(wanted) if one.asked.ndim == 3]
    if pictures:
        embedded = _embed_batch(retriever, [vectors[place] for place in pictures])
        for place, vector in zip(pictures, embedded, strict=True):
            vectors[place] = vector
    found: dict[int, Nearest] = {}
    for first in range(len(wanted)):
        if first in found:
            continue
        places = [at for at, one in enumerate(wanted) if wanted[first].goes_with(one)]
        answers = _search_group(
            retriever, [wanted[at] for at in places], [vectors[at] for at in places]
        )
        for at, matches in zip(places, answers, strict=True):
            found[at] = Nearest(matches[: wanted[at].k], vectors[at])
    return [found[place] for place in range(len(wanted))]


def _search_group(
    retriever: Retriever, group: list[SearchRequest], vectors: list[np.ndarray]
) -> list[list[Match]]:
    moved = [
        move_query(vector, np.asarray(one.liked), np.asarray(one.disliked))
        if len(one.liked) or len(one.disliked)
        else vector
        for one, vector in zip(group, vectors, strict=True)
    ]
    return retriever.by_features(
        np.stack(moved),
        max(one.k for one in group),
        where=group[0].where,
        exclude=[one.left_out for one in group],
        weights=group[0].weights,
        photo=[one.photo for one in group],
    )
