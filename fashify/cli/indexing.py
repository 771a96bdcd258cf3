"""``fashify index`` and ``fashify index sync``: which backend answers for a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashify.cli.console import Commands, JsonOption, StoreOption, emit, parse_pairs, store_path
from fashify.errors import ConfigError

if TYPE_CHECKING:
    from fashify.index import Index
    from fashify.index.milvus.sync import SyncResult
    from fashify.store import FeatureStore

MILVUS = "milvus"

UriOption = Annotated[
    str | None,
    typer.Option(
        help="Milvus: a file ending in .db, or http://host:19530; default: $FASHIFY_MILVUS_URI."
    ),
]
CollectionOption = Annotated[
    str | None, typer.Option(help="Milvus collection; default: fashify_ and the store's name.")
]
ParamOption = Annotated[
    list[str] | None, typer.Option("-p", "--param", help="Backend parameter, name=value.")
]

app = typer.Typer(cls=Commands, invoke_without_command=True)


@app.callback()
def index(
    context: typer.Context,
    store: StoreOption = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "--index", help="Search backend, see fashify info; default: exact."),
    ] = None,
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    param: ParamOption = None,
    uri: UriOption = None,
    collection: CollectionOption = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Measure the backends on this store, take the cheapest.")
    ] = False,
    recall: Annotated[
        float, typer.Option(help="With --auto: the least share of true neighbours found.")
    ] = 0.99,
    as_json: JsonOption = False,
) -> None:
    """Put another search backend into a store; its features stay as they are."""
    if context.invoked_subcommand is not None:
        context.obj = store
        return
    from fashify.bench.choose import choose_index
    from fashify.store import FeatureStore
    from fashify.store.writer import replace_index

    named = store_path(store)
    opened = FeatureStore.load(named)
    chosen: dict[str, Any]
    given = parse_pairs(param or [], "-p") | milvus_params(
        name or "exact", uri, collection, opened.path
    )
    if auto:
        if name or given:
            raise ConfigError("--auto alone", "a backend or its options too", "leave these out")
        choice = choose_index(
            opened.vectors,
            opened.item_ids,
            view_items=opened.view_items,
            metric=metric,
            recall=recall,
        )
        fitted, chosen = choice.index, choice.to_dict()
    else:
        fitted, chosen = _fit_index(opened, name or "exact", metric, given), {"reason": "asked for"}
    replace_index(opened, fitted.save, named)
    answer: dict[str, Any] = {"store": str(opened.path), "index": fitted.name}
    answer |= {"metric": fitted.metric}
    answer |= {"params": fitted.params, "n_items": len(fitted), **chosen}
    done = f"{len(fitted):,} products indexed by {fitted.name} in {opened.path}"
    emit(answer, as_json, [f"{done}: {chosen['reason']}"])


@app.command()
def sync(
    context: typer.Context,
    store: StoreOption = None,
    uri: UriOption = None,
    collection: CollectionOption = None,
    metric: Annotated[
        str | None, typer.Option(help="cosine or euclidean; default: as before, else cosine.")
    ] = None,
    param: ParamOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if most of the collection has to go.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a Milvus collection in step with a store, sending only what differs.

    Without --uri and --collection these are the ones the store's index names already.
    """
    from fashify.store import FeatureStore

    named = store_path(store or context.obj)
    opened = FeatureStore.load(named)
    before = _find_milvus_index(opened.path)
    params = before.get("params", {}) | parse_pairs(param or [], "-p")
    params |= {key: value for key, value in (("uri", uri), ("collection", collection)) if value}
    params.setdefault("collection", collection_name(opened.path))
    metric = metric or before.get("metric", "cosine")
    done = synchronise_store(opened, named, metric=metric, replace=replace, **params)
    answer = {"store": str(opened.path), "index": MILVUS, "metric": metric}
    answer |= {"params": done.index.params, "n_items": len(done.index), **done.to_dict()}
    counts = ", ".join(f"{count:,} {what}" for what, count in done.to_dict().items())
    where = f"{done.index.params['collection']} at {done.index.params['uri']}"
    emit(answer, as_json, [f"{where} is in step with {opened.path}: {counts}"])


def milvus_params(
    name: str, uri: str | None, collection: str | None, path: Path | None
) -> dict[str, Any]:
    """``uri`` and ``collection`` as parameters of the backend ``name``.

    Raises:
        ConfigError: given for another backend than milvus.
    """
    if name == MILVUS:
        return {"uri": uri, "collection": collection or collection_name(path)}
    if uri or collection:
        raise ConfigError(
            "--uri and --collection with the index milvus", f"{name!r}", "add --index milvus"
        )
    return {}


def collection_name(path: Path | None) -> str:
    """A collection's name for a store's folder: Milvus allows letters, digits and _."""
    return "fashify_" + re.sub(r"\W", "_", (path or Path()).absolute().name, flags=re.ASCII)


def synchronise_store(opened: FeatureStore, named: Path | str, **options: Any) -> SyncResult:
    """Bring a collection in step with a store and make it the store's index."""
    from fashify.index.milvus.sync import sync
    from fashify.store.writer import replace_index

    done = sync(opened, **options)
    replace_index(opened, done.index.save, named)
    return done


def _fit_index(opened: FeatureStore, name: str, metric: str, given: dict[str, Any]) -> Index:
    from fashify.index import make_index

    empty: Any = make_index(name, metric=metric, **given)
    columns = {"items": opened.items} if name == MILVUS else {}
    return empty.fit(opened.vectors, opened.item_ids, view_items=opened.view_items, **columns)


def _find_milvus_index(path: Path | None) -> dict[str, Any]:
    """Facts of the index in the store, when it is one in Milvus."""
    from fashify.errors import FashifyError
    from fashify.io.artefact import read_manifest
    from fashify.store.layout import INDEX, INDEX_KIND

    if path is None:
        return {}
    try:
        facts = read_manifest(path / INDEX, INDEX_KIND)
    except FashifyError:
        return {}
    return facts if facts.get("backend") == MILVUS else {}
