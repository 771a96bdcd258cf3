"""``fashify index`` and its sync, with Milvus embedded in a file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fashify.cli import app
from fashify.index import load_index
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answered(*arguments: object) -> dict:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refused(*arguments: object) -> str:
    done = run(*arguments)
    assert done.exit_code == 1, done.output
    (line,) = done.stderr.splitlines()
    assert "Fix:" in line
    return line


@pytest.fixture
def store(sample_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample_store, tmp_path / "store"))


@pytest.fixture
def milvus(tmp_path: Path) -> Path:
    pytest.importorskip("milvus_lite")
    return tmp_path / "milvus.db"


def test_sync_sets_index(store: Path, milvus: Path) -> None:
    """Sync makes the collection the store's index."""
    first = answered("index", "sync", "--store", store, "--uri", milvus)
    assert (first["added"], first["unchanged"], first["n_items"]) == (600, 0, 600)
    assert first["params"]["collection"] == "fashify_store"
    # The address is known from the store's index now.
    again = answered("index", "sync", "--store", store)
    assert (again["added"], again["changed"], again["removed"]) == (0, 0, 0)
    assert again["unchanged"] == 600
    in_words = run("index", "--store", store, "sync")
    assert "is in step with" in in_words.stdout
    assert load_index(store / "index").name == "milvus"


def test_filters_run_in_milvus_as_they_do_here(store: Path, milvus: Path) -> None:
    answered("index", "sync", "--store", store, "--uri", milvus)
    served, plain = Retriever.open(store), Retriever.open(store, index="exact")
    item = plain.store.item_ids[0]
    # The last one is on a column that the collection does not have: a mask does it.
    for where in ("gender = Women and year >= 2012", {"season": ["Summer"]}, "has_image = true"):
        mine, other = (
            [(match.item_id, match.distance) for match in one.by_item(item, where=where)]
            for one in (served, plain)
        )
        assert mine == other


def test_index_uploads_a_whole_new_collection(store: Path, milvus: Path) -> None:
    arguments = ["index", "--store", store, "--index", "milvus", "--uri", milvus]
    done = answered(*arguments, "--collection", "mine", "--metric", "euclidean")
    assert (done["index"], done["metric"], done["n_items"]) == ("milvus", "euclidean", 600)
    assert done["params"]["collection"] == "mine"
    opened = FeatureStore.load(store)
    found = load_index(store / "index").search(opened.vectors[:5], 1, where="gender = Women")
    assert set(opened.labels("gender")[found.positions[:, 0]]) == {"Women"}


def test_other_collection_not_emptied(store: Path, milvus: Path) -> None:
    """Another store's collection is not emptied."""
    answered("index", "sync", "--store", store, "--uri", milvus)
    other = store.with_name("other")
    whole = FeatureStore.load(store)
    part = FeatureStore(
        np.ascontiguousarray(whole.vectors[:20]), whole.item_ids[:20], whole.meta,
        items=whole.items[:20],
    )  # fmt: skip
    part.save(other)
    sync = ["index", "sync", "--store", other, "--uri", milvus, "--collection", "fashify_store"]
    assert "580 of 600" in refused(*sync)
    assert len(load_index(store / "index")) == 600
    assert answered(*sync, "--replace")["removed"] == 580


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--uri", "x.db"], "--index milvus"),
        (["--index", "milvus", "--uri", "x.txt"], "ending in .db"),
        (["--index", "milvus", "--uri", "http://127.0.0.1:9", "-p", "timeout=1"], "127.0.0.1:9"),
        (["--index", "exact", "-p", "trees=3"], "parameter of the"),
        (["--index", "magic"], "choose from"),
        (["--auto", "--index", "hnsw"], "--auto alone"),
    ],
)
def test_what_cannot_be_done_leaves_the_index(store: Path, arguments: list, said: str) -> None:
    assert said in refused("index", "--store", store, *arguments)
    assert Retriever.open(store).index.name == "exact"


def test_build_names_absent_server(tmp_path: Path) -> None:
    """A build names an absent server before the work."""
    pytest.importorskip("pymilvus")
    arguments = ["--index", "milvus", "--uri", "http://127.0.0.1:9", "--out", tmp_path / "new"]
    assert "127.0.0.1:9" in refused("build", *arguments)
    assert not (tmp_path / "new").exists()


def test_a_store_is_built_with_milvus(toy, milvus: Path, tmp_path: Path) -> None:
    arguments = ["--catalogue", toy, "--weights", "random", "--backbone", "efficientnet-lite0"]
    arguments += ["--index", "milvus", "--uri", milvus, "--out", tmp_path / "new"]
    done = answered("build", *arguments)
    assert done["index"] == "milvus"
    opened = Retriever.open(tmp_path / "new")
    assert (opened.index.name, len(opened.index)) == ("milvus", done["n_items"])
