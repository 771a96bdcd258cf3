"""Several pictures per product: the product is found by its nearest, which is the one shown."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from fastapi.testclient import TestClient
from PIL import Image

from fashify.catalogue import load_catalogue
from fashify.demo import Actions, DemoService, View, results
from fashify.demo.pictures import CARD_SIDE, data_url
from fashify.errors import ImageReadError
from fashify.features import Embedder, extract_features
from fashify.retrieval.retriever import Retriever
from fashify.server import Access, make_app

COLOURS = {"1": ("red", "blue"), "2": ("green", "black", "orange"), "3": ("white", "purple")}


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    """Three products of two and three pictures, each of one colour."""
    folder = tmp_path_factory.mktemp("views") / "shop"
    (folder / "images").mkdir(parents=True)
    for item_id, colours in COLOURS.items():
        for number, colour in enumerate(colours, start=1):
            picture = Image.new("RGB", (60, 80), colour)
            picture.save(folder / "images" / f"{item_id}_{number}.png")
    rows = "".join(f"{item_id},Thing {item_id},Things\n" for item_id in COLOURS)
    (folder / "items.csv").write_text(f"id,title,category\n{rows}")
    store = extract_features(
        load_catalogue(folder),
        GridBackbone(),
        folder.parent / "s",
        engine=GridEngine(),
        index="exact",
    )
    opened = Retriever.open(store.path)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    return Retriever(opened.store, opened.index, embedder=embedder)


@pytest.mark.parametrize(
    ("colour", "item_id", "view"),
    [
        ("blue", "1", "images/1_2.png"),
        ("red", "1", "images/1_1.png"),
        ("orange", "2", "images/2_3.png"),
    ],
)
def test_a_product_is_found_by_its_nearest_picture(retriever, colour, item_id, view) -> None:
    photo = np.asarray(Image.new("RGB", (60, 80), colour))
    first, *others = retriever.by_image(photo, 3)
    assert (first.item_id, first.view) == (item_id, view)
    assert first.path == f"images/{item_id}_1.png"
    assert {first.item_id, *(match.item_id for match in others)} == set(COLOURS)
    assert (retriever.picture(first.item_id, first.view) == photo).all()


def test_another_products_picture_is_not_its_view(retriever) -> None:
    """What a request names as a view is one of the product's own, or refused."""
    for view in ("images/2_1.png", "../s/manifest.json", "/etc/hostname"):
        with pytest.raises(ImageReadError, match="one of the 2 pictures of item 1"):
            retriever.picture("1", view)


def test_the_page_shows_the_picture_that_matched(retriever) -> None:
    service = DemoService(retriever)
    view = Actions(service).act(View(k=3), {"do": "similar", "item": "1"})
    shown = {match.item_id: match.view for match in view.answer.matches}
    assert set(shown) == {"2", "3"}
    page = results.panel(service, view)
    for item_id, path in shown.items():
        assert data_url(retriever.picture(item_id, path), CARD_SIDE) in page


def test_the_api_serves_it(retriever) -> None:
    client: httpx.Client = TestClient(make_app(DemoService(retriever), page=False, access=Access()))
    with Image.new("RGB", (60, 80), "orange") as orange:
        orange.save(retriever.store.path.parent / "orange.png")
    photo = (retriever.store.path.parent / "orange.png").read_bytes()
    answer = client.post("/v1/search/image", files={"image": photo}, data={"k": 1}).json()
    (match,) = answer["matches"]
    assert match["picture"] == "/v1/products/2/picture?view=images%2F2_3.png"
    served = client.get(match["picture"])
    assert served.headers["content-type"] == "image/jpeg"
    refused = client.get("/v1/products/1/picture", params={"view": "images/2_1.png"})
    assert refused.status_code == 404
