"""Refining a search on the page: how many, filters, likes, the way back, sharing, downloads."""

from __future__ import annotations

import csv
import json

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def searched(open_page, size):
    """A page with the first example answered, at both widths."""
    page = open_page(size)
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card")).to_have_count(5)
    return page


def choose(page, level: str, value: str) -> None:
    """Opens a filter menu where it is closed and clicks one of its values."""
    menu = page.locator(f'.fx-menu[data-level="{level}"]')
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.locator(f'[data-value="{value}"]').click()


_IDS = "[...document.querySelectorAll('.fx-card')].map((one) => one.dataset.item)"


def shown_ids(page) -> list[str]:
    return page.evaluate(_IDS)


def expect_ids(page, ids: list[str]) -> None:
    """Waits until these are the cards, in this order."""
    page.wait_for_function(f"wanted => `${{{_IDS}}}` === `${{wanted}}`", arg=ids)


def expect_other_ids(page, ids: list[str]) -> None:
    """Waits until there are cards, and not these in this order."""
    page.wait_for_function(f"old => {_IDS}.length && `${{{_IDS}}}` !== `${{old}}`", arg=ids)


@pytest.mark.parametrize("count", [1, 12, 20])
def test_as_many_results_as_asked_for(searched, count: int) -> None:
    searched.locator('[data-live="count"]').fill(str(count))
    expect(searched.locator(".fx-card")).to_have_count(count)
    shown = searched.locator(".fx-slider", has_text="Show").locator("output")
    expect(shown).to_have_text(str(count))


def test_menus_show_live_counts(searched, service, screenshots, size) -> None:
    counts = service.facets(type(service).search.__defaults__[0])
    gender = min(counts["gender"], key=counts["gender"].get)
    option = f'.fx-menu[data-level="gender"] [data-value="{gender}"]'
    searched.locator('.fx-menu[data-level="gender"] summary').click()
    expect(searched.locator(f"{option} span")).to_have_text(f"{counts['gender'][gender]:,}")
    searched.screenshot(path=screenshots / f"refine-{size[0]}.png")
    searched.locator(option).click()
    expect(searched.locator(option)).to_have_attribute("aria-pressed", "true")
    searched.locator('.fx-menu[data-level="article_type"] summary').click()
    types = searched.locator('.fx-menu[data-level="article_type"] button span')
    expect(types.first).to_be_visible()
    total = sum(int(text.replace(",", "")) for text in types.all_inner_texts())
    assert total == counts["gender"][gender]


def test_every_card_passes_the_filter(searched, service) -> None:
    items = service.items
    colour = items["base_colour"].value_counts().index[0]
    choose(searched, "base_colour", colour)
    expect(searched.locator('.fx-menu[data-level="base_colour"] summary b')).to_have_text("1")
    found = items[items["item_id"].isin(shown_ids(searched))]
    assert set(found["base_colour"]) == {colour}


def test_an_empty_result_is_said_and_mended(searched, service) -> None:
    items = service.items
    pairs = set(zip(items["gender"], items["article_type"], strict=True))
    genders, types = items["gender"].unique(), items["article_type"].unique()
    gender, kind = next((g, t) for t in types for g in genders if (g, t) not in pairs)
    query = f"?item={items['item_id'].iloc[0]}&gender={gender}&article_type={kind}"
    searched.goto(searched.url.split("?")[0] + query)
    expect(searched.locator(".fx-empty")).to_contain_text("No product passes these filters")
    searched.get_by_role("button", name="Clear filters").click()
    expect(searched.locator(".fx-card")).to_have_count(5)


def test_menus_close(searched) -> None:
    """Menus close with escape and a click elsewhere."""
    menu = searched.locator(".fx-menu").first
    for close in (
        lambda: searched.keyboard.press("Escape"),
        lambda: searched.locator(".fx-results h2").click(),
    ):
        menu.locator("summary").click()
        expect(menu).to_have_attribute("open", "")
        close()
        expect(menu).not_to_have_attribute("open", "")


def test_dislike_removes_and_like_draws_near(searched) -> None:
    first, *_, last = shown_ids(searched)
    searched.locator(f'[data-do="dislike"][data-item="{first}"]').click()
    expect(searched.locator(f'.fx-card[data-item="{first}"]')).to_have_count(0)
    searched.locator(f'[data-do="like"][data-item="{last}"]').click()
    heart = searched.locator(f'[data-do="like"][data-item="{last}"]')
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(searched.locator(".fx-card").first).to_have_attribute("data-item", last)
    searched.get_by_role("button", name="Clear 2 votes").click()
    expect(searched.locator(f'.fx-card[data-item="{first}"]')).to_have_count(1)


def test_variety_changes_what_is_shown(searched) -> None:
    before = shown_ids(searched)
    searched.locator('[data-live="vary"]').fill("70")
    expect(searched.locator(".fx-slider", has_text="Variety").locator("output")).to_have_text("70")
    searched.wait_for_function("location.search.includes('variety=70')")
    expect_other_ids(searched, before)
    assert shown_ids(searched)[0] == before[0]
    searched.get_by_role("button", name="Clear sliders").click()
    expect(searched.locator('[data-live="vary"]')).to_have_value("0")
    expect_ids(searched, before)


def test_what_counts_can_be_weighed(served, weighted_service, open_page, size, screenshots) -> None:
    page = open_page(size, at=served(weighted_service))
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card")).to_have_count(5)
    before = shown_ids(page)
    for part in ("shape", "colour"):
        expect(page.locator(f'[data-part="{part}"]')).to_have_value("50")
    page.locator('[data-part="shape"]').fill("0")
    page.wait_for_function("location.search.includes('weigh=shape%3A0')")
    expect_other_ids(page, before)
    page.locator('.fx-card [data-do="explain"]').first.click()
    bars = page.locator(".fx-parts")
    expect(bars.locator("dt")).to_have_text(["shape", "colour"])
    colour = float(bars.locator("dd").nth(1).inner_text())
    expect(page.locator(".fx-distance").first).to_have_text(f"distance {colour:.3f}")
    page.screenshot(path=screenshots / f"weighed-{size[0]}.png", full_page=True)


def test_the_trail_leads_back(searched, service) -> None:
    before = shown_ids(searched)
    title = service.examples[0].query.title
    searched.locator(".fx-more").first.click()
    trail = searched.locator(".fx-trail")
    expect(trail.locator("button")).to_have_text([title])
    searched.locator(".fx-more").first.click()
    expect(trail.locator("button")).to_have_count(2)
    trail.locator("button").first.click()
    expect(searched.locator(".fx-results h2")).to_contain_text(title)
    expect_ids(searched, before)
    expect(trail).to_have_count(0)


def test_an_item_search_can_be_shared(searched, open_page, size) -> None:
    choose(searched, "season", searched.evaluate(_FIRST_SEASON))
    expect(searched.locator('.fx-menu[data-level="season"] summary b')).to_have_text("1")
    searched.wait_for_function("location.search.includes('season=')")
    query = searched.evaluate("location.search")
    assert "item=" in query
    other = open_page(size, query=query)
    expect_ids(other, shown_ids(searched))


_FIRST_SEASON = "document.querySelector('[data-level=season] [data-value]').dataset.value"


def test_a_photo_search_stays_private(open_page, service) -> None:
    page = open_page()
    kinds = [example.query.kind for example in service.examples]
    page.locator(".fx-strip button").nth(kinds.index("photo")).click()
    expect(page.locator(".fx-card")).to_have_count(5)
    assert page.evaluate("location.search") == ""


@pytest.mark.parametrize("query", ["?item=nobody", "?item=%3Cscript%3E&k=x", "?k=3&gender=No"])
def test_broken_address_gives_sentence(open_page, query: str) -> None:
    """A broken address is answered with a sentence."""
    page = open_page(query=query)
    if "item=" in query:
        expect(page.locator(".fx-notice")).to_be_visible()
    page.locator(".fx-strip button").first.click()
    expect(page.locator(".fx-card").first).to_be_visible()


def test_results_can_be_downloaded(searched, tmp_path) -> None:
    shown = shown_ids(searched)
    rows = {}
    for kind in ("CSV", "JSON"):
        with searched.expect_download() as waiting:
            searched.get_by_role("link", name=kind).click()
        assert waiting.value.suggested_filename == f"fashify.{kind.lower()}"
        waiting.value.save_as(tmp_path / kind)
        rows[kind] = (tmp_path / kind).read_text(encoding="utf-8")
    table = list(csv.DictReader(rows["CSV"].splitlines()))
    assert [row["item_id"] for row in table] == shown
    assert all(row["path"] for row in table)
    assert [match["item_id"] for match in json.loads(rows["JSON"])] == shown
