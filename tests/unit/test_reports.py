"""The runner on small notebooks of its own: what it refuses, what it keeps, what pages hold."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from PIL import Image

from fashify.errors import (
    BackboneError,
    FewProductsError,
    ReportError,
    StoreMismatchError,
    UnanswerableError,
)
from fashify.features import extract_features
from fashify.reports import (
    conclude_report,
    copy_notebooks,
    describe_store,
    find_notebook,
    list_notebooks,
    open_reference,
    open_store,
    read_parameters,
    run_notebook,
    run_reports,
    write_index,
)
from fashify.reports.export import drop_notebook_links, external_resources
from fashify.reports.notebooks import check_parameters
from fashify.reports.runner import check_runs
from fashify.reports.unlabelled import CLOSINGS
from fashify.reports.words import describe_race, format_duration, format_moment, format_number

PARAMETERS = """\
level: str = "usage"  # level of the figure, a name
k: int = 5  # neighbours, count
share: float = 0.5  # a fraction
deep: bool = False  # whether to look deeper
"""

LAST = """\
conclude_report(
    f"k was {k}.",
    metrics={"zebras": k, "apples": share, "level": level},
    details={"deep": deep},
    cover="counts-usage",
)"""


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook in the project's style: title, parameters, imports, ``cells``."""
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    imports = "from fashify import plots\nfrom fashify.reports import conclude_report"
    title = nbformat.v4.new_markdown_cell("# A <b>small</b> question?\n\nWith words.")
    book.cells = [title, parameters, *map(nbformat.v4.new_code_cell, (imports, *cells))]
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run beside kernels of other names and Pythons: it uses none of them."""
    folder = tmp_path_factory.mktemp("reports")
    spec = {"argv": ["false"], "display_name": "Another", "language": "python"}
    (folder / "kernels/python3").mkdir(parents=True)
    (folder / "kernels/python3/kernel.json").write_text(json.dumps(spec))
    figure = 'plots.counts(["Men & women", "Men", "Men"], level=level)'
    path = write_notebook(folder / "01_small.ipynb", figure, LAST)
    book = nbformat.read(path, as_version=4)
    book.metadata["kernelspec"]["name"] = "fashion"
    nbformat.write(book, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        return run_notebook(path, parameters={"k": "7"}, out=folder / "out", progress=False)


def test_a_run_keeps_everything_it_gave(run):
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "notebook.ipynb", "report.html", "figures", "metrics.json", "run.json", "thumbnail.png",
    }  # fmt: skip
    assert run.folder.parent.name == "01_small"
    figures = sorted(path.name for path in (run.folder / "figures").iterdir())
    assert figures == ["01-counts-usage.csv", "01-counts-usage.png"]
    assert Image.open(run.folder / "thumbnail.png").width <= 640


def test_numbers_keep_order(run):
    """Numbers arrive in their order and parameters take effect."""
    assert list(run.metrics.items()) == [("zebras", 7), ("apples", 0.5), ("level", "usage")]
    stored = json.loads((run.folder / "metrics.json").read_text())
    assert stored == {"metrics": run.metrics, "details": {"deep": False}}


def test_the_record_says_how_to_repeat_the_run(run):
    record = json.loads((run.folder / "run.json").read_text())
    assert record["parameters"] == {"level": "usage", "k": 7, "share": 0.5, "deep": False}
    assert record["versions"]["numpy"]
    assert record["seconds"] > 0
    assert record["status"] == "done"
    assert run.to_dict()["folder"] == str(run.folder)


def test_page_is_self_contained(run):
    """The page needs nothing from elsewhere and holds figure text and numbers."""
    page = run.page.read_text()
    assert external_resources(page) == []
    assert page.count("<script") == 1, "the page's own script, which sorts its tables"
    found = re.search(r'download="counts-usage.csv" href="data:text/csv;base64,([^"]+)"', page)
    table = base64.b64decode(found[1]).decode("utf-8-sig")
    assert table == "usage,products\nMen,2\nMen & women,1\n"
    assert table == (run.folder / "figures/01-counts-usage.csv").read_text()
    assert 'src="data:image/png;base64,' in page
    assert 'alt="2 kinds of usage; most frequent: Men 2, Men &amp; women 1."' in page
    assert "k was 7." in page
    assert "<title>A &lt;b&gt;small&lt;/b&gt; question? · Fashify</title>" in page
    assert 'name="viewport"' in page


def test_index_links_relative(run):
    """The index page links every run by relative paths."""
    out = run.folder.parents[1]
    page = (out / "index.html").read_text()
    assert f'href="01_small/{run.folder.name}/report.html"' in page
    assert f'src="01_small/{run.folder.name}/thumbnail.png"' in page
    assert "A &lt;b&gt;small&lt;/b&gt; question?" in page
    assert "k = 7" in page
    assert page.index("zebras") < page.index("apples")
    assert external_resources(page) == []


def write_run(out: Path, run_id: str, **facts) -> None:
    """A run as ``run_notebook`` leaves it, without its pages."""
    folder = out / facts.get("notebook", "03_knn") / run_id
    folder.mkdir(parents=True)
    run = {
        "notebook": "03_knn", "run_id": run_id, "title": "How good?", "status": "done",
        "started": f"2026-11-{run_id}T10:00:00+00:00", "seconds": 60.0, "thumbnail": "",
        "parameters": {"catalogue": "/a/b/shop.zip"}, "meanings": {"catalogue": "what is read"},
        "versions": {}, "machine": "m", "figures": [], "error": None, "metrics": {},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run | facts))


def test_index_filters_and_trend(tmp_path):
    """Two backbones can be told apart, one catalogue cannot; three numbers make one line."""
    for day, value, backbone in (("01", 0.5, "resnet50"), ("02", 0.7, "lite"), ("03", 0.6, "lite")):
        write_run(tmp_path, day, metrics={"precision@5": value, "backbone": backbone})
    page = write_index(tmp_path).read_text()
    assert '<select name="backbone"><option value="">all</option><option>lite</option>' in page
    assert '<select name="catalogue">' not in page
    assert '<path d="M6.0,58.0L160.0,6.0L314.0,32.0"/>' in page
    assert page.index("03_knn/03/report.html") < page.index("03_knn/01/report.html")


def test_index_shows_markup_in_names_as_text(tmp_path):
    write_run(tmp_path, "01", title="<script>alert(1)</script>", metrics={"</script><b>": 0.5})
    page = write_index(tmp_path).read_text()
    assert "<script>alert" not in page
    assert "</script><b>" not in page


def test_unfinished_run_left_out(run, tmp_path):
    """An unfinished run is left out of the index."""
    (tmp_path / "01_small" / "half").mkdir(parents=True)
    assert "No run yet" in write_index(tmp_path).read_text()


def test_failed_notebook_indexed(tmp_path):
    """A failed notebook is named kept and indexed."""
    path = write_notebook(tmp_path / "02_bad.ipynb", "1 / 0", LAST)
    with pytest.raises(
        ReportError, match="ZeroDivisionError in cell 3: division by zero"
    ) as caught:
        run_notebook(path, out=tmp_path / "out", progress=False)
    (record,) = (tmp_path / "out").glob("*/*/run.json")
    assert json.loads(record.read_text())["error"]["name"] == "ZeroDivisionError"
    assert "1 / 0" in (record.parent / "notebook.ipynb").read_text()
    assert str(record.parent) in str(caught.value)
    assert "This run failed" in (record.parent / "report.html").read_text()
    assert "Failed in cell 3" in (tmp_path / "out" / "index.html").read_text()


def test_a_failed_notebook_stops_no_other(tmp_path):
    """All of them run; what failed is named at the end, each with its reason."""
    bad = write_notebook(tmp_path / "01_bad.ipynb", "1 / 0", LAST)
    good = write_notebook(tmp_path / "02_good.ipynb", "k", LAST)
    worse = write_notebook(tmp_path / "03_worse.ipynb", "[][1]", LAST)
    names, out = [str(path) for path in (bad, good, worse)], tmp_path / "out"
    runs = run_reports(names, out=out, progress=False, strict=False)
    assert [run.record["status"] for run in runs] == ["failed", "done", "failed"]
    assert runs[1].page.is_file()
    with pytest.raises(ReportError, match=r"all 3 .*2 that did not .*01_bad.*03_worse.*IndexError"):
        check_runs(runs)
    check_runs(runs[1:2])


def edit_parameters(path: Path, source: str) -> Path:
    """A notebook whose parameters a user has edited."""
    book = nbformat.read(path, as_version=4)
    book.cells[1].source = source
    nbformat.write(book, path)
    return path


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("k: int = ", "Python in the cell tagged parameters.*line 1 of it"),
        ("k: int = 2 + len('ab')  # neighbours", "a plain value as the default.*len"),
    ],
)
def test_edited_parameters_are_named(tmp_path, source, words):
    """What a user made of the parameters is an error by name, before anything runs."""
    path = edit_parameters(write_notebook(tmp_path / "01_mine.ipynb", LAST), source)
    with pytest.raises(ReportError, match=words):
        run_notebook(path, out=tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_picture_from_elsewhere_fails_one_run(tmp_path):
    """A picture a user links to from the web: that run is marked, and the next one runs."""
    path = write_notebook(tmp_path / "01_mine.ipynb", "k", LAST)
    book = nbformat.read(path, as_version=4)
    book.cells[0].source += "\n\n![mine](https://pictures.example/x.png)"
    nbformat.write(book, path)
    good = write_notebook(tmp_path / "02_good.ipynb", "k", LAST)
    names = [str(path), str(good)]
    runs = run_reports(names, out=tmp_path / "out", progress=False, strict=False)
    assert [run.record["status"] for run in runs] == ["failed", "done"]
    assert runs[0].metrics["zebras"] == 5
    assert external_resources(runs[0].page.read_text()) == []
    with pytest.raises(ReportError, match=r"pictures\.example/x\.png"):
        check_runs(runs)


def test_notebook_whose_process_ends_is_marked(tmp_path):
    """A kernel that dies, as for want of memory, is a failed run like another."""
    path = write_notebook(tmp_path / "01_dies.ipynb", "import os\nos._exit(3)", LAST)
    with pytest.raises(ReportError, match="DeadKernelError: the notebook's process ended"):
        run_notebook(path, out=tmp_path / "out", progress=False)
    assert "This run failed" in next((tmp_path / "out").glob("*/*/report.html")).read_text()


def test_folder_that_cannot_be_written_is_named(tmp_path):
    path = write_notebook(tmp_path / "01_small.ipynb", LAST)
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(ReportError, match=r"a reports folder that can be written.*--out"):
        run_notebook(path, out=tmp_path / "out", progress=False)


def test_missing_labels_end_in_words(tmp_path):
    """The report says what cannot be known, without a traceback, and counts as done."""
    cell = (
        "from fashify.errors import NoLabelsError\n"
        "raise NoLabelsError('products with a season', 'none', 'add a column season')"
    )
    path = write_notebook(tmp_path / "04_labels.ipynb", cell, LAST)
    run = run_notebook(path, out=tmp_path / "out", progress=False)
    assert (run.record["status"], run.metrics) == ("done", {})
    page = run.page.read_text()
    assert "Expected products with a season. Received none." in page
    assert "no labels that tell right from wrong" in page
    assert "Traceback (most" not in page + (run.folder / "notebook.ipynb").read_text()
    assert "Failed in cell" not in (tmp_path / "out" / "index.html").read_text()


def test_every_unanswered_question_has_its_words():
    assert set(CLOSINGS) == {error.__name__ for error in UnanswerableError.__subclasses__()}
    assert len({*CLOSINGS.values(), UnanswerableError.closing}) == len(CLOSINGS) + 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kk": 3}, "choose from: deep, k, level, share"),
        ({"k": "five"}, "k as int (neighbours, count)"),
        ({"k": 2.5}, "k as int"),
        ({"k": True}, "k as int"),
        ({"deep": "maybe"}, "deep as bool"),
        ({"share": "half"}, "share as float"),
        ({"level": 3}, "level as str"),
    ],
)
def test_unknown_parameters_refused(tmp_path, given, words):
    """Parameters the notebook cannot take are refused."""
    path = write_notebook(tmp_path / "01_small.ipynb")
    with pytest.raises(ReportError) as caught:
        run_reports([str(path)], parameters=given, out=tmp_path / "out")
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_texts_become_typed_values(tmp_path):
    """Texts of the command line become values of the stated type."""
    path = write_notebook(tmp_path / "01_small.ipynb")
    texts = {"k": "3", "share": "1", "deep": "true", "level": "5"}
    read = check_parameters(path, texts)
    assert read == {"k": 3, "share": 1.0, "deep": True, "level": "5"}
    assert [type(value) for value in read.values()] == [int, float, bool, str]


def test_parameters_come_with_default_and_meaning(tmp_path):
    found = read_parameters(write_notebook(tmp_path / "01_small.ipynb"))["k"]
    assert (found.type, found.default, found.meaning) == ("int", 5, "neighbours, count")


def test_notebooks_found_by_name():
    """Notebooks are found by number name and path."""
    names = list_notebooks()
    assert names[:4] == ["00_tour", "01_eda", "02_feature_extraction", "03_knn_evaluation"]
    path = find_notebook("3")
    assert path.name == "03_knn_evaluation.ipynb"
    assert find_notebook("03_knn_evaluation") == find_notebook("03") == find_notebook(path) == path


@pytest.mark.parametrize("name", ["99", "nonsense", "", "10"])
def test_an_unknown_notebook_lists_the_known_ones(name):
    with pytest.raises(ReportError, match="03_knn_evaluation"):
        find_notebook(name)


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "01_text.ipynb"
    path.write_text("no notebook")
    with pytest.raises(ReportError, match="a Jupyter notebook"):
        read_parameters(path)


def test_metrics_are_finite_numbers_or_texts():
    with pytest.raises(ReportError, match="lost = nan"):
        conclude_report("x", metrics={"lost": float("nan")})


@pytest.mark.parametrize(
    "fetching",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<img alt='' src=//cdn.example/x.png>",
        '<link rel="stylesheet" href="http://cdn.example/x.css">',
        "<style>@import 'https://cdn.example/x.css';</style>",
        "<style>p { background: url(https://cdn.example/x.png) }</style>",
    ],
)
def test_everything_a_page_would_fetch_is_found(fetching):
    assert len(external_resources(fetching)) == 1
    assert external_resources('<a href="https://example.org">a link</a>') == []


def test_page_keeps_words_of_links_between_notebooks():
    page = '<p><a href="01_eda.ipynb">Next</a>, <a href="a.html">b</a></p>'
    assert drop_notebook_links(page) == '<p>Next, <a href="a.html">b</a></p>'


def test_words_people_read():
    assert [format_number(v) for v in (44441, 0.7634, 123.456, "lite0")] == [
        "44,441", "0.763", "123.5", "lite0",
    ]  # fmt: skip
    assert [format_duration(s) for s in (8.4, 75.2)] == ["8 s", "1 min 15 s"]
    assert format_moment("2026-01-02T03:04:05+00:00") == "2 Jan 2026, 03:04 UTC"


def test_engines_in_words():
    """The fastest beside the plain way, and the plain way alone where nothing is faster."""
    race = pd.DataFrame({"name": ["predict", "int8"], "from_files": [20.0, 50.0]})
    race["ratio_from_files"] = [1.0, 2.5]
    assert "50 pictures a second 2.5 times as many as predict" in describe_race(race)
    assert "no engine was faster here than predict" in describe_race(race.iloc[:1])


def test_notebooks_copied_once_and_edits_kept(tmp_path):
    """A second copy changes nothing; an edited one is kept until told otherwise."""
    folder = tmp_path / "mine"
    paths = copy_notebooks(folder)
    assert [path.stem for path in paths] == list_notebooks()
    before = paths[0].stat().st_mtime_ns
    paths[1].unlink()
    assert copy_notebooks(folder) == paths
    assert (paths[0].stat().st_mtime_ns, paths[1].is_file()) == (before, True)
    paths[2].write_text("edited")
    paths[1].unlink()
    with pytest.raises(ReportError, match=f"{paths[2].name}.*--replace"):
        copy_notebooks(folder)
    assert (paths[1].exists(), paths[2].read_text()) == (False, "edited")
    copy_notebooks(folder, replace=True)
    assert paths[2].read_bytes() == find_notebook(paths[2].stem).read_bytes()


def test_notebooks_need_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"can be written to.*File exists"):
        copy_notebooks(tmp_path / "file")


@pytest.fixture
def toy_store(toy_catalogue, tmp_path):
    from fakes import GridBackbone, GridEngine

    return extract_features(
        toy_catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine(), progress=False
    )


def test_a_store_is_opened_where_there_is_one(toy_catalogue, toy_store):
    opened = open_store(toy_catalogue, toy_store.path)
    assert len(opened) == 8
    facts = describe_store(opened).set_index("fact")["value"]
    assert facts["backbone"] == "grid, none weights"
    assert facts["items"] == "8, and 1 in quarantine"


def test_store_of_too_few_products(toy_catalogue, toy_store):
    """A notebook that compares says how many it needs; without ``limit`` there are enough."""
    assert len(open_store(toy_catalogue, toy_store.path, at_least=8)) == 8
    with pytest.raises(FewProductsError, match=r"9 products or more\. Received 8"):
        open_store(toy_catalogue, toy_store.path, at_least=9)


def test_reference_without_its_weights(toy_catalogue, monkeypatch, tmp_path):
    """A network whose weights are elsewhere, or that nobody asks for, is no error."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert open_reference(toy_catalogue, "resnet50") is None
    assert open_reference(toy_catalogue, "") is None
    with pytest.raises(BackboneError, match="resnet50"):
        open_reference(toy_catalogue, "resnet")


def test_a_store_of_other_products_is_refused(toy_catalogue, toy_store):
    part = toy_catalogue.select(["1", "2"])
    with pytest.raises(StoreMismatchError, match="6 others, such as '3'"):
        open_store(part, toy_store.path)


def test_store_of_the_cache_is_of_format_and_network(toy_catalogue, monkeypatch, tmp_path):
    """Other weights, another format or another file are another store, never a stale one."""
    from fashify.reports import inputs

    first = inputs._cached_store_path(toy_catalogue, "auto")
    assert first == inputs._cached_store_path(toy_catalogue, "auto")
    file = tmp_path / "own.onnx"
    names = {first, inputs._cached_store_path(toy_catalogue, "resnet50")}
    for data in (b"1", b"2"):
        file.write_bytes(data)
        names.add(inputs._cached_store_path(toy_catalogue, str(file)))
    record = replace(inputs.find_record("fashify-lite"), dim=7)
    monkeypatch.setattr(inputs, "find_record", lambda name: record)
    names.add(inputs._cached_store_path(toy_catalogue, "auto"))
    monkeypatch.setattr(inputs, "STORE", replace(inputs.STORE, version=99))
    names.add(inputs._cached_store_path(toy_catalogue, "auto"))
    assert len(names) == 6
