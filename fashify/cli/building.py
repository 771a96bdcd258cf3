"""``fashify build`` and ``fashify index``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, pairs, store_path
from fashify.errors import CatalogueError, QueryError


def build(
    catalogue: Annotated[
        str,
        typer.Option(help="Folder, zip or url of a catalogue, or the word sample or kaggle."),
    ] = "sample",
    out: Annotated[
        Path | None,
        typer.Option(help="Store directory or s3:// url to write; default: $FASHIFY_STORE."),
    ] = None,
    backbone: Annotated[str, typer.Option(help="Network, see fashify info.")] = "auto",
    weights: Annotated[str, typer.Option(help="imagenet, random (for tests) or a file.")] = (
        "imagenet"
    ),
    index: Annotated[str, typer.Option(help="Search backend, see fashify info.")] = "exact",
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    limit: Annotated[
        int | None, typer.Option(help="Embed only this many products, drawn evenly.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Inference engine, see fashify info.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
    batch_size: Annotated[int, typer.Option(help="Pictures a call of the network.")] = 32,
    engine_workers: Annotated[
        str, typer.Option(help="local, or ray to run the shards on a cluster.")
    ] = "local",
    ray_address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster; default: one on this machine.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail if any product could not be embedded.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Embed a catalogue's pictures into a store and index them."""
    from fashify.backbones import load_backbone
    from fashify.catalogue import load_catalogue
    from fashify.features import extract_features

    if limit is not None and limit < 1:
        raise QueryError("--limit of at least 1", str(limit), "give a larger number")
    products = load_catalogue(catalogue)
    if limit is not None:
        products = products.sample(limit)
    store = extract_features(
        products,
        # The word auto is passed on: an existing store keeps its own backbone then.
        backbone if weights == "imagenet" else load_backbone(backbone, weights=weights),
        store_path(out),
        engine=engine,
        precision=precision,
        batch_size=batch_size,
        index=index,
        metric=metric,
        workers=engine_workers,
        ray_address=ray_address,
    )
    lost = store.quarantine
    if strict and len(lost):
        raise CatalogueError(
            "a picture for every product",
            f"{len(lost)} without, in {store.path}/quarantine.csv",
            "mend them, or build without --strict",
        )
    facts = store.meta["backbone"]
    answer = {
        "store": str(store.path),
        "n_items": len(store),
        "n_quarantined": len(lost),
        "backbone": facts,
        "engine": store.meta["engine"],
        "index": index,
        "metric": metric,
    }
    text = [
        f"{len(store):,} products in {store.path}, {len(lost)} in quarantine",
        f"backbone: {facts['name']}, {facts['dim']}-d: {facts['reason']}",
        f"index: {index}, {metric}",
    ]
    emit(answer, as_json, text)


def index(
    store: StoreOption = None,
    name: Annotated[str, typer.Option("--name", help="Search backend, see fashify info.")] = (
        "exact"
    ),
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="Backend parameter, name=value.")
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Measure the backends on this store, take the cheapest.")
    ] = False,
    recall: Annotated[
        float, typer.Option(help="With --auto: the least share of true neighbours found.")
    ] = 0.99,
    as_json: JsonOption = False,
) -> None:
    """Put another search backend into a store; its features stay as they are."""
    from fashify.index import make_index
    from fashify.index.choose import choose_index
    from fashify.storage import is_url
    from fashify.store import FeatureStore
    from fashify.store.files import locked
    from fashify.store.remote import push_store
    from fashify.store.store import INDEX

    named = store_path(store)
    features = FeatureStore.load(named)
    path = features.path
    vectors, item_ids = features.vectors, features.item_ids
    if auto:
        choice = choose_index(vectors, item_ids, metric=metric, recall=recall)
        fitted, chosen = choice.index, choice.to_dict()
    else:
        fitted = make_index(name, metric=metric, **pairs(param or [], "-p")).fit(vectors, item_ids)
        chosen = {"reason": "asked for"}
    with locked(path):
        fitted.save(path / INDEX)
    if is_url(named):
        push_store(path, str(named))
    answer = {"store": str(path), "index": fitted.name, "metric": fitted.metric}
    answer |= {"params": fitted.params, "n_items": len(fitted), **chosen}
    done = f"{len(fitted):,} products indexed by {fitted.name} in {path}: {chosen['reason']}"
    emit(answer, as_json, [done])
