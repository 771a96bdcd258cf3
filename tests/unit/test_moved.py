"""What changes after a build: the catalogue's place, and facts in its table."""

from __future__ import annotations

import datetime
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from toy import write_toy

from fashify.catalogue import load_catalogue
from fashify.demo import DemoService
from fashify.errors import CatalogueError, FashifyWarning, StoreMismatchError
from fashify.features import Embedder, extract_features
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore


def build(folder: Path, out: Path) -> tuple[FeatureStore, int]:
    """A store of the catalogue in ``folder``, and how many pictures were embedded for it."""
    engine = GridEngine()
    store = extract_features(
        load_catalogue(folder), GridBackbone(), out, engine=engine, index="exact", progress=False
    )
    return store, engine.images


@pytest.fixture
def moved(toy: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A store, and where its catalogue lies now."""
    build(toy, tmp_path / "store")
    return tmp_path / "store", shutil.move(toy, tmp_path / "elsewhere" / "shop")


def test_moved_catalogue_found(moved) -> None:
    """Pictures come from the new place; the old one's absence is never asked about."""
    path, catalogue = moved
    retriever = Retriever.open(path, catalogue=catalogue)
    assert retriever.picture("4").shape == (80, 60, 3)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    service = DemoService(
        Retriever(
            retriever.store, retriever.index, catalogue=retriever.catalogue, embedder=embedder
        )
    )
    assert service.examples[0].url.startswith("data:image/jpeg")


def test_without_it_the_mend_is_named(moved) -> None:
    path, catalogue = moved
    mend = re.escape("fashify demo --catalogue PATH")
    with pytest.raises(CatalogueError, match=mend):
        Retriever.open(path).picture("4")
    assert catalogue.is_dir()


def test_a_catalogue_of_other_products_is_refused(moved, tmp_path: Path) -> None:
    """None of the store's products is another catalogue; some of them are warned of."""
    path, catalogue = moved
    other = write_toy(tmp_path / "other")
    table = (other / "styles.csv").read_text()
    (other / "styles.csv").write_text(re.sub(r"^(\d),", r"90\1,", table, flags=re.MULTILINE))
    for picture in (other / "images").iterdir():
        picture.rename(picture.with_name(f"90{picture.name}"))
    with pytest.raises(StoreMismatchError, match="has none of them"):
        Retriever.open(path, catalogue=load_catalogue(other))
    (catalogue / "images" / "8.jpg").unlink()
    lines = (catalogue / "styles.csv").read_text().splitlines(keepends=True)
    (catalogue / "styles.csv").write_text("".join(x for x in lines if not x.startswith("8,")))
    with pytest.warns(FashifyWarning, match="1 of the store's 8 products"):
        Retriever.open(path, catalogue=load_catalogue(catalogue))


def test_rebuild_embeds_nothing(moved) -> None:
    """A build on the same store embeds nothing again."""
    path, catalogue = moved
    before = FeatureStore.load(path)
    store, embedded = build(catalogue, path)
    assert embedded == 0
    assert store.meta["catalogue"]["source"] == str(catalogue)
    np.testing.assert_array_equal(store.features, before.features)
    assert Retriever.open(path).picture("4").shape == (80, 60, 3)


def test_changed_facts_reach_store(toy: Path, tmp_path: Path) -> None:
    """A name, a label, a new column and a row that is gone; no picture is embedded for it."""
    build(toy, tmp_path / "store")
    lines = (toy / "styles.csv").read_text().replace(", with a comma", "").splitlines()
    lines = [line for line in lines if not line.startswith("8,")]
    header, *rows = (f"{line},{'price' if not n else 10 * n}" for n, line in enumerate(lines))
    table = "\n".join([header, *rows]).replace("Acme Red Shirts", "Zenith Red Shirts", 1)
    table = table.replace("Men,Apparel", "Women,Apparel", 1)
    (toy / "styles.csv").write_text(table)
    (toy / "images" / "8.jpg").unlink()
    store, embedded = build(toy, tmp_path / "store")
    assert embedded == 0
    found = Retriever.open(tmp_path / "store").by_item("6", 1)[0]
    assert (found.item_id, found.name, found.gender) == ("1", "Zenith Red Shirts", "Women")
    assert found.facts["price"] == 10
    assert len(store) == 7


def test_typed_columns_survive_the_store(tmp_path: Path) -> None:
    """Prices, dates, lists, whole numbers with gaps, yes and no: as the table says."""
    folder = write_toy(tmp_path / "typed")
    own = {
        "price": ["9,90 EUR", "19,90 EUR", "", "1.200,00 EUR", "5,00 EUR"] + [""] * 3,
        "since": ["2024-05-01", "2023-01-31", ""] + ["2022-02-02"] * 5,
        "tags": ["red|linen", "wool|red", "", "silk", "silk|red", "", "", ""],
        "stock": ["3", "", "5", "7", "9", "11", "13", "15"],
        "sale": ["yes", "no", "", "yes", "no", "no", "no", "no"],
    }
    lines = (folder / "styles.csv").read_text().replace(", with a comma", "").splitlines()[:9]
    cells = [";".join(own), *(";".join(row) for row in zip(*own.values(), strict=True))]
    rows = (f"{a.replace(',', ';')};{b}" for a, b in zip(lines, cells, strict=True))
    (folder / "styles.csv").write_text("\n".join(rows) + "\n")
    store, _ = build(folder, tmp_path / "store")
    retriever = Retriever.open(tmp_path / "store")
    found = {match.item_id: match.facts for match in retriever.by_feature(store.vectors[0], 8)}
    first, second, third = (found[item_id] for item_id in "123")
    day = datetime.date(2024, 5, 1)
    assert [first[name] for name in own] == [9.9, day, ["red", "linen"], 3, True]
    assert [third[name] for name in own] == [None, None, None, 5, None]
    assert (second["stock"], second["sale"], type(first["stock"])) == (None, False, int)
    assert retriever.column_types["price"].unit == "EUR"

    def passing(where: str) -> set[str]:
        return set(store.item_ids[retriever.mask(where)])

    assert passing("price < 10 EUR and tags contains red") == {"1", "5"}
    assert passing("since >= 2023 and sale = no") == {"2"}
    assert passing("stock > 4 and not stock in (7, 9)") == {"3", "6", "7", "8"}
