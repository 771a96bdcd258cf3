"""``fashify build`` with pictures that cannot be read: counted, listed, and fatal only if asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fakes import GridBackbone, GridEngine
from typer.testing import CliRunner

from fashify import features
from fashify.catalogue import load_catalogue
from fashify.cli import app


@pytest.fixture
def grid(monkeypatch):
    """The command with the quick network in place of a real one."""
    real = features.extract_features

    def extract(catalogue, _backbone, out, **options):
        return real(catalogue, GridBackbone(), out, **options | {"engine": GridEngine()})

    monkeypatch.setattr(features, "extract_features", extract)


def build(*words: object):
    return CliRunner().invoke(app, ["build", *map(str, words), "--head", "none"])


def test_strict_minds_unreadable(toy, tmp_path, grid):
    """Only strict minds a picture that cannot be read."""
    (toy / "images" / "4.jpg").write_text("text")
    words = ["--catalogue", toy, "--out", tmp_path / "s"]
    done = build(*words)
    assert done.exit_code == 0, done.output
    assert "7 products" in done.stdout
    assert "2 in quarantine" in done.stdout
    strict = build(*words, "--strict")
    assert strict.exit_code == 1
    assert "quarantine.csv" in strict.stderr.splitlines()[-1]
    assert (tmp_path / "s" / "quarantine.csv").read_text().count("\n") == 3


def test_strict_passes_complete(toy, tmp_path, grid):
    """Strict is content where every product has its picture."""
    table = toy / "styles.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    assert build("--catalogue", toy, "--out", tmp_path / "s", "--strict").exit_code == 0


SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[3])
from fakes import GridBackbone, GridEngine
from fashify.catalogue import load_catalogue
from fashify.features import extract_features
class Slow(GridEngine):
    def run(self, batch):
        time.sleep(0.3)
        return super().run(batch)
extract_features(load_catalogue(sys.argv[1]), GridBackbone(), sys.argv[2], engine=Slow(),
                 batch_size=1)
"""


def test_progress_bar_text(toy, tmp_path):
    """The bar tells rate time left and quarantine."""
    (toy / "images" / "4.jpg").write_text("text")
    tests = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", SCRIPT, str(toy), str(tmp_path / "s"), str(tests)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    steps = shown.split("\r")
    assert any("img/s" in step and "<" in step for step in steps), shown
    assert "quarantined=1" in shown, "the product without a picture, before any is read"
    assert "quarantined=2" in steps[-1]
    assert "7/7" in steps[-1]
    assert len(load_catalogue(toy)) == 9
