"""The same shards from a local Ray cluster of two workers as from the local loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine

from fashify.catalogue import load_catalogue
from fashify.errors import ConfigError, EngineError
from fashify.features import extract_features
from fashify.features import plan as plan_module
from fashify.features.cluster import ShardWorker, embed_on_ray
from fashify.features.embedder import Embedder

ray = pytest.importorskip("ray")


@pytest.fixture(autouse=True)
def workers_find_the_fakes(monkeypatch):
    """Ray's workers are processes of their own, without pytest's import path."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))


def files(path):
    return {p.relative_to(path): p.read_bytes() for p in path.rglob("*.*") if p.is_file()}


def test_workers_match_local_run(toy, tmp_path, monkeypatch):
    """Two workers give the same bytes as the local run."""
    monkeypatch.setattr(plan_module, "SHARD_IMAGES", 2)
    (toy / "images" / "2.jpg").write_text("text")
    catalogue = load_catalogue(toy)
    for name, options in {
        "local": {},
        "ray": {"workers": "ray"},
    }.items():
        extract_features(
            catalogue,
            GridBackbone(),
            tmp_path / name,
            engine=GridEngine(),
            batch_size=2,
            progress=False,
            **options,
        )
    assert files(tmp_path / "ray") == files(tmp_path / "local")


def test_each_shard_comes_with_its_position(toy_catalogue):
    embedder = Embedder(GridBackbone(), engine=GridEngine(), batch_size=2)
    rows = plan_module.identify(toy_catalogue)
    chunks = [
        [plan_module.Task(identity, path)]
        for identity, path in rows[["identity", "path"]].values[:4]
    ]
    found = dict(
        embed_on_ray(
            toy_catalogue.storage.url, embedder.recipe(), embedder.fingerprint, chunks, workers=2
        )
    )
    assert sorted(found) == [0, 1, 2, 3]
    for position, shard in found.items():
        assert shard.identities == (chunks[position][0].identity,)
        assert np.isfinite(shard.features).all()


def test_a_worker_of_another_engine_is_refused(toy_catalogue):
    recipe = Embedder(GridBackbone(), engine=GridEngine()).recipe()
    with pytest.raises(EngineError, match="same backbone, engine and precision"):
        ShardWorker(toy_catalogue.storage.url, recipe, "another fingerprint")


def test_unknown_workers_and_no_cluster(toy_catalogue, tmp_path):
    with pytest.raises(ConfigError, match="'local' or 'ray'"):
        extract_features(
            toy_catalogue, GridBackbone(), tmp_path / "s", engine=GridEngine(), workers="many"
        )
    with pytest.raises(EngineError, match="Ray cluster at 127"):
        extract_features(
            toy_catalogue,
            GridBackbone(),
            tmp_path / "s",
            engine=GridEngine(),
            workers="ray",
            ray_address="127.0.0.1:1",
        )
