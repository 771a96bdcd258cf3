"""Takes the README's screenshots of the demo anew, in docs/images.

    python tests/browser/take_screenshots.py [STORE]

Without a store the sample's is used, as by ``make demo``. Needs Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from conftest import CHROMIUM_NAMES, DESKTOP, PHONE, chromium_options, free_port
from PIL import Image

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"

#: Bytes of a picture that may stay as it is.
LARGE = 290_000

#: The example photo that is searched with: a dress before bricks.
PHOTO = 2


def keep(page, name: str, part: str = "") -> None:
    """The window, or a part of it, as a PNG; with a palette where it would be large."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)
    seen = page.locator(part) if part else page
    path = IMAGES / f"{name}.png"
    picture = Image.open(io.BytesIO(seen.screenshot())).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGE:
        picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def search_photo(page, service) -> None:
    """Searches with the example photo."""
    kinds = [example.query.kind for example in service.examples]
    page.locator(".fx-strip button").nth(kinds.index("photo") + PHOTO).click()
    page.locator(".fx-card").nth(4).wait_for()


def say(page, text: str) -> None:
    """Searches in words, beside what is there."""
    page.locator(".fx-say input").fill(text)
    page.locator(".fx-say input").press("Enter")
    page.get_by_role("button", name="Take away:").first.wait_for()
    page.locator(".fx-card").nth(4).wait_for()


def refine(page) -> None:
    """A filter, two votes, one open menu."""
    page.locator('.fx-menu[data-level="gender"] summary').click()
    page.locator('[data-level="gender"] [data-value="Women"]').click()
    page.locator('.fx-menu[data-level="gender"] b').wait_for()
    page.locator('[data-do="dislike"]').nth(4).click()
    page.get_by_role("button", name="1 vote").wait_for()
    page.locator('[data-do="like"]').nth(0).click()
    page.get_by_role("button", name="2 votes").wait_for()
    page.locator('.fx-menu[data-level="base_colour"] summary').click()


def explore(page) -> None:
    """The map with one product looked at."""
    page.get_by_role("tab", name="Explore").click()
    page.locator(".fx-legend li").first.wait_for(timeout=120_000)
    page.locator(".fx-map canvas").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.locator(".fx-look h3").wait_for()
    page.locator(".fx-maprow").scroll_into_view_if_needed()


def take(browser, url: str, service) -> None:
    """All of them."""
    desktop = browser.new_page(viewport={"width": DESKTOP[0], "height": 1340})
    desktop.goto(url)
    search_photo(desktop, service)
    keep(desktop, "demo")
    desktop.locator('[data-do="explain"]').first.click()
    desktop.locator(".fx-whypanel img").nth(1).wait_for()
    keep(desktop, "demo-explain", ".fx-whypanel")
    desktop.get_by_role("button", name="Close").click()
    desktop.set_viewport_size({"width": DESKTOP[0], "height": 760})
    refine(desktop)
    keep(desktop, "demo-refine")
    desktop.set_viewport_size({"width": DESKTOP[0], "height": 1180})
    explore(desktop)
    keep(desktop, "demo-explore")
    words = browser.new_page(viewport={"width": DESKTOP[0], "height": 1180})
    words.goto(url)
    say(words, "red dress")
    keep(words, "demo-words")
    phone = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]}, has_touch=True)
    phone.goto(url)
    search_photo(phone, service)
    phone.wait_for_timeout(1_200)
    keep(phone, "demo-phone")


def main() -> None:
    from playwright.sync_api import sync_playwright

    from fashify.demo import DemoService
    from fashify.demo.launching import Serving
    from fashify.demo.page_server import PageServer

    service = DemoService.open(*sys.argv[1:2])
    server = PageServer(service, Serving(port=free_port()))
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium_options())
        take(browser, server.url, service)
        browser.close()
    server.close()


if __name__ == "__main__":
    main()
