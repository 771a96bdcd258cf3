"""Catalogue -> FeatureStore: batched, resumable, in one step at the end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.backbones import Backbone, load_backbone
from fashify.backbones.backbone import IMAGENET, SHIPPED
from fashify.catalogue import Catalogue
from fashify.engines import Engine
from fashify.errors import (
    CatalogueError,
    ConfigError,
    StoreCorruptError,
    StoreMismatchError,
)
from fashify.features.drawn import find_common_frame, prepare_sample
from fashify.features.embedder import Embedder, Frame
from fashify.features.pipeline import embed_locally
from fashify.features.plan import Plan, Task, make_plan
from fashify.heads.head import Head
from fashify.heads.shipped import own_head
from fashify.index import Index, make_index
from fashify.io.storage import is_url
from fashify.store import FeatureStore
from fashify.store.files import link_file, locked, swap_in, write_error
from fashify.store.items import with_location
from fashify.store.remote import present_copy, push_store
from fashify.store.shards import (
    Contents,
    Shard,
    gathered,
    read_shard,
    shard_name,
    write_shard,
)
from fashify.store.store import (
    INDEX,
    MANIFEST,
    SHARDS,
    check_backbone,
    drop_leftovers,
    fresh_staging,
    write_manifest,
)

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
        batch_size: pictures a call of the network.
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
    with locked(out):
        previous = _previous(out)
        backbone = _backbone(backbone, previous)
        if previous is not None:
            check_backbone(previous.meta["backbone"], backbone.spec, out)
        embedder = _embedder(catalogue, backbone, previous, engine, precision, batch_size)
        _check_same_engine(previous, embedder, out)
        run = _runner(catalogue, embedder, workers, ray_address)
        plan = make_plan(catalogue, previous)
        staging = fresh_staging(out)
        shards = _keep(staging, plan, previous, embedder.fingerprint)
        with _bar(plan, len(catalogue.row_problems), progress) as tick:
            shards += _embed_all(staging, plan, embedder.fingerprint, run, tick)
        _finish(staging, plan, shards, catalogue, embedder, empty_index, previous)
        swap_in(staging, out)
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
        return FeatureStore.load(out)
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


def _own_report(embedder: Embedder) -> dict[str, float]:
    """What the engine found out about itself; nothing that another run would find otherwise."""
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


def _keep(
    staging: Path, plan: Plan, previous: FeatureStore | None, fingerprint: str
) -> list[tuple[str, Contents]]:
    """The previous store's shards without the vectors that nothing needs any more."""
    if previous is None or not plan.kept:
        return []
    wanted = {row: identity for identity, row in plan.kept.items()}
    kept, start = [], 0
    for record in previous.meta["shards"]:
        rows = [row for row in range(start, start + record["rows"]) if row in wanted]
        if rows:
            source = previous.path / SHARDS / record["file"]
            inside = np.array(rows) - start
            kept.append(_keep_rows(source, inside, [wanted[r] for r in rows], staging, fingerprint))
        start += record["rows"]
    return kept


def _keep_rows(
    source: Path, rows: np.ndarray, identities: list[str], staging: Path, fingerprint: str
) -> tuple[str, Contents]:
    """One shard's rows that are still wanted; a shard that is wanted whole is not copied."""
    shard = read_shard(source)
    part = replace(shard.take(rows), identities=tuple(identities))
    name = shard_name(fingerprint, identities)
    if part.contents == shard.contents:
        link_file(source, staging / SHARDS / name)
    else:
        write_shard(staging / SHARDS / name, part)
    return name, part.contents


def _embed_all(
    staging: Path,
    plan: Plan,
    fingerprint: str,
    run: Runner,
    tick: Callable[[int, int], None],
) -> list[tuple[str, Contents]]:
    """Runs the shards that are not on disk yet, and writes each as it is done.

    What is in them is remembered, the vectors are not: they are on disk.
    """
    names = [shard_name(fingerprint, [task.identity for task in chunk]) for chunk in plan.chunks]
    done = {name: found for name in names if (found := _finished(staging / SHARDS / name))}
    for contents in done.values():
        tick(len(contents.identities) + len(contents.failed), len(contents.failed))
    missing = [position for position, name in enumerate(names) if name not in done]
    for at, shard in run([plan.chunks[position] for position in missing], tick):
        name = names[missing[at]]
        write_shard(staging / SHARDS / name, shard)
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


def _finished(path: Path) -> Contents | None:
    """What a whole shard of an earlier, interrupted run holds."""
    if not path.exists():
        return None
    try:
        return read_shard(path).contents
    except StoreCorruptError as error:
        logger.warning("embedding again: %s", error)
        return None


def _finish(
    staging: Path,
    plan: Plan,
    shards: list[tuple[str, Contents]],
    catalogue: Catalogue,
    embedder: Embedder,
    index: Index | None,
    previous: FeatureStore | None,
) -> None:
    """Items, quarantine, index, manifest; and away with what no shard list names.

    A head that the store had stays: it is applied to what is new and built into the index. A new
    store begins with the parts that its network brings along, if it brings any.
    """
    head, strength = own_head(embedder.facts["backbone"]), None
    if previous is not None:
        head, strength = previous.head, previous.strength
    identities = [identity for _, shard in shards for identity in shard.identities]
    rows = {identity: row for row, identity in enumerate(identities)}
    failed = {key: reason for _, shard in shards for key, reason in shard.failed.items()}
    placed = plan.rows.assign(row=plan.rows["identity"].map(rows))
    found = placed["row"].notna()
    if not found.any():
        raise CatalogueError(
            "at least one readable image", f"none in {catalogue.source}", "see Catalogue.problems"
        )
    placed, lost = placed[found].astype({"row": np.int64}), placed[~found]
    items = with_location(catalogue.select(list(placed["item_id"])).table, placed)
    quarantine = _quarantine(catalogue, lost, failed)
    used = [(name, len(shard.identities)) for name, shard in shards if shard.identities]
    drop_leftovers(staging, {name for name, _ in used})
    meta = {
        **embedder.facts,
        "engine_report": _own_report(embedder),
        "fingerprint": embedder.fingerprint,
        "catalogue": {
            "source": catalogue.source,
            "kind": catalogue.kind,
            "n_rows": len(catalogue),
            "fingerprint": catalogue.fingerprint,
            "columns": {name: one.to_dict() for name, one in catalogue.column_types.items()},
            **({"options": catalogue.options} if catalogue.options else {}),
        },
    }
    if index is not None:
        files = [staging / SHARDS / name for name, _ in used]
        vectors = _vectors(placed["row"].to_numpy(), files, embedder.spec.dim, head)
        _save_index(index.fit(vectors, items["item_id"].to_numpy()), staging / INDEX)
    write_manifest(staging, meta, used, items, quarantine, head, strength)


def _vectors(rows: np.ndarray, files: list[Path], dim: int, head: Head | None) -> np.ndarray:
    """What the index will hold, ``(n, d)`` float32; one shard in memory at a time."""

    def gather(columns: slice) -> np.ndarray:
        return gathered(rows, (read_shard(file).features[:, columns] for file in files))

    deep = gather(slice(0, dim))
    return deep if head is None else head(deep, gather(slice(dim, None)))


def _save_index(index: Index, folder: Path) -> None:
    try:
        index.save(folder)
    except OSError as error:
        raise write_error(folder, error) from error


def _quarantine(catalogue: Catalogue, lost: pd.DataFrame, failed: dict[str, str]) -> pd.DataFrame:
    reasons = [failed.get(identity, "not readable") for identity in lost["identity"]]
    unread = pd.DataFrame(
        {"item_id": lost["item_id"].array, "path": lost["path"].array, "reason": reasons}
    )
    catalogue.note_image_problems(unread.itertuples(index=False, name=None))
    return pd.concat([catalogue.row_problems, unread], ignore_index=True)


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
