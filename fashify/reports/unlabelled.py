"""A notebook that asks what its catalogue cannot answer: it ends there, and says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fashify.errors import FewProductsError, NoLabelsError, NoWordsError
from fashify.reports.findings import conclude_report
from fashify.reports.notebooks import read_notebook

if TYPE_CHECKING:
    import nbformat

#: How papermill tags the cells it adds above and at a failure.
_PAPERMILL = "papermill-error-cell-tag"

#: Error that ends a notebook in words, by the name papermill gives -> what its report then says.
CLOSINGS = {
    error.__name__: error.closing for error in (NoLabelsError, FewProductsError, NoWordsError)
}


def conclude_unknown(notebook: Path, error: str, reason: str) -> None:
    """Ends an executed notebook at the cell that could not be answered, with what cannot be known.

    Args:
        notebook: as papermill left it, rewritten in place.
        error: of ``CLOSINGS``.
        reason: what the cell said.
    """
    import nbformat

    book = read_notebook(notebook)
    cells = [cell for cell in book.cells if _PAPERMILL not in cell.metadata.get("tags", [])]
    place = next(number for number, cell in enumerate(cells) if _has_stopped(cell))
    heading = nbformat.v4.new_markdown_cell("## What we saw")
    findings = conclude_report(CLOSINGS[error], reason, metrics={})
    shown = nbformat.v4.new_output("display_data", data=findings._repr_mimebundle_())
    book.cells = [*cells[:place], heading, nbformat.v4.new_code_cell("", outputs=[shown])]
    nbformat.write(book, notebook)


def _has_stopped(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))
