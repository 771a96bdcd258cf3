"""The documentation site: it builds, its links lead somewhere, and it asks no other machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built strictly: a broken link or anchor is an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def test_site_has_every_part(site):
    for name in ("index.html", "reference/python", "reference/command-line", "notebooks"):
        assert (site / name).exists()


def test_links_between_notebooks_lead_to_pages(site):
    found = [
        (path.parent / href).resolve()
        for path in (site / "notebooks").rglob("index.html")
        for href in re.findall(r'href="(\.\./\d\d_\w+/)"', path.read_text())
    ]
    assert [place for place in found if not (place / "index.html").is_file()] == []


def test_notebooks_are_pages_with_their_outputs(site):
    """Each is read without running it: its figures and closing words stand on its page."""
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    pages = [(site / "notebooks" / path.stem / "index.html").read_text() for path in notebooks]
    assert [
        path.stem for path, page in zip(notebooks, pages, strict=True) if "What we saw" not in page
    ] == []
    assert sum("data:image/png;base64," in page for page in pages) > len(pages) / 2


def test_examples_are_code(site):
    """No prompt of a docstring became a quotation."""
    assert "<blockquote>" not in (site / "reference/python/index.html").read_text()


def test_site_loads_nothing_from_elsewhere(site):
    loads = re.compile(
        r"<(?:script|img|iframe)[^>]+src=\"(?:https?:)?//|<link[^>]+rel=\"stylesheet\"[^>]+href=\"(?:https?:)?//"
    )
    assert not [page for page in site.rglob("*.html") if loads.search(page.read_text())]


def test_reference_names_every_command(site):
    from fashify.cli.main import app

    page = (site / "reference/command-line/index.html").read_text()
    names = [command.callback.__name__ for command in app.registered_commands]
    assert [name for name in names if f"fashify {name}" not in page] == []


def test_reference_names_the_public_api(site):
    import fashify

    page = (site / "reference/python/index.html").read_text()
    assert [name for name in fashify._WHERE if f'.{name}"' not in page] == []


def list_anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as a repository's host makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "data/README.md"])
def test_links_outside_the_site_lead_somewhere(name):
    """Files that are no page of the site: their links and anchors exist."""
    page = ROOT / name
    lost = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in list_anchors(target)):
            lost.append(link)
    assert lost == []


def test_readme_is_short():
    """It is read on one visit: what it measures and explains at length is in the docs."""
    assert len((ROOT / "README.md").read_text().split()) <= 900
