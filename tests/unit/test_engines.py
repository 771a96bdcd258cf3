"""Choosing, caching, quantising and comparing engines, on a tiny network."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fashify.engines import list_engines, make, make_engine, measure_agreement
from fashify.engines.cache import ModelCache
from fashify.engines.fidelity import draw_probe_images, find_least_cosine
from fashify.engines.processor import cores
from fashify.engines.quantise import _import_nncf
from fashify.engines.tensorflow_engine import TensorFlowEngine
from fashify.errors import EngineError, FashifyWarning, MissingExtraError

KEY = {"network": "a"}


@dataclass(frozen=True)
class Spec:
    """The least an engine needs to know; no backbone is involved."""

    name: str = "tiny"
    dim: int = 8
    input_size: tuple[int, int] = (16, 12)
    preprocessing: str = "none-1"
    pooling: str = "avg"
    weights_hash: str = "tiny-1"


@pytest.fixture(scope="module")
def model():
    import keras

    inputs = keras.Input((16, 12, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for number, filters in enumerate((8, 8, 8, 8)):
        start = keras.initializers.GlorotNormal(seed=number)
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer=start
        )(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


@pytest.fixture
def images():
    return np.random.default_rng(2).integers(0, 256, (64, 16, 12, 3), dtype=np.uint8)


@pytest.fixture
def engine_of(model, tmp_path):
    """Makes engines of the tiny model with a cache of their own."""

    def make_one(name="openvino", precision="fp32", **options):
        options = {"spec": Spec(), "cache_dir": tmp_path / "engines"} | options
        return make_engine(name, model, precision=precision, **options)

    return make_one


# --- measures


def test_top_k_agreement_by_hand():
    a = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    b = a[[0, 2, 1, 3]]  # items 1 and 2 have changed places
    assert measure_agreement(a, a, k=1) == 1.0
    assert measure_agreement(a, b, k=1) == 0.0
    assert measure_agreement(a, b, k=3) == 1.0  # all others are the same three


def test_agreement_independent_of_block(monkeypatch):
    """Top k agreement does not depend on the block."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50, 6))
    whole = measure_agreement(a, b)
    monkeypatch.setattr("fashify.engines.fidelity._ROWS", 7)
    assert measure_agreement(a, b) == whole


@pytest.mark.parametrize(
    ("features", "expected"),
    [([[1.0, 0.0]], 1.0), ([[0.0, 2.0]], 0.0), ([[-3.0, 0.0]], -1.0), ([[np.nan, 0.0]], -1.0)],
)
def test_least_cosine_by_hand(features, expected):
    assert find_least_cosine(np.array(features), np.array([[2.0, 0.0]])) == pytest.approx(expected)


def test_probe_images_are_the_same_every_time():
    images = draw_probe_images(Spec())
    assert images.shape == (8, 16, 12, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, draw_probe_images(Spec()))
    assert len(np.unique(images.reshape(8, -1), axis=0)) == 8


# --- choosing


def test_both_engines_are_listed():
    assert list_engines() == ["openvino", "tensorflow"]


def test_unknown_names_list_the_known_ones(engine_of):
    with pytest.raises(EngineError, match=r"'onnx'.*auto, openvino, tensorflow"):
        engine_of("onnx")
    with pytest.raises(EngineError, match=r"'fp64'.*auto, bf16, fp32, int8"):
        engine_of("openvino", "fp64")
    with pytest.raises(EngineError, match=r"fp32, bf16.*'int8'.*openvino"):
        engine_of("tensorflow", "int8")


def test_auto_takes_fastest(engine_of, monkeypatch):
    """Auto takes the fastest and says what it measured."""
    rates = {"openvino": 10.0, "tensorflow": 20.0}
    monkeypatch.setattr(make, "_measure_rate", lambda engine, images: rates[engine.name])
    engine = engine_of("auto", "fp32")
    assert engine.name == "tensorflow"
    assert "beside openvino fp32" in engine.reason
    assert engine.report["least_cosine"] == pytest.approx(1)


def test_auto_measures_once(engine_of, images, monkeypatch):
    """The second start takes what the first one measured, of this network on this machine."""
    measured = []
    rates = {"openvino": 20.0, "tensorflow": 10.0}

    def measure(engine, images):
        measured.append(engine.name)
        return rates[engine.name]

    monkeypatch.setattr(make, "_measure_rate", measure)
    first, n = engine_of("auto", "fp32"), len(measured)
    again = engine_of("auto", "fp32")
    assert (again.name, again.precision, again.reason) == ("openvino", "fp32", first.reason)
    assert again.report == first.report
    assert len(measured) == n
    np.testing.assert_array_equal(again.run(images), first.run(images))
    engine_of("auto", "fp32", spec=replace(Spec(), weights_hash="tiny-2"))
    monkeypatch.setattr(make, "processor", lambda: {"name": "another", "cores": 1})
    engine_of("auto", "fp32")
    assert len(measured) == 3 * n


def test_auto_skips_unfaithful_engine(engine_of, monkeypatch):
    """Auto passes over an engine that is fast but wrong."""
    rates = {"openvino": 20.0, "tensorflow": 10.0}
    monkeypatch.setattr(make, "_measure_rate", lambda engine, images: rates[engine.name])
    right = make.OpenVINOEngine._infer
    wrong = lambda self, batch: right(self, batch)[:, ::-1]  # noqa: E731
    monkeypatch.setattr(make.OpenVINOEngine, "_infer", wrong)
    assert engine_of("auto", "auto").name == "tensorflow"
    with pytest.raises(EngineError, match=r"cosine of 0.999 or more.*openvino"):
        engine_of("openvino", "auto")


def test_auto_never_quantises(engine_of, images):
    assert engine_of("auto", "auto", calibration=images).precision != "int8"


def test_int8_by_name_is_openvino(engine_of, images):
    assert engine_of("auto", "int8", calibration=images).name == "openvino"


def test_without_openvino_auto_is_tensorflow(engine_of, monkeypatch):
    monkeypatch.setattr(make, "has_openvino", lambda: False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert engine_of("auto", "auto").name == "tensorflow"
    with pytest.raises(MissingExtraError, match="openvino"):
        engine_of("openvino", "fp32")


def test_bf16_needs_a_processor_that_has_it(engine_of, monkeypatch):
    monkeypatch.setattr("fashify.engines.openvino_engine.supports_bf16", lambda: False)
    with pytest.raises(EngineError, match="bfloat16"):
        engine_of("openvino", "bf16")
    monkeypatch.setattr(make, "supports_bf16", lambda: False)
    monkeypatch.setattr(make, "has_bf16", lambda: False)
    with pytest.raises(EngineError, match="bfloat16"):
        engine_of("auto", "bf16")


def test_bf16_keeps_reference(model, engine_of, images, monkeypatch):
    """TensorFlow bf16 leaves the reference alone."""
    # As on a processor without it, so that the test is the same test everywhere.
    monkeypatch.setattr(make, "has_bf16", lambda: False)
    before = engine_of("tensorflow").run(images)
    with pytest.warns(FashifyWarning, match="slow"):
        rounded = engine_of("tensorflow", "bf16").run(images)
    np.testing.assert_array_equal(engine_of("tensorflow").run(images), before)
    assert rounded.dtype == np.float32
    assert not np.array_equal(rounded, before)
    assert find_least_cosine(rounded, before) > 0.999


# --- what they take


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_batch_sizes(engine_of, images, name):
    """Batches larger than a chunk and empty ones."""
    engine = engine_of(name)
    n = TensorFlowEngine.chunk + 3
    features = engine.run(images[:n])
    assert features.shape == (n, 8)
    np.testing.assert_allclose(features[-1:], engine.run(images[n - 1 : n]), atol=1e-6)
    np.testing.assert_array_equal(features[-2:], engine.run(images[n - 2 : n]))
    assert engine.run(images[:0]).shape == (0, 8)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_openvino_bits_stable(engine_of, images, precision):
    """With OpenVINO company and cores change no bit."""
    engine = engine_of("openvino", precision, calibration=images)
    together = engine.run(images)
    alone = np.concatenate([engine.run(image[None]) for image in images])
    np.testing.assert_array_equal(alone, together)
    single = engine_of("openvino", precision, calibration=images, threads=1)
    np.testing.assert_array_equal(single.run(images), together)


def test_fewer_cores_may_be_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert cores() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("bad", ["shape", "dtype", "list"])
def test_a_wrong_batch_is_a_named_error(engine_of, images, bad):
    batches = {"shape": images[:, 1:], "dtype": images.astype(np.float32), "list": [1]}
    with pytest.raises(EngineError, match=r"\(b, 16, 12, 3\) array of uint8"):
        engine_of("tensorflow").run(batches[bad])


def test_openvino_takes_views(engine_of, images):
    """OpenVINO takes views and leaves them alone."""
    engine = engine_of()
    before = images.copy()
    np.testing.assert_array_equal(engine.run(images[::-2]), engine.run(images)[::-2])
    np.testing.assert_array_equal(images, before)


# --- int8


def test_int8_agreement_on_held_out(engine_of, images):
    """int8 measures its agreement on images it was not set by."""
    engine = engine_of("openvino", "int8", calibration=images)
    assert engine.report["agreement_images"] == 32
    held_out = images[32:]
    expected = measure_agreement(engine_of().run(held_out), engine.run(held_out))
    assert engine.report["top5_agreement"] == pytest.approx(expected)
    assert engine.report["top5_agreement"] > 0.5


def test_int8_found_by_fingerprint(engine_of, images):
    """int8 is found again by its fingerprint alone."""
    engine = engine_of("openvino", "int8", calibration=images)
    again = engine_of("openvino", "int8", calibration=engine.fingerprint["calibration"])
    np.testing.assert_array_equal(again.run(images), engine.run(images))
    assert again.fingerprint == engine.fingerprint
    assert again.report == engine.report


def test_int8_fingerprint_differs(engine_of, images):
    """int8 of other images has another fingerprint."""
    a = engine_of("openvino", "int8", calibration=images)
    b = engine_of("openvino", "int8", calibration=images[::-1])
    assert a.fingerprint != b.fingerprint


def test_int8_without_nncf_names_the_extra(engine_of, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingExtraError, match=r"fashify\[int8\]"):
        engine_of("openvino", "int8", calibration=images)


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (None, "calibration images"),
        (np.zeros((3, 16, 12, 3), np.uint8), "16 or more"),
        (np.zeros((64, 8, 8, 3), np.uint8), "calibration images"),
        (np.zeros((64, 16, 12, 3), np.float32), "uint8"),
        ("0" * 64, "pass the calibration images again"),
    ],
)
def test_int8_needs_images(engine_of, calibration, message):
    """int8 without proper images is a named error."""
    with pytest.raises(EngineError, match=message):
        engine_of("openvino", "int8", calibration=calibration)


# --- the cache


def _count_conversions(monkeypatch):
    from fashify.engines import convert as module

    calls = []
    convert = module._convert
    counting = lambda *args: calls.append(1) or convert(*args)  # noqa: E731
    monkeypatch.setattr(module, "_convert", counting)
    return calls


def test_cache_serves_second_start(engine_of, images, monkeypatch):
    """The cache serves the second start with the same bytes."""
    calls = _count_conversions(monkeypatch)
    first, second = engine_of().run(images), engine_of().run(images)
    assert len(calls) == 1
    np.testing.assert_array_equal(first, second)


def test_other_weights_are_another_entry(engine_of, monkeypatch):
    calls = _count_conversions(monkeypatch)
    engine_of(spec=replace(Spec(), weights_hash="b"))
    engine_of(spec=replace(Spec(), weights_hash="c"))
    assert len(calls) == 2


@pytest.mark.parametrize("file", ["model.xml", "model.bin", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_entry_is_made_again(engine_of, images, tmp_path, monkeypatch, file, damage):
    calls = _count_conversions(monkeypatch)
    before = engine_of().run(images)
    path = next(tmp_path.glob(f"engines/*/{file}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(content) if damage == "flip" else bytes(content[:-9]))
    np.testing.assert_array_equal(engine_of().run(images), before)
    assert len(calls) == 2
    engine_of()
    assert len(calls) <= 2


def test_unwritable_cache_warns(engine_of, images, tmp_path):
    """A cache that cannot be written costs a warning."""
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(FashifyWarning, match="cannot keep"):
        engine = engine_of(cache_dir=tmp_path / "file" / "engines")
    assert engine.run(images).shape == (64, 8)


def test_failed_writer_leaves_nothing(tmp_path):
    """A writer that fails leaves nothing behind."""
    cache = ModelCache(tmp_path)

    def fail(folder):
        (folder / "model.xml").write_text("half")
        raise OSError("no space left on device")

    with pytest.warns(FashifyWarning, match="no space"):
        cache.keep(KEY, fail)
    assert cache.find(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_the_cache_keeps_facts(tmp_path, caplog):
    cache = ModelCache(tmp_path)
    cache.keep(KEY, lambda folder: (folder / "a").write_text("x"), {"agreement": 0.5})
    assert cache.facts(cache.find(KEY)) == {"agreement": 0.5}
    (cache.find(KEY) / "a").write_text("y")
    with caplog.at_level(logging.WARNING):
        assert cache.find(KEY) is None
    assert "damaged" in caplog.text


# --- good manners


def test_import_is_light():
    """Importing engines imports no heavy package."""
    code = (
        "import fashify.engines, sys;"
        "sys.exit(bool({'tensorflow', 'keras', 'openvino', 'nncf'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_reported_to_anyone(tmp_path):
    """Converting and quantising never load the telemetry package, in a fresh process."""
    code = """
import sys
import numpy as np
from tests.unit.test_engines import Spec
from fashify.engines import make_engine
import keras
inputs = keras.Input((16, 12, 3))
x = keras.layers.Conv2D(8, 3)(keras.layers.Conv2D(8, 3)(keras.layers.Conv2D(8, 3)(inputs)))
model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
images = np.zeros((32, 16, 12, 3), np.uint8)
make_engine("auto", model, spec=Spec(), precision="int8", calibration=images)
sys.exit("openvino_telemetry" in sys.modules)
"""
    root = str(__file__).rsplit("/tests/", 1)[0]
    home = {"HOME": str(tmp_path), "FASHIFY_CACHE": str(tmp_path / "cache"), "PYTHONPATH": root}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **home},
        check=False,
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:].decode()
    assert not (tmp_path / "intel").exists()


def test_foreign_handlers_unchanged():
    """pytest hangs caplog's on every logger that passes nothing on, and NNCF's is one."""
    pytest.importorskip("nncf")
    mine = logging.NullHandler()
    logging.getLogger("nncf").addHandler(mine)
    try:
        assert _import_nncf().__name__ == "nncf"
        assert mine.level == logging.NOTSET
    finally:
        logging.getLogger("nncf").removeHandler(mine)


def test_several_threads_may_use_one_engine(engine_of, images):
    """The demo answers several people at once through one compiled network."""
    engine = engine_of("openvino", "fp32")
    expected = engine.run(images)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: engine.run(images), range(64)):
            assert np.array_equal(found, expected)
