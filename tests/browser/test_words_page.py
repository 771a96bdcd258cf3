"""Words on the demo page: typed, suggested, taken apart into chips, beside a photo, shared."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: Of the sample's photos, a dress before bricks.
DRESS = 2


@pytest.fixture
def colours(service):
    """The colours of the products on a page's cards: ``colours(page)``."""
    colour_of = dict(zip(service.items["item_id"], service.items["base_colour"], strict=True))

    def read(page) -> list[str]:
        cards = page.locator(".fx-card")
        expect(cards).to_have_count(5)
        return [colour_of[card.get_attribute("data-item")] for card in cards.all()]

    return read


def say(page, text: str) -> None:
    page.locator(".fx-say input").fill(text)
    page.locator(".fx-say input").press("Enter")
    expect(page.locator(".fx-results")).to_have_attribute("data-query", _ends_with(text))


def _ends_with(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text) + "$")


def chip(page, text: str):
    return page.get_by_role("button", name=f"Take away: {text}", exact=True)


def drop_photo(page, path: Path) -> None:
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "dropped.jpg"));
            const drop = new DragEvent("drop", { dataTransfer: carried, bubbles: true });
            document.querySelector(".fx-query").dispatchEvent(drop);
        }""",
        list(path.read_bytes()),
    )
    expect(page.locator(".fx-results")).to_have_attribute("data-query", "your photo")


def test_words_alone(open_page, service, colours, size, screenshots) -> None:
    """The red dresses that the sample has come first, and a reload shows them again."""
    page = open_page(size)
    page.screenshot(path=screenshots / f"words-before-{size[0]}.png", full_page=True)
    say(page, "red dress")
    items = service.items
    wanted = items[(items.base_colour == "Red") & (items.article_type == "Dresses")]
    assert len(wanted) == 2
    assert colours(page)[:2] == ["Red", "Red"]
    found = page.locator(".fx-card").evaluate_all("cards => cards.map(c => c.dataset.item)")
    assert set(found[:2]) == set(wanted.item_id)
    expect(chip(page, "red")).to_be_visible()
    expect(chip(page, "dress")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?text=red\+dress$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.wait_for_timeout(400)
    page.screenshot(path=screenshots / f"words-{size[0]}.png", full_page=True)
    page.reload()
    expect(page.locator(".fx-card")).to_have_count(5)
    again = page.locator(".fx-card").evaluate_all("cards => cards.map(c => c.dataset.item)")
    assert again == found
    expect(page.locator(".fx-say input")).to_have_value("red dress")


def test_a_photo_but_in_black(open_page, photos, colours, size, screenshots) -> None:
    """Words typed, a photo dropped, "in black" added: black ones; the chip gone, they go too."""
    page = open_page(size)
    say(page, "red dress")
    drop_photo(page, photos[DRESS])
    before = colours(page)
    assert before.count("Black") < 3
    say(page, "in black")
    assert colours(page) == ["Black"] * 5
    expect(page.locator(".fx-photo img")).to_be_visible()
    page.wait_for_timeout(400)
    page.screenshot(path=screenshots / f"words-photo-{size[0]}.png", full_page=True)
    chip(page, "black").click()
    expect(page.locator(".fx-results")).to_have_attribute("data-query", "your photo")
    assert colours(page) == before
    # A photo is nobody's business: it is in no address.
    expect(page).to_have_url(re.compile(r"/\?$"))


def test_chips_and_swatches(open_page, colours) -> None:
    page = open_page()
    say(page, "shirt, not blue, not striped")
    assert "Blue" not in colours(page)
    chip(page, "not striped").click()
    expect(page.locator(".fx-say input")).to_have_value("shirt, not blue")
    page.get_by_role("button", name="red", exact=True).click()
    expect(page.locator(".fx-say input")).to_have_value("red shirt, not blue")
    expect(page.get_by_role("button", name="red", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert colours(page)[0] == "Red"
    for left in ("not blue", "red", "shirt"):
        chip(page, left).click()
        expect(chip(page, left)).to_have_count(0)
    expect(page.locator(".fx-welcome")).to_be_visible()


def test_suggestions(open_page) -> None:
    """They come as one types, and the keys choose among them."""
    page = open_page()
    box = page.locator(".fx-say input")
    box.press_sequentially("red dre", delay=30)
    options = page.get_by_role("option")
    expect(options.first).to_have_text("red dress")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    expect(box).to_have_value("red dress")
    box.press("Enter")
    expect(page.locator(".fx-results h2")).to_contain_text("red dress")
    expect(options).to_have_count(0)


def test_an_item_in_another_colour(open_page, service, colours) -> None:
    """An item and its words are both in the address; without the item the words stay."""
    bag = service.items.query("article_type == 'Handbags' and base_colour != 'Black'").item_id
    page = open_page(query=f"?item={bag.iloc[0]}&text=in+black")
    assert set(colours(page)) == {"Black"}
    page.get_by_role("button", name="Take it away").click()
    expect(page.locator(".fx-results")).to_have_attribute("data-query", "in black")
    expect(page).to_have_url(re.compile(r"/\?text=in\+black$"))


def test_variants_are_one_card(open_page, service, size, screenshots) -> None:
    """A card stands for its variants and shows their colours; one click shows them all."""
    variants = service.retriever.variants
    which = np.bincount(variants).argmax()
    rows = np.flatnonzero(variants == which)
    assert len(rows) >= 2
    name, items = service.items["name"].iloc[rows[0]], set(service.store.item_ids[rows])
    page = open_page(size)
    say(page, name)
    cards = page.locator(".fx-grid > .fx-card")
    expect(cards).to_have_count(5)
    shown = cards.evaluate_all("cards => cards.map(c => c.dataset.item)")
    assert len(items & set(shown)) == 1
    also = cards.nth(shown.index(*(items & set(shown)))).locator(".fx-also")
    expect(also).to_contain_text(f"{len(rows) - 1} variant")
    painted = {service.items["base_colour"].iloc[row] for row in rows}
    expect(also.locator("i")).to_have_count(len(painted))
    also.click()
    apart = page.locator(".fx-apart .fx-card")
    expect(apart).to_have_count(len(rows) - 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.wait_for_timeout(400)
    page.screenshot(path=screenshots / f"variants-{size[0]}.png", full_page=True)
    found = apart.evaluate_all("cards => cards.map(c => c.dataset.item)")
    assert {*found, *shown} >= items
    page.get_by_role("button", name="Close").click()
    expect(apart).to_have_count(0)
    page.get_by_role("button", name="Variants as one").click()
    expect(page).to_have_url(re.compile("variants=apart"))
    expect(page.locator(".fx-also")).to_have_count(0)
    again = cards.evaluate_all("cards => cards.map(c => c.dataset.item)")
    assert len(items & set(again)) == min(5, len(rows))
    page.reload()
    expect(page.get_by_role("button", name="Variants as one")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_ignoring_the_colour(open_page, served, weighted_service) -> None:
    page = open_page(at=served(weighted_service))
    page.locator(".fx-strip button").first.click()
    page.get_by_role("button", name="Ignore colour").click()
    expect(page.locator('[data-part="colour"][data-live]')).to_have_value("0")
    expect(page.get_by_role("button", name="Ignore colour")).to_have_count(0)


@pytest.mark.parametrize("text", ["", "zzxq", "red, not red", "👗", "not blue"])
def test_what_cannot_be_answered(open_page, text: str) -> None:
    """A sentence; the words stay in their box."""
    page = open_page()
    page.locator(".fx-say input").fill(text)
    page.locator(".fx-say input").press("Enter")
    notice = page.locator(".fx-notice")
    expect(notice).to_contain_text("We need")
    if text == "zzxq":
        expect(notice).to_contain_text("were given 'zzxq', which nothing here answers.")
    expect(page.locator(".fx-say input")).to_have_value(text)
