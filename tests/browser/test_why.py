"""Why it matched: the side-by-side with its heat."""

from __future__ import annotations

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: Mean difference of the red and green channels of a picture on the page: the heat is red.
_REDNESS = """async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let most = 0;
    for (let n = 0; n < data.length; n += 4) most = Math.max(most, data[n] - data[n + 1]);
    return most;
}"""


def test_side_by_side_with_heat(open_page, size, screenshots) -> None:
    page = open_page(size)
    page.locator(".fx-strip button").first.click()
    page.locator('.fx-card [data-do="explain"]').first.click()
    panel = page.locator(".fx-whypanel")
    expect(panel).to_contain_text("parts add up to the whole")
    pictures = panel.locator("img")
    expect(pictures).to_have_count(2)
    for number in range(2):
        assert pictures.nth(number).evaluate(_REDNESS) > 100
    expect(panel.locator("dt")).not_to_have_count(0)
    page.wait_for_timeout(600)
    page.screenshot(path=screenshots / f"why-{size[0]}.png")
    page.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    expect(page.locator(".fx-card")).to_have_count(5)


def test_a_photo_is_explained_too(open_page, service) -> None:
    page = open_page()
    kinds = [example.query.kind for example in service.examples]
    page.locator(".fx-strip button").nth(kinds.index("photo")).click()
    page.locator('.fx-card [data-do="explain"]').nth(1).click()
    expect(page.locator(".fx-whypanel img")).to_have_count(2)


def test_another_search_closes_it(open_page) -> None:
    page = open_page()
    page.locator(".fx-strip button").first.click()
    page.locator('.fx-card [data-do="explain"]').first.click()
    expect(page.locator(".fx-whypanel")).to_be_visible()
    page.locator(".fx-more").first.click()
    expect(page.locator(".fx-whypanel")).to_have_count(0)
