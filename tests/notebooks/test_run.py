"""The notebooks as programs: run with real parameters on a part of the sample, pages and all.

After its end each goes on with the solutions of its exercises.
"""

from __future__ import annotations

import json
import re
import runpy
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat
import pytest

from fashify import load_catalogue
from fashify.errors import FewProductsError
from fashify.reports import open_store, run_reports
from fashify.reports.export import external_resources

#: All of them are run for the first test, which takes its time on a busy machine.
pytestmark = pytest.mark.timeout(1800)

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))

#: Enough for every level to have something to judge, little enough to embed in seconds.
LIMIT = 48


def add_solutions(path: Path, folder: Path) -> Path:
    """A copy of a notebook that goes on, after its end, with the solutions of its exercises."""
    book = nbformat.read(path, as_version=4)
    texts = [cell.source for cell in book.cells if cell.source.startswith("## Exercises")]
    for solution in re.findall(r"```python\n(.*?)\n```", texts[0], re.DOTALL):
        book.cells.append(nbformat.v4.new_code_cell(solution))
    folder.mkdir(exist_ok=True)
    nbformat.write(book, folder / path.name)
    return folder / path.name


def run_cells(stem: str, **given: object) -> dict:
    """The names a notebook leaves behind, its cells run here, without a kernel of their own."""
    (path,) = (path for path in NOTEBOOKS if path.stem.startswith(stem))
    parameters, *cells = (
        cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"
    )
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, f"{path.stem}.py")
        program.write_text("\n".join([parameters, "globals().update(given)", *cells]), "utf-8")
        return runpy.run_path(str(program), {"given": {"catalogue": "sample"} | given})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = tmp_path_factory.mktemp("reports")
    store = out / "store"
    given = {
        "limit": str(LIMIT),
        "backbone": "efficientnet-lite0",
        "reference": "fashify-lite",
        "k": "3",
        "asked": "8",
        "strengths": "1",
        "split": "all",
        "map_items": "40",
        "n_queries": "60",
        "compared": "8",
        "growth_to": "200",
        "methods": "raw,none,lda",
        "chosen": "lda",
        "at_least": "1",
    }
    *solved, words = [str(add_solutions(path, out / "solved")) for path in NOTEBOOKS]
    found = run_reports(
        solved, catalogue="sample", store=store, parameters=given, out=out, progress=False
    )
    # Words need a network that brings a text tower along, so this one has a store of its own.
    asked = {"limit": str(LIMIT), "k": "3", "split": "all", "changes": "8"}
    found += run_reports(
        [words], catalogue="sample", store=out / "words", parameters=asked, out=out,
        progress=False,
    )  # fmt: skip
    return {run.record["notebook"]: run for run in found}


def test_all_run_and_say_so_on_the_index_page(runs):
    assert list(runs) == [path.stem for path in NOTEBOOKS]
    index = next(iter(runs.values())).folder.parents[1] / "index.html"
    page = index.read_text()
    for run in runs.values():
        assert f"{run.record['notebook']}/{run.folder.name}/report.html" in page


def test_pages_are_self_contained(runs):
    """Every page needs nothing and every figure speaks."""
    for run in runs.values():
        assert external_resources(run.page.read_text()) == []
        assert run.record["figures"]
        for figure in run.record["figures"]:
            assert (run.folder / figure["file"]).read_bytes().startswith(b"\x89PNG")
            assert len(figure["alt"]) > 10


def test_parameters_reach_notebooks(runs):
    """The parameters reach each notebook that takes them."""
    assert runs["01_eda"].record["parameters"]["limit"] == LIMIT
    assert "k" not in runs["01_eda"].record["parameters"]
    assert runs["03_knn_evaluation"].record["parameters"]["k"] == 3


def test_the_numbers_are_those_of_the_part(runs):
    assert runs["01_eda"].metrics["products"] == LIMIT
    features = runs["02_feature_extraction"].metrics
    assert (features["features"], features["dimensions"]) == (LIMIT, 1280)
    assert features["backbone"] == "efficientnet-lite0"
    found = runs["03_knn_evaluation"].metrics
    assert found["gallery"] == LIMIT
    assert found["chance"] < found["precision@3 micro"] <= 1


def test_another_network_stands_beside(runs):
    """Where the weights of the reference are at hand its figures are shown."""
    for stem in ("02_feature_extraction", "03_knn_evaluation", "08_photos"):
        cells = nbformat.read(runs[stem].folder / "notebook.ipynb", 4).cells
        outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
        shown = "".join(data.get("text/plain", "") for data in outputs)
        assert "'fashify-lite': {" in shown
        assert "its weights are not on this machine" not in shown


def test_comparison_chooses_exact_when_small(runs):
    """The comparison knows exact search and chooses it for a small gallery."""
    found = runs["04_index_comparison"].metrics
    assert (found["index chosen"], found["index recall"], found["gallery"]) == ("exact", 1, LIMIT)
    assert len(runs["04_index_comparison"].record["figures"]) == 3


def test_audit_counts_part(runs):
    """The audit counts the part and fails on nothing it lacks."""
    found = runs["05_catalogue_audit"].metrics
    assert 0 <= found["products in groups"] < 0.5
    assert len(runs["05_catalogue_audit"].record["figures"]) == 6


def test_robustness_asks_few_products(runs):
    """Robustness asks few products once a perturbation and remedy."""
    found = runs["06_robustness"].metrics
    assert found["queries"] == 8
    assert 0 < found["found first, as it comes"] <= 1


def test_metrics_json_holds_every_level(runs):
    stored = json.loads((runs["03_knn_evaluation"].folder / "metrics.json").read_text())
    assert stored["metrics"] == runs["03_knn_evaluation"].metrics
    assert {"article_type", "gender", "base_colour"} <= set(stored["details"])
    assert stored["details"]["article_type"]["k"] == 3


def test_the_features_are_embedded_once(runs):
    last = runs["03_knn_evaluation"].record
    built = Path(last["parameters"]["store"], "manifest.json").stat().st_mtime
    assert built < datetime.fromisoformat(last["started"]).timestamp() + 1


def test_words_without_a_tower(runs):
    """A network without a text tower: words alone are searched, and the notebook says so."""
    store = runs["03_knn_evaluation"].record["parameters"]["store"]
    found = run_cells("09", store=store, k=3, changes=4)
    assert found["wording"].tower is None
    assert found["fits"] is None
    assert found["by_hand"]["precision"].max() > 0


@pytest.mark.parametrize("stem", ["02", "04", "06"])
def test_one_product_is_too_few(stem, tmp_path):
    """What compares products ends in words over a catalogue of one."""
    options = {"backbone": "efficientnet-lite0", "limit": 1}
    open_store(load_catalogue("sample"), tmp_path / "store", **options)
    with pytest.raises(FewProductsError, match="Fix: "):
        run_cells(stem, store=str(tmp_path / "store"), **options)
