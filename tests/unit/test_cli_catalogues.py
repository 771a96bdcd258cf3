"""build is told how to read a catalogue, and says what it understood."""

from __future__ import annotations

import json

import pytest
from forms import PRODUCTS, csv_text, draw_all, write
from typer.testing import CliRunner

from fashify.cli.catalogues import parse_columns
from fashify.cli.main import app
from fashify.errors import ConfigError


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_columns_are_told_apart_at_commas_before_a_name_of_ours():
    assert parse_columns(["name=Title, long,item_id=No", "usage="]) == {
        "name": "Title, long",
        "item_id": "No",
        "usage": "",
    }
    with pytest.raises(ConfigError, match="ours=theirs"):
        parse_columns(["Title"])


def test_build_says_what_it_understood_and_keeps_the_columns(tmp_path):
    shop = draw_all(tmp_path / "shop", [f"images/{i}.jpg" for i, _, _ in PRODUCTS])
    rows = [("id", "Wort", "Sorte", "price"), *((i, t, c, "9.90 EUR") for i, t, c in PRODUCTS)]
    write(shop, "p.csv", csv_text(rows))
    store = str(tmp_path / "store")
    common = ("build", "--catalogue", str(shop), "--out", store, "--backbone", "efficientnet-lite0")
    done = run(*common, "--columns", "name=Wort,article_type=Sorte", "--keep-columns", "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert (answer["n_items"], answer["reading"]["with_picture"]) == (4, 4)
    became = {c["source"]: c["became"] for c in answer["reading"]["tables"][0]["columns"]}
    assert became == {"id": "item_id", "Wort": "name", "Sorte": "article_type", "price": "price"}
    assert 'name" = "Wort"' in (shop / "catalogue.toml").read_text()
    again = run(*common)
    assert again.exit_code == 0, again.output
    assert "table p.csv (CSV, commas, UTF-8, 4 rows): the only table" in again.stdout
    assert "own columns: price (price in EUR)" in again.stdout


def test_build_of_what_does_not_join_names_the_mend(tmp_path):
    shop = draw_all(tmp_path / "shop", ["images/a.jpg"])
    write(shop, "p.csv", "id,title\n1,x\n2,y\n")
    done = run("build", "--catalogue", str(shop), "--out", str(tmp_path / "store"))
    assert done.exit_code == 1
    assert "--columns image=" in done.stderr
    assert "\n" not in done.stderr.strip()
    assert not (tmp_path / "store").exists()
