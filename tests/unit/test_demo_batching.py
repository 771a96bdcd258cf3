"""Many threads, one worker: everybody gets his own answer, and an error is not the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fashify.demo.batching import (
    MOST,
    Batcher,
    SearchRequest,
    make_embedding_batcher,
    make_search_batcher,
)
from fashify.retrieval.retriever import Retriever


class Doubler:
    """Work that notices a second caller and refuses a question."""

    def __init__(self) -> None:
        self.sizes, self.busy = [], False

    def __call__(self, numbers: list[int]) -> list[int]:
        assert not self.busy, "two callers at once"
        self.busy = True
        try:
            if 13 in numbers:
                raise RuntimeError("unlucky")
            self.sizes.append(len(numbers))
            np.random.default_rng(0).random(20_000).sort()
            return [2 * number for number in numbers]
        finally:
            self.busy = False


@pytest.fixture(scope="module")
def retriever(sample_store) -> Retriever:
    return Retriever.open(sample_store)


def test_everybody_gets_his_own_answer() -> None:
    work = Doubler()
    batcher = Batcher(work, "test")
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(batcher.ask, range(20, 220)))
    assert answers == [2 * number for number in range(20, 220)]
    assert sum(work.sizes) == 200
    assert 1 < max(work.sizes) <= MOST


def test_an_error_reaches_the_asker_alone() -> None:
    batcher = Batcher(Doubler(), "test")

    def ask(number: int) -> int | str:
        try:
            return batcher.ask(number)
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(32)))
    assert answers == ["unlucky" if number == 13 else 2 * number for number in range(32)]


def test_batched_feature_matches_retriever(retriever) -> None:
    """A real engine gives the retriever's feature."""
    pictures = [retriever.picture(item_id) for item_id in retriever.store.item_ids[:12]]
    alone = [retriever.embed(picture) for picture in pictures]
    batcher = make_embedding_batcher(retriever)
    prepared = [retriever.embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(batcher.ask, prepared))
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert together[0].base is None


def test_searches_together_answer_as_alone(retriever) -> None:
    ids = [str(item_id) for item_id in retriever.store.item_ids[:24]]
    women = {"gender": ["Women"]}
    wanted = [
        SearchRequest(
            retriever.feature(item_id),
            1 + n % 5,
            frozenset({item_id}),
            where=women if n % 3 else None,
        )
        for n, item_id in enumerate(ids)
    ]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(make_search_batcher(retriever).ask, wanted))
    for n, (one, found) in enumerate(zip(wanted, together, strict=True)):
        where = women if n % 3 else None
        alone = retriever.by_feature(one.vector, one.k, where=where, exclude=one.left_out)
        assert [match.item_id for match in found] == [match.item_id for match in alone]
        assert [match.rank for match in found] == list(range(1, one.k + 1))
