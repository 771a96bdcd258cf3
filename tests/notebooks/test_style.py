"""The notebooks as data: one style, no logic of their own, nothing typed that was not computed."""

from __future__ import annotations

import ast
import base64
import re
from pathlib import Path

import nbformat
import pytest
import refresh_outputs

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))

#: ``name: type = default  # meaning``
PARAMETER = re.compile(r"^[a-z_]+: (str|int|float|bool|list) = .+?  # \S.+$")

#: Tag of a cell whose output nbval compares with a new run's.
CHECKED = "nbval-check-output"

#: A folder of whoever ran the notebook.
OWN_FOLDER = re.compile(r"/(root|home|tmp|Users)/|[A-Z]:\\\\")

FORBIDDEN = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Try, ast.With, ast.Assert,
)  # fmt: skip


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def book(request) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def test_notebooks_are_numbered():
    """There are notebooks and they are numbered."""
    assert [path.stem for path in NOTEBOOKS][:2] == ["00_tour", "01_eda"]
    assert all(re.fullmatch(r"\d\d_[a-z_]+", path.stem) for path in NOTEBOOKS)


def test_notebook_is_valid(book):
    """The notebook is valid and runs on the plain kernel."""
    nbformat.validate(book)
    assert book.metadata["kernelspec"]["name"] == "python3"


def test_first_cell_asks_question(book):
    """The first cell asks a question and names inputs outputs and minutes."""
    first = book.cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# .+\?\n", first.source)
    for word in ("**Inputs:**", "**Outputs:**", "**Time on a laptop:**"):
        assert word in first.source


def test_second_cell_holds_parameters(book):
    """The second cell holds the parameters each with type and meaning."""
    second = book.cells[1]
    assert tags(second) == {"parameters"}
    for line in second.source.splitlines():
        assert PARAMETER.match(line), line
    names = [line.split(":")[0] for line in second.source.splitlines()]
    assert names[0] == "catalogue"
    assert {"limit", "seed"} <= set(names)


def test_third_cell_imports(book):
    """The third cell imports fashify alone and no other cell imports."""
    imports = ast.parse(book.cells[2].source).body
    assert all(isinstance(node, ast.ImportFrom) for node in imports)
    assert all(node.module.split(".")[0] == "fashify" for node in imports)
    for cell in code_cells(book)[2:]:
        nodes = list(ast.walk(ast.parse(cell.source)))
        assert not any(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)


def test_code_is_short_plain_and_shows_something(book):
    for cell in code_cells(book)[2:]:
        assert len(cell.source.splitlines()) <= 15, cell.source
        tree = ast.parse(cell.source)
        assert isinstance(tree.body[-1], ast.Expr), cell.source
        for node in ast.walk(tree):
            assert not isinstance(node, FORBIDDEN), cell.source
            if isinstance(node, ast.Name):
                assert node.id not in ("open", "print", "exec", "eval", "sys", "os"), cell.source
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(("/", "~", "C:\\")), cell.source


def test_no_shell_line_magic_or_long_line(book):
    for cell in code_cells(book):
        for line in cell.source.splitlines():
            assert not line.lstrip().startswith(("!", "%")), line
            assert len(line) <= 120, line


def test_a_sentence_stands_before_every_code_cell(book):
    for before, cell in zip(book.cells[2:], book.cells[3:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.source
            assert before.source.strip()


def test_figures_come_from_plots(book):
    """Figures come from fashify plots one per cell."""
    for cell in code_cells(book):
        assert cell.source.count("plots.") <= 1, cell.source
        assert "plt" not in cell.source


def test_last_cell_concludes(book):
    """The last cell says what was seen in computed numbers."""
    heading, last = book.cells[-2:]
    assert heading.source.strip() == "## What we saw"
    (call,) = (node.value for node in ast.parse(last.source).body if isinstance(node, ast.Expr))
    assert call.func.id == "conclude_report"
    assert {keyword.arg for keyword in call.keywords} >= {"metrics", "cover"}
    typed = [node for sentence in call.args for node in ast.walk(sentence)]
    texts = [n.value for n in typed if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    formats = [n for n in typed if isinstance(n, ast.FormattedValue) and n.format_spec]
    specs = {part.value for n in formats for part in n.format_spec.values}
    assert not [text for text in texts if re.search(r"\d", text) and text not in specs]


def test_outputs_are_those_of_the_code(book):
    """The kept outputs were made by this code from this sample."""
    due = "run tests/notebooks/refresh_outputs.py"
    assert book.metadata.get("outputs_of") == refresh_outputs.hash_inputs(book), due
    counts = [cell.execution_count for cell in code_cells(book)]
    assert counts == list(range(1, len(counts) + 1)), due


def test_every_cell_keeps_what_it_shows(book):
    """Every cell keeps a small table, a picture with its text, or a plain value."""
    parameters, imports, *cells = code_cells(book)
    assert parameters.outputs == imports.outputs == []
    for cell in cells:
        assert len(cell.outputs) == 1, cell.source
        data = cell.outputs[0].data
        assert set(data) <= set(refresh_outputs.KEPT_TYPES)
        assert data["text/plain"].strip()
        assert len(data.get("text/html", "")) < 12_000, cell.source
        assert not OWN_FOLDER.search(data["text/plain"]), cell.source
        if "image/png" in data:
            picture = base64.b64decode(data["image/png"])
            assert picture.startswith(b"\x89PNG")
            assert len(cell.outputs[0].metadata["image/png"]["alt"]) > 10


def test_notebook_with_its_pictures_is_small(book):
    assert len(nbformat.writes(book).encode()) < 1_000_000
    assert any("image/png" in out.data for cell in code_cells(book) for out in cell.outputs)


def test_checked_tables_do_not_depend_on_the_machine(book):
    """A cell that nbval compares shows a table; every notebook's other cells only have to run."""
    for cell in code_cells(book):
        assert tags(cell) <= {"parameters", CHECKED}
        if CHECKED in tags(cell):
            assert set(cell.outputs[0].data) == {"text/html", "text/plain"}


def test_make_test_compares_all_marked_tables():
    marked = {path.name for path in NOTEBOOKS if CHECKED in path.read_text()}
    makefile = (NOTEBOOKS[0].parents[1] / "Makefile").read_text()
    line = next(line for line in makefile.splitlines() if line.startswith("COMPARED :="))
    assert set(re.findall(r"\d\d_\w+\.ipynb", line)) == marked


def test_reader_gets_an_answer_and_exercises(book):
    """The answer stands right after the question, exercises at the end."""
    assert book.cells[0].source.count("**In short:**") == 1
    exercises = [c.source for c in book.cells if c.source.startswith("## Exercises")]
    assert len(exercises) == 1
    asked = re.findall(r"^(\d)\. ", exercises[0], re.MULTILINE)
    solved = re.findall(r"<summary>Solution of (\d)</summary>\n\n```python\n", exercises[0])
    assert len(asked) >= 2
    assert solved == asked


def test_each_leads_to_the_next():
    """Exercises end with a link to the next notebook, by its title; the tour has all of them."""
    names = [path.name for path in NOTEBOOKS]
    titles = [path.read_text().split('"# ', 1)[1].split("\\n", 1)[0] for path in NOTEBOOKS]
    for path, name, title in zip(NOTEBOOKS, names[1:], titles[1:], strict=False):
        assert f"**Next:** [{title}]({name})" in path.read_text(), path.stem
    assert [name for name in names[1:] if f"]({name})" not in NOTEBOOKS[0].read_text()] == []


def test_central_sum_is_done_by_hand(book):
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    assert any(re.search(r"by hand|blind guess", text.split("\n")[0]) for text in texts[1:])
