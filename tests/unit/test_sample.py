"""The drawn shop: same bytes from the same seed, Kaggle's columns, pictures worth looking at."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashify.config import settings
from fashify.errors import ConfigError, StorageError
from fashify.sample import sample_folder, write_photo_queries, write_sample
from fashify.sample.canvas import Canvas, Shot, blur
from fashify.sample.drawing import draw, picture
from fashify.sample.plan import COLUMNS, planned
from fashify.sample.shapes import curve, shape
from fashify.sample.taxonomy import ARTICLES, LONE, choices

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


def test_pictures_are_readable_and_never_near_empty(drawn):
    for path in (drawn / "images").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 320))
            pixels = np.asarray(image)
        ink = (pixels.min(axis=2) < 235).mean()
        assert 0.008 < ink < 0.8, f"{path.name} has {ink:.3f} ink"
        assert pixels[:2].min() > 200, f"{path.name} touches the upper edge"


def test_every_type_is_drawn_shaded_and_unlike_the_others(one_of_each):
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


def test_same_seed_same_bytes_another_seed_another_shop(drawn, tmp_path):
    once, twice = (write_sample(tmp_path / name, n=12, seed=0) for name in ("once", "twice"))
    assert _digests(once) == _digests(twice)
    # Two processes and another n made the same products to the byte.
    small, large = _digests(once / "images"), _digests(drawn / "images")
    assert set(small.items()) <= set(large.items())
    other = write_sample(tmp_path / "other", n=8, seed=4)
    assert not set(_digests(other).values()) & set(_digests(drawn).values())


def test_a_product_does_not_depend_on_the_size_of_the_sample():
    large = {p.item_id: p for p in planned(600, 3)}
    for product in planned(64, 3):
        assert large[product.item_id] == product


def test_the_full_shop_has_kaggles_labels_gaps_and_skew():
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


def test_second_photos_share_the_name_and_copies_share_the_bytes(drawn):
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
    with pytest.raises(ConfigError, match="seed"):
        sample_folder(seed)


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

    monkeypatch.setattr("fashify.sample.writer.save_picture", broken)
    with pytest.raises(StorageError, match="No space left"):
        write_sample(tmp_path / "shop", n=8)
    assert list(tmp_path.iterdir()) == []


def test_eight_photo_queries_show_catalogue_products(tmp_path):
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


def test_cached_sample_is_made_once_even_by_two_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path))
    calls = []

    def quick(folder, *, n=600, seed=0):
        calls.append(folder)
        return write_sample(folder, n=8, seed=seed)

    monkeypatch.setattr("fashify.sample.writer.write_sample", quick)
    monkeypatch.setattr("fashify.sample.writer.photo_queries", lambda products, seed: [])
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(sample_folder, (5, 5)))
    assert folders[0] == folders[1]
    assert folders[0].parent == settings().cache
    assert len(_rows(folders[0])) == 8
    assert [path.name for path in tmp_path.iterdir()] == [folders[0].name]
    made = len(calls)
    assert sample_folder(5) == folders[0]
    assert len(calls) == made


def test_taxonomy_choices_add_up():
    for article in ARTICLES:
        for text in (article.genders, article.colours, article.patterns, article.usages):
            names, shares = choices(text)
            assert sum(shares) == pytest.approx(1)
            assert all("_" not in name for name in names)


def test_a_design_keeps_its_shape_when_drawn_larger():
    product = planned(8, 0)[0]
    small, large = draw(product).alpha, draw(product, px=8 / 3).alpha
    halved = large.reshape(320, 2, 240, 2).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 0.01


def test_canvas_blur_keeps_mass_and_masks_clip_at_the_frame():
    field = np.zeros((60, 80), np.float32)
    field[20:40, 30:50] = 1
    for radius in (0.1, 1.0, 6.0):
        assert blur(field, radius).sum() == pytest.approx(field.sum(), rel=0.05)
    canvas = Canvas(px=1.0, shot=Shot(dx=500))
    canvas.part(canvas.mask(shape([(-5, -5), (5, -5), (5, 5), (-5, 5)])), (1.0, 0.0, 0.0))
    assert canvas.alpha.max() == 0


def test_curves_pass_through_their_points_without_overshoot():
    points = [(0, 0), (1, 0.1), (10, 8), (10.5, 20)]
    line = curve(points)
    for x, y in points:
        assert np.hypot(*(line - (x, y)).T).min() < 1e-9
    assert line[:, 1].min() >= -0.3
