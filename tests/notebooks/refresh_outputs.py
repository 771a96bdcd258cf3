"""Run every notebook with its defaults and keep only the outputs that are checked in git.

    python tests/notebooks/refresh_outputs.py

For whoever changes a notebook or the sample catalogue; the style test says when it is due.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
import papermill

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def refresh(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        papermill.execute_notebook(str(path), str(target), cwd=str(path.parent))
        executed = nbformat.read(target, as_version=4)
    book = nbformat.read(path, as_version=4)
    ran = {cell.id: cell for cell in executed.cells if cell.cell_type == "code"}
    for cell in book.cells:
        if cell.cell_type == "code":
            kept = "keep_output" in cell.metadata.get("tags", [])
            cell.outputs = ran[cell.id].outputs if kept else []
            # nbval takes outputs without a count for those of a cell that was never run.
            cell.execution_count = ran[cell.id].execution_count if kept else None
    nbformat.write(book, path)


if __name__ == "__main__":
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        refresh(notebook)
