"""The instance loss: more clean views are more wrong answers; a product's group is none."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.backbones.quiet import import_tensorflow
from fashify.learning.photo_losses import instance_loss

TEMPERATURE = 0.5


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def by_hand(clean: np.ndarray, composed: np.ndarray, groups: np.ndarray) -> float:
    """The same sum in loops."""
    m = len(composed)
    cosines = composed @ clean.T / TEMPERATURE

    def lost(row: int, others: range, value) -> float:
        kept = [one for one in others if one == row or groups[one] != groups[row]]
        return float(np.log(sum(np.exp(value(one)) for one in kept)) - value(row))

    there = [lost(row, range(len(clean)), lambda one, r=row: cosines[r, one]) for row in range(m)]
    back = [lost(row, range(m), lambda one, r=row: cosines[one, r]) for row in range(m)]
    return (np.mean(there) + np.mean(back)) / 2


@pytest.mark.parametrize("n", [3, 6])
def test_instance_loss(n):
    """Against loops, with as many clean views as composed ones and with more."""
    import_tensorflow()
    rng = np.random.default_rng(n)
    clean, composed = unit(rng.normal(size=(n, 4))), unit(rng.normal(size=(3, 4)))
    groups = np.array([0, 1, 0, 1, 2, 3][:n])
    found = float(instance_loss(clean, composed, groups, TEMPERATURE))
    assert found == pytest.approx(by_hand(clean, composed, groups), rel=1e-4)
