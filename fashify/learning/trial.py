"""The same store served through one head after another, to be judged side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fashify.heads.head import Head
from fashify.learning.material import Material, collect_material
from fashify.learning.methods import MAIN_LEVEL, train_head
from fashify.store import FeatureStore

#: Share of the classes that a transfer trial keeps from training.
LEFT_OUT = 0.2


def apply_head(store: FeatureStore, head: Head | None) -> FeatureStore:
    """The store in memory, served through ``head``; its own head is not touched."""
    return store.with_head(head)


def run_trials(
    store: FeatureStore, methods: Sequence[str], *, material: Material | None = None, seed: int = 0
) -> dict[str, FeatureStore]:
    """A head by each method, trained on the same split.

    Args:
        store: features, colour and labels.
        methods: of ``fashify.learning.METHODS``; ``raw`` is the bare features and
            ``none`` the network's own parts.
        material: of the store, where it is at hand already.
        seed: of everything drawn at random.

    Returns:
        method -> the store served by its head, in the order given.
    """
    material = material or collect_material(store)
    return {
        method: apply_head(
            store, train_head(material, store.meta["backbone"], method=method, seed=seed)
        )
        for method in methods
    }


def run_transfer_trial(
    store: FeatureStore,
    *,
    method: str = "softmax",
    level: str = MAIN_LEVEL,
    material: Material | None = None,
    seed: int = 0,
) -> tuple[FeatureStore, tuple[str, ...]]:
    """A head that never saw some classes, to learn what it does for products of a new kind.

    Args:
        store, method, material, seed: as for :func:`run_trials`.
        level: whose classes are left out: a fifth of them, drawn by ``seed``.

    Returns:
        the store served by that head, and the classes left out.
    """
    material = material or collect_material(store)
    labels = material.labels[level].astype(str)
    names = np.unique(labels[labels != ""])
    count = max(1, round(LEFT_OUT * len(names)))
    left_out = np.sort(np.random.default_rng(seed).choice(names, count, replace=False))
    partial = material.without(np.isin(labels, left_out))
    head = train_head(partial, store.meta["backbone"], method=method, seed=seed)
    return apply_head(store, head), tuple(left_out)
