"""Extraction on a Ray cluster: the local loop's own shard function, on many machines.

Each worker is an actor with the network loaded once. It is sent a list of images and
answers with a shard, which the driver writes; a worker that dies is started again and its
shard computed anew, and a driver that dies loses only the shards under way.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

from fashify.errors import EngineError, MissingExtraError
from fashify.features.embedder import Embedder
from fashify.features.pipeline import embed_locally
from fashify.features.plan import Task
from fashify.io.storage import open_storage
from fashify.store.shards import Shard

logger = logging.getLogger(__name__)

#: Shards waiting at a worker, so that it is never idle.
QUEUED = 2

PROBE_SECONDS = 4.0


class ShardWorker:
    """One process of the cluster with its own storage handle and network.

    Args:
        url: folder, zip or ``s3://`` url, the same on every machine.
        make_embedder: called once in the worker.
        fingerprint: what the driver's embedder has; another one must not be mixed in.
    """

    def __init__(self, url: str, make_embedder: Callable[[], Embedder], fingerprint: str) -> None:
        self.storage, self.embedder = open_storage(url), make_embedder()
        if self.embedder.fingerprint != fingerprint:
            raise EngineError(
                "the same backbone, engine and precision on every machine",
                f"{self.embedder.facts['engine']} on a worker",
                "name --engine and --precision, and install the same versions everywhere",
            )

    def embed(self, chunk: list[Task]) -> Shard:
        """The shard of some images, the same bytes as the local loop gives."""
        ((_, shard),) = embed_locally(self.storage, self.embedder, [chunk])
        return shard


def embed_on_ray(
    url: str,
    make_embedder: Callable[[], Embedder],
    fingerprint: str,
    chunks: list[list[Task]],
    tick: Callable[[int, int], None] | None = None,
    *,
    address: str | None = None,
    workers: int | None = None,
    cpus_per_worker: int = 1,
) -> Iterator[tuple[int, Shard]]:
    """Runs shards on a Ray cluster.

    Args:
        url, make_embedder, fingerprint: as ``ShardWorker``.
        chunks: the shards' tasks.
        tick: called with (images done, of these unreadable) for each shard.
        address: of a running cluster, ``ray://host:10001`` or ``auto``; without one a
            cluster is started on this machine for the duration.
        workers: how many; as many as the cluster has room for by default.
        cpus_per_worker: processors each one asks for.

    Yields:
        ``(position in chunks, shard)`` as they are finished.

    Raises:
        MissingExtraError: Ray is not installed.
        EngineError: no cluster at the address, or workers that cannot do the work.
    """
    ray = _connect(address, workers, cpus_per_worker)
    try:
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // cpus_per_worker)
        remote = ray.remote(num_cpus=cpus_per_worker, max_restarts=3, max_task_retries=3)
        actors = [
            remote(ShardWorker).remote(url, make_embedder, fingerprint)
            for _ in range(min(count, len(chunks)))
        ]
        yield from _run_chunks(ray, actors, chunks, tick)
    finally:
        ray.shutdown()


def _connect(address: str | None, workers: int | None, cpus_per_worker: int) -> Any:
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
    except ImportError:
        raise MissingExtraError.of("ray", "cluster") from None
    options: dict[str, Any] = {"address": address}
    _check_reachable(address)
    if address is None:
        cpus = workers * cpus_per_worker if workers else None
        options = {"num_cpus": cpus, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        ray.init(logging_level=logging.WARNING, log_to_driver=False, **options)
    except Exception as error:  # Ray raises its own, RuntimeError and ConnectionError alike.
        raise _cluster_error(address, error) from error
    return ray


def _check_reachable(address: str | None) -> None:
    """Ray itself would try a dead address for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=PROBE_SECONDS).close()
    except OSError as error:
        raise _cluster_error(address, error) from error


def _cluster_error(address: str | None, error: Exception) -> EngineError:
    return EngineError(
        f"a Ray cluster at {address or 'this machine'}",
        " ".join(str(error).split())[:160],
        "check --ray-address, or leave it out to use this machine",
    )


def _run_chunks(
    ray: Any, actors: list[Any], chunks: list[list[Task]], tick: Callable[[int, int], None] | None
) -> Iterator[tuple[int, Shard]]:
    """Keeps every worker's queue short and full, and hands on what is done."""
    todo = iter(enumerate(chunks))
    running: dict[Any, tuple[int, Any]] = {}

    def send(actor: Any) -> None:
        position, chunk = next(todo, (None, None))
        if position is not None:
            running[actor.embed.remote(chunk)] = (position, actor)

    for _ in range(QUEUED):
        for actor in actors:
            send(actor)
    while running:
        (done,), _ = ray.wait(list(running), num_returns=1)
        position, actor = running.pop(done)
        send(actor)
        try:
            shard = ray.get(done)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            raise EngineError(
                "workers that embed",
                " ".join(str(cause or error).split())[:200],
                "mend the cluster and run again; finished shards are kept",
            ) from error
        if tick:
            tick(len(chunks[position]), len(shard.failed))
        yield position, shard
