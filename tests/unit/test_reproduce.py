"""The page of headline figures and the script that reads it: rows, paths, tolerance, filling."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import reproduce
from reproduce import FIGURES, STORES, Row, fill_page, fill_places, read_rows, read_value

ROOT = Path(__file__).resolve().parents[2]

HEAD = "| figure | expected | within | read from |\n|---|---|---|---|\n"


@pytest.fixture
def page(tmp_path) -> Path:
    """A page of six figures; the command of the first four prints what stands in this file."""
    answer = {"rows": [{"name": "P@1", "level": "type", "value": 0.5}], "deep": {"x": 0.25}}
    (tmp_path / "say.py").write_text(f"print('''{json.dumps(answer)}''')")
    tables = {
        f"python {tmp_path / 'say.py'}   # 1 min": [
            "| near | 0.498 | 0.002 | `rows[name=P@1,level=type].value` |",
            "| far | 0.2 | 0.04 | `deep.x` |",
            "| new | ? | 0.04 | `deep.x` |",
            "| lost | 0.2 | 0.04 | `deep.y` |",
        ],
        "fashify info   # 10 min": ["| long | 0.2 | 0.04 | `x` |"],
        "fashify audit --catalogue ARCHIVE.zip   # 1 min": ["| file | 0.2 | 0.04 | `x` |"],
    }
    path = tmp_path / "page.md"
    parts = [f"```sh\n{c}\n```\n\n{HEAD}" + "\n".join(rows) for c, rows in tables.items()]
    path.write_text("# A page\n\n" + "\n\n".join(parts) + "\n\nThe end.\n")
    return path


def test_figures_are_judged_by_their_tolerance(page, capsys):
    """Near is ok, far is off, and each that could not be checked says why."""
    assert reproduce.main(["--page", str(page)]) == 1
    said = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [first for first, _ in said] == ["ok", "OFF", "new", "failed:", "skipped:", "skipped:"]
    assert "nothing at deep.y" in said[3][1]
    assert "10 minutes" in said[4][1]
    assert "files were not named" in said[5][1]


def test_filled_page_passes(page, capsys):
    """What was measured replaces what was expected; the rest of the page stays."""
    reproduce.main(["--page", str(page), "--fill"])
    text = page.read_text()
    expected = [row.cells["expected"] for row in read_rows(text, FIGURES)]
    assert expected == ["0.500", "0.250", "0.250", "0.2", "0.2", "0.2"]
    assert text.startswith("# A page\n\n```sh\npython")
    assert text.endswith("|\n\nThe end.\n")
    capsys.readouterr()
    reproduce.main(["--page", str(page)])
    assert capsys.readouterr().out.count("ok") == 3


def test_values_are_found_by_path():
    answer = {"a": {"b": [{"n": "x.y", "v": 1}, {"n": "z", "v": 2}]}}
    assert read_value(answer, "a.b[n=x.y].v") == 1
    assert read_value(answer, "a.b[n=z,v=2].v") == 2


def test_places_are_filled_or_named():
    assert fill_places("fashify audit --catalogue ARCHIVE.zip", {}) is None
    filled = fill_places("fashify audit --catalogue ARCHIVE.zip", {"catalogue": "a b.zip"})
    assert filled == [sys.executable, "-m", "fashify", "audit", "--catalogue", "a b.zip"]


def test_nothing_measured_changes_nothing():
    text = HEAD + "| a | 1 | 0 | `y` |\n"
    found = [{"row": read_rows(text, FIGURES)[0], "got": math.nan, "minutes": math.nan}]
    assert fill_page(text, found) == text


def test_every_row_of_the_page_can_be_run():
    """Numbers are numbers, and the command line knows every command and option."""
    text = reproduce.PAGE.read_text()
    figures, stores = read_rows(text, FIGURES), read_rows(text, STORES)
    assert len(figures) > 15
    made = {row.cells["store"] for row in stores}
    for row in figures + stores:
        assert row.minutes > 0
    for row in figures:
        assert float(row.cells["within"]) > 0
        assert float(row.cells["expected"]) > 0, f"{row.cells['figure']}: fill the page"
        assert any(f"--store {store}" in row.command for store in made)
    names = {"catalogue": "a.zip", "photos": "set"}
    for command in {row.command for row in figures + stores}:
        arguments = fill_places(command, names)
        asked = [word for word in arguments if not word.startswith("-")][:3]
        helped = subprocess.run(
            [*asked[:1], "-m", *asked[1:], "--help"], capture_output=True, text=True
        )
        options = [word for word in arguments[4:] if word.startswith("--")]
        assert [
            name
            for name in options
            if name.replace("--no-", "--") not in helped.stdout.replace("--no-", "--")
        ] == []


def test_a_row_keeps_its_line():
    text = "fashify info   # 3 min\n" + HEAD + "| a | 1 | 0 | `y` |\n"
    assert read_rows(text, FIGURES) == [
        Row(dict(zip(FIGURES, "a10y", strict=True)), 3, "fashify info", 3.0, 0)
    ]
