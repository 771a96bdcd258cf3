"""A small version of make harden's attacks over HTTP, on the tests' own demo."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest
from harden import web


@pytest.fixture
def attack(service, sample_store: Path, served, tmp_path: Path, monkeypatch) -> web.Attack:
    """A demo with the address field on, its uploads and a secret file in one folder."""
    from fashify.demo.fetching import Fetcher

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "up"))
    monkeypatch.setattr(service, "fetcher", Fetcher(1_000_000, seconds=1))
    (tmp_path / "store").mkdir()
    shutil.copy(sample_store / "manifest.json", tmp_path / "store" / "manifest.json")
    port = int(served(service).rstrip("/").rpartition(":")[2])
    return web.Attack(port, tmp_path)


def test_nothing_outside_is_read_or_reached(attack: web.Attack) -> None:
    web.traversal(attack, every=9)
    web.led_astray(attack, every=4)
    assert attack.failures == []
    assert attack.counts["address field, refused in a sentence"] > 5


def test_excess_is_refused(attack: web.Attack, service) -> None:
    """What is too much is refused and the demo lives."""
    item_id = str(service.store.item_ids[0])
    right = {item_id: [match.item_id for match in service.retriever.by_item(item_id, 5)]}
    me = psutil.Process()
    steps = ("oversized", "flood", "malformed")
    assert web.assault(attack, me, right, 0, 0.05, patience=0, steps=steps)["failures"] == []
