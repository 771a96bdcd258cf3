"""Photo sets: what can be read, what is refused by name, and figures worked out by hand."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from PIL import Image

from fashify import plots
from fashify.catalogue import load_catalogue
from fashify.catalogue.photos import load_photos
from fashify.errors import CatalogueError, NoLabelsError, QueryError
from fashify.evaluation.photos import evaluate_photos, list_photo_rows
from fashify.features import Embedder, extract_features
from fashify.retrieval.retriever import Retriever

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "photos"

#: Photos of the toy's products: (file, label, person, the toy's picture it shows).
PHOTOS = [
    ("a.jpg", "Top", "1", "1"),
    ("b.jpg", "Top", "1", "2"),
    ("c.jpg", "Shoe", "2", "4"),
    ("d.jpg", "Shoe", "5", "1"),
    ("e.jpg", "Body", "5", "8"),
]


@pytest.fixture
def photos(tmp_path: Path, toy: Path) -> Path:
    """A set of five photos: d is labelled a shoe and shows a shirt, e is of no kind sold here."""
    folder = tmp_path / "photos"
    (folder / "images").mkdir(parents=True)
    rows = ["image,label,person"]
    for name, label, person, shown in PHOTOS:
        (folder / "images" / name).write_bytes((toy / "images" / f"{shown}.jpg").read_bytes())
        rows.append(f"images/{name},{label},{person}")
    (folder / "photos.csv").write_text("\n".join(rows), "utf-8")
    (folder / "labels.csv").write_text(
        "label,article_types\nTop,Shirts;Tops\nShoe,Heels\nBody,\n", "utf-8"
    )
    return folder


@pytest.fixture
def retriever(toy: Path, tmp_path: Path) -> Retriever:
    catalogue, engine = load_catalogue(toy), GridEngine()
    extract_features(
        catalogue, GridBackbone(), tmp_path / "store", engine=engine, index="exact", progress=False
    )
    found = Retriever.open(tmp_path / "store", catalogue=catalogue)
    embedder = Embedder(GridBackbone(), engine=engine)
    return Retriever(found.store, found.index, catalogue=catalogue, embedder=embedder)


def test_toy_by_hand(photos, retriever):
    """Each photo is a gallery's own picture: shirts find shirts, the mislabelled one nothing."""
    found = load_photos(photos)
    report = evaluate_photos(retriever.store, found, k=2, retriever=retriever)
    # By the colours of a grid the second match of b and of c has their colour, not their shape.
    assert report.photos["precision"].tolist() == [1.0, 0.5, 0.5, 0.0]
    assert report.n_unanswered == 1
    assert report.photos["hit_1"].tolist() == [1, 1, 1, 0]
    # 4 of the 8 products are shirts, 3 heels.
    assert report.photos["chance"].tolist() == [0.5, 0.5, 0.375, 0.375]
    assert report.micro["hit_1"] == pytest.approx(0.75)
    assert report.macro["hit_1"] == pytest.approx((1 + 0.5) / 2)
    assert report.confusions(1)["article_type"].tolist() == ["Shirts"]
    assert report.worst(1)["image"].tolist() == ["images/d.jpg"]
    assert report.facts["people"] == 3
    low, high = report.intervals["micro"]["hit_1"]
    assert low < 0.75 < high
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["n_judged"] == 4
    rows = list_photo_rows(report, found, retriever.catalogue, report.worst(1))
    assert [hit for *_, hit in rows[0][1]] == [False, False]
    assert "4 photos of 3 people" in report.summary
    assert len(report.conclusions()) == 3


def test_figure_says_what_it_shows(photos, retriever):
    report = evaluate_photos(retriever.store, load_photos(photos), k=2, retriever=retriever)
    figure = plots.photo_precision({"grid": report})
    assert figure.png().startswith(b"\x89PNG")
    assert figure.alt.startswith("Precision@2 of people's photos: macro mean grid 0.50.")


def test_people_parts(photos):
    """Of five people the one with a number divisible by five validates."""
    found = load_photos(photos)
    assert found.part("validation").table["person"].unique().tolist() == ["5"]
    assert sorted(found.part("train").table["person"].unique()) == ["1", "2"]
    assert len(found.part("all")) == 5
    with pytest.raises(CatalogueError, match="all, train, validation"):
        found.part("test")


def test_zip_with_answers_beside(photos, tmp_path):
    """A zip whose table of answers lies beside it; the folder that holds both does as well."""
    place = tmp_path / "packed"
    place.mkdir()
    with zipfile.ZipFile(place / "all.zip", "w") as packed:
        packed.write(photos / "photos.csv", "photos.csv")
        for name, *_ in PHOTOS:
            packed.write(photos / "images" / name, f"images/{name}")
    (place / "labels.csv").write_bytes((photos / "labels.csv").read_bytes())
    for source in (place / "all.zip", place):
        found = load_photos(source)
        assert len(found) == 5
        assert found.image(0).shape == (80, 60, 3)


def test_kaggle_form(tmp_path):
    """The Clothing dataset as Kaggle has it: ids without ending, two sizes, its own answers."""
    for folder, side in (("images_compressed", 40), ("images_original", 90)):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (side, side)).save(tmp_path / folder / "ab-1.jpg")
    (tmp_path / "images.csv").write_text("image,sender_id,label,kids\nab-1,7,Hat,False\n", "utf-8")
    found = load_photos(tmp_path)
    assert found.image(0).shape == (40, 40, 3)
    assert found.answers["Hat"] == ("Caps", "Hat")
    assert "Clothing dataset" in found.basis


def test_no_answers(photos):
    """Without a table of answers, and labels that the shipped one does not know."""
    (photos / "labels.csv").unlink()
    with pytest.raises(CatalogueError, match=r"--photo-labels"):
        load_photos(photos)
    (photos.parent / "mine.csv").write_text("label,article_types\nTop,Shirts\n", "utf-8")
    with pytest.raises(CatalogueError, match="'Body', 'Shoe'"):
        load_photos(photos, labels=photos.parent / "mine.csv")


def test_no_table_of_photos(photos):
    """Pictures without a table, and a table without the columns; named as wanted it is read."""
    table = photos / "photos.csv"
    text = table.read_text("utf-8")
    table.write_text(text.replace("label", "kind", 1), "utf-8")
    with pytest.raises(CatalogueError, match=r"columns image, label.*photos\.csv \(image, kind"):
        load_photos(photos)
    table.unlink()
    with pytest.raises(CatalogueError, match="with no CSV"):
        load_photos(photos)
    table.write_text(text, "utf-8")
    assert len(load_photos(photos)) == 5


def test_answers_not_sold(photos, retriever):
    """Labels that no article type of this gallery answers."""
    (photos / "labels.csv").write_text(
        "label,article_types\nTop,Blouses\nShoe,Boots\nBody,\n", "utf-8"
    )
    with pytest.raises(NoLabelsError, match="Heels, Shirts, Watches"):
        evaluate_photos(retriever.store, load_photos(photos), retriever=retriever)


def test_one_person(photos, retriever):
    """One person alone has no interval; without intervals the figures are given."""
    found = load_photos(photos).part("validation")
    with pytest.raises(QueryError, match="one person alone"):
        evaluate_photos(retriever.store, found, retriever=retriever)
    report = evaluate_photos(retriever.store, found, retriever=retriever, intervals=False)
    assert report.n_judged == 1
    assert "[" not in report.mean_text("micro")


def test_unreadable(photos, retriever):
    """A broken photo is named and left out; nothing but broken ones is an error."""
    (photos / "images" / "a.jpg").write_bytes(b"no picture")
    report = evaluate_photos(retriever.store, load_photos(photos), k=2, retriever=retriever)
    assert report.unread["image"].tolist() == ["images/a.jpg"]
    assert report.n_judged == 3
    for name, *_ in PHOTOS:
        (photos / "images" / name).write_bytes(b"no picture")
    with pytest.raises(QueryError, match="a photo that can be read"):
        evaluate_photos(retriever.store, load_photos(photos), k=2, retriever=retriever)


def test_missing_photo(photos):
    """A photo that the table names and nobody has."""
    (photos / "images" / "c.jpg").unlink()
    with pytest.raises(CatalogueError, match=r"images/c\.jpg"):
        load_photos(photos)


def test_clothing_set():
    """The photos beside this checkout: ten labels count, people are apart."""
    if not SHARED.is_dir():
        pytest.skip("the shared photos are not beside this checkout")
    found = load_photos(SHARED)
    assert len(found) == 3957
    assert found.people == 310
    assert len(found.counted) == 10
    train, held_out = found.part("train"), found.part("validation")
    assert not set(train.table["person"]) & set(held_out.table["person"])
    assert np.asarray(found.image(0)).shape[2] == 3


def test_command_line(sample_store):
    """``fashify evaluate --photos`` on the sample's drawn photos, as JSON and as a table."""
    from typer.testing import CliRunner

    from fashify.cli.main import app

    asked = ["evaluate", "--store", str(sample_store), "--photos", "sample"]
    found = CliRunner().invoke(app, [*asked, "--json"])
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)["vectors"]["served"]
    assert report["n_judged"] == 8
    assert report["micro"]["precision"] > 3 * report["micro"]["chance"]
    text = CliRunner().invoke(app, asked).stdout
    assert "P@5 micro" in text
    assert "Backpacks" in text


def test_photos_offline(monkeypatch):
    """``fashify photos`` without a way to Kaggle fails at once and says what to do."""
    monkeypatch.setenv("KAGGLE_API_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CatalogueError, match="clothing-dataset-full by hand"):
        load_photos("clothing")
