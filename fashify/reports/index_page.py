"""One page over all runs: what was run, with what, how long it took, what came out."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any

from fashify.io.artefact import write_bytes
from fashify.reports.export import TEMPLATES
from fashify.reports.words import FILTERS, format_number

#: Width, height and margin of a trend, in the units of its SVG.
_WIDTH, _HEIGHT, _MARGIN = 320, 64, 6


def write_index(out: str | Path) -> Path:
    """Renew ``out/index.html`` from every ``run.json`` below ``out``, newest runs first.

    Links and pictures are relative, so the folder can be moved or zipped as it is. Runs can be
    filtered by catalogue, backbone, head and notebook, ordered, and seen as cards or as a table;
    without JavaScript all of them are there.
    """
    from jinja2 import Environment, FileSystemLoader

    out = Path(out)
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(FILTERS)
    runs = [_read_run(path, out) for path in out.glob("*/*/run.json")]
    runs.sort(key=lambda run: run["started"], reverse=True)
    page = environment.get_template("index.html.j2").render(
        runs=runs,
        facts=[_facts(run) for run in runs],
        choices=_choices(runs),
        trends=_trends(runs),
        css=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        js=(TEMPLATES / "page.js").read_text(encoding="utf-8"),
    )
    target = out / "index.html"
    write_bytes(target, page.encode())
    return target


def _read_run(path: Path, out: Path) -> dict[str, Any]:
    run = json.loads(path.read_text(encoding="utf-8"))
    run["folder"] = path.parent.relative_to(out).as_posix()
    run["headline"] = next(iter(run["metrics"].items()), ("", ""))
    parameters, metrics = run["parameters"], run["metrics"]
    catalogue = str(parameters.get("catalogue") or "")
    run["facets"] = {
        "notebook": run["notebook"],
        "catalogue": PurePath(catalogue).name or catalogue,
        "backbone": str(metrics.get("backbone") or parameters.get("backbone") or ""),
        "head": str(metrics.get("head") or parameters.get("head") or ""),
    }
    return run


def _facts(run: dict[str, Any]) -> dict[str, Any]:
    """What the page's script filters and orders by."""
    value = run["headline"][1]
    return {
        "notebook": run["notebook"],
        "started": run["started"],
        "seconds": run["seconds"],
        "metric": value if isinstance(value, int | float) else None,
        "facets": run["facets"],
    }


def _choices(runs: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The facets in which runs differ, with their values."""
    found = {}
    for name in ("notebook", "catalogue", "backbone", "head"):
        values = sorted({run["facets"][name] for run in runs} - {""})
        if len(values) > 1:
            found[name] = values
    return found


def _trends(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The headline number of each notebook over its runs, oldest first, where there are two."""
    numbered = [run for run in runs if isinstance(run["headline"][1], int | float)]
    numbered.sort(key=lambda run: (run["notebook"], run["headline"][0], run["started"]))
    found = []
    for _, group in groupby(numbered, key=lambda run: (run["notebook"], run["headline"][0])):
        series = list(group)
        if len(series) > 1:
            found.append(_trend(series))
    return found


def _trend(series: list[dict[str, Any]]) -> dict[str, Any]:
    """One notebook's headline number, as a path and points of an SVG."""
    values = [float(run["headline"][1]) for run in series]
    low, spread = min(values), (max(values) - min(values)) or 1.0
    step = (_WIDTH - 2 * _MARGIN) / (len(values) - 1)
    tall = _HEIGHT - 2 * _MARGIN
    places = [
        (round(_MARGIN + at * step, 1), round(_HEIGHT - _MARGIN - tall * (value - low) / spread, 1))
        for at, value in enumerate(values)
    ]
    return {
        "notebook": series[0]["notebook"],
        "label": series[0]["headline"][0],
        "numbers": values,
        "path": "M" + "L".join(f"{x},{y}" for x, y in places),
        "points": [
            (x, y, f"{run['started'][:10]}: {format_number(run['headline'][1])}")
            for (x, y), run in zip(places, series, strict=True)
        ],
    }
