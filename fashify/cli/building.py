"""``fashify build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashify.cli.catalogues import (
    ColumnsOption,
    DownloadOption,
    KeepColumnsOption,
    LinksOption,
    TableOption,
    UnmatchedOption,
    read_catalogue,
)
from fashify.cli.console import JsonOption, emit, store_path
from fashify.cli.head_lines import describe_head, format_head
from fashify.cli.indexing import (
    MILVUS,
    CollectionOption,
    UriOption,
    milvus_params,
    synchronise_store,
)
from fashify.cli.judging_photos import AnswersOption, CalibrationOption, load_calibration
from fashify.errors import CatalogueError, QueryError

if TYPE_CHECKING:
    from fashify.catalogue import Catalogue
    from fashify.catalogue.photos import PhotoSet
    from fashify.store import FeatureStore


def build(
    catalogue: Annotated[
        str,
        typer.Option(help="Folder, zip or url of a catalogue, or the word sample or kaggle."),
    ] = "sample",
    out: Annotated[
        Path | None,
        typer.Option(help="Store folder, or s3://, gs://, az:// url; default: $FASHIFY_STORE."),
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="Network, see fashify info; or FILE.onnx.")
    ] = "auto",
    weights: Annotated[
        str | None,
        typer.Option(help="imagenet, random (for tests) or a file; default: the network's own."),
    ] = None,
    index: Annotated[str, typer.Option(help="Search backend, see fashify info.")] = "exact",
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    uri: UriOption = None,
    collection: CollectionOption = None,
    head: Annotated[
        str,
        typer.Option(
            help="keep (what the store has; of a new one what its network brings along, improved "
            "by labels), auto (train where there are labels), none (nothing trained here), raw "
            "(bare features), pca, lda, softmax or proxy-anchor."
        ),
    ] = "keep",
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
    photos: CalibrationOption = None,
    photo_labels: AnswersOption = None,
    table: TableOption = None,
    columns: ColumnsOption = None,
    keep_columns: KeepColumnsOption = False,
    download: DownloadOption = False,
    allow_unmatched: UnmatchedOption = False,
    follow_links: LinksOption = False,
    as_json: JsonOption = False,
) -> None:
    """Embed a catalogue's pictures into a store and index them."""
    from fashify.backbones import load_backbone
    from fashify.features import extract_features
    from fashify.index import make_index
    from fashify.store.bucket import local_path

    if limit is not None and limit < 1:
        raise QueryError("--limit of at least 1", str(limit), "give a larger number")
    named, asked = store_path(out), load_calibration(photos, photo_labels)
    placed = milvus_params(index, uri, collection, local_path(named))
    if index == MILVUS:
        # A server that is away is an error at once, not after hours of work.
        make_index(index, metric=metric, **placed)
    products = read_catalogue(
        catalogue,
        table=table,
        columns=columns,
        keep_columns=keep_columns,
        download=download,
        flags={"allow_unmatched": allow_unmatched, "follow_links": follow_links},
    )
    reading = products.reading
    if limit is not None:
        products = products.sample(limit)
    store = extract_features(
        products,
        # The word auto is passed on: an existing store keeps its own backbone then.
        backbone if weights is None else load_backbone(backbone, weights=weights),
        named,
        engine=engine,
        precision=precision,
        batch_size=batch_size,
        index=None if index == MILVUS else index,
        metric=metric,
        workers=engine_workers,
        ray_address=ray_address,
    )
    if head == "keep" and metric == "cosine" and (_serves_shipped_parts(store) or asked):
        head = "auto"
    if head != "keep":
        served = None if index == MILVUS else index
        store = _learn_head(named, products, head, served, metric, asked)
    if index == MILVUS:
        synchronise_store(store, named, metric=metric, **placed)
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
        "head": describe_head(store),
        "engine_report": store.meta.get("engine_report", {}),
        "index": index,
        "metric": metric,
        "reading": reading.to_dict(),
    }
    text = [
        *reading.lines(),
        f"{len(store):,} products in {store.path}, {len(lost)} in quarantine",
        f"backbone: {facts['name']}, {facts['dim']}-d: {facts['reason']}",
        format_head(store),
        _describe_engine(store.meta),
        f"index: {index}, {metric}",
    ]
    emit(answer, as_json, text)


def _serves_shipped_parts(store: FeatureStore) -> bool:
    """Whether nothing but what its network brings along was ever served from a store."""
    from fashify.heads.shipped import METHOD

    head = store.head
    return head is not None and head.provenance.get("method") == METHOD and store.strength is None


def _learn_head(
    named: Path | str,
    products: Catalogue,
    head: str,
    index: str | None,
    metric: str,
    photos: PhotoSet | None,
) -> FeatureStore:
    from fashify.learning import learn_head

    if metric != "cosine":
        raise QueryError("--metric cosine with --head", metric, "leave one of the two out")
    return learn_head(named, method=head, index=index, catalogue=products, photos=photos)


def _describe_engine(meta: dict[str, Any]) -> str:
    """Engine and precision, and for int8 how well it agrees with fp32."""
    engine, report = meta["engine"], meta.get("engine_report", {})
    line = f"engine: {engine['engine']} {engine['precision']}"
    if "top5_agreement" not in report:
        return line
    share, n = report["top5_agreement"], report["agreement_images"]
    return f"{line}, {share:.0%} of the five nearest as in fp32 on {n} pictures"
