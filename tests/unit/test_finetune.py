"""Fine-tuning on a handful of drawn products: what changes, what stays, and going on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fashify import load_backbone, load_catalogue
from fashify.backbones import Backbone
from fashify.backbones.tuned import read_about
from fashify.errors import BackboneError, QueryError
from fashify.learning import Material
from fashify.learning.finetune import Plan, finetune
from fashify.learning.maps import altered

PLAN = Plan(input_size=(64, 48), first_block=15, views=1, epochs=2, batch=8)
NAME = "efficientnet-lite0"


@pytest.fixture(scope="module")
def products():
    table = load_catalogue("sample").table
    types = ["Tshirts", "Handbags"]
    rows = [np.flatnonzero(table["article_type"] == name)[:14] for name in types]
    return load_catalogue("sample").take(np.concatenate(rows))


def material(products, labels: dict | None = None) -> Material:
    n = len(products)
    split = np.array(["train"] * n, dtype=object)
    split[::4] = "validation"
    found = {"article_type": products.labels("article_type")} if labels is None else labels
    return Material({"deep": np.eye(n, 4, dtype=np.float32)}, found, split, np.arange(n))


@pytest.fixture(scope="module")
def tuned(products, tmp_path_factory):
    out = tmp_path_factory.mktemp("tuned") / "tuned.safetensors"
    ids = products.table["item_id"].to_numpy()
    return finetune(products, ids, material(products), out, base=NAME, plan=PLAN, progress=False)


def test_the_file_knows_its_network_input_and_history(tuned) -> None:
    about = read_about(tuned)
    assert (about.backbone, about.input_size, about.first_block) == (NAME, (64, 48), 15)
    assert len(about.provenance["validation_losses"]) == 2
    assert not list(tuned.parent.glob(".*tuning"))


def test_half_of_its_feature_is_the_originals_and_half_is_tuned(tuned) -> None:
    new, old = load_backbone(NAME, weights=tuned), load_backbone(NAME)
    assert (new.spec.input_size, new.spec.dim) == ((64, 48), 2 * old.spec.dim)
    assert (new.spec.original_dim, old.spec.original_dim) == (old.spec.dim, None)
    assert new.spec.weights_hash != old.spec.weights_hash
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 48, 3), np.uint8)
    small = Backbone(replace(old.spec, input_size=(64, 48)), old.network)
    kept, changed = np.split(new.embed(images), 2, axis=1)
    np.testing.assert_allclose(kept, small.embed(images), atol=1e-5)
    assert np.abs(changed - kept).max() > 1e-3
    np.testing.assert_allclose(
        new.embed_map(images).mean(axis=(1, 2)), new.embed(images), atol=1e-5
    )


def test_auto_takes_the_files_network_and_another_name_is_refused(tuned) -> None:
    assert load_backbone("auto", weights=tuned).spec.name == NAME
    with pytest.raises(BackboneError, match="efficientnet-lite0"):
        load_backbone("efficientnet-lite2", weights=tuned)


def test_a_damaged_file_is_refused(tuned, tmp_path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(tuned.read_bytes()[:5_000])
    with pytest.raises(BackboneError, match="fashify finetune"):
        load_backbone(NAME, weights=broken)


def test_a_run_that_stopped_goes_on_where_it_was(products, tmp_path, caplog) -> None:
    out, ids = tmp_path / "t.safetensors", products.table["item_id"].to_numpy()
    work = tmp_path / ".t.tuning"

    def stop(*_args: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fashify.learning.finetune.write_network", stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(products, ids, material(products), out, base=NAME, plan=PLAN, progress=False)
    assert (work / "view0.done").read_text() == str(len(ids))
    trained = (work / "losses.csv").read_text()
    with caplog.at_level("INFO"):
        finetune(products, ids, material(products), out, base=NAME, plan=PLAN, progress=False)
    assert "going on with" in caplog.text
    assert len(read_about(out).provenance["validation_losses"]) == trained.count("\n") - 1


def test_no_labels_and_no_such_block_are_named_errors(products, tmp_path) -> None:
    ids, out = products.table["item_id"].to_numpy(), tmp_path / "x.safetensors"
    with pytest.raises(QueryError, match="two classes"):
        finetune(products, ids, material(products, {}), out, base=NAME, plan=PLAN)
    plan = Plan(input_size=(64, 48), first_block=40)
    with pytest.raises(BackboneError, match="a block 40"):
        finetune(products, ids, material(products), out, base=NAME, plan=plan)


def test_altered_views_keep_size_and_differ_by_chance_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8)
    one, again, other = (altered(image, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == image.shape
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
