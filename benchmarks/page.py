"""What a visitor waits for: the page's first paint, and the time from a chosen photo to five cards.

A demo is started, then a real Chromium opens it and uploads photos; the page's own clock runs from
the file input's change to the frame in which the new cards with their pictures are painted.

    python benchmarks/page.py --store data/sample-store
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from load import photos, running_demo

from fashify import Retriever

#: Milliseconds within which five cards are there, or something is wrong.
PATIENCE = 30_000

#: Resolves to milliseconds once the answer to the next photo is painted. The page changes its
#: elements where they are, so an answer is told by another photo and other results inside them.
_WAIT = """(patience) => new Promise((done, fail) => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const inside = (selector) => document.querySelector(selector)?.innerHTML ?? "";
    const before = [".fx-photo", ".fx-results"].map(inside);
    let begin = 0;
    document.addEventListener("change", (event) => {
        if (event.target.matches(".fx-file")) begin = performance.now();
    }, { capture: true, once: true });
    const look = () => {
        const now = [".fx-photo", ".fx-results"].map(inside);
        const pictures = all(".fx-card img"), waited = performance.now() - begin;
        const ready = pictures.length >= 5 && pictures.every((one) => one.complete);
        if (begin && ready && now.every((html, n) => html && html !== before[n])) done(waited);
        else if (begin && waited > patience) fail(new Error(
            `no new results after ${patience} ms: ${pictures.length} cards, the page says "` +
            all(".fx-notice, .fx-time").map((one) => one.textContent).join(" ") + '"'));
        else requestAnimationFrame(look);
    };
    look();
})"""


def measure(url: str, pictures: list[bytes]) -> dict:
    """First paint, and the waits for each picture, milliseconds."""
    from playwright.sync_api import Error as playwright_error
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))
    options = ["--disable-gpu"] + (["--no-sandbox"] if os.geteuid() == 0 else [])
    waits = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.wait_for_selector(".fx-strip button")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        for number, picture in enumerate(pictures):
            photo = Path(folder) / f"{number}.jpg"
            photo.write_bytes(picture)
            page.evaluate(f"() => {{ window.waited = ({_WAIT})({PATIENCE}); }}")
            page.locator(".fx-file").set_input_files(photo)
            try:
                waits.append(page.evaluate("() => window.waited"))
            except playwright_error as error:
                raise SystemExit(f"photo {number}: {error}") from None
        browser.close()
    return {"first_paint_ms": paint, "waits_ms": waits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--store", default="data/sample-store")
    parser.add_argument("--searches", type=int, default=20)
    chosen = parser.parse_args()
    retriever = Retriever.open(chosen.store)
    pictures = photos(retriever, chosen.searches + 1)
    with running_demo(chosen.store) as (port, _):
        found = measure(f"http://127.0.0.1:{port}/", pictures)
    first, *waits = found["waits_ms"]
    told = {
        "products": len(retriever.store),
        "first_paint_ms": round(found["first_paint_ms"]),
        "first_search_ms": round(first),
        "searches": len(waits),
        "median_ms": round(float(np.median(waits))),
        "p95_ms": round(float(np.quantile(waits, 0.95))),
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
