"""For everybody: the keyboard alone, contrast as painted, menus that end where the window does."""

from __future__ import annotations

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: Texts as painted whose contrast falls short of WCAG AA: 4.5 to 1, large ones 3 to 1.
_FAINT = """() => {
    const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
    const over = (front, back) => {
        const alpha = front[3] ?? 1;
        return [0, 1, 2].map((n) => alpha * front[n] + (1 - alpha) * back[n]);
    };
    const ground = (element) => {
        if (!element) return [255, 255, 255];
        const colour = numbers(getComputedStyle(element).backgroundColor);
        return colour[3] === 0 ? ground(element.parentElement)
            : over(colour, (colour[3] ?? 1) < 1 ? ground(element.parentElement) : [0, 0, 0]);
    };
    const light = (colour) => {
        const [r, g, b] = colour.map((value) => value / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    let seen = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim();
        const element = walker.currentNode.parentElement;
        if (!text || element.closest("script, style, :disabled")) continue;
        if (!element.checkVisibility()) continue;
        const style = getComputedStyle(element), back = ground(element);
        const lights = [back, over(numbers(style.color), back)].map(light);
        const [low, high] = lights.sort((a, b) => a - b);
        const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
        const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
        seen += 1;
        if ((high + 0.05) / (low + 0.05) < least)
            faint.push(`${text.slice(0, 40)}: ${((high + 0.05) / (low + 0.05)).toFixed(2)}`);
    }
    return { faint, seen };
}"""

#: What has the focus, and whether that is to be seen.
_FOCUSED = """() => {
    const e = document.activeElement, style = getComputedStyle(e);
    const seen = [e, e.closest(".fx-button") ?? e].some((one) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    });
    return { seen, html: e.outerHTML.slice(0, 120) };
}"""


def tab_to(page, selector: str, most: int = 60) -> None:
    """Presses Tab until ``selector`` has the focus; whatever has it on the way must show it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            assert focused["seen"], focused["html"]
            return
        if page.evaluate("document.activeElement.closest('.fx-head, .fx-main') !== null"):
            assert focused["seen"], focused["html"]
    raise AssertionError(f"{selector} is not to be reached by Tab")


def test_tab_and_enter_go_all_the_way(open_page) -> None:
    page = open_page()
    for reached in ("[data-theme-toggle]", ".fx-file", "[data-camera]", '[data-do="surprise"]'):
        tab_to(page, reached)
    tab_to(page, '[data-do="example"]')
    page.keyboard.press("Enter")
    expect(page.locator(".fx-card")).to_have_count(5)
    tab_to(page, ".fx-menu summary")
    page.keyboard.press("Enter")
    tab_to(page, '[data-do="filter"]')
    page.keyboard.press("Enter")
    expect(page.locator(".fx-reset")).to_be_visible()
    tab_to(page, '[data-do="like"]')
    page.keyboard.press("Space")
    expect(page.locator('[data-do="like"][aria-pressed="true"]')).to_have_count(1)
    tab_to(page, '[data-do="explain"]')
    page.keyboard.press("Enter")
    expect(page.locator(".fx-whypanel")).to_be_visible()


def test_new_answer_keeps_focus(open_page) -> None:
    """A new answer leaves the focus where it was."""
    page = open_page()
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card")).to_have_count(5)
    page.locator('[data-live="count"]').focus()
    for count in (6, 7):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".fx-card")).to_have_count(count)
        expect(page.locator('[data-live="count"]')).to_be_focused()
    page.locator('[data-do="like"]').nth(2).press("Enter")
    expect(page.locator('[data-do="like"][aria-pressed="true"]')).to_be_focused()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out(open_page, dark: bool) -> None:
    page = open_page(dark=dark)
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card")).to_have_count(5)
    page.locator('[data-do="like"]').first.click()
    page.get_by_role("button", name="1 vote").wait_for()
    page.locator('[data-do="explain"]').nth(1).click()
    expect(page.locator(".fx-whypanel")).to_be_visible()
    page.locator(".fx-menu summary").first.click()
    page.wait_for_timeout(500)
    painted = page.evaluate(_FAINT)
    assert painted["seen"] > 60
    assert painted["faint"] == []
    for tab, there in (("Explore", ".fx-legend li"), ("Evaluate", ".fx-table tbody tr")):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(there).first).to_be_visible(timeout=200_000)
        assert page.evaluate(_FAINT)["faint"] == []
    page.get_by_role("tab", name="About").click()
    assert page.evaluate(_FAINT)["faint"] == []


@pytest.mark.parametrize("width", [1280, 1024, 700, 390])
def test_menu_ends_at_window(open_page, width: int) -> None:
    """An opened menu ends where the window does."""
    page = open_page((width, 844))
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card")).to_have_count(5)
    for menu in page.locator(".fx-menu").all():
        menu.locator("summary").click()
        area = menu.locator(".fx-options").bounding_box()
        assert area["x"] >= 0
        assert area["x"] + area["width"] <= width
        assert area["y"] >= 0
        assert area["y"] + area["height"] <= 844
        for one in menu.locator(".fx-options button").all()[:3]:
            assert one.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
