"""Training a network on a handful of drawn products and photos: it learns, repeats and goes on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from fashify import load_backbone, load_catalogue, load_photos
from fashify.backbones.network_file import (
    NetworkTensors,
    network_bytes,
    parse_network,
    parse_projections,
    projections_beside,
)
from fashify.backbones.quiet import import_tensorflow
from fashify.errors import BackboneError, ConfigError, QueryError
from fashify.heads.shipped import own_head
from fashify.learning import Material
from fashify.learning.lesson import make_lesson
from fashify.learning.recipe import TrainingPlan
from fashify.learning.train import train_network

#: Small pictures, every layer but the last blocks left alone: steps of a second.
PLAN = TrainingPlan(input_size=(48, 36), epochs=2, products=12, frozen=110)


@pytest.fixture(scope="module")
def products():
    table = load_catalogue("sample").table
    rows = [np.flatnonzero(table["article_type"] == name)[:20] for name in ("Tshirts", "Handbags")]
    return load_catalogue("sample").take(np.concatenate(rows))


@pytest.fixture(scope="module")
def ids(products) -> np.ndarray:
    return products.table["item_id"].to_numpy(object)


def material(products, labels: dict | None = None) -> Material:
    n = len(products)
    split = np.array(["train"] * n, dtype=object)
    split[::5] = "validation"
    levels = ("article_type", "base_colour", "gender")
    found = {level: products.labels(level) for level in levels} if labels is None else labels
    return Material({}, found, split, np.arange(n))


@pytest.fixture(scope="module")
def trained(products, ids, tmp_path_factory) -> Path:
    """Trained in one go, with the sample's drawn photos."""
    out = tmp_path_factory.mktemp("whole") / "net.safetensors"
    photos = load_photos("sample")
    done = train_network(
        products, ids, material(products), out, photos=photos, people="all", plan=PLAN,
        progress=False,
    )  # fmt: skip
    assert done == out
    return out


def test_loads(trained, products):
    """The file is a network of fashify-lite at its own input size, its projections beside it."""
    backbone = load_backbone("fashify-lite", weights=trained)
    assert backbone.spec.input_size == (48, 36)
    assert np.isfinite(backbone.embed(np.full((2, 48, 36, 3), 200, np.uint8))).all()
    shipped = load_backbone("fashify-lite")
    assert backbone.spec.weights_hash != shipped.spec.weights_hash
    found = parse_projections(projections_beside(trained).read_bytes())
    assert found.classes["article_type"] == ("Handbags", "Tshirts")
    assert found.kernels["cat"].shape == (1280, 256)
    assert found.proxies["base_colour"].shape[1] == 64
    head = own_head(backbone.spec.to_dict())
    assert head.names == ("category", "colour", "instance")


def test_provenance(trained):
    """Plan, data, code, losses by epoch and figures stand in the file; the losses fall."""
    about = parse_network(trained.read_bytes()).provenance
    assert about["made_by"] == "fashify train"
    assert about["n_photos"] == 8
    assert about["plan"]["input_size"] == [48, 36]
    first, last = (about["losses"][epoch]["loss"] for epoch in (0, -1))
    assert last < first
    assert {"photo", "instance", "names", "article_type"} <= set(about["losses"][0])
    last = about["validation"][-1]
    assert last["epoch"] == len(about["losses"])
    judged = {"type_micro", "type_macro", "instance_first", "names_ten"}
    assert judged <= set(last)
    assert all(0 <= last[name] <= 1 for name in judged)
    assert not list(trained.parent.glob(".*training"))


def test_goes_on(trained, products, ids, tmp_path):
    """Stopped in the middle of an epoch and gone on: bit for bit what one go gives."""
    out = tmp_path / "net.safetensors"
    options = {"photos": load_photos("sample"), "people": "all", "plan": PLAN, "progress": False}
    assert train_network(products, ids, material(products), out, stop_after=3, **options) is None
    assert not out.exists()
    train_network(products, ids, material(products), out, **options)
    one, other = load_file(trained), load_file(out)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    pair = [load_file(projections_beside(path)) for path in (trained, out)]
    assert all(np.array_equal(pair[0][name], pair[1][name]) for name in pair[0])


def test_another_plan(products, ids, tmp_path):
    """A stopped run of another plan is refused, naming what differs, until --restart."""
    out = tmp_path / "net.safetensors"
    plan = replace(PLAN, instance=0.0, names=0.0)
    options = {"progress": False, "stop_after": 0}
    train_network(products, ids, material(products), out, plan=plan, **options)
    other = replace(plan, epochs=3)
    with pytest.raises(ConfigError, match=r"differs in plan\.epochs.*--restart"):
        train_network(products, ids, material(products), out, plan=other, **options)
    train_network(products, ids, material(products), out, plan=other, restart=True, **options)
    note = json.loads((tmp_path / ".net.training" / "run.json").read_text())
    assert note["facts"]["plan"]["epochs"] == 3
    shutil.rmtree(tmp_path / ".net.training")


def test_catalogue_alone(products, ids):
    """Without photos, names and colours there is still a lesson; without labels there is none."""
    bare = products.take(range(len(products)))
    bare.table["name"] = ""
    types = {"article_type": products.labels("article_type")}
    read = {"size": (80, 60), "progress": False}
    lesson = make_lesson(bare, ids, material(products, types), None, PLAN, **read)
    batch = lesson.batch(0)
    assert "photos" not in batch
    assert batch["named"].sum() == 0
    assert batch["fits"].sum() >= lesson.n_products
    none = {"article_type": np.full(len(products), "", object)}
    with pytest.raises(QueryError, match="label the catalogue"):
        make_lesson(bare, ids, material(products, none), None, PLAN, **read)


def test_batches_repeat(products, ids):
    """A batch depends on seed and step alone; an epoch meets every product once."""
    import_tensorflow()
    lesson = make_lesson(
        products, ids, material(products), load_photos("sample"), PLAN, size=(80, 60),
        progress=False,
    )  # fmt: skip
    one, again, other = lesson.batch(1), lesson.batch(1), lesson.batch(2)
    assert all(np.array_equal(one["composed"][k], again["composed"][k]) for k in one["composed"])
    assert not np.array_equal(one["clean"]["map"], other["clean"]["map"])
    rows = np.concatenate([lesson._rows(step) for step in range(lesson.steps)])
    assert len(set(rows)) == len(rows) == lesson.steps * 12
    # What a text fits is at least its own product's clean view.
    assert one["fits"][np.arange(12), np.arange(12)].all()


def test_foreign_start(tmp_path, products, ids):
    """Weights of another recipe as a start, and as a backbone's weights, are refused by name."""
    path = tmp_path / "other.safetensors"
    path.write_bytes(network_bytes(NetworkTensors("resnet50", (224, 224), {}, {})))
    with pytest.raises(BackboneError, match="those of resnet50"):
        load_backbone("fashify-lite", weights=path)
    path.write_bytes(b"nothing of the kind, but long enough to be read")
    with pytest.raises(BackboneError, match="format fashify-network"):
        train_network(products, ids, material(products), tmp_path / "x.safetensors", start=path)
