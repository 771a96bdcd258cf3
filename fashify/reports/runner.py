"""Run a notebook with parameters and keep everything it gave, also when it fails."""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fashify.config import settings
from fashify.errors import ReportError
from fashify.io.artefact import write_bytes
from fashify.reports.export import Harvest, harvest, to_html, write_thumbnail
from fashify.reports.index_page import QUERIES, write_index
from fashify.reports.notebooks import (
    check_parameters,
    find_notebook,
    list_notebooks,
    read_notebook,
    read_parameters,
)
from fashify.reports.unlabelled import CLOSINGS, conclude_unknown

if TYPE_CHECKING:
    from nbformat import NotebookNode

logger = logging.getLogger(__name__)

#: Packages whose versions a reader needs to repeat a run.
_PACKAGES = ("fashify", "numpy", "pandas", "scikit-learn", "tensorflow", "keras", "matplotlib")

_DEAD = "the notebook's process ended by itself, perhaps for want of memory"

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class ReportRun:
    """A finished run: its folder, and the record stored there as ``run.json``."""

    folder: Path
    record: dict

    @property
    def metrics(self) -> dict:
        """Readable name -> number, as the notebook's last cell gave them."""
        return self.record["metrics"]

    @property
    def error(self) -> ReportError | None:
        """Why the notebook stopped before its end; ``None`` for one that did not."""
        error = self.record["error"]
        if error is None:
            return None
        place = "" if error["cell"] is None else f" in cell {error['cell']}"
        return ReportError(
            f"{self.record['notebook']} to run to its end",
            f"{error['name']}{place}: {error['text'].rstrip('.')}",
            f"see the executed notebook {self.folder / 'notebook.ipynb'}",
        )

    @property
    def page(self) -> Path:
        """The self-contained page."""
        return self.folder / "report.html"

    def to_dict(self) -> dict:
        """The record with the run's folder, as JSON-ready values."""
        return {"folder": str(self.folder), **self.record}


def run_reports(
    names: Sequence[str] | None = None,
    *,
    catalogue: str | Path | None = None,
    store: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    progress: bool = True,
    strict: bool = True,
) -> list[ReportRun]:
    """Run notebooks one after the other and renew the index page; one that fails stops none.

    Args:
        names: of notebooks, by name, number or path; none means all, in order.
        catalogue, store: handed to the notebooks that take them.
        parameters: further ones; each must be known to at least one of the notebooks, and
            goes to those that know it.
        out: the reports' folder; default ``settings().reports``.
        progress: show papermill's progress bar.
        strict: raise when all have run and any failed; without it ``error`` of its run tells.

    Raises:
        ReportError: an unknown notebook or parameter or a value of another type, before any
            notebook runs; or notebooks that failed, whose reports so far are kept and indexed.
    """
    out = Path(out).expanduser() if out is not None else settings().reports
    paths = [find_notebook(name) for name in (names or list_notebooks())]
    offered = {"catalogue": catalogue, "store": store}
    offered = {name: value for name, value in offered.items() if value is not None}
    plans = _plan(paths, offered, dict(parameters or {}))
    runs = [_run(path, values, out, progress) for path, values in plans]
    if strict:
        check_runs(runs)
    return runs


def check_runs(runs: Sequence[ReportRun]) -> None:
    """Raises ``ReportError`` naming every notebook that did not run to its end."""
    errors = [run.error for run in runs if run.error is not None]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        received = "; ".join(f"{error.expected}: {error.received}" for error in errors)
        raise ReportError(
            f"all {len(runs)} notebooks to run to their end",
            f"{len(errors)} that did not ({received})",
            "see their reports, each names the cell",
        )


def run_notebook(
    notebook: str | Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    progress: bool = True,
) -> ReportRun:
    """Run one notebook and write its report to ``out/<notebook>/<run-id>/``.

    The folder holds ``notebook.ipynb`` as executed, ``report.html``, ``figures/*.png``,
    ``metrics.json`` and ``run.json``; of a notebook that judged queries ``queries.npz`` too, which
    ``fashify compare`` and ``fashify report --compare`` take. Relative paths among the parameters
    count from the current folder.

    Raises:
        ReportError: as for :func:`run_reports`.
    """
    out = Path(out).expanduser() if out is not None else settings().reports
    path = find_notebook(notebook)
    run = _run(path, check_parameters(path, parameters or {}), out, progress)
    check_runs([run])
    return run


def _run(path: Path, given: dict, out: Path, progress: bool) -> ReportRun:
    """A notebook's run, finished or failed, its report written and the index page renewed."""
    folder = _new_folder(out / path.stem)
    # Read before the run: whoever edits the notebook meanwhile does not lose the run.
    known = read_parameters(path)
    started, clock = datetime.now(UTC), time.perf_counter()
    error = _execute(path, folder / "notebook.ipynb", given, progress)
    if error is not None and error["name"] in CLOSINGS:
        conclude_unknown(folder / "notebook.ipynb", error["name"], error["text"])
        error = None
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    record = {
        "notebook": path.stem,
        "run_id": folder.name,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 1),
        "parameters": values,
        "meanings": {name: parameter.meaning for name, parameter in known.items()},
        "versions": {"python": platform.python_version(), **_package_versions()},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
    }
    _write_report(folder, record, error)
    write_index(out)
    logger.info("report: %s", folder / "report.html")
    return ReportRun(folder, record)


def _plan(
    paths: Sequence[Path], offered: Mapping[str, Any], given: Mapping[str, Any]
) -> list[tuple[Path, dict]]:
    """Each notebook with its share of the parameters, all checked before the first one runs."""
    taken = {path: set(read_parameters(path)) for path in paths}
    homeless = set(given) - set().union(*taken.values()) if taken else set(given)
    if homeless:
        # One notebook's own refusal names what it knows.
        check_parameters(paths[0], {name: given[name] for name in homeless})
    values = dict(offered) | dict(given)
    plans = []
    for path in paths:
        share = {name: value for name, value in values.items() if name in taken[path]}
        plans.append((path, check_parameters(path, share)))
    return plans


def _new_folder(parent: Path) -> Path:
    """A folder of its own for a run: sorts by time, never taken twice."""
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:4]}"
    folder = parent / name
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise _no_place(folder, error) from error
    return folder


def _no_place(folder: Path, error: OSError) -> ReportError:
    return ReportError(
        "a reports folder that can be written",
        f"{folder}: {error.strerror or error}",
        "name another: --out FOLDER, or set FASHIFY_REPORTS",
    )


def _execute(path: Path, target: Path, given: dict, progress: bool) -> dict | None:
    """Run with papermill; None, or which cell failed with what."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            str(path),
            str(target),
            parameters=given,
            cwd=os.getcwd(),
            progress_bar=progress,
            autosave_cell_every=0,
            kernel_manager_class=_make_own_kernel(),
        )
    except PapermillExecutionError as error:
        text = _ANSI.sub("", str(error.evalue)).strip()
        return {"name": error.ename, "cell": error.cell_index, "text": text}
    except DeadKernelError:
        return {"name": "DeadKernelError", "cell": None, "text": _DEAD}
    except OSError as error:
        raise _no_place(target.parent, error) from error
    return None


def _make_own_kernel() -> type:
    """A manager whose kernel is this very Python, whatever kernels a notebook or Jupyter names."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class OwnKernel(AsyncKernelManager):
        kernel_spec = KernelSpec(**get_kernel_dict())

    return OwnKernel


def _write_report(folder: Path, record: dict, error: dict | None) -> None:
    notebook = read_notebook(folder / "notebook.ipynb")
    found = harvest(notebook, folder / "figures")
    if found.queries:
        write_bytes(folder / QUERIES, found.queries)
    record |= {
        "status": "failed" if error else "done",
        "error": error,
        "title": found.title or record["notebook"],
        "metrics": found.metrics,
        "figures": found.figures,
        "thumbnail": _write_thumbnail(folder, found),
    }
    page = _export_page(notebook, record)
    _write_json(folder / "metrics.json", {"metrics": found.metrics, "details": found.details})
    write_bytes(folder / "report.html", page.encode())
    # Last: a folder without it is an unfinished run, and the index page leaves it out.
    _write_json(folder / "run.json", record)


def _export_page(notebook: NotebookNode, record: dict) -> str:
    """The page; of an edited notebook that fetches something, one that says so, marked failed."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    try:
        return to_html(notebook, record)
    except ReportError as error:
        text = f"expected {error.expected}, received {error.received}"
        record |= {
            "status": "failed",
            "error": {"name": "ReportError", "cell": None, "text": text},
        }
        return to_html(new_notebook(cells=[new_markdown_cell(f"# {record['title']}")]), record)


def _write_thumbnail(folder: Path, found: Harvest) -> str:
    if not found.figures:
        return ""
    named = [figure for figure in found.figures if figure["name"] == found.cover]
    write_thumbnail(folder / (named or found.figures)[0]["file"], folder / "thumbnail.png")
    return "thumbnail.png"


def _write_json(path: Path, value: dict) -> None:
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _package_versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
