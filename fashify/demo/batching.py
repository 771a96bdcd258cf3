"""What visitors ask at once is answered together.

A network takes one caller at a time, and a batch costs less than its pictures one by one; a
gallery is read once for all queries of a batch. One thread does the work; whatever arrived while
it was busy makes the next batch. Nobody waits for a batch to fill.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from fashify.retrieval.match import Match
from fashify.retrieval.retriever import Retriever

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
        answer: Future = Future()
        self._waiting.put((question, answer))
        return answer.result()

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
        vector: (d,) float32, served.
        k: how many matches.
        left_out: ids of items that are not to be answered.
        where, weights: as ``Retriever.by_features`` takes them; searches with the same go
            together.
        photo: whether it is a user's photo, of which a distance says something else.
    """

    vector: np.ndarray
    k: int
    left_out: frozenset[str]
    where: Mapping[str, Any] | str | None = None
    weights: Mapping[str, float] | None = None
    photo: bool = False

    def goes_with(self, other: SearchRequest) -> bool:
        """Whether both are answered by one reading of the gallery."""
        return (self.where, self.weights) == (other.where, other.weights)


def make_embedding_batcher(retriever: Retriever) -> Batcher[np.ndarray, np.ndarray]:
    """Prepared pictures, (H, W, 3) uint8, to served vectors, (d,) float32."""
    # Copied, for a row that a session keeps would keep its whole batch.
    return Batcher(
        lambda pictures: [row.copy() for row in retriever.embed_prepared(np.stack(pictures))],
        "embedder",
    )


def make_search_batcher(retriever: Retriever) -> Batcher[SearchRequest, list[Match]]:
    """Searches to their matches, the gallery read once for those with the same terms."""
    return Batcher(lambda wanted: _search_batch(retriever, wanted), "searcher")


def _search_batch(retriever: Retriever, wanted: list[SearchRequest]) -> list[list[Match]]:
    found: dict[int, list[Match]] = {}
    for first in wanted:
        if len(found) == len(wanted):
            break
        places = [place for place, one in enumerate(wanted) if first.goes_with(one)]
        if places[0] in found:
            continue
        group = [wanted[place] for place in places]
        matches = retriever.by_features(
            np.stack([one.vector for one in group]),
            max(one.k for one in group),
            where=first.where,
            exclude=[one.left_out for one in group],
            weights=first.weights,
            photo=[one.photo for one in group],
        )
        for place, one, some in zip(places, group, matches, strict=True):
            found[place] = some[: one.k]
    return [found[place] for place in range(len(wanted))]
