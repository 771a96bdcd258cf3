"""Working on the photo: turning it, drawing a region, letting the region be found."""

from __future__ import annotations

import pytest

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
