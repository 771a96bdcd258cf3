"""Names of the backends and where each lives; a backend is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fashify.errors import ConfigError, join_names
from fashify.index.base import Index
from fashify.io.artefact import ArtefactReader
from fashify.store.layout import INDEX_KIND

_BACKENDS = {
    "annoy": ("annoy_forest", "AnnoyIndex"),
    "exact": ("exact.exact", "ExactIndex"),
    "hnsw": ("hnsw", "HnswIndex"),
    "milvus": ("milvus.milvus", "MilvusIndex"),
    "sklearn": ("sklearn_brute", "SklearnIndex"),
}


def list_indexes() -> list[str]:
    """Names that `make_index` knows, whether or not their extra is installed.

    >>> from fashify import list_indexes
    >>> "exact" in list_indexes()
    True
    """
    return sorted(_BACKENDS)


def backend(name: Any) -> type[Index]:
    """The class of a backend; ConfigError for an unknown name."""
    if name not in _BACKENDS:
        raise ConfigError("a known index", f"{name!r}", f"choose from: {join_names(_BACKENDS)}")
    module, kind = _BACKENDS[name]
    return getattr(import_module(f"fashify.index.{module}"), kind)


def make_index(name: str = "exact", *, metric: str = "cosine", **params: Any) -> Index:
    """A new, empty index.

    Args:
        name: one of `list_indexes`.
        metric: "cosine" or "euclidean".
        **params: the backend's own parameters.

    Raises:
        ConfigError: an unknown name, metric or parameter.
        MissingExtraError: the backend's package is not installed.

    >>> import numpy as np
    >>> from fashify import make_index
    >>> index = make_index("exact").fit(np.eye(3, dtype=np.float32), ["a", "b", "c"])
    >>> index.search(np.array([[0.9, 0.1, 0]], np.float32), k=2).item_ids.tolist()
    [['a', 'b']]
    """
    return backend(name)(metric=metric, **params)


def load_index(
    folder: str | Path,
    *,
    features: np.ndarray | None = None,
    column: str = "",
    verify: bool = False,
) -> Index:
    """Open a saved index of any backend; see `Index.load`.

    >>> import numpy as np
    >>> from fashify import load_index, make_index
    >>> index = make_index("exact").fit(np.eye(3, dtype=np.float32), ["a", "b", "c"])
    >>> _ = index.save("data/index")
    >>> len(load_index("data/index"))
    3
    """
    reader = ArtefactReader(Path(folder).expanduser(), INDEX_KIND, verify=verify)
    found = backend(reader.facts.get("backend"))
    return found.from_files(reader, features=features, column=column)
