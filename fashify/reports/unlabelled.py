"""A notebook that asks of labels, over a catalogue that has none: it ends there, and says so."""

from __future__ import annotations

from pathlib import Path

import nbformat

from fashify.reports.findings import conclude_report
from fashify.reports.notebooks import read_notebook

#: How papermill tags the cells it adds above and at a failure.
_PAPERMILL = "papermill-error-cell-tag"


def conclude_unknown(notebook: Path, reason: str) -> None:
    """Ends an executed notebook at the cell that needed labels, with what cannot be known.

    Args:
        notebook: as papermill left it, rewritten in place.
        reason: what the cell said.
    """
    book = read_notebook(notebook)
    cells = [cell for cell in book.cells if _PAPERMILL not in cell.metadata.get("tags", [])]
    place = next(number for number, cell in enumerate(cells) if _has_stopped(cell))
    heading = nbformat.v4.new_markdown_cell("## What we saw")
    last = nbformat.v4.new_code_cell("", outputs=[_closing_output(reason)])
    book.cells = [*cells[:place], heading, last]
    nbformat.write(book, notebook)


def _has_stopped(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _closing_output(reason: str) -> nbformat.NotebookNode:
    findings = conclude_report(
        "Nothing could be judged here: that needs labels, and this catalogue has none.",
        reason,
        metrics={"labels": 0},
    )
    return nbformat.v4.new_output("display_data", data=findings._repr_mimebundle_())
