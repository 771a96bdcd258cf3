"""The network that ships: where it is from, the files are whole, foreign ones are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fashify import extract_features, load_catalogue
from fashify.backbones import load_backbone, network_file
from fashify.backbones.network_file import (
    NetworkTensors,
    Projections,
    find_shipped_file,
    fold,
    network_bytes,
    parse_network,
    parse_projections,
    projections_bytes,
    read_shipped,
)
from fashify.backbones.records import RECORDS
from fashify.catalogue.photos import load_photos
from fashify.cli import app
from fashify.errors import BackboneError
from fashify.features.embedder import prepare
from fashify.heads.head import unit_length
from fashify.heads.shipped import own_head, own_projections
from fashify.learning import learn_head
from fashify.retrieval.retriever import Retriever

RECORD = RECORDS["fashify-lite"]


def test_provenance_tells_training():
    """Both files are of one run of fashify train, judged by people it never saw."""
    source = RECORD.source
    network = parse_network(read_shipped(source.file, source.sha256)).provenance
    found = parse_projections(read_shipped(source.projections, source.projections_sha256))
    assert network == found.provenance
    assert network["made_by"] == "fashify train"
    assert network["plan"]["epochs"] == len(network["losses"])
    assert network["validation"][-1]["photo_micro"] > 0.8


def test_photos_of_unseen_people(photo_folder):
    """The likeliest type answers most photos of people that the weights never saw."""
    found = own_projections({"name": "fashify-lite", "weights": "shipped"})
    types = np.array(found.classes["article_type"])
    photos = load_photos(photo_folder).part("validation").with_answers(types)
    rows = range(0, len(photos), 15)
    backbone = load_backbone("fashify-lite")
    pictures = [prepare(photos.image(row), backbone.spec, (80, 60)) for row in rows]
    features = backbone.embed(np.stack(pictures))
    embedded = unit_length(features @ found.kernels["cat"] + found.biases["cat"])
    likely = types[(embedded @ found.proxies["article_type"].T).argmax(axis=1)]
    labels = photos.table["label"].iloc[list(rows)]
    right = [one in photos.answers[label] for one, label in zip(likely, labels, strict=True)]
    assert len(right) == 50
    assert np.mean(right) >= 0.75


def test_files_at_most_8_mb():
    """Both files together have at most eight megabytes."""
    files = RECORD.source.file, RECORD.source.projections
    assert sum(find_shipped_file(file).stat().st_size for file in files) <= 8_000_000


def test_projections_fit_network():
    """The projections fit the network and name their classes."""
    source = RECORD.source
    found = parse_projections(read_shipped(source.projections, source.projections_sha256))
    assert {name: kernel.shape for name, kernel in found.kernels.items()} == {
        "cat": (1280, 256),
        "col": (1280, 64),
        "ins": (1280, 256),
        "txt": (1280, 256),
    }
    assert all(len(found.proxies[level]) == len(names) for level, names in found.classes.items())
    assert "Tshirts" in found.classes["article_type"]


def test_int8_rows_are_the_numbers_to_half_a_step():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(40, 8)).astype(np.float32), np.arange(8, dtype=np.float32)
    proxies = np.eye(3, 8, dtype=np.float32)
    given = Projections("a", {"cat": kernel}, {"cat": bias}, {"l": proxies}, {"l": tuple("xyz")})
    found = parse_projections(projections_bytes(given))
    step = np.abs(kernel).max(axis=0) / 127
    assert (np.abs(found.kernels["cat"] - kernel) <= 0.51 * step).all()
    np.testing.assert_array_equal(found.biases["cat"], bias)
    np.testing.assert_allclose(found.proxies["l"], proxies, atol=1e-3)


def test_folding_a_normalisation_by_hand():
    """One channel: weight 2, variance 4 - 0.001, mean 3, bias 5: kernel x 1, bias 5 - 3."""
    tensors = {"c.weight": np.full((1, 1, 1, 1), 7.0)}
    for part, value in (("weight", 2), ("bias", 5), ("running_mean", 3), ("running_var", 3.999)):
        tensors[f"n.{part}"] = np.array([value], np.float64)
    folded = fold(tensors, {"c": "n"})
    assert folded["c.weight"].item() == 7
    assert folded["n.bias"].item() == pytest.approx(2)
    whole = parse_network(network_bytes(NetworkTensors("a", (160, 120), folded))).tensors
    assert whole["n.weight"].item() == 1
    assert whole["n.running_mean"].item() == 0
    assert whole["n.running_var"].item() == pytest.approx(0.999)


def test_a_changed_or_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(network_file, "find_shipped_file", lambda file: tmp_path / file)
    with pytest.raises(BackboneError, match=r"a\.safetensors.*install fashify again"):
        read_shipped("a.safetensors", "0" * 64)
    (tmp_path / "b.safetensors").write_bytes(b"other")
    with pytest.raises(BackboneError, match="as it was shipped"):
        read_shipped("b.safetensors", "1" * 64)


def test_a_file_of_another_format_is_refused():
    data = network_bytes(NetworkTensors("a", (160, 120), {"x.weight": np.zeros((2, 2))}))
    with pytest.raises(BackboneError, match="fashify-projections version 1"):
        parse_projections(data, "here")
    with pytest.raises(BackboneError, match="here"):
        parse_network(b"no safetensors", "here")


def test_imagenet_weights_refused():
    """ImageNet weights are not passed off as its own."""
    with pytest.raises(BackboneError, match=r"shipped weights.*efficientnet-lite0"):
        load_backbone("fashify-lite", weights="imagenet")


@pytest.fixture(scope="module")
def features():
    """Of three plain pictures."""
    tones = np.array([[200, 0, 0], [0, 0, 200], [0, 160, 0]], np.uint8)
    return load_backbone("fashify-lite").embed(
        np.tile(tones[:, None, None], (1, *RECORD.input_size, 1))
    )


def test_parts_unit_length(features):
    """The parts it brings along have unit length and at most 512 numbers."""
    spec = load_backbone("fashify-lite").spec.to_dict()
    head = own_head(spec)
    assert head.names == ("category", "colour", "instance")
    assert head.dim <= 512
    head.check_backbone(spec)
    served = head(features)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, atol=1e-5)


def test_parts_are_projections(features):
    """The category's posterior is the softmax of 16 times the cosines to the proxies."""
    head = own_head({"name": "fashify-lite", "weights": "shipped"})
    found = own_projections({"name": "fashify-lite", "weights": "shipped"})
    embedded = unit_length(features @ found.kernels["cat"] + found.biases["cat"])
    odds = np.exp(16 * embedded @ found.proxies["article_type"].T)
    expected = np.sqrt(odds / odds.sum(axis=1, keepdims=True))
    n = expected.shape[1]
    served = head(features)[:, 96 : 96 + n] / np.sqrt(0.7 * 0.5)
    np.testing.assert_allclose(served, expected, atol=1e-4)


def test_other_networks_bring_no_parts():
    """Other networks and other weights bring no parts."""
    assert own_head({"name": "resnet50", "weights": "imagenet"}) is None
    assert own_head({"name": "fashify-lite", "weights": "random"}) is None


def test_unlabelled_folder_has_parts(tmp_path):
    """A folder without labels has parts at once, weighed in Python and by the command line."""
    for number, colour in enumerate([(200, 0, 0), (0, 0, 200), (0, 160, 0)]):
        Image.new("RGB", (60, 80), colour).save(tmp_path / f"{number}.png")
    out = tmp_path / "store"
    store = extract_features(
        load_catalogue(tmp_path), "fashify-lite", out, index="exact", progress=False
    )
    assert store.head.names == ("category", "colour", "instance")
    retriever = Retriever.open(out)
    first = retriever.by_image(tmp_path / "1.png", 1, weights={"instance": 1})[0]
    assert first.item_id == "1"
    assert set(first.parts) == {"category", "colour", "instance"}
    search = ["search", str(tmp_path / "1.png"), "--store", str(out), "--json"]
    answer = CliRunner().invoke(app, [*search, "--weights", "instance=1"])
    matches = json.loads(answer.stdout)
    assert matches[0]["item_id"] == "1"
    for one in matches:
        assert one["distance"] == pytest.approx(one["parts"]["instance"], abs=1e-6)
    for weights, said in {
        "instance=one": "PART=NUMBER",
        "smell=1": "instance",
        "instance=nan": "",
    }.items():
        refused = CliRunner().invoke(app, [*search, "--weights", weights])
        assert refused.exit_code == 1
        assert "Fix: " in refused.stderr
        assert said in refused.stderr
    assert learn_head(out, method="raw").head is None
    assert learn_head(out, method="none").head.names == store.head.names
