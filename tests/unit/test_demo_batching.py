"""Many threads, one engine: everybody gets his own answer, and an error is not the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fashify.demo.batching import MOST, BatchingEmbedder


class Recorder:
    """A retriever and its embedder in one: a vector is the picture's first pixel."""

    def __init__(self) -> None:
        self.embedder, self.sizes, self.busy, self.broken = self, [], False, False

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        return picture[:1, :1]

    def embed_prepared(self, batch: np.ndarray) -> np.ndarray:
        assert not self.busy, "two callers at once"
        self.busy = True
        try:
            if self.broken:
                raise RuntimeError("no")
            self.sizes.append(len(batch))
            return np.sort(np.random.default_rng(0).random(20_000))[:1] * 0 + batch[:, 0, 0]
        finally:
            self.busy = False


def test_everybody_gets_his_own_answer() -> None:
    recorder = Recorder()
    embedder = BatchingEmbedder(recorder)
    pictures = [np.full((4, 4, 3), n, np.uint8) for n in range(200)]
    with ThreadPoolExecutor(24) as pool:
        features = list(pool.map(embedder.embed, pictures))
    assert [feature.tolist() for feature in features] == [[n, n, n] for n in range(200)]
    assert sum(recorder.sizes) == 200
    assert 1 < max(recorder.sizes) <= MOST
    assert features[0].dtype == np.float32


def test_an_error_reaches_the_asker_and_the_next_is_served() -> None:
    recorder = Recorder()
    embedder, picture = BatchingEmbedder(recorder), np.ones((2, 2, 3), np.uint8)
    recorder.broken = True
    with pytest.raises(RuntimeError, match="no"):
        embedder.embed(picture)
    recorder.broken = False
    assert embedder.embed(picture).tolist() == [1, 1, 1]


def test_a_real_engine_gives_the_retrievers_feature(sample_store) -> None:
    from fashify.retrieval import Retriever

    retriever = Retriever.open(sample_store)
    pictures = [retriever.picture(item_id) for item_id in retriever.store.item_ids[:12]]
    alone = [retriever.embed(picture) for picture in pictures]
    embedder = BatchingEmbedder(retriever)
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(embedder.embed, pictures))
    np.testing.assert_allclose(together, alone, atol=1e-4)
