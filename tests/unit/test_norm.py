"""One kernel of normalisation on PyTorch does what Keras' own layer does."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMPARED = """
import keras, numpy as np, torch
from fashify.backbones.norm import FusedNormalization

x = np.random.default_rng(0).normal(1, 2, (8, 5, 4, 6)).astype("float32")
found = []
for make in (FusedNormalization, keras.layers.BatchNormalization):
    layer = make(epsilon=1e-3, momentum=0.99)
    layer.build(x.shape)
    layer.gamma.assign(np.arange(1, 7.0))
    layer.beta.assign(np.arange(6.0))
    put = torch.tensor(x, requires_grad=True)
    out = layer(put, training=True)
    (out ** 2 * torch.arange(6)).sum().backward()
    told = [out, put.grad, layer.gamma.value.grad, layer.moving_mean, layer.moving_variance]
    found.append([keras.ops.convert_to_numpy(one) for one in told])
for one, other in zip(*found, strict=True):
    assert np.abs(one - other).max() <= 1e-3 * np.abs(other).max()
"""


def test_fused():
    """Outputs, slopes and running figures agree within a thousandth."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    done = subprocess.run(
        [sys.executable, "-c", COMPARED],
        env={"KERAS_BACKEND": "torch", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
