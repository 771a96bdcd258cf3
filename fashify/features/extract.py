"""Catalogue -> FeatureStore: batched, resumable, in one step at the end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fashify.backbones import Backbone, load_backbone
from fashify.backbones.loading import IMAGENET, SHIPPED
from fashify.catalogue import Catalogue
from fashify.engines import Engine
from fashify.errors import ConfigError, StoreCorruptError, StoreMismatchError
from fashify.features.assemble import Build, Journal
from fashify.features.embedder import Embedder, Frame
from fashify.features.pipeline import embed_locally
from fashify.features.plan import Plan, Task, make_plan
from fashify.features.samples import find_common_frame, prepare_sample
from fashify.features.upgrade import add_signatures
from fashify.index import make_index
from fashify.io.artefact import MANIFEST, lock_folder, staging_of
from fashify.io.storage import is_url
from fashify.store import FeatureStore
from fashify.store.bucket import present_copy, push_store
from fashify.store.formats import is_old
from fashify.store.legacy import read_old_store
from fashify.store.shards import Contents, Shard, make_journal, read_shard, shard_name, write_shard
from fashify.store.store import check_backbone

logger = logging.getLogger(__name__)

#: Chunks and a progress callback in, (position, shard) out as they are finished.
Runner = Callable[[list[list[Task]], Callable[[int, int], None]], Iterator[tuple[int, Shard]]]


def extract_features(
    catalogue: Catalogue,
    backbone: Backbone | str,
    out: str | Path,
    *,
    engine: str | Engine = "auto",
    precision: str = "auto",
    batch_size: int = 32,
    progress: bool = True,
    index: str | None = None,
    metric: str = "cosine",
    workers: str = "local",
    ray_address: str | None = None,
) -> FeatureStore:
    """Embeds every image of a catalogue into a store at ``out``.

    Work already done is kept: an interrupted run continues where it stopped, and on a
    finished store only new and changed images are embedded. The store at ``out`` is
    replaced in one step when all is done. Unreadable images go to ``quarantine.csv``.

    Args:
        catalogue: products with images.
        backbone: a ``Backbone`` or a name for ``load_backbone``.
        out: the store's folder, or an ``s3://`` url: then a local copy is built and
            uploaded, the manifest last.
        engine: inference engine, by name or made already; ``auto`` is an existing store's
            own, else the fastest faithful one.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        batch_size: pictures per call of the network.
        progress: show a bar with rate, time left and images in quarantine.
        index: name of an index to build into the store, or ``None``.
        metric: the index's metric.
        workers: ``local``, or ``ray`` to run the shards on a cluster.
        ray_address: of a running cluster; without one Ray runs on this machine.

    Returns:
        the finished store, loaded from ``out``.

    Raises:
        CatalogueError: no readable image at all.
        ConfigError: a batch size below 1, unknown workers, index or metric.
        StoreMismatchError: ``out`` holds a store of another backbone or engine.
        StoreError: another process is writing it, or it cannot be written.

    >>> from fashify import extract_features, load_catalogue
    >>> catalogue = load_catalogue("sample").sample(12)
    >>> store = extract_features(catalogue, "fashify-lite", "data/twelve", progress=False)
    >>> store.features.shape
    (12, 1280)
    """
    if batch_size < 1:
        raise ConfigError("a batch size of at least 1", str(batch_size), "use 32")
    # Before hours of work, not after: an unknown index or metric is an error at once.
    empty_index = make_index(index, metric=metric) if index is not None else None
    url, out = out if is_url(out) else None, present_copy(out)
    with lock_folder(out):
        previous = _previous(out)
        backbone = _backbone(backbone, previous)
        if previous is not None:
            check_backbone(previous.meta["backbone"], backbone.spec, out)
        embedder = _embedder(catalogue, backbone, previous, engine, precision, batch_size)
        _check_same_engine(previous, embedder, out)
        run = _runner(catalogue, embedder, workers, ray_address)
        if previous is not None and previous.signatures is None:
            previous = add_signatures(previous, catalogue.storage, progress=progress)
        plan = make_plan(catalogue, previous)
        staging = staging_of(out)
        folder = make_journal(staging)
        with _bar(plan, len(catalogue.row_problems), progress) as tick:
            shards = _embed_all(folder, plan, embedder.fingerprint, run, tick)
        journal, meta = Journal(folder, shards), _describe_build(catalogue, embedder)
        Build(plan, journal, catalogue, meta, empty_index, previous).replace(out, staging)
    if url is not None:
        push_store(out, str(url))
    store = FeatureStore.load(out)
    logger.info("%s: %d items, %d in quarantine", out, len(store), len(store.quarantine))
    return store


def _previous(out: Path) -> FeatureStore | None:
    """The finished store at ``out``; a damaged one is no base to build on."""
    if not (out / MANIFEST).exists():
        return None
    try:
        store = read_old_store(out) if is_old(out) else FeatureStore.load(out)
        if store.colour is not None:
            # Checked here: a column that is damaged is no base either.
            store.features, store.signatures, store.views, store.vectors  # noqa: B018
            return store
        logger.warning("building anew: %s has no colour features", out)
    except StoreCorruptError as error:
        logger.warning("building anew: %s", error)
    return None


def _backbone(backbone: Backbone | str, previous: FeatureStore | None) -> Backbone:
    """``auto`` on an existing store means the store's own, whatever is at hand today."""
    if not isinstance(backbone, str):
        return backbone
    spec = previous.meta["backbone"] if previous is not None else {}
    if backbone == "auto" and spec.get("weights") in (IMAGENET, SHIPPED):
        return load_backbone(spec["name"])
    return load_backbone(backbone)


def _embedder(
    catalogue: Catalogue,
    backbone: Backbone,
    previous: FeatureStore | None,
    engine: str | Engine,
    precision: str,
    batch_size: int,
) -> Embedder:
    recorded = previous.meta.get("engine", {}) if previous is not None else {}
    if engine == "auto":
        engine = recorded.get("engine", engine)
        if precision == "auto":
            precision = recorded.get("precision", precision)
    frame = _frame_of(previous) if previous is not None else find_common_frame(catalogue)
    calibration = None
    if precision == "int8":
        # The network of the store's own calibration: another one would not mix.
        calibration = recorded.get("calibration")
        if calibration is None:
            calibration = prepare_sample(catalogue, backbone.spec, frame)
    return Embedder(
        backbone,
        engine=engine,
        precision=precision,
        batch_size=batch_size,
        calibration=calibration,
        frame=frame,
    )


def _report_fidelity(embedder: Embedder) -> dict[str, float]:
    """The engine's measured fidelity; nothing that differs from run to run."""
    report = getattr(embedder.engine, "report", {})
    return {} if "top5_agreement" not in report else dict(report)


def _frame_of(store: FeatureStore) -> Frame | None:
    frame = store.meta["preparation"]["frame"]
    return None if frame is None else tuple(frame)


def _check_same_engine(previous: FeatureStore | None, embedder: Embedder, out: Path) -> None:
    if previous is None:
        return
    found, wanted = previous.meta["engine"], embedder.facts["engine"]
    for name in ("engine", "precision"):
        if found.get(name) != wanted.get(name):
            raise StoreMismatchError(
                f"features made with {name} {wanted.get(name)}",
                f"{name} {found.get(name)} in {out}",
                "use the store's own, or build another store with --out",
            )


def _embed_all(
    folder: Path,
    plan: Plan,
    fingerprint: str,
    run: Runner,
    tick: Callable[[int, int], None],
) -> list[tuple[str, Contents]]:
    """Runs the shards that are not on disk yet, and writes each as it is done.

    What is in them is remembered, the vectors are not: they are on disk.
    """
    names = [shard_name(fingerprint, [task.identity for task in chunk]) for chunk in plan.chunks]
    done = {name: found for name in names if (found := _read_contents(folder / name))}
    for contents in done.values():
        tick(len(contents.identities) + len(contents.failed), len(contents.failed))
    missing = [position for position, name in enumerate(names) if name not in done]
    for at, shard in run([plan.chunks[position] for position in missing], tick):
        name = names[missing[at]]
        write_shard(folder / name, shard)
        done[name] = shard.contents
    return [(name, done[name]) for name in names]


def _runner(
    catalogue: Catalogue, embedder: Embedder, workers: str, ray_address: str | None
) -> Runner:
    """How shards are run: in this process, or on a Ray cluster."""
    if workers == "local":
        return partial(embed_locally, catalogue.storage, embedder)
    if workers != "ray":
        raise ConfigError("workers 'local' or 'ray'", f"{workers!r}", "use one of the two")
    from fashify.features.cluster import embed_on_ray

    return partial(
        embed_on_ray,
        catalogue.storage.url,
        embedder.recipe(),
        embedder.fingerprint,
        address=ray_address,
    )


def _read_contents(path: Path) -> Contents | None:
    """What a whole shard of an earlier, interrupted run holds."""
    if not path.exists():
        return None
    try:
        return read_shard(path).contents
    except StoreCorruptError as error:
        logger.warning("embedding again: %s", error)
        return None


def _describe_build(catalogue: Catalogue, embedder: Embedder) -> dict[str, Any]:
    """What the manifest says of how the features came about."""
    return {
        **embedder.facts,
        "engine_report": _report_fidelity(embedder),
        "fingerprint": embedder.fingerprint,
        "catalogue": {
            "source": catalogue.source,
            "kind": catalogue.kind,
            "n_rows": len(catalogue),
            "fingerprint": catalogue.fingerprint,
            "columns": {name: one.to_dict() for name, one in catalogue.column_types.items()},
            "reading": catalogue.reading.lines(),
            **({"options": catalogue.options} if catalogue.options else {}),
        },
    }


@contextmanager
def _bar(plan: Plan, bad: int, progress: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate, time left and the quarantine's count, ``bad`` of them known before."""
    disable = not progress or os.environ.get("FASHIFY_PROGRESS") == "0"
    with tqdm(total=plan.n_new, unit="img", desc="features", delay=1, disable=disable) as bar:
        bar.set_postfix(quarantined=bad, refresh=False)

        def tick(done: int, unreadable: int) -> None:
            nonlocal bad
            bad += unreadable
            if unreadable:
                bar.set_postfix(quarantined=bad, refresh=False)
            bar.update(done)

        yield tick
