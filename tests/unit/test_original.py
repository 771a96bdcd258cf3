"""The original design end to end: ResNet50, brute force by scikit-learn, Euclidean, five answers.

Its ImageNet weights are not at hand here; stand-in weights go the same way.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fashify.backbones import pretrained
from fashify.cli import app
from fashify.demo.state import DEFAULT_RESULTS
from fashify.retrieval.retriever import Retriever

ROOT = Path(__file__).resolve().parents[2]


def _options() -> list[str]:
    """What ``make original`` builds with, read from the Makefile."""
    recipe = (ROOT / "Makefile").read_text().split("original: $(RUNTIME)")[1]
    line = next(line for line in recipe.splitlines() if "fashify build" in line)
    return re.sub(r" --(catalogue|out) \S+", "", line.split("fashify build")[1]).split()


@pytest.mark.filterwarnings("ignore:.*random weights")
def test_make_original_builds_the_original_design(toy: Path) -> None:
    out = toy.parent / "original"
    arguments = ["build", "--catalogue", toy, *_options(), "--weights", "random", "--out", out]
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    retriever = Retriever.open(out)
    facts = retriever.store.meta["backbone"]
    assert (facts["name"], facts["dim"]) == ("resnet50", 2048)
    assert (retriever.index.name, retriever.index.metric) == ("sklearn", "euclidean")
    assert retriever.store.head is None
    assert DEFAULT_RESULTS == 5
    matches = retriever.by_item(retriever.store.item_ids[0], 2)
    assert [match.rank for match in matches] == [1, 2]


def test_without_its_weights_it_stops_at_once_and_says_so(toy: Path, monkeypatch) -> None:
    """Nothing takes its place."""
    monkeypatch.setattr(pretrained, "keras_folder", lambda: toy.parent / "keras")
    monkeypatch.setattr(pretrained, "estimate_download_seconds", lambda source: None)
    arguments = ["build", "--catalogue", toy, *_options(), "--out", toy.parent / "original"]
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == 1
    text = str(done.exception or "") + done.output
    assert "ImageNet weights of resnet50" in text
