"""The about tab: what answers here, what it can and cannot do, what becomes of a photo."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from markupsafe import Markup

from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.demo.uploads import UPLOAD_LIMITS

_PACKAGES = ("fashify", "tensorflow", "gradio", "numpy")


def panel(service: DemoService) -> Markup:
    """The tab as HTML."""
    return render(
        "about.html",
        facts=_facts(service),
        megabytes=f"{UPLOAD_LIMITS.max_bytes / 1e6:.0f}",
        megapixels=f"{UPLOAD_LIMITS.max_pixels / 1e6:.0f}",
        fetches=service.fetcher is not None,
    )


def _facts(service: DemoService) -> dict[str, str]:
    meta, index = service.store.meta, service.retriever.index
    backbone, engine = meta["backbone"], meta.get("engine", {})
    height, width = backbone["input_size"]
    return {
        "Catalogue": f"{service.facts.catalogue}, {len(service.store):,} products searched, "
        f"{len(service.store.quarantine):,} left out as unreadable",
        **_list_reading(meta),
        "Backbone": f"{service.facts.why}",
        "Sees": f"{height} × {width} pixels, {backbone['pooling']} pooling, weights "
        f"{backbone['weights']}",
        "Engine": f"{engine.get('engine', 'unknown')}, {engine.get('precision', '')}",
        "Index": f"{index.name}, {index.metric} distance",
        "Versions": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _list_reading(meta: dict[str, Any]) -> dict[str, str]:
    """How the catalogue was read; what lies beside it is the shop's own affair."""
    lines = meta.get("catalogue", {}).get("reading", [])
    shown = [line for line in lines if not line.startswith("left out")]
    return {"Read as": "; ".join(shown)} if shown else {}
