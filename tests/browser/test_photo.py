"""Working on the photo: turning it, drawing a region, letting the region be found."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def with_photo(open_page, service, size):
    """A page searched with the third example photo, a dress before bricks."""
    page = open_page(size)
    kinds = [example.query.kind for example in service.examples]
    page.locator(".fx-strip button").nth(kinds.index("photo") + 2).click()
    expect(page.locator(".fx-card")).to_have_count(5)
    return page


def _shape(page) -> tuple[int, int]:
    image = page.locator(".fx-frame img")
    return tuple(
        image.evaluate("async (e) => (await e.decode(), [e.naturalWidth, e.naturalHeight])")
    )


def _distance(page):
    """What the first card says of its distance; it comes apart from the photo's own panel."""
    return page.locator(".fx-distance").first


def test_turning(with_photo) -> None:
    width, height = _shape(with_photo)
    source = with_photo.locator(".fx-frame img").get_attribute("src")
    with_photo.get_by_role("button", name="Turn").click()
    expect(with_photo.locator(".fx-frame img")).not_to_have_attribute("src", source)
    assert _shape(with_photo) == (height, width)


def test_drawing_a_region_and_back(with_photo) -> None:
    before, distance = _shape(with_photo), _distance(with_photo).inner_text()
    cut = with_photo.get_by_role("button", name="Search this part")
    expect(cut).to_be_disabled()
    with_photo.locator(".fx-frame").scroll_into_view_if_needed()
    area = with_photo.locator(".fx-frame").bounding_box()
    with_photo.mouse.move(area["x"] + 0.1 * area["width"], area["y"] + 0.1 * area["height"])
    with_photo.mouse.down()
    with_photo.mouse.move(
        area["x"] + 0.9 * area["width"], area["y"] + 0.6 * area["height"], steps=4
    )
    with_photo.mouse.up()
    expect(with_photo.locator(".fx-box")).to_be_visible()
    expect(cut).to_be_enabled()
    cut.click()
    whole = with_photo.get_by_role("button", name="Whole photo")
    expect(whole).to_be_visible()
    after = _shape(with_photo)
    assert after[0] / after[1] == pytest.approx(before[0] * 0.8 / (before[1] * 0.5), rel=0.05)
    whole.click()
    expect(whole).to_have_count(0)
    expect(_distance(with_photo)).to_have_text(distance)


def test_finding_the_product(with_photo, screenshots, size) -> None:
    distance = _distance(with_photo).inner_text()
    with_photo.get_by_role("button", name="Find the product").click()
    expect(with_photo.locator(".fx-box")).to_be_visible()
    with_photo.screenshot(path=screenshots / f"find-{size[0]}.png")
    with_photo.get_by_role("button", name="Search this part").click()
    expect(with_photo.get_by_role("button", name="Whole photo")).to_be_visible()
    expect(_distance(with_photo)).not_to_have_text(distance)


def test_two_garments_have_a_row_each(open_page, screenshots, size, service, tmp_path) -> None:
    """Two products in one picture; a vote bends the row of the nearer one alone."""
    types = service.items["article_type"].to_numpy()
    places = [int(np.flatnonzero(types == one)[0]) for one in ("Dresses", "Backpacks")]
    sides = [service.retriever.picture(service.store.item_ids[place]) for place in places]
    Image.fromarray(np.hstack(sides)).save(tmp_path / "pair.png")
    page = open_page(size)
    page.locator(".fx-file").set_input_files(tmp_path / "pair.png")
    expect(page.locator(".fx-card")).to_have_count(5)
    page.get_by_role("button", name="Two garments").click()
    rows = page.locator("h3.fx-garment")
    expect(rows).to_have_text(["The left garment", "The right garment"])
    expect(page.locator("ol.fx-grid")).to_have_count(2)
    expect(page.locator(".fx-card")).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=screenshots / f"garments-{size[0]}.png", full_page=True)
    right = page.locator("ol.fx-grid").last.locator(".fx-card")
    before, first = _items(right), _items(page.locator("ol.fx-grid").first.locator(".fx-card"))
    right.nth(1).get_by_role("button", name="Not like this").click()
    expect(right.nth(1)).not_to_have_attribute("data-item", before[1])
    assert _items(page.locator("ol.fx-grid").first.locator(".fx-card")) == first
    page.get_by_role("button", name="Whole photo").click()
    expect(rows).to_have_count(0)
    expect(page.locator(".fx-card")).to_have_count(5)


def test_one_garment_is_said_to_be_one(open_page, service, tmp_path) -> None:
    picture = service.retriever.picture(service.store.item_ids[0])
    Image.fromarray(picture).save(tmp_path / "one.png")
    page = open_page()
    page.locator(".fx-file").set_input_files(tmp_path / "one.png")
    expect(page.locator(".fx-card")).to_have_count(5)
    page.get_by_role("button", name="Two garments").click()
    expect(page.locator(".fx-notice")).to_contain_text("one garment")


def _items(cards) -> list[str]:
    return [card.get_attribute("data-item") for card in cards.all()]


def test_a_screenshot_is_cut_out_and_given_back(open_page, tmp_path, service) -> None:
    screen = np.full((640, 300, 3), 255, np.uint8)
    product = Image.fromarray(service.retriever.picture(service.store.item_ids[0]))
    screen[80:400, 30:270] = np.array(product.convert("RGB").resize((240, 320)))
    screen[450:466, 30:200] = screen[580:620, 30:270] = 60
    Image.fromarray(screen).save(tmp_path / "screen.png")
    page = open_page()
    page.locator(".fx-file").set_input_files(tmp_path / "screen.png")
    expect(page.locator(".fx-notice")).to_contain_text("cut out")
    page.get_by_role("button", name="Whole photo").click()
    expect(page.locator(".fx-notice")).to_have_count(0)
    assert _shape(page)[1] / _shape(page)[0] == pytest.approx(640 / 300, rel=0.03)
