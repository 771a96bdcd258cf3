"""A network from an ONNX file: run by OpenVINO, known by its sha256, refused where it misfits."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import block, number

from fashify import extract_features, load_catalogue
from fashify.backbones import load_backbone
from fashify.engines import make_engine
from fashify.errors import BackboneError, EngineError, StoreMismatchError
from fashify.retrieval.retriever import Retriever

#: Weights of the network's only layer: four 1 x 1 filters over three channels.
KERNEL = np.random.default_rng(0).normal(size=(4, 3, 1, 1)).astype(np.float32)

RECORD = {
    "name": "tiny",
    "input_size": [8, 6],
    "mean": [100.0, 110.0, 120.0],
    "spread": [50.0, 60.0, 70.0],
    "pooling": "avg",
}


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto of float32; 0 is a dimension of any length."""
    dims = b"".join(block(1, number(1, n) if n else block(2, "n")) for n in shape)
    return block(1, name) + block(2, block(1, number(1, 1) + block(2, dims)))


def write_network(path: Path, *, size: tuple[int, int] = (0, 0)) -> Path:
    """An ONNX network of one convolution, in the format's own bytes; its output is a map."""
    tensor = b"".join(number(1, n) for n in KERNEL.shape) + number(2, 1)
    tensor += block(8, "w") + block(9, struct.pack(f"<{KERNEL.size}f", *KERNEL.ravel()))
    node = block(1, "image") + block(1, "w") + block(2, "map") + block(4, "Conv")
    graph = block(1, node) + block(2, "tiny") + block(5, tensor)
    graph += block(11, _value("image", (0, 3, *size))) + block(12, _value("map", (0, 4, *size)))
    path.write_bytes(number(1, 8) + block(7, graph) + block(8, number(2, 13)))
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    _record(tmp_path)
    return write_network(tmp_path / "tiny.onnx")


def _record(folder: Path, **changes: object) -> None:
    (folder / "tiny.json").write_text(json.dumps({**RECORD, **changes}))


def test_nothing_is_reported_to_anyone(network: Path) -> None:
    """A network from a file may be the first to want OpenVINO, and loads no telemetry either."""
    code = """
import sys
from fashify.backbones import load_backbone
load_backbone(sys.argv[1])
sys.exit("openvino_telemetry" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, network], check=False, timeout=60)
    assert done.returncode == 0


def test_features_by_hand(network: Path) -> None:
    """Features are the networks worked out by hand."""
    loaded = load_backbone(str(network))
    assert (loaded.spec.name, loaded.spec.dim, loaded.spec.input_size) == ("tiny", 4, (8, 6))
    batch = np.random.default_rng(1).integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    scaled = (batch - np.array(RECORD["mean"])) / np.array(RECORD["spread"])
    expected = scaled.mean(axis=(1, 2)) @ KERNEL[:, :, 0, 0].T
    np.testing.assert_allclose(loaded.embed(batch), expected, atol=1e-4)
    engine = make_engine("auto", loaded.keras_model, spec=loaded.spec)
    assert engine.name == "openvino"
    np.testing.assert_allclose(engine.run(batch), expected, atol=1e-4)


def test_the_identity_is_of_file_and_record(network: Path) -> None:
    first = load_backbone(str(network)).spec
    assert load_backbone(str(network)).spec == first
    _record(network.parent, mean=[0.0, 0.0, 0.0])
    assert load_backbone(str(network)).spec.weights_hash != first.weights_hash


def test_store_knows_network(network: Path, toy: Path) -> None:
    """A store is built and searched and knows its network."""
    out = toy.parent / "store"
    products = load_catalogue(toy)
    store = extract_features(products, str(network), out, index="exact", progress=False)
    assert store.dim == 4
    item_id = store.item_ids[0]
    match = Retriever.open(out).by_image(products.image(item_id), 1)[0]
    assert match.distance == pytest.approx(0, abs=1e-3)
    _record(network.parent, mean=[0.0, 0.0, 0.0])
    with pytest.raises(StoreMismatchError):
        Retriever.open(out).by_image(products.image(item_id), 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pooling": "none"}, "pooling 'none'"),
        ({"pooling": "max"}, "none of none, avg, first"),
        ({"input_size": [8]}, r"\[height, width\]"),
        ({"spread": [0, 1, 1]}, "above 0"),
        ({"mean": ["x", 1, 1]}, "tiny.json"),
        ({"output": "other"}, "an output of map"),
    ],
)
def test_a_record_that_does_not_fit_is_named(network: Path, changes: dict, said: str) -> None:
    _record(network.parent, **changes)
    with pytest.raises(BackboneError, match=said):
        load_backbone(str(network))


def test_what_is_missing_or_no_network_is_named(network: Path, tmp_path: Path) -> None:
    with pytest.raises(BackboneError, match="no file"):
        load_backbone(str(tmp_path / "absent.onnx"))
    (tmp_path / "alone.onnx").write_bytes(network.read_bytes())
    with pytest.raises(BackboneError, match=r"alone\.json"):
        load_backbone(str(tmp_path / "alone.onnx"))
    network.write_bytes(b"no network")
    with pytest.raises(BackboneError, match=r"an ONNX network.*tiny\.onnx"):
        load_backbone(str(network))


def test_fixed_size_refused(network: Path) -> None:
    """A network of a fixed other size is refused."""
    write_network(network, size=(16, 16))
    _record(network.parent, input_size=[8, 6])
    loaded = load_backbone(str(network))  # A convolution takes any size; the record decides.
    assert loaded.spec.input_size == (8, 6)


def test_only_openvino_runs_it_and_not_in_int8(network: Path) -> None:
    loaded = load_backbone(str(network))
    with pytest.raises(EngineError, match="openvino"):
        make_engine("tensorflow", loaded.keras_model, spec=loaded.spec)
    with pytest.raises(EngineError, match="int8"):
        make_engine("openvino", loaded.keras_model, spec=loaded.spec, precision="int8")
    with pytest.raises(BackboneError, match="draw the region"):
        loaded.embed_map(np.zeros((1, 8, 6, 3), np.uint8))
