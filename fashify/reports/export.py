"""An executed notebook becomes figures, numbers and one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashify.errors import ReportError
from fashify.evaluation.examples import EXAMPLES_MIME
from fashify.reports.findings import MIME, QUERIES_MIME
from fashify.reports.words import FILTERS

if TYPE_CHECKING:
    import nbformat
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

#: Attributes and rules by which a page would fetch something; plain links are not among them.
_FETCHING = re.compile(
    r"""<(?:script|img|iframe|video|audio|source|embed|object)\b[^>]*?\b(?:src|data)\s*=\s*["']?"""
    r"""((?:https?:)?//[^"'\s>]+)|<link\b[^>]*?\bhref\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|url\(\s*["']?((?:https?:)?//[^"')\s]+)|@import\s+["']((?:https?:)?//[^"']+)""",
    re.IGNORECASE,
)


_TO_NOTEBOOK = re.compile(r'<a href="[0-9][\w]*\.ipynb"[^>]*>(.*?)</a>')


@dataclass
class Harvest:
    """What an executed notebook holds for its report."""

    title: str
    figures: list[dict] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    cover: str = ""
    queries: bytes = b""


def harvest(notebook: nbformat.NotebookNode, folder: Path) -> Harvest:
    """Write the figures of an executed notebook as PNG, what they show as CSV beside them, and
    collect its title and numbers.

    Args:
        notebook: executed, version 4.
        folder: where the figures go, made when needed.
    """
    found = Harvest(title=find_title(notebook))
    for output in (o for cell in notebook.cells for o in cell.get("outputs", [])):
        data = output.get("data", {})
        if "image/png" in data:
            facts = output.get("metadata", {}).get("image/png", {})
            csv = data.get("text/csv", "")
            found.figures.append(
                _write_figure(data["image/png"], facts, folder, found.figures, csv)
            )
        if MIME in data:
            numbers = data[MIME]
            found.metrics, found.details = dict(numbers["metrics"]), numbers["details"]
            found.cover = numbers["cover"]
        if QUERIES_MIME in data:
            found.queries = base64.b64decode(data[QUERIES_MIME])
    return found


def find_title(notebook: nbformat.NotebookNode) -> str:
    """The first heading of the notebook, or ""."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = (
        line[2:].strip() for text in texts for line in text.splitlines() if line[:2] == "# "
    )
    return next(headings, "")


def to_html(notebook: nbformat.NotebookNode, run: dict) -> str:
    """The page of a run: parameters, headline numbers, text, figures, code folded away.

    Args:
        notebook: executed, version 4.
        run: the run's record, as stored in ``run.json``.

    Raises:
        ReportError: the page would fetch something from elsewhere.
    """
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter

    exporter = HTMLExporter(
        template_name="fashify",
        extra_template_basedirs=[str(TEMPLATES)],
        extra_template_paths=[str(TEMPLATES)],
    )
    for name, words in FILTERS.items():
        exporter.register_filter(name, words)
    exporter.register_filter("data_url", encode_csv)
    shown = _find_examples(notebook)
    resources = {
        "examples": {one["anchor"] for part in shown for one in part["categories"]},
        "examples_mime": EXAMPLES_MIME,
        "run": run,
        "css": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "js": (TEMPLATES / "page.js").read_text(encoding="utf-8"),
        "code_css": HtmlFormatter(style="friendly").get_style_defs(".highlight"),
    }
    page = drop_notebook_links(exporter.from_notebook_node(notebook, resources=resources)[0])
    fetched = external_resources(page)
    if fetched:
        raise ReportError(
            "a notebook whose page needs nothing from elsewhere",
            f"{len(fetched)} outside resources, the first {fetched[0]}",
            "embed them in the notebook as outputs",
        )
    return page


def encode_csv(text: str) -> str:
    """A CSV as an address that needs no file: UTF-8 with a mark, as spreadsheets want it."""
    return "data:text/csv;base64," + base64.b64encode(text.encode("utf-8-sig")).decode()


def make_environment() -> Environment:
    """Where the pages that are not notebooks are made: the templates, with style and script."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(FILTERS | {"data_url": encode_csv})
    environment.globals["css"] = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    environment.globals["js"] = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return environment


def _find_examples(notebook: nbformat.NotebookNode) -> list[dict]:
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    found = (output.get("data", {}).get(EXAMPLES_MIME) for output in outputs)
    return [one for one in found if one]


def drop_notebook_links(page: str) -> str:
    """The page without links from notebook to notebook, whose files lie elsewhere; words stay."""
    return _TO_NOTEBOOK.sub(r"\1", page)


def external_resources(page: str) -> list[str]:
    """Addresses an HTML page would fetch from: scripts, styles, fonts, images, frames."""
    return [next(filter(None, groups)) for groups in _FETCHING.findall(page)]


def write_thumbnail(figure: Path, target: Path, *, width: int = 640) -> None:
    """A smaller copy of a figure for the index page, ``width`` pixels wide at most."""
    from PIL import Image

    with Image.open(figure) as image:
        small = image.convert("RGB")
        small.thumbnail((width, width * 2), Image.Resampling.LANCZOS)
        small.save(target, optimize=True)


def _write_figure(encoded: str, facts: dict, folder: Path, before: list[dict], csv: str) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", facts.get("name", "")).strip("-.") or "figure"
    file = f"{len(before) + 1:02d}-{name}.png"
    (folder / file).write_bytes(base64.b64decode(encoded))
    found = {"file": f"{folder.name}/{file}", "name": name, "alt": facts.get("alt", "")}
    if csv:
        (folder / file).with_suffix(".csv").write_text(csv, encoding="utf-8")
        found["data"] = str(Path(found["file"]).with_suffix(".csv").as_posix())
    return found
