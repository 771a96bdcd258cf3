"""Photos of visitors who come at once go through the network together.

Engines answer one caller at a time, and a batch costs less than its pictures one by one. One
thread holds the engine; whatever arrived while it was busy makes the next batch. Nobody waits
for a batch to fill.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future

import numpy as np

from fashify.retrieval import Retriever

#: Most photos in one batch; larger ones gain little and keep the first visitor waiting.
MOST = 16


class BatchingEmbedder:
    """Embeds from any number of threads through one engine.

    Args:
        retriever: whose engine is from now on used by this object alone.
    """

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._prepare = retriever.embedder.prepare
        self._waiting: queue.SimpleQueue[tuple[np.ndarray, Future]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="embedder", daemon=True).start()

    def embed(self, picture: np.ndarray) -> np.ndarray:
        """The served vector of one picture, waiting for its turn.

        Args:
            picture: (height, width, 3) uint8 RGB of any size.

        Returns:
            (d,) float32.
        """
        answer: Future = Future()
        self._waiting.put((self._prepare(picture), answer))
        return answer.result()

    def _work(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < MOST and not self._waiting.empty():
                batch.append(self._waiting.get())
            self._answer(batch)

    def _answer(self, batch: list[tuple[np.ndarray, Future]]) -> None:
        try:
            features = self._retriever.embed_prepared(np.stack([one for one, _ in batch]))
        except Exception as error:
            # Handed to those who asked; the thread has to live on for the next.
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), feature in zip(batch, features, strict=True):
            answer.set_result(np.array(feature, np.float32))
