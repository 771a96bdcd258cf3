"""``fashify info`` and ``fashify verify``."""

from __future__ import annotations

import importlib.util
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import typer

from fashify.cli.console import FAILED, JsonOption, StoreOption, emit, store_path, table
from fashify.errors import FashifyError

PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn", "gradio", "pillow")

#: Optional packages and what each brings.
EXTRAS = {
    "openvino": "faster extraction on a CPU",
    "nncf": "int8 extraction",
    "faiss": "approximate search (hnsw)",
    "annoy": "approximate search (annoy)",
    "pymilvus": "search in Milvus",
    "s3fs": "catalogues and stores on s3://",
    "gcsfs": "catalogues and stores on gs://",
    "adlfs": "catalogues and stores on az://",
    "ray": "extraction on a cluster",
    "mcp": "the demo as tools for assistants",
}


def info(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What is installed and usable here, and what the store holds."""
    from fashify.engines import list_engines
    from fashify.index import list_indexes

    answer = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {name: _find_version(name) for name in ("fashify", *PACKAGES)},
        "backbones": [_describe_backbone(name) for name in _backbone_names()],
        "engines": list_engines(),
        "indexes": list_indexes(),
        "extras": {name: importlib.util.find_spec(name) is not None for name in EXTRAS},
        "store": _describe_store(store_path(store)),
    }
    emit(answer, as_json, _format_answer(answer))


def verify(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Read every file of a store and of its index, and compare checksums."""
    from fashify.store import verify_store
    from fashify.store.store import find_store_folder

    path = find_store_folder(store_path(store))
    found = [{"file": file, "problem": problem} for file, problem in verify_store(path)]
    answer = {"store": str(path), "ok": not found, "problems": found}
    lines = [f"{one['file']}: {one['problem']}" for one in found]
    emit(answer, as_json, lines or [f"{path}: every file is as it was written"])
    if found:
        raise typer.Exit(FAILED)


def _find_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _backbone_names() -> list[str]:
    from fashify.backbones import list_backbones

    return list_backbones()


def _describe_backbone(name: str) -> dict[str, Any]:
    """A network and whether its ImageNet weights are on this machine; nothing is fetched."""
    from fashify.backbones.pretrained import is_at_hand
    from fashify.backbones.records import find_record

    record = find_record(name)
    size = list(record.input_size)
    return {
        "name": name,
        "dim": record.dim,
        "input_size": size,
        "weights_at_hand": is_at_hand(record),
    }


def _describe_store(path: Path | str) -> dict[str, Any]:
    from fashify.store import FeatureStore

    try:
        store = FeatureStore.load(path)
    except FashifyError as error:
        return {"path": str(path), "usable": False, "reason": str(error)}
    return {
        "path": str(path),
        "usable": True,
        "n_items": len(store),
        "n_quarantined": len(store.quarantine),
        "catalogue": store.meta.get("catalogue"),
        "backbone": store.meta.get("backbone"),
        "engine": store.meta.get("engine"),
    }


def _format_answer(answer: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {found or '-'}" for name, found in answer["versions"].items())
    backbones = [
        (one["name"], one["dim"], "x".join(map(str, one["input_size"])), _format_weights(one))
        for one in answer["backbones"]
    ]
    extras = [
        (name, "installed" if here else "not installed", EXTRAS[name])
        for name, here in answer["extras"].items()
    ]
    return [
        f"Python {answer['python']} on {answer['machine']}; {versions}",
        "",
        *table(backbones, ("backbone", "dim", "input", "ImageNet weights")),
        "",
        f"engines: {', '.join(map(str, answer['engines']))}",
        f"indexes: {', '.join(answer['indexes'])}",
        "",
        *table(extras, ("extra", "state", "brings")),
        "",
        _format_store(answer["store"]),
    ]


def _format_weights(backbone: dict[str, Any]) -> str:
    return "at hand" if backbone["weights_at_hand"] else "to be downloaded"


def _format_store(store: dict[str, Any]) -> str:
    if not store["usable"]:
        return f"store {store['path']}: {store['reason']}"
    name = store["backbone"]["name"]
    return f"store {store['path']}: {store['n_items']:,} products, {name}"
