"""Reports in a real Chromium: the index filters and sorts; a printed page cuts no figure."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fashify.reports import write_index
from fashify.reports.export import TEMPLATES

DESKTOP, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index page over six runs of two notebooks and two catalogues."""
    out = tmp_path_factory.mktemp("reports")
    for day in range(1, 7):
        notebook = "03_knn" if day % 2 else "06_robustness"
        folder = out / notebook / f"{day:02d}"
        folder.mkdir(parents=True)
        Image.new("RGB", (640, 400), (20 * day, 120, 160)).save(folder / "thumbnail.png")
        run = {
            "notebook": notebook, "run_id": folder.name, "title": f"Run of day {day}",
            "started": f"2026-11-{day:02d}T10:00:00+00:00", "seconds": 30.0 * day,
            "status": "done", "error": None, "thumbnail": "thumbnail.png" if day > 2 else "",
            "parameters": {"catalogue": "sample" if day < 4 else "/data/shop.zip"},
            "meanings": {"catalogue": "what is read"}, "versions": {"python": "3"},
            "machine": "two cores", "figures": [],
            "metrics": {"precision@5": 0.5 + day / 20, "queries": 100 * day},
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(run))
    return write_index(out)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request, browser, index):
    width, height = request.param
    with browser.new_page(viewport={"width": width, "height": height}) as page:
        page.goto(index.as_uri())
        yield page


def test_index_filters_orders_and_switches_view(page):
    shown = page.locator(".run:visible h3")
    assert shown.first.inner_text() == "Run of day 6"
    page.select_option("select[name=catalogue]", "sample")
    assert page.locator("#count").inner_text() == "3 runs"
    page.select_option("select[name=order]", "metric")
    assert shown.all_inner_texts() == ["Run of day 3", "Run of day 2", "Run of day 1"]
    page.click("[data-view=table]")
    page.click("th:has-text('Minutes')")
    page.click("th:has-text('Minutes')")
    rows = page.locator("#table tbody tr:visible td:nth-child(3)")
    assert rows.all_inner_texts() == ["0.5", "1.0", "1.5"]


def test_index_never_scrolls_sideways(page):
    """Index uses its width and never scrolls sideways."""
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = {box["y"] for box in (card.bounding_box() for card in page.locator(".run").all())}
    assert len(tops) == (2 if width > 1000 else 6)


def test_printed_report_cuts_no_figure(browser, tmp_path):
    """Each tall figure of a long page lies whole on one sheet of A4."""
    pytest.importorskip("PIL")
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm on this machine; apt-get install poppler-utils")
    figures = []
    for number in range(3):
        image = Image.new("RGB", (900, 1100), "white")
        ImageDraw.Draw(image).rectangle((0, 0, 899, 1099), fill=(255, 0, 80 * number))
        image.save(tmp_path / f"{number}.png")
        text = "<p>" + "words " * 150 + "</p>"
        figures.append(f'{text}<figure><img src="{number}.png" width="900"></figure>')
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(f"<style>{css}</style><main>{''.join(figures)}</main>")
    with browser.new_page() as page:
        page.goto((tmp_path / "page.html").as_uri())
        page.pdf(path=str(tmp_path / "page.pdf"), prefer_css_page_size=True)
    subprocess.run(["pdftoppm", "-r", "40", "-png", "page.pdf", "sheet"], cwd=tmp_path, check=True)
    sheets = [Image.open(path).convert("RGB") for path in sorted(tmp_path.glob("sheet*.png"))]
    for number in range(3):
        colour = (255, 0, 80 * number)
        areas = [int((np.asarray(sheet) == colour).all(-1).sum()) for sheet in sheets]
        assert sum(area > 500 for area in areas) == 1, areas
