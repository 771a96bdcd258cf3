"""One page over all runs: what was run, with what, how long it took, what came out."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from fashify.reports.export import TEMPLATES
from fashify.reports.words import FILTERS


def write_index(out: str | Path) -> Path:
    """Renew ``out/index.html`` from every ``run.json`` below ``out``, newest runs first.

    Links and pictures are relative, so the folder can be moved or zipped as it is.
    """
    from jinja2 import Environment, FileSystemLoader

    out = Path(out)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(FILTERS)
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    page = environment.get_template("index.html.j2").render(groups=_groups(out), css=css)
    target = out / "index.html"
    beside = out / ".index.html.new"
    beside.write_text(page, encoding="utf-8")
    beside.replace(target)
    return target


def _groups(out: Path) -> list[tuple[str, list[dict]]]:
    """Runs by notebook, both in order, the newest run first."""
    runs = [_read(path, out) for path in out.glob("*/*/run.json")]
    runs.sort(key=lambda run: run["started"], reverse=True)
    runs.sort(key=lambda run: run["notebook"])
    return [(name, list(group)) for name, group in groupby(runs, key=lambda run: run["notebook"])]


def _read(path: Path, out: Path) -> dict:
    run = json.loads(path.read_text(encoding="utf-8"))
    return run | {"folder": path.parent.relative_to(out).as_posix()}
