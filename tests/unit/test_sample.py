"""The drawn sample: what is shipped, and that it can be drawn anew."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashify import load_catalogue
from fashify.data import BACKDROPS, SAMPLE, read_backdrops, read_photos
from fashify.errors import ConfigError, StorageError
from fashify.io.images import load_image
from fashify.io.storage.local import ZipArchive
from sample_catalogue import write_catalogue, write_photo_queries, write_sample
from sample_catalogue.archive import BACKDROP_QUALITY, backdrop
from sample_catalogue.canvas import Canvas, Shot, blur
from sample_catalogue.drawing import draw, picture
from sample_catalogue.plan import COLUMNS, planned
from sample_catalogue.scenes import photo_queries
from sample_catalogue.shapes import curve, shape
from sample_catalogue.taxonomy import ARTICLES, LONE, choices
from sample_catalogue.writer import PHOTO_QUALITY, QUALITY, encode_picture

KAGGLE = (
    "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,"
    "productDisplayName"
)


def _rows(folder: Path) -> list[dict]:
    with (folder / "styles.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of 64 products, drawn by more than one process."""
    return write_sample(tmp_path_factory.mktemp("drawn") / "shop", n=64, seed=0)


@pytest.fixture(scope="session")
def one_of_each() -> dict[str, np.ndarray]:
    """The first product of every type, (320, 240, 3) uint8."""
    first: dict[str, np.ndarray] = {}
    for product in sorted(planned(600, 0), key=lambda p: p.design):
        if product.row["articleType"] not in first:
            first[product.row["articleType"]] = picture(product)
    return first


def test_layout_is_kaggles(drawn):
    assert (drawn / "styles.csv").read_text(encoding="utf-8").splitlines()[0] == KAGGLE
    rows = _rows(drawn)
    assert len(rows) == 64
    assert len({row["id"] for row in rows}) == 64
    assert {path.stem for path in (drawn / "images").iterdir()} == {row["id"] for row in rows}
    assert sorted(path.name for path in drawn.iterdir()) == ["images", "styles.csv"]


def test_pictures_readable(drawn):
    """Pictures are readable and never near empty."""
    for path in (drawn / "images").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 320))
            pixels = np.asarray(image)
        ink = (pixels.min(axis=2) < 235).mean()
        assert 0.008 < ink < 0.8, f"{path.name} has {ink:.3f} ink"
        assert pixels[:2].min() > 200, f"{path.name} touches the upper edge"


def test_types_differ(one_of_each):
    """Every type is drawn shaded and unlike the others."""
    assert set(one_of_each) == {article.name for article in ARTICLES}
    for name, pixels in one_of_each.items():
        tones = len(np.unique(pixels.reshape(-1, 3), axis=0))
        assert tones > 400, f"{name} is flat: {tones} colours"
    small = {
        name: pixels.reshape(20, 16, 15, 16, 3).mean(axis=(1, 3))
        for name, pixels in one_of_each.items()
    }
    names = sorted(small)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            assert np.abs(small[a] - small[b]).mean() > 0.5, f"{a} looks like {b}"


def test_sample_follows_seed(drawn, tmp_path):
    """Same seed same bytes another seed another shop."""
    once, twice = (write_sample(tmp_path / name, n=12, seed=0) for name in ("once", "twice"))
    assert _digests(once) == _digests(twice)
    # Two processes and another n made the same products to the byte.
    small, large = _digests(once / "images"), _digests(drawn / "images")
    assert set(small.items()) <= set(large.items())
    other = write_sample(tmp_path / "other", n=8, seed=4)
    assert not set(_digests(other).values()) & set(_digests(drawn).values())


def test_product_independent_of_size():
    """A product does not depend on the size of the sample."""
    large = {p.item_id: p for p in planned(600, 3)}
    for product in planned(64, 3):
        assert large[product.item_id] == product


def test_full_shop_statistics():
    """The full shop has Kaggle's labels gaps and skew."""
    rows = [product.row for product in planned(600, 0)]
    count = Counter(row["articleType"] for row in rows)
    assert len(rows) == 600
    assert len(count) >= 25
    assert count[LONE] == 1
    assert min(n for name, n in count.items() if name != LONE) >= 2
    assert 0.05 < count["Tshirts"] / 600 < 0.2
    assert {row["gender"] for row in rows} == {"Men", "Women", "Boys", "Girls", "Unisex"}
    assert {row["masterCategory"] for row in rows} == {
        "Apparel", "Footwear", "Accessories", "Personal Care",
    }  # fmt: skip
    assert any(row["usage"] == "NA" for row in rows)
    assert any(row["baseColour"] == "NA" for row in rows)
    for column in ("season", "year", "usage"):
        assert any(row[column] == "" for row in rows)
    assert any("," in row["productDisplayName"] for row in rows)
    assert all(tuple(row) == COLUMNS for row in rows)


def test_copies_share_bytes(drawn):
    """Second photos share the name and copies share the bytes."""
    digests = Counter(_digests(drawn / "images").values())
    assert max(digests.values()) >= 2, "no byte-identical pair"
    products = planned(64, 0)
    shared = [
        (a, b) for a in products for b in products
        if a.item_id < b.item_id and a.design == b.design and a.shot != b.shot
    ]  # fmt: skip
    assert shared, "no product photographed twice"
    for a, b in shared:
        assert a.row["productDisplayName"] == b.row["productDisplayName"]
        assert np.abs(picture(a).astype(int) - picture(b)).mean() > 1


@pytest.mark.parametrize("article_type", ["Tshirts", "Casual Shoes", "Handbags", "Watches"])
def test_products_of_one_type_differ(article_type):
    same = [p for p in planned(600, 0) if p.row["articleType"] == article_type]
    designs = list({p.design: p for p in same}.values())[:4]
    pictures = [picture(p).astype(float) for p in designs]
    for i, a in enumerate(pictures):
        for b in pictures[i + 1 :]:
            assert np.abs(a - b).mean() > 2


@pytest.mark.parametrize("n", [0, 7, 5001, -1, 3.5, "600", True, None])
def test_bad_sizes_are_refused_in_one_line(tmp_path, n):
    with pytest.raises(ConfigError, match="Expected a whole number n") as caught:
        write_sample(tmp_path / "shop", n=n)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [-1, 0.5, "0"])
def test_bad_seeds_are_refused(tmp_path, seed):
    with pytest.raises(ConfigError, match="seed"):
        write_sample(tmp_path / "shop", n=8, seed=seed)


def test_a_filled_folder_or_a_file_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for name in ("mine", "file"):
        with pytest.raises(StorageError, match="new or empty folder"):
            write_sample(tmp_path / name, n=8)
    with pytest.raises(StorageError, match="can be written"):
        write_sample(tmp_path / "file" / "below", n=8)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sample_catalogue.writer.save_picture", broken)
    with pytest.raises(StorageError, match="No space left"):
        write_sample(tmp_path / "shop", n=8)
    assert list(tmp_path.iterdir()) == []


def test_photos_show_products(tmp_path):
    """Eight photo queries show catalogue products."""
    files = write_photo_queries(tmp_path / "queries", seed=0)
    with (tmp_path / "queries" / "queries.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [path.name for path in files] == [row["file"] for row in rows]
    assert len(files) == 8
    known = {p.item_id: p.row["articleType"] for p in planned(600, 0)}
    for row, path in zip(rows, files, strict=True):
        assert known[row["item_id"]] == row["article_type"]
        with Image.open(path) as image:
            pixels = np.asarray(image, float)
        assert pixels.shape == (640, 480, 3)
        # A busy, unevenly lit scene: no white page, grain everywhere.
        assert (pixels.min(axis=2) > 240).mean() < 0.2
        assert pixels.reshape(8, 80, 6, 80, 3).std(axis=(1, 3)).min() > 2


def assert_redrawn(shipped: np.ndarray, pixels: np.ndarray, quality: int) -> None:
    """The drawing, encoded as it was shipped; another NumPy may round a few values differently."""
    again = load_image(encode_picture(pixels, quality))
    assert np.abs(again.astype(int) - shipped).mean() < 0.05


def test_shipped_catalogue_is_whole():
    """600 products, each with its picture, read from the zip without unpacking it."""
    catalogue = load_catalogue("sample")
    assert (len(catalogue), catalogue.source, catalogue.kind) == (600, "sample", "kaggle")
    assert catalogue.table["has_image"].all()
    assert catalogue.storage.url == str(SAMPLE)
    rows = [product.row for product in planned(600, 0)]
    assert catalogue.item_ids.tolist() == [row["id"] for row in rows]
    assert catalogue.labels("article_type").tolist() == [row["articleType"] for row in rows]
    assert SAMPLE.stat().st_size <= 6_000_000


def test_shipped_products_are_those_drawn_anew():
    """Every fiftieth product, drawn again, gives the shipped picture."""
    catalogue = load_catalogue("sample")
    for product in planned(600, 0)[::50]:
        assert_redrawn(catalogue.image(product.item_id), picture(product), QUALITY)


def test_shipped_photos_are_drawn():
    """Shipped photos and backdrops are those drawn again."""
    photos, rows = (
        read_photos(),
        list(csv.DictReader(io.StringIO(ZipArchive(SAMPLE).read("queries/queries.csv").decode()))),
    )
    queries = photo_queries(planned(600, 0), 0)
    assert rows == [query.row for query in queries]
    assert list(photos) == [row["file"] for row in rows]
    assert_redrawn(load_image(photos[rows[3]["file"]]), queries[3].photo(), PHOTO_QUALITY)
    for name, pixels in read_backdrops().items():
        assert_redrawn(pixels, backdrop(name), BACKDROP_QUALITY)
    assert BACKDROPS.stat().st_size < 600_000


def test_archive_is_the_same_on_any_day(tmp_path):
    """Equal drawings give equal bytes, laid out as ``load_catalogue`` reads them."""
    once, twice = (write_catalogue(tmp_path / name, n=12) for name in ("once.zip", "twice.zip"))
    assert once.read_bytes() == twice.read_bytes()
    with zipfile.ZipFile(once) as archive:
        assert sum(name.startswith("queries/") for name in archive.namelist()) == 9
    assert len(load_catalogue(once)) == 12


def test_taxonomy_choices_add_up():
    for article in ARTICLES:
        for text in (article.genders, article.colours, article.patterns, article.usages):
            names, shares = choices(text)
            assert sum(shares) == pytest.approx(1)
            assert all("_" not in name for name in names)


def test_design_scales():
    """A design keeps its shape when drawn larger."""
    product = planned(8, 0)[0]
    small, large = draw(product).alpha, draw(product, px=8 / 3).alpha
    halved = large.reshape(320, 2, 240, 2).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 0.01


def test_canvas_blur_keeps_mass():
    """Canvas blur keeps mass and masks clip at the frame."""
    field = np.zeros((60, 80), np.float32)
    field[20:40, 30:50] = 1
    for radius in (0.1, 1.0, 6.0):
        assert blur(field, radius).sum() == pytest.approx(field.sum(), rel=0.05)
    canvas = Canvas(px=1.0, shot=Shot(dx=500))
    canvas.part(canvas.mask(shape([(-5, -5), (5, -5), (5, 5), (-5, 5)])), (1.0, 0.0, 0.0))
    assert canvas.alpha.max() == 0


def test_curves_without_overshoot():
    """Curves pass through their points without overshoot."""
    points = [(0, 0), (1, 0.1), (10, 8), (10.5, 20)]
    line = curve(points)
    for x, y in points:
        assert np.hypot(*(line - (x, y)).T).min() < 1e-9
    assert line[:, 1].min() >= -0.3
