"""Run notebooks with their defaults, on the sample, and keep their outputs, pictures included.

    python tests/notebooks/refresh_outputs.py              # all of them
    python tests/notebooks/refresh_outputs.py 01_eda 09_words

For whoever changes a notebook or the sample catalogue; the style test says when it is due.
Kept are tables, pictures and the closing sentences. Log lines and the numbers for ``metrics.json``
are not: both belong to a run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import papermill
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"

#: What kept outputs are made of besides the notebook's own code.
SAMPLE = ROOT / "fashify" / "data" / "sample.zip"

#: Kinds of output that are kept.
KEPT_TYPES = ("text/plain", "text/html", "image/png")

#: Bytes of a kept picture above which it is stored at the size it is shown at, not at twice that.
LARGE_PICTURE = 60_000


def refresh(path: Path) -> None:
    """Run a notebook and write its outputs, and what they were made from, into it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.name
        papermill.execute_notebook(str(path), str(target), cwd=str(path.parent))
        executed = nbformat.read(target, as_version=4)
    book = nbformat.read(path, as_version=4)
    ran = {cell.id: cell for cell in executed.cells if cell.cell_type == "code"}
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        shown = [output for output in ran[cell.id].outputs if "data" in output]
        cell.outputs = [reduce_output(output) for output in shown]
        # nbval takes outputs without a count for those of a cell that was never run.
        cell.execution_count = ran[cell.id].execution_count
    book.metadata["outputs_of"] = hash_inputs(executed)
    nbformat.write(book, path)


def hash_inputs(book: nbformat.NotebookNode) -> str:
    """A hash of the notebook's code and of the sample: equal while outputs may stand."""
    texts = [cell.source for cell in book.cells if cell.cell_type == "code"]
    texts.append(hashlib.sha256(SAMPLE.read_bytes()).hexdigest())
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def reduce_output(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The output as it is kept: known types alone, a large picture smaller."""
    data: dict[str, Any] = {kind: output.data[kind] for kind in KEPT_TYPES if kind in output.data}
    if "image/png" in data:
        width = output.metadata.get("image/png", {}).get("width", 0)
        data["image/png"] = reduce_picture(data["image/png"], width)
    return nbformat.NotebookNode(output | {"data": nbformat.from_dict(data)})


def reduce_picture(encoded: str, width: int) -> str:
    """A picture's base64 text, with 256 colours, and ``width`` pixels wide where it is large."""
    raw = base64.b64decode(encoded)
    with Image.open(io.BytesIO(raw)) as image:
        drawn = image.convert("RGB")
    if len(raw) > LARGE_PICTURE and 0 < width < drawn.width:
        height = round(drawn.height * width / drawn.width)
        drawn = drawn.resize((width, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    drawn.quantize(256).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(min(raw, buffer.getvalue(), key=len)).decode()


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")):
        refresh(NOTEBOOKS / f"{name}.ipynb")
