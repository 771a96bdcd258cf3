"""Every backbone through the same list of promises; random weights, so nothing downloads."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.backbones import list_backbones, load_backbone
from fashify.backbones.efficientnet_lite import build_lite, load_torch_weights
from fashify.backbones.loading import own_weights
from fashify.backbones.pretrained import find_imagenet_file
from fashify.backbones.records import RECORDS, KerasSource, LiteSource
from fashify.backbones.torch_file import read_torch_file
from fashify.backbones.weights import hash_weights
from fashify.errors import BackboneError, FashifyWarning

LITE = [name for name, record in RECORDS.items() if isinstance(record.source, LiteSource)]
AT_HAND = [name for name, record in RECORDS.items() if not isinstance(record.source, KerasSource)]


@pytest.fixture(scope="module", params=list_backbones())
def loaded(request):
    """Each backbone once, with the weights that can be had without a network."""
    if request.param in AT_HAND:
        return load_backbone(request.param)
    with pytest.warns(FashifyWarning, match="random weights"):
        return load_backbone(request.param, weights="random")


def _images(loaded, n=3):
    shape = (n, *loaded.spec.input_size, 3)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def _close(a, b):
    """Equal to 1e-4 of the largest number: random weights give features of any size."""
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * max(1.0, float(np.abs(b).max())))


def test_the_promises_of_a_backbone(loaded):
    """One test for all: building and compiling a network is what takes the time."""
    batch = _images(loaded)
    before = batch.copy()
    features = loaded.embed(batch)
    # shape, dtype, finite, and the spec's dimension is the network's
    assert features.shape == (3, loaded.spec.dim)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert loaded.keras_model.output_shape == (None, loaded.spec.dim)
    # the input is not written over, neither as bytes nor as floats
    floats = batch.astype(np.float32)
    _close(loaded.embed(floats), features)
    np.testing.assert_array_equal(batch, before)
    np.testing.assert_array_equal(floats, before)
    # different images give different features; one alone equals its row in the batch
    assert not np.allclose(features[0], features[1])
    _close(loaded.embed(batch[1:2]), features[1:2])
    # the map's mean is the feature
    map_ = loaded.embed_map(batch)
    assert map_.ndim == 4
    assert map_.dtype == np.float32
    _close(map_.mean(axis=(1, 2)), features)
    # nothing in, nothing out
    assert loaded.embed(batch[:0]).shape == (0, loaded.spec.dim)
    assert loaded.embed_map(batch[:0]).shape == (0, *map_.shape[1:])
    _refuses_bad_batches(loaded, batch)


def _refuses_bad_batches(loaded, batch):
    nan = batch.astype(np.float32)
    nan[0, 0, 0, 0] = np.nan
    for bad in (nan, nan[:1] * 0 - 1, batch.astype(np.float32) + 300):
        with pytest.raises(BackboneError, match=r"outside 0\.\.255 or NaN"):
            loaded.embed(bad)
    for bad in (batch[0], batch[:, 1:], batch[..., :1], [[0]], None):
        with pytest.raises(BackboneError, match="Fix: resize each image"):
            loaded.embed(bad)
    for bad in (batch.astype(np.int64), batch > 3):
        with pytest.raises(BackboneError, match="dtype"):
            loaded.embed(bad)


def test_spec_matches_record(loaded):
    """Spec is the record and the label tells the weights."""
    record = RECORDS[loaded.spec.name]
    facts = ("name", "dim", "input_size", "preprocessing", "pooling")
    assert all(getattr(loaded.spec, fact) == getattr(record, fact) for fact in facts)
    at_hand = loaded.spec.name in AT_HAND
    assert loaded.spec.weights == (own_weights(record) if at_hand else "random")
    assert len(loaded.spec.weights_hash) == 64


@pytest.mark.parametrize("name", AT_HAND)
def test_weights_are_known_before_the_network_is_built(name):
    """By the checkpoint alone: what a store holds is compared without TensorFlow."""
    backbone = load_backbone(name)
    assert "network" not in vars(backbone)
    assert hash_weights(backbone.network.get_weights()) == backbone.spec.weights_hash


@pytest.mark.filterwarnings("ignore:.*random weights")
def test_resnet50_preprocessing_is_keras_own():
    """Raw RGB through our graph equals Keras' preprocess_input before Keras' network."""
    import keras

    ours = load_backbone("resnet50", weights="random")
    theirs = keras.applications.ResNet50(include_top=False, weights=None, pooling="avg")
    kernel, *rest = ours.keras_model.get_weights()[-len(theirs.get_weights()) :]
    theirs.set_weights([kernel[:, :, ::-1], *rest])  # ours reads RGB, theirs BGR
    batch = _images(ours, 2)
    prepared = keras.applications.resnet.preprocess_input(batch.astype(np.float32))
    _close(ours.embed(batch), theirs(prepared, training=False).numpy())


@pytest.mark.parametrize("name", LITE)
def test_lite_agrees_with_the_original_network(reference_features, name):
    """The reference of lite2 was computed at 224 with the padding of its native 260."""
    data = np.load(reference_features)
    record = RECORDS[name]
    network = build_lite(record.source, record.input_size[0])
    load_torch_weights(network, read_torch_file(find_imagenet_file(record)))
    images = (data["images"].astype(np.float32) - 127) / 128
    ours = network(images, training=False).numpy().mean(axis=(1, 2))
    theirs = data[name.replace("-", "_")]
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert ((ours * theirs).sum(axis=1) / norms).min() >= 0.9999


def test_lite0_agrees_with_original(reference_features):
    """Lite0 backbone agrees with the original network from raw RGB."""
    data = np.load(reference_features)
    ours = load_backbone("efficientnet-lite0").embed(data["images"])
    np.testing.assert_allclose(ours, data["efficientnet_lite0"], atol=1e-4)
