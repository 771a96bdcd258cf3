"""Every engine through the same promises, on the network that needs no download."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.backbones import load_backbone
from fashify.engines import make_engine, measure_agreement
from fashify.engines.fidelity import FIDELITY, find_least_cosine

ENGINES = [("tensorflow", "fp32"), ("openvino", "fp32"), ("openvino", "int8")]


@pytest.fixture(scope="module")
def lite0():
    return load_backbone("efficientnet-lite0")


@pytest.fixture(scope="module")
def images():
    """(48, 224, 224, 3): coloured garments of a sort, soft-edged, on white."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[-1:1:224j, -1:1:224j]
    pictures = np.full((48, 224, 224, 3), 255, np.uint8)
    for picture in pictures:
        width, height, tilt = rng.uniform((0.3, 0.4, -0.4), (0.7, 0.9, 0.4))
        inside = np.abs((x + tilt * y) / width) ** 3 + np.abs(y / height) ** 3 < 1
        stripes = np.sin(rng.uniform(5, 60) * (x + rng.uniform(-1, 1) * y))[inside, None]
        picture[inside] = np.clip(rng.uniform(0, 255, 3) + 40 * stripes, 0, 255)
    return pictures


@pytest.fixture(scope="module", params=ENGINES, ids="-".join)
def engine(request, lite0, images, tmp_path_factory):
    name, precision = request.param
    return make_engine(
        name,
        lite0.keras_model,
        spec=lite0.spec,
        precision=precision,
        cache_dir=tmp_path_factory.mktemp("engines"),
        calibration=images if precision == "int8" else None,
    )


def test_the_promises_of_an_engine(engine, images, lite0):
    batch = images[:20]
    before = batch.copy()
    features = engine.run(batch)
    assert features.shape == (20, lite0.spec.dim)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(batch, before)
    # the same bytes again, so that a resumed store equals an uninterrupted one
    np.testing.assert_array_equal(engine.run(batch), features)
    # a row does not depend on its company
    for part in (slice(0, 1), slice(5, 8), slice(19, 20)):
        np.testing.assert_allclose(engine.run(batch[part]), features[part], rtol=0, atol=1e-5)


def test_openvino_rows_independent_of_batch(engine, images):
    """OpenVINO rows are the same bytes in any company."""
    if engine.name != "openvino":
        pytest.skip("TensorFlow promises closeness only")
    features = engine.run(images[:20])
    for part in (slice(0, 1), slice(3, 20), slice(7, 12)):
        np.testing.assert_array_equal(engine.run(images[:20][part]), features[part])


def test_fidelity_to_the_backbone(engine, images, lite0):
    expected, features = lite0.embed(images), engine.run(images)
    if engine.precision == "int8":
        assert measure_agreement(features, expected) >= 0.8
        assert 0 < engine.report["top5_agreement"] <= 1
    else:
        assert find_least_cosine(features, expected) >= FIDELITY
        np.testing.assert_allclose(features, expected, rtol=0, atol=1e-4)


def test_map_is_the_backbones_or_none(engine, images, lite0):
    """What is pooled, without the network itself; int8 and TensorFlow leave it to the backbone."""
    if (engine.name, engine.precision) == ("openvino", "int8") or engine.name == "tensorflow":
        assert engine.run_map(images[:3]) is None
        return
    found = engine.run_map(images[:3])
    np.testing.assert_allclose(found, lite0.embed_map(images[:3]), rtol=0, atol=1e-3)


def test_fingerprint_tells_engine_and_precision(engine):
    assert engine.fingerprint["engine"] == engine.name
    assert engine.fingerprint["precision"] == engine.precision
    assert all(isinstance(value, str) for value in engine.fingerprint.values())
    assert ("calibration" in engine.fingerprint) == (engine.precision == "int8")


def test_int8_agrees_with_fp32_on_real_products(kaggle_zip, lite0, tmp_path):
    """The first two convolutions in fp32 are what carries it to nine tenths."""
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(kaggle_zip) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        chosen = [names[n] for n in np.random.default_rng(0).permutation(len(names))[:400]]
        pictures = [Image.open(io.BytesIO(archive.read(name))) for name in chosen]
    size = lite0.spec.input_size[::-1]
    batch = np.stack([np.asarray(p.convert("RGB").resize(size, 3)) for p in pictures])
    engine = make_engine(
        "openvino",
        lite0.keras_model,
        spec=lite0.spec,
        precision="int8",
        cache_dir=tmp_path,
        calibration=batch,
    )
    assert engine.report["agreement_images"] == 272
    assert engine.report["top5_agreement"] >= 0.88
