"""One page over all runs: what was run, with what, how long it took, what came out."""

from __future__ import annotations

import json
import logging
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any

from fashify.io.artefact import write_bytes
from fashify.reports.export import make_environment
from fashify.reports.words import format_moment, format_number

logger = logging.getLogger(__name__)

#: What the queries of a run got, for comparing it with another.
QUERIES = "queries.npz"

#: Folder of the pages of two runs, and what stands between the runs in a page's name.
COMPARISONS, BETWEEN = "comparisons", "--"

#: Width, height and margin of a trend, in the units of its SVG.
_WIDTH, _HEIGHT, _MARGIN = 320, 64, 6


def write_index(out: str | Path) -> Path:
    """Renew ``out/index.html`` from every ``run.json`` below ``out``, newest runs first.

    Links and pictures are relative, so the folder can be moved or zipped as it is. Runs can be
    filtered by catalogue, backbone, head and notebook, ordered, and seen as cards or as a table;
    without JavaScript all of them are there.
    """
    out = Path(out)
    runs = read_runs(out)
    page = (
        make_environment()
        .get_template("index.html.j2")
        .render(
            runs=runs,
            facts=[_facts(run) for run in runs],
            choices=_choices(runs),
            trends=_trends(runs),
            comparisons=_read_comparisons(out, runs),
        )
    )
    target = out / "index.html"
    write_bytes(target, page.encode())
    return target


def read_runs(out: Path) -> list[dict[str, Any]]:
    """The records of all finished runs, newest first; one that was edited by hand is left out."""
    runs = []
    for path in out.glob("*/*/run.json"):
        try:
            runs.append(_read_run(path, out))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("%s is no record of a run and is left out: %s", path, error)
    return sorted(runs, key=lambda run: run["started"], reverse=True)


def _read_run(path: Path, out: Path) -> dict[str, Any]:
    run = json.loads(path.read_text(encoding="utf-8"))
    run["folder"] = path.parent.relative_to(out).as_posix()
    run["name"] = f"{run['notebook']}/{run['run_id']}"
    run["comparable"] = (path.parent / QUERIES).is_file()
    run["headline"] = next(iter(run["metrics"].items()), ("", ""))
    parameters, metrics = run["parameters"], run["metrics"]
    catalogue = str(parameters.get("catalogue") or "")
    run["facets"] = {
        "notebook": run["notebook"],
        "catalogue": PurePath(catalogue).name or catalogue,
        "backbone": str(metrics.get("backbone") or parameters.get("backbone") or ""),
        "head": str(metrics.get("head") or parameters.get("head") or ""),
    }
    facets = [run["facets"][name] for name in ("catalogue", "backbone", "head")]
    run["shown"] = " · ".join(filter(None, [format_moment(run["started"]), *facets]))
    return run


def _read_comparisons(out: Path, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pages of two runs, newest first: their file, the two runs' ids, and what they are called."""
    found, shown = [], {run["run_id"]: run["shown"] for run in runs}
    for path in sorted(out.glob(f"{COMPARISONS}/*.html"), key=lambda one: -one.stat().st_mtime):
        first, _, second = path.stem.partition(BETWEEN)
        page = {"page": f"{COMPARISONS}/{path.name}", "first": first, "second": second}
        found.append(page | {"names": [shown.get(one, one) for one in (first, second)]})
    return found


def _facts(run: dict[str, Any]) -> dict[str, Any]:
    """What the page's script filters and orders by."""
    value = run["headline"][1]
    return {
        "notebook": run["notebook"],
        "started": run["started"],
        "seconds": run["seconds"],
        "metric": value if isinstance(value, int | float) else None,
        "facets": run["facets"],
        "name": run["name"],
        "metrics": list(run["metrics"].items()) if run["comparable"] else None,
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
