"""What changes after a build: the catalogue's place, and facts in its table."""

from __future__ import annotations

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


def test_the_page_finds_a_moved_catalogue_where_it_is_named(moved) -> None:
    """Pictures come from the new place; the old one's absence is never asked about."""
    path, catalogue = moved
    retriever = Retriever.open(path, catalogue=load_catalogue(catalogue))
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


def test_a_build_on_the_same_store_embeds_nothing_again(moved) -> None:
    path, catalogue = moved
    before = FeatureStore.load(path)
    store, embedded = build(catalogue, path)
    assert embedded == 0
    assert store.meta["catalogue"]["source"] == str(catalogue)
    np.testing.assert_array_equal(store.features, before.features)
    assert Retriever.open(path).picture("4").shape == (80, 60, 3)


def test_facts_changed_in_the_table_reach_the_store(toy: Path, tmp_path: Path) -> None:
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
    assert float(found.facts["price"]) == 10
    assert len(store) == 7
