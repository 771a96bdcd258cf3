"""Fashify: a photo of a garment in, the five catalogue products most like it out.

Names are loaded when first used, so that ``import fashify`` costs nothing and brings in
neither TensorFlow nor Gradio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "Backbone": "backbones",
    "BackboneSpec": "backbones",
    "Catalogue": "catalogue",
    "Embedder": "features",
    "EvaluationReport": "evaluation",
    "FashifyError": "errors",
    "FeatureStore": "store",
    "Match": "retrieval",
    "Retriever": "retrieval",
    "audit": "evaluation.audit",
    "choose_index": "bench.choose",
    "compare_runs": "evaluation",
    "evaluate": "evaluation",
    "evaluate_photos": "evaluation.photos",
    "evaluate_texts": "evaluation.texts",
    "extract_features": "features",
    "learn_head": "learning",
    "list_backbones": "backbones",
    "list_engines": "engines",
    "list_indexes": "index",
    "load_backbone": "backbones",
    "load_catalogue": "catalogue",
    "load_image": "io.images",
    "load_index": "index",
    "load_photos": "catalogue.photos",
    "make_engine": "engines",
    "make_index": "index",
    "mount": "server",
    "train_network": "learning.train",
    "verify_store": "store",
}

_MODULES = frozenset(
    "bench catalogue config errors evaluation features io metrics plots reports retrieval".split()
)


__all__ = [
    "Backbone",
    "BackboneSpec",
    "Catalogue",
    "Embedder",
    "EvaluationReport",
    "FashifyError",
    "FeatureStore",
    "Match",
    "Retriever",
    "audit",
    "bench",
    "catalogue",
    "choose_index",
    "compare_runs",
    "config",
    "errors",
    "evaluate",
    "evaluate_photos",
    "evaluate_texts",
    "evaluation",
    "extract_features",
    "features",
    "io",
    "learn_head",
    "list_backbones",
    "list_engines",
    "list_indexes",
    "load_backbone",
    "load_catalogue",
    "load_image",
    "load_index",
    "load_photos",
    "make_engine",
    "make_index",
    "metrics",
    "mount",
    "plots",
    "reports",
    "retrieval",
    "train_network",
    "verify_store",
]

if TYPE_CHECKING:
    from fashify.backbones import Backbone, BackboneSpec, list_backbones, load_backbone
    from fashify.bench.choose import choose_index
    from fashify.catalogue import Catalogue, load_catalogue
    from fashify.catalogue.photos import load_photos
    from fashify.engines import list_engines, make_engine
    from fashify.errors import FashifyError
    from fashify.evaluation import EvaluationReport, compare_runs, evaluate
    from fashify.evaluation.audit import audit
    from fashify.evaluation.photos import evaluate_photos
    from fashify.evaluation.texts import evaluate_texts
    from fashify.features import Embedder, extract_features
    from fashify.index import list_indexes, load_index, make_index
    from fashify.io.images import load_image
    from fashify.learning import learn_head
    from fashify.learning.train import train_network
    from fashify.retrieval import Match, Retriever
    from fashify.server import mount
    from fashify.store import FeatureStore, verify_store


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"fashify.{_WHERE[name]}"), name)
    if name in _MODULES:
        return import_module(f"fashify.{name}")
    raise AttributeError(f"module 'fashify' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
