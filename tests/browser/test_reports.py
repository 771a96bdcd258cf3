"""Reports in a real Chromium: the index filters and sorts; a printed page cuts no figure."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image, ImageDraw
from toy import grow, write_toy

from fashify import evaluate, load_catalogue, plots
from fashify.evaluation import examples_by_category
from fashify.reports import write_index
from fashify.reports.export import TEMPLATES, to_html
from fashify.store import FeatureStore

expect = pytest.importorskip("playwright.sync_api").expect

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
        (folder / "queries.npz").touch()
    (out / "comparisons").mkdir()
    (out / "comparisons" / "01--02.html").touch()
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


def test_two_runs_chosen_stand_side_by_side(page):
    """Their numbers at once; the page of both where there is one, else the command for it."""
    page.select_option("select[name=A]", "03_knn/01")
    page.select_option("select[name=B]", "06_robustness/02")
    page.click("#pairs button")
    rows = page.locator("#pair tbody tr").all_inner_texts()
    assert rows == ["precision@5\t0.550\t0.600\t+0.050", "queries\t100\t200\t+100"]
    assert page.locator("#pair a").get_attribute("href") == "comparisons/01--02.html"
    page.select_option("select[name=B]", "03_knn/03")
    page.click("#pairs button")
    assert "fashify report --compare 03_knn/01 03_knn/03" in page.locator("#pair").inner_text()
    assert page.locator("#pair a").count() == 0
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of bars and their examples over the toy catalogue and sixty products more."""
    shop = load_catalogue(grow(write_toy(tmp_path_factory.mktemp("shop") / "toy"), 60))
    items = shop.table[shop.table["item_id"].astype(int) >= 100].reset_index(drop=True)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4)) + 2 * np.eye(4)[items["article_type"].factorize()[0]]
    judged = evaluate(FeatureStore(features.astype(np.float32), items["item_id"], {}, items=items))
    cells = [new_markdown_cell("# Bars")]
    for shown in (plots.precision_by_category(judged), examples_by_category(judged, shop)):
        found = shown._repr_mimebundle_()
        data, facts = found if isinstance(found, tuple) else (found, {})
        if "image/png" in data:
            data["image/png"] = base64.b64encode(data["image/png"]).decode()
        output = new_output("display_data", data=data, metadata=facts)
        cells.append(new_code_cell("", outputs=[output]))
    record = {
        "notebook": "03", "started": "2026-11-01T10:00:00+00:00", "seconds": 1.0, "title": "Bars",
        "status": "done", "error": None, "parameters": {}, "metrics": {}, "versions": {},
        "machine": "m",
    }  # fmt: skip
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(to_html(new_notebook(cells=cells), record))
    return path


@pytest.mark.parametrize("by", ["click", "keyboard"])
def test_bar_opens_its_examples(browser, report, by):
    """A click, or Tab and Enter, on a bar opens that type's queries; another closes them."""
    with browser.new_page(viewport={"width": 390, "height": 844}) as page:
        page.goto(report.as_uri())
        for name in ("Heels", "Shirts"):
            bar = page.get_by_role("link", name=f"Best and worst queries of {name}")
            bar.focus()
            page.keyboard.press("Enter") if by == "keyboard" else bar.click()
            page.wait_for_function("location.hash.includes('" + name.lower() + "')")
            shown = page.locator(".examples details[open]")
            # The address changes before the page hears of it.
            expect(shown.locator("summary")).to_have_text([name])
            assert shown.locator("section.pair").count() == 4
            assert shown.locator("img").first.evaluate("image => image.naturalWidth") > 0
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_rows_lie_over_their_bars(browser, report):
    """Each link covers the bar of its own category: dark pixels at its middle, in order."""
    with browser.new_page(viewport={"width": 1280, "height": 900}) as page:
        page.goto(report.as_uri())
        boxes = [row.bounding_box() for row in page.locator("a.row").all()]
        picture = page.locator(".drawn img").bounding_box()
        names = [row.get_attribute("title").split()[-1] for row in page.locator("a.row").all()]
        image = Image.open(io.BytesIO(page.locator(".drawn img").screenshot())).convert("RGB")
    assert sorted(names) == ["Heels", "Shirts", "Watches"]
    for box in boxes:
        line = np.asarray(image)[round(box["y"] + box["height"] / 2 - picture["y"])]
        blue = (np.abs(line.astype(int) - (0, 114, 178)).max(axis=1) < 12).sum()
        assert blue > 40


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
