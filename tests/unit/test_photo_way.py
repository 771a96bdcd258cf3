"""The way of a photo: out of frames and screenshots, turned upright, one garment at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from PIL import Image, ImageDraw

from fashify.catalogue import load_catalogue
from fashify.features import Embedder, extract_features
from fashify.retrieval.photo_way import WHOLE
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.screen import find_picture

SHIRT = (200, 30, 60)


def product(width: int = 60, height: int = 80) -> np.ndarray:
    """A red shape on white, darker at its top, with room around it."""
    image = np.full((height, width, 3), 255, np.uint8)
    top, left = height // 8, width // 5
    image[top : height - top, left : width - left] = SHIRT
    image[top : height // 3, left : width - left] = (60, 10, 20)
    return image


def screenshot(picture: np.ndarray, page: tuple, ink: tuple) -> np.ndarray:
    """A phone's screen: a line above the picture, three lines and a button below."""
    screen = Image.new("RGB", (240, 500), page)
    pen = ImageDraw.Draw(screen)
    pen.text((12, 8), "9:41   Shop   Search", fill=ink)
    screen.paste(Image.fromarray(picture).resize((240, 320)), (0, 40))
    for place in range(3):
        pen.text((12, 375 + 20 * place), "a product and its price", fill=ink)
    pen.rectangle((12, 460, 228, 485), fill=(30, 90, 220))
    return np.array(screen)


@pytest.mark.parametrize(("page", "ink"), [((255,) * 3, (20,) * 3), ((16,) * 3, (230,) * 3)])
def test_screenshot(page, ink):
    """Light and dark: the product is found, text and button are left behind."""
    box = find_picture(screenshot(product(), page, ink))
    assert 0.07 < box.top < 0.18
    assert 0.63 < box.bottom < 0.74


@pytest.mark.parametrize("colour", [(0, 0, 0), (250, 250, 250), (30, 120, 60)])
def test_frame(colour):
    """A frame of one colour goes, whatever the colour, where the picture fills it."""
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 200, (160, 120, 3), dtype=np.uint8)
    framed = np.full((200, 150, 3), colour, np.uint8)
    framed[20:180, 15:135] = photo
    box = find_picture(framed)
    assert (box.top, box.bottom) == pytest.approx((0.1, 0.9), abs=0.01)
    assert (box.left, box.right) == pytest.approx((0.1, 0.9), abs=0.01)


def test_left_alone():
    """A product on white, a tall one too, a photo without any margin and a plain picture."""
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 255, (300, 150, 3), dtype=np.uint8)
    for image in (product(), product(60, 130), photo, np.full((90, 40, 3), 255, np.uint8)):
        assert find_picture(image) == WHOLE


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    """Twelve products, each with a dark upper end, of colours that cannot be mistaken."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for number, colour in enumerate(np.random.default_rng(0).permutation(12)):
        image = product()
        image[(image == SHIRT).all(axis=2)] = (20 * colour, 255 - 20 * colour, 90)
        Image.fromarray(image).save(folder / f"{number}.png")
    catalogue, engine = load_catalogue(folder), GridEngine()
    extract_features(
        catalogue, GridBackbone(), tmp_path / "store", engine=engine, index="exact", progress=False
    )
    opened = Retriever.open(tmp_path / "store", catalogue=catalogue)
    embedder = Embedder(GridBackbone(), engine=engine)
    return Retriever(opened.store, opened.index, catalogue=catalogue, embedder=embedder)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turn(retriever, turn, monkeypatch):
    """A product's own picture, turned: found upright, by the turns where the answer is weak."""
    # Grids of a few colours lie nearer to one another than features of a network.
    monkeypatch.setattr("fashify.retrieval.photo_way.WEAK", 0.001)
    item_id = retriever.store.item_ids[3]
    shown = np.rot90(retriever.picture(item_id), -turn // 90)
    reading = retriever.read_photo(shown)
    assert reading.turn == turn
    assert retriever.by_image(reading.image, 1)[0].item_id == item_id
    assert retriever.read_photo(shown, as_it_is=True).turn == 0


def test_garments(retriever):
    """Two products side by side: a row of matches for each; one alone: one row."""
    ids = [retriever.store.item_ids[place] for place in (2, 9)]
    pair = np.concatenate([retriever.picture(item_id) for item_id in ids], axis=1)
    found = retriever.by_garments(pair, 2)
    assert [matches[0].item_id for _, matches in found] == ids
    assert found[0][0].box.right == pytest.approx(0.5, abs=0.1)
    (alone,) = retriever.by_garments(retriever.picture(ids[0]), 2)
    assert alone[1][0].item_id == ids[0]
