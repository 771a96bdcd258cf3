"""A text tower from a user's ONNX file, in the place of the learned one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx_bytes import TABLE, WORDS, write_text_tower, write_tower
from typer.testing import CliRunner

from fashify import FeatureStore, Retriever, make_index
from fashify.cli import app
from fashify.errors import BackboneError, StoreCorruptError, StoreMismatchError
from fashify.learning.tower import name_tower
from fashify.text.files import FOLDER, NAMED, load_tower
from fashify.text.onnx_tower import TOKENIZER, OnnxTower

pytest.importorskip("tokenizers")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_tower(tmp_path)


def test_vectors_by_hand(file: Path) -> None:
    """The mean of two rows of the table, at unit length, whatever the padding."""
    tower = OnnxTower(file)
    half = np.sqrt(0.5)
    assert np.allclose(tower("red dress"), [half, 0, half, 0], atol=1e-6)
    assert np.allclose(tower.embed(["blue", "shirt"]), [[0, 1, 0, 0], [0, 0, 0, 1]], atol=1e-6)
    assert tower.knows("red")
    assert not tower.knows("zzxq")
    assert tower.facts["dim"] == 4


def test_record(file: Path) -> None:
    """The record's prompt is put round a text, and its length cuts it."""
    file.with_suffix(".json").write_text('{"prompt": "blue {}", "length": 2}')
    assert np.allclose(
        OnnxTower(file)("dress shirt"), [0, np.sqrt(0.5), np.sqrt(0.5), 0], atol=1e-6
    )


def test_fixed_length(tmp_path: Path) -> None:
    """A network that takes three tokens is given three."""
    tower = OnnxTower(write_tower(tmp_path, length=3))
    assert np.allclose(tower("red red red red"), [1, 0, 0, 0], atol=1e-6)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Pictures without names: a red dress, a blue dress, a red shirt, a blue shirt."""
    rows = np.array([[1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]], np.float32)
    items = pd.DataFrame({"item_id": list("abcd")})
    meta = {"backbone": {"name": "tiny", "dim": 4, "weights_hash": "1"}}
    found = FeatureStore(rows, items["item_id"], meta, items=items)
    found.__dict__["groups"] = np.arange(4)
    return found


def test_search(file: Path, store: FeatureStore) -> None:
    """It answers texts by pictures alone, and says which words it does not know."""
    retriever = Retriever(store, make_index("exact").fit(store.features, store.item_ids))
    tower = OnnxTower(file)
    tower.facts["backbone"] = {"name": "tiny", "weights_hash": "1"}
    retriever.wording._tower = tower
    assert [m.item_id for m in retriever.by_text("blue shirt", 1)] == ["d"]
    assert retriever.wording.understand("blue zzxq").unknown == ("zzxq",)


def test_in_a_store(sample_store: Path, tmp_path: Path) -> None:
    """Named for a store it is opened with it; a changed or moved file is said by name."""
    import shutil

    path = Path(shutil.copytree(sample_store, tmp_path / "store"))
    dim = FeatureStore.load(path).features.shape[1]
    table = np.random.default_rng(0).normal(size=(len(WORDS), dim)).astype(np.float32)
    table[0] = 0
    file = write_tower(tmp_path, table)
    answer = CliRunner().invoke(
        app, ["learn", "--text", "--tower", str(file), "--store", str(path)]
    )
    assert answer.exit_code == 0, answer.stderr
    assert "texts are read by" in answer.stdout
    found = Retriever.open(path).wording.tower
    assert isinstance(found, OnnxTower)
    assert np.allclose(found("red"), table[2] / np.linalg.norm(table[2]), atol=1e-5)
    write_tower(tmp_path, table + 1)
    with pytest.raises(StoreMismatchError, match="fashify learn --text --tower"):
        load_tower(path)
    (path / FOLDER / NAMED).write_text("{}")
    with pytest.raises(StoreCorruptError, match="as it was written"):
        load_tower(path)


def test_misfits(file: Path, sample_store: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreMismatchError, match="features of 4 numbers"):
        name_tower(sample_store, file)
    with pytest.raises(BackboneError, match="inputs of input_ids"):
        OnnxTower(write_text_tower(tmp_path / "other.onnx", TABLE, takes="image"))
    file.with_suffix(".json").write_text('{"output": "pooled"}')
    with pytest.raises(BackboneError, match="text_embeds"):
        OnnxTower(file)
    file.with_suffix(".json").write_text('{"length": 0}')
    with pytest.raises(BackboneError, match="length 0"):
        OnnxTower(file)
    file.with_suffix(".json").unlink()
    (tmp_path / TOKENIZER).write_text("nothing")
    with pytest.raises(BackboneError, match="a tokenizer"):
        OnnxTower(file)
    (tmp_path / TOKENIZER).unlink()
    with pytest.raises(BackboneError, match=r"beside text\.onnx"):
        OnnxTower(file)
    with pytest.raises(BackboneError, match="no file"):
        OnnxTower(tmp_path / "none.onnx")
    (tmp_path / TOKENIZER).write_text("{}")
    file.write_bytes(b"nothing")
    with pytest.raises(BackboneError):
        OnnxTower(file)
