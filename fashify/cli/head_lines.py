"""What the commands say of a store's head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fashify.store import FeatureStore


def describe_head(store: FeatureStore) -> dict[str, Any] | None:
    """For programs; ``None`` where raw features are served."""
    return None if store.head is None else {"dim": store.head.dim, **store.meta["head"]}


def format_head(store: FeatureStore) -> str:
    """For people."""
    if store.head is None:
        return "head: none, raw features are served"
    shares = ", ".join(f"{name} {weight:g}" for name, weight in store.head.weights.items())
    return f"head: {store.head.provenance.get('method')}, {store.head.dim}-d: {shares}"
