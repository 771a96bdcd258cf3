"""A catalogue's own columns in a real browser: cards, sliders, menus; the map without labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import GridBackbone, GridEngine
from toy import write_toy

from fashify.catalogue import load_catalogue
from fashify.demo import DemoService
from fashify.demo.state import FILTER_LEVELS
from fashify.features import Embedder, extract_features
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore

sync_api = pytest.importorskip("playwright.sync_api")

OWN = {
    "price": [9.9, 19.9, 29.9, 39.9, 49.9, 59.9, 69.9, 79.9],
    "brand": ["Acme", "<i>Zen</i>"] * 4,
    "link": [f"https://shop.example.test/{n}" for n in range(8)],
}


def toy_demo(folder: Path, **changes: object) -> DemoService:
    """The toy catalogue's page with other columns; nothing is embedded by a network."""
    catalogue = load_catalogue(write_toy(folder / "toy"))
    raw = extract_features(
        catalogue, GridBackbone(), folder / "s", engine=GridEngine(), index="exact"
    )
    items = raw.items.assign(**changes)
    store = FeatureStore(raw.features, raw.item_ids, raw.meta, items=items)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    index = Retriever.open(folder / "s").index
    return DemoService(Retriever(store, index, catalogue=catalogue, embedder=embedder))


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def test_own_columns_are_shown_and_narrow(served, page, tmp_path: Path) -> None:
    """A link that opens apart, text that stays text, a slider and a menu in the address."""
    page.goto(served(toy_demo(tmp_path, **OWN)) + "?item=1&k=7&variants=apart")
    cards = page.locator(".fx-card")
    sync_api.expect(cards).to_have_count(7)
    link = cards.first.locator(".fx-details a")
    sync_api.expect(link).to_have_attribute("target", "_blank")
    sync_api.expect(link).to_have_attribute("rel", "noopener noreferrer")
    brand = page.locator(".fx-details dd", has_text="<i>Zen</i>").first
    sync_api.expect(brand).to_be_visible()
    page.locator('input[data-column="price"][data-end="high"]').fill("40")
    sync_api.expect(cards).to_have_count(3)
    page.locator(".fx-menu", has_text="brand").locator("summary").click()
    page.locator('.fx-menu[open] button[data-value="Acme"]').click()
    sync_api.expect(cards).to_have_count(1)
    assert "range=price" in page.url
    assert "own=brand" in page.url
    page.reload()
    sync_api.expect(cards).to_have_count(1)
    page.locator(".fx-reset").click()
    sync_api.expect(cards).to_have_count(7)


def test_without_labels_the_map_paints_pictures(served, page, tmp_path: Path, monkeypatch) -> None:
    """Red, green and blue products are on the canvas, and a click opens one."""
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "cache"))
    page.goto(served(toy_demo(tmp_path, **dict.fromkeys(FILTER_LEVELS, ""))))
    page.get_by_role("tab", name="Explore").click()
    sync_api.expect(page.get_by_text("each product is shown by its picture")).to_be_visible()
    for place in (".fx-colourby", ".fx-legend"):
        sync_api.expect(page.locator(place)).to_be_hidden()
    page.wait_for_function(
        """() => {
            const board = document.querySelector(".fx-map canvas");
            const { data } = board.getContext("2d").getImageData(0, 0, board.width, board.height);
            const strong = [0, 0, 0];
            for (let n = 0; n < data.length; n += 4) {
                for (const c of [0, 1, 2]) {
                    const [a, b] = [0, 1, 2].filter((other) => other !== c);
                    if (data[n + 3] && data[n + c] > 90 + Math.max(data[n + a], data[n + b])) {
                        strong[c] += 1;
                    }
                }
            }
            return strong.every((pixels) => pixels > 50);
        }"""
    )
    page.locator(".fx-map canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".fx-look")).to_be_visible()
