"""The shop window of the docs: a page of another origin that has REST alone."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from served import Served

from fashify.io.images import load_image
from fashify.server import Access, make_app

expect = pytest.importorskip("playwright.sync_api").expect

_SHOWN = "[...document.querySelectorAll('li img')]"
WINDOW = Path(__file__).resolve().parents[2] / "docs" / "shop-window.html"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def window_url(service, tmp_path_factory: pytest.TempPathFactory):
    """The page at an origin of its own, asking a service that lets that origin ask."""
    folder = tmp_path_factory.mktemp("shop")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as shop:
        origin = f"http://127.0.0.1:{shop.server_port}"
        api = Served(make_app(service, page=False, access=Access(origins=(origin,))))
        page = WINDOW.read_text("utf-8")
        named = 'data-api="http://127.0.0.1:7860/v1/"'
        assert page.count(named) == 1
        (folder / "shop.html").write_text(page.replace(named, f'data-api="{api.server.url}v1/"'))
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        yield f"{origin}/shop.html"
        shop.shutdown()
        api.close()


@pytest.fixture
def window(browser, window_url: str, size: tuple[int, int]):
    """The page, opened; nothing may go wrong in it or leave this machine."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: _watch(request.url, wrong))
    page.goto(window_url)
    expect(page.locator("li").first).to_be_visible()
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert wrong == []


def test_a_shop_window_over_rest(window, photo: Path, service, screenshots, size) -> None:
    """Words, a filter, a product, a photo, and words that nothing answers."""
    cards, heading = window.locator("li"), window.locator(".asked h2")
    window.wait_for_function(f"{_SHOWN}.slice(0, 4).every((image) => image.naturalWidth)")
    window.screenshot(path=screenshots / f"shop-window-{size[0]}.png")
    box = window.get_by_label("What are you looking for?")
    box.fill("red dre")
    expect(window.locator("datalist option").first).to_have_attribute("value", "red dress")
    box.fill("red dress")
    box.press("Enter")
    expect(heading).to_have_text("“red dress”")
    expect(cards.first).to_contain_text("Dress")
    expect(cards.first).to_contain_text("Red")
    window.get_by_label("Colour").select_option("Blue")
    expect(cards.first).to_contain_text("Blue")
    name = cards.nth(1).locator("h3").inner_text()
    cards.nth(1).get_by_role("button", name="More like").click()
    expect(heading).to_have_text(f"Like {name}")
    expect(cards.first).not_to_contain_text(name)
    window.get_by_label("Colour").select_option("")
    window.get_by_label("Show a photo").set_input_files(photo)
    expect(heading).to_have_text("Like your photo")
    first = service.find(service.photo_query(load_image(photo), "a photo"), 1).matches[0]
    expect(cards.first).to_contain_text(first.facts["name"])
    box.fill("qqqq zzzz")
    box.press("Enter")
    expect(window.get_by_role("alert")).to_contain_text("Expected")
    window.locator("input[type=file]").set_input_files(
        {"name": "no.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    )
    expect(window.get_by_role("alert")).to_contain_text("image")


def _watch(url: str, outside: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:")):
        outside.append(url)


def test_a_service_that_is_away_is_said(browser, window_url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/v1/**", lambda route: route.abort())
    page.goto(window_url)
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    context.close()
