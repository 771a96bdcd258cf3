"""The feature store on disk; see :mod:`fashify.store.store` for its layout."""

from __future__ import annotations

from fashify.store.store import FeatureStore
from fashify.store.verify import verify_store

__all__ = ["FeatureStore", "verify_store"]
