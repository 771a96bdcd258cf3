"""The about tab: what answers here, what it can and cannot do, what becomes of a photo."""

from __future__ import annotations

from html import escape
from importlib.metadata import version

from fashify.demo.service import DemoService
from fashify.demo.uploads import UPLOAD_LIMITS

_PACKAGES = ("fashify", "tensorflow", "gradio", "numpy")


def panel(service: DemoService) -> str:
    """The tab as HTML."""
    return (
        '<section class="fx-about"><h2>What answers here</h2>'
        f"<dl>{_rows(_facts(service))}</dl>{_WORDS.format(**_limits(), fetched=_fetched(service))}"
        "</section>"
    )


def _fetched(service: DemoService) -> str:
    if service.fetcher is None:
        return "nothing on this page is fetched from, or told to, anyone but this server"
    return (
        "nothing on this page is fetched from, or told to, anyone but this server, which itself "
        "fetches a picture whose address you give it"
    )


def _facts(service: DemoService) -> dict[str, str]:
    meta, index = service.store.meta, service.retriever.index
    backbone, engine = meta["backbone"], meta.get("engine", {})
    height, width = backbone["input_size"]
    return {
        "Catalogue": f"{service.facts.catalogue}, {len(service.store):,} products searched, "
        f"{len(service.store.quarantine):,} left out as unreadable",
        "Backbone": f"{service.facts.why}",
        "Sees": f"{height} × {width} pixels, {backbone['pooling']} pooling, weights "
        f"{backbone['weights']}",
        "Engine": f"{engine.get('engine', 'unknown')}, {engine.get('precision', '')}",
        "Index": f"{index.name}, {index.metric} distance",
        "Versions": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _rows(facts: dict[str, str]) -> str:
    return "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())


def _limits() -> dict[str, str]:
    return {
        "megabytes": f"{UPLOAD_LIMITS.max_bytes / 1e6:.0f}",
        "megapixels": f"{UPLOAD_LIMITS.max_pixels / 1e6:.0f}",
    }


_WORDS = """<h2>What it can and cannot do</h2>
<p>It compares how pictures look to a network that was trained to name things, not to tell good
taste from bad. It knows shape, texture and colour together; it does not read sizes, prices or
brands. A busy background counts as part of the picture: cut the product out first.</p>
<p>Pictures of up to {megabytes} MB and {megapixels} million pixels are taken: JPEG, PNG, WebP,
AVIF, GIF, BMP, TIFF.</p>
<h2>What becomes of your photo</h2>
<p>It is decoded in memory, the uploaded file is deleted at once, and the pixels are forgotten with
your session. Nobody else sees it, it is in no log and no address, and {fetched}.</p>"""
