"""Small versions of ``make harden``: the same code, fewer files."""

from __future__ import annotations

from itertools import islice

import pytest
from fakes import GridBackbone, GridEngine
from harden import artefacts, bombs, catalogues, determinism, malformed, specimens

from fashify import extract_features, load_catalogue
from fashify.learning import learn_head


def test_malformed_pictures_decoded_or_refused(tmp_path):
    """A sample of malformed pictures is decoded or refused."""
    small = islice(specimens.small_specimens(1), 0, None, 40)
    tally = malformed.judge(small, tmp_path)
    assert tally.failures == []
    assert tally.counts["files"] > 100
    assert min(tally.counts["decoded"], tally.counts["refused"]) > 20


def test_bombs_refused_early(tmp_path):
    """Small bombs are refused before their pixels are allocated."""
    said = [one for one in bombs.huge() if len(one.data) < 10_000]
    tally = malformed.judge(said, tmp_path)
    assert tally.failures == []
    assert tally.counts["bombs"] == len(said) > 20


def test_decoder_failures_counted(tmp_path, monkeypatch):
    """The watchdog itself: a worker that dies is a broken promise, and the next file is read."""
    monkeypatch.setattr(malformed, "PATIENCE", 0.0)
    one = specimens.Specimen("a.png", specimens.encoded(specimens.Image.new("L", (2, 2)), "PNG"))
    assert malformed.judge([one], tmp_path).failures == ["a.png: no answer within 0 s"]


@pytest.mark.parametrize("make", catalogues.PROPERTIES, ids=lambda make: make.__name__)
def test_tables_as_nobody_should_write_them(tmp_path, monkeypatch, make):
    monkeypatch.setattr(catalogues, "PROPERTIES", (make,))
    counts, failures = catalogues.fuzz(tmp_path, 25, 3)
    assert failures == []
    assert counts == {make.__name__: 25}


def test_malformed_rows_kept(tmp_path):
    """A longer table with malformed rows loses none."""
    found = catalogues.million(tmp_path / "long", 5_000)
    assert (found["rows_read"], found["mended"], found["wrong"]) == (5_000, 50, [])


def test_no_damage_to_a_store_goes_unnoticed(tmp_path):
    catalogue = load_catalogue("sample").sample(80)
    store = extract_features(
        catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine(), progress=False
    )
    store = learn_head(store.path, method="lda")
    other = artefacts.twin(store, tmp_path / "other")
    found = artefacts.attack(store.path, other.path, tmp_path, 1, 0, every=3)
    assert found["failures"] == []
    assert {"swapped", "whole index", "next version", "flipped", "lost"} <= set(found)


def test_matches_independent_of_batch(tmp_path):
    """Five matches are the same in any batch and order."""
    catalogue = load_catalogue("sample").sample(80)

    def built(name, batch_size=32, shuffled=False):
        extract_features(
            determinism.ordered(catalogue, shuffled, 1), GridBackbone(), tmp_path / name,
            engine=GridEngine(), batch_size=batch_size, index="exact", progress=False,
        )  # fmt: skip
        return determinism.matches(tmp_path / name)

    first = built("first")
    for other in (built("again"), built("single", 1), built("shuffled", 7, True)):
        counts, different = determinism.compared(first, other)
        assert different == []
        assert sum(counts.values()) == 80
        assert counts["same"] > 70
    assert determinism.unequal(tmp_path / "first", tmp_path / "again") == []
    assert determinism.unequal(tmp_path / "first", tmp_path / "shuffled") != []


def test_another_match_is_not_taken_for_a_tie():
    row = [("b", 0.1), ("c", 0.2), ("d", 0.3), ("e", 0.4), ("f", 0.5), ("g", 0.6)]
    tie = [("b", 0.1), ("c", 0.2), ("d", 0.3), ("e", 0.4), ("f", 0.400001), ("g", 0.6)]
    swapped = [tie[n] for n in (0, 1, 2, 4, 3, 5)]
    assert determinism.compared({"a": tie}, {"a": swapped})[0] == {"ties": 1}
    counts, different = determinism.compared({"a": row}, {"a": [*row[:4], row[5], row[4]]})
    assert not counts
    assert different[0].startswith("a: ")
