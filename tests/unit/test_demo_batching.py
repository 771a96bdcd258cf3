"""Many threads, one worker: everybody gets his own answer, and an error is not the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fashify.demo.batching import (
    MOST,
    Batcher,
    SearchRequest,
    make_looking_batcher,
    make_search_batcher,
    make_wording_batcher,
)
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.search import Request, search


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


def test_looked_at_together_as_alone(retriever) -> None:
    """A real engine gives the retriever's feature and its nearest product's distance."""
    pictures = [retriever.picture(item_id) for item_id in retriever.store.item_ids[:12]]
    alone = [retriever.embed(picture) for picture in pictures]
    far = [retriever.by_feature(vector, 1)[0].distance for vector in alone]
    batcher = make_looking_batcher(retriever)
    prepared = [retriever.embedder.prepare(picture) for picture in pictures]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(batcher.ask, prepared))
    assert batcher.ask_all(prepared[:3])[2][1] == pytest.approx(far[2], abs=1e-4)
    vectors, near = zip(*together, strict=True)
    np.testing.assert_allclose(vectors, alone, atol=1e-4)
    np.testing.assert_allclose(near, far, atol=1e-4)
    assert vectors[0].base is None


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
        alone = retriever.by_feature(one.asked, one.k, where=where, exclude=one.left_out)
        assert [match.item_id for match in found.matches] == [match.item_id for match in alone]
        assert [match.rank for match in found.matches] == list(range(1, one.k + 1))
        assert found.vector is one.asked


def test_pictures_and_products_together(retriever) -> None:
    """A batch of both; a picture's answer brings its vector along."""
    ids = [str(item_id) for item_id in retriever.store.item_ids[:6]]
    prepared = [retriever.embedder.prepare(retriever.picture(item_id)) for item_id in ids]
    wanted = [
        SearchRequest(prepared[n] if n % 2 else retriever.feature(item_id), 3, frozenset())
        for n, item_id in enumerate(ids)
    ]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(make_search_batcher(retriever).ask, wanted))
    assert [one.matches[0].item_id for one in found] == ids
    for n, item_id in enumerate(ids):
        np.testing.assert_allclose(found[n].vector, retriever.feature(item_id), atol=1e-4)


def test_texts_together_answer_as_alone(retriever) -> None:
    """Texts alone, beside a product, excluded words: each as it is answered by itself."""
    first = str(retriever.store.item_ids[0])
    asked = [
        Request(text="red shirt", k=4),
        Request(text="in blue", item_id=first, k=3),
        Request(text="shoes, not black", k=5, where="gender = Women"),
        Request(text="dress", k=3, liked=[first], variety=0.5),
        Request(text="not red", item_id=first, k=3),
    ]
    with ThreadPoolExecutor(10) as pool:
        together = list(pool.map(make_wording_batcher(retriever).ask, asked * 2))
    for n, matches in enumerate(together):
        alone = search(retriever, asked[n % 5])
        assert [match.item_id for match in matches] == [match.item_id for match in alone]
        assert len(matches) == asked[n % 5].k
