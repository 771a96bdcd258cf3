"""The other tabs: the map of the catalogue, the evaluation, what there is to know."""

from __future__ import annotations

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: How many different colours, a little rounded, are painted on the map.
_COLOURS = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let n = 0; n < data.length; n += 4)
        if (data[n + 3] > 180)
            seen.add([data[n], data[n + 1], data[n + 2]].map((v) => v >> 4) + "");
    return [...seen].sort().join(" ");
}"""


@pytest.fixture
def on_map(open_page, size):
    """The explore tab with its map drawn, at both widths."""
    page = open_page(size)
    page.get_by_role("tab", name="Explore").click()
    canvas = page.locator(".fx-map canvas")
    expect(canvas).to_be_visible(timeout=90_000)
    expect(page.locator(".fx-legend li")).not_to_have_count(0)
    return page


#: The map's pixels, to be compared.
_PIXELS = "(canvas) => canvas.toDataURL()"


def _wait_for_map(page, looked: str, comparison: str, value: object) -> None:
    """Waits until what ``looked`` gives of the map compares so: it is drawn a frame later."""
    canvas = "document.querySelector('.fx-map canvas')"
    page.wait_for_function(f"value => ({looked})({canvas}) {comparison} value", arg=value)


def _walk_to_a_product(page) -> None:
    page.locator(".fx-map canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".fx-tip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".fx-look h3")).to_be_visible()


def test_the_map_is_painted_in_many_colours(on_map, service, screenshots, size) -> None:
    _wait_for_map(on_map, f"(canvas) => ({_COLOURS})(canvas).split(' ').length", ">=", 8)
    expect(on_map.locator(".fx-explore .fx-time")).to_contain_text(f"{len(service.store):,}")
    _walk_to_a_product(on_map)
    on_map.screenshot(path=screenshots / f"explore-{size[0]}.png", full_page=True)


def test_colours_follow_the_chosen_level(on_map) -> None:
    canvas, legend = on_map.locator(".fx-map canvas"), on_map.locator(".fx-legend")
    before = canvas.evaluate(_COLOURS)
    on_map.locator(".fx-colourby select").select_option("Gender")
    expect(legend).to_contain_text("Women")
    _wait_for_map(on_map, _COLOURS, "!==", before)


def test_a_product_of_the_map_with_its_neighbours(on_map) -> None:
    _walk_to_a_product(on_map)
    look = on_map.locator(".fx-look")
    expect(look.locator(".fx-strip img")).to_have_count(5)
    first = look.get_attribute("data-item")
    look.locator(".fx-strip button").first.click()
    expect(look).not_to_have_attribute("data-item", first)


def test_from_the_map_to_a_search(on_map) -> None:
    _walk_to_a_product(on_map)
    name = on_map.locator(".fx-look h3").inner_text()
    on_map.get_by_role("button", name="Search with this").click()
    expect(on_map.get_by_role("tab", name="Search")).to_have_attribute("aria-selected", "true")
    expect(on_map.locator(".fx-results h2")).to_contain_text(name)
    expect(on_map.locator(".fx-card").first).to_be_visible()


def test_the_mouse_finds_a_product(on_map) -> None:
    canvas = on_map.locator(".fx-map canvas")
    canvas.focus()
    on_map.keyboard.press("ArrowRight")
    tip = on_map.locator(".fx-tip")
    expect(tip).to_be_visible()
    place = tip.evaluate("e => [parseFloat(e.style.left), parseFloat(e.style.top)]")
    position = {"x": place[0], "y": place[1]}
    # Copies lie on one spot: what the mouse names there is what a click must show.
    canvas.hover(position=position)
    canvas.click(position=position)
    on_map.wait_for_function(
        """() => {
            const text = (selector) => document.querySelector(selector)?.innerText.trim();
            return text(".fx-look h3") && text(".fx-look h3") === text(".fx-tip");
        }"""
    )


def test_the_map_comes_nearer_and_moves(on_map) -> None:
    canvas = on_map.locator(".fx-map canvas")
    whole = canvas.evaluate(_PIXELS)
    on_map.get_by_role("button", name="Nearer").click()
    _wait_for_map(on_map, _PIXELS, "!==", whole)
    near = canvas.evaluate(_PIXELS)
    area = canvas.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    on_map.mouse.move(x, y)
    on_map.mouse.down()
    on_map.mouse.move(x - 40, y + 20, steps=3)
    on_map.mouse.up()
    _wait_for_map(on_map, _PIXELS, "!==", near)
    # A drag opens no product.
    expect(on_map.locator(".fx-look")).to_have_count(0)
    on_map.get_by_role("button", name="Farther").click()
    canvas.evaluate("e => e.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }))")
    _wait_for_map(on_map, _PIXELS, "===", whole)


def test_charts_count_the_catalogue(on_map, service) -> None:
    charts = on_map.locator(".fx-chart")
    expect(charts).to_have_count(5)
    n_women = int((service.items["gender"] == "Women").sum())
    expect(charts.first).to_contain_text(f"{n_women:,}")


def test_the_evaluation_is_measured(open_page, service, size, screenshots) -> None:
    page = open_page(size)
    page.get_by_role("tab", name="Evaluate").click()
    rows = page.locator(".fx-table tbody tr")
    expect(rows.first).to_be_visible(timeout=60_000)
    kinds = page.locator(".fx-table tr", has_text="article type").locator("td")
    precision, chance = (float(kinds.nth(n).inner_text()) for n in (0, 1))
    assert 3 * chance < precision <= 1
    page.screenshot(path=screenshots / f"evaluate-{size[0]}.png", full_page=True)


def test_a_report_opens_whole(open_page) -> None:
    page = open_page()
    page.get_by_role("tab", name="Evaluate").click()
    report = page.locator(".fx-report")
    expect(report).to_have_count(1, timeout=60_000)
    expect(report).to_contain_text("What is in the catalogue?")
    expect(report).to_contain_text("0.854")
    with page.expect_popup() as opened:
        report.get_by_role("button", name="Open the full page").click()
    expect(opened.value.locator("h1")).to_have_text("The whole report")


def test_about_says_what_answers_and_what_is_kept(open_page, service, size) -> None:
    page = open_page(size)
    page.get_by_role("tab", name="About").click()
    about = page.locator(".fx-about")
    expect(about).to_contain_text(service.facts.backbone)
    expect(about).to_contain_text(service.retriever.index.name)
    expect(about).to_contain_text("deleted at once")


#: Controls and texts that end outside the window, though nothing there can be scrolled to.
_OUTSIDE = """() => [...document.querySelectorAll("main *")]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !one.closest(".fx-strip, .fx-sr, .visually-hidden"))
    .map((one) => one.className || one.tagName)"""


def test_every_tab_fits_into_a_phone(open_page) -> None:
    width = 390
    page = open_page((width, 844))
    for tab, there in (
        ("Explore", ".fx-legend li"),
        ("Evaluate", ".fx-table tbody tr"),
        ("About", ".fx-about h2"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(there).first).to_be_visible(timeout=200_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_OUTSIDE) == []
