"""Images to vectors without waiting: threads decode ahead while the network computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np

from fashify.catalogue.likeness import SIZE
from fashify.errors import FashifyError, StorageAwayError
from fashify.features.embedder import Embedder, Picture
from fashify.features.plan import Task
from fashify.io.images import ImageFacts
from fashify.io.storage import Storage
from fashify.store.shards import Shard

#: Decoded pictures that may wait for the network, in batches: the bound on memory.
AHEAD_BATCHES = 4

T = TypeVar("T")


def prepare_images(
    storage: Storage,
    tasks: Iterable[Task],
    read: Callable[[bytes], T],
    *,
    ahead: int,
) -> Iterator[T | FashifyError]:
    """Reads, decodes and resizes in threads, in order, at most ``ahead`` pictures early.

    Yields:
        for each task what ``read`` makes of its encoded picture, or the error that says why
        there is none.

    Raises:
        StorageAwayError: the pictures' place is gone: no picture is to blame for that.
    """

    def read_task(task: Task) -> T | FashifyError:
        try:
            return read(storage.read(task.path))
        except StorageAwayError:
            raise
        except FashifyError as error:
            return error

    waiting: deque[Future[T | FashifyError]] = deque()
    todo = iter(tasks)
    with ThreadPoolExecutor(storage.readers) as pool:
        try:
            waiting.extend(pool.submit(read_task, task) for task in islice(todo, ahead))
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(pool.submit(read_task, task) for task in islice(todo, 1))
                yield done
        finally:
            for future in waiting:
                future.cancel()


def embed_chunk(
    embedder: Embedder,
    chunk: list[Task],
    images: Iterator[Picture | FashifyError],
    tick: Callable[[int, int], None] | None = None,
) -> Shard:
    """One shard's work: a pure function of the images.

    Args:
        embedder: the backbone on its engine.
        chunk: the shard's tasks.
        images: as ``prepare_images`` gives them; ``len(chunk)`` are taken.
        tick: called with (images done, of these unreadable) after each batch.

    Returns:
        the shard; unreadable images are in ``failed``, not in ``features``.
    """
    good: list[str] = []
    signatures: list[np.ndarray] = []
    facts: list[ImageFacts] = []
    failed: dict[str, str] = {}
    features, dim = np.empty((len(chunk), embedder.row_dim), np.float32), embedder.spec.dim
    pairs = zip(chunk, islice(images, len(chunk)), strict=True)
    while batch := list(islice(pairs, embedder.batch_size)):
        bad = {task.identity: str(found) for task, found in batch if isinstance(found, Exception)}
        whole = [(task, found) for task, found in batch if isinstance(found, Picture)]
        if whole:
            rows = slice(len(good), len(good) + len(whole))
            pictures = [picture for _, picture in whole]
            prepared = np.stack([picture.prepared for picture in pictures])
            features[rows, :dim] = embedder.embed_prepared(prepared)
            features[rows, dim:] = [picture.colour for picture in pictures]
            signatures += [picture.signature for picture in pictures]
            facts += [picture.facts for picture in pictures]
            good += [task.identity for task, _ in whole]
        failed |= bad
        if tick:
            tick(len(batch), len(bad))
    return Shard(
        tuple(good),
        features[: len(good)].copy(),
        np.array(signatures, np.uint8).reshape(-1, *SIZE, 3),
        tuple(facts),
        failed,
    )


def embed_locally(
    storage: Storage,
    embedder: Embedder,
    chunks: list[list[Task]],
    tick: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, Shard]]:
    """Runs shards in this process; decoding runs ahead from one into the next.

    Yields:
        ``(position in chunks, shard)`` in order.
    """
    tasks = (task for chunk in chunks for task in chunk)
    ahead = AHEAD_BATCHES * embedder.batch_size
    images = prepare_images(storage, tasks, embedder.read_picture, ahead=ahead)
    for position, chunk in enumerate(chunks):
        yield position, embed_chunk(embedder, chunk, images, tick)
