"""Two runs on one page: what it says, whose pictures it shows, and what is refused by name."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toy import grow, write_toy

from fashify import load_catalogue
from fashify.errors import QueryError, ReportError
from fashify.evaluation import EvaluationRun, evaluate_levels, examples_by_category, keep_shared
from fashify.evaluation.examples import EXAMPLES_MIME
from fashify.reports import compare_reports, write_index
from fashify.reports.export import external_resources
from fashify.store import FeatureStore

KINDS = ("Shirts", "Heels", "Watches")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Path:
    """The toy catalogue and forty products more."""
    return grow(write_toy(tmp_path_factory.mktemp("shop") / "toy"), 40)


@pytest.fixture(scope="module")
def stores(catalogue) -> tuple[FeatureStore, FeatureStore]:
    """Two of it: one knows nothing of types, one something."""
    items = load_catalogue(catalogue).table
    items = items[items["item_id"].astype(int) >= 100].reset_index(drop=True)
    rng = np.random.default_rng(0)
    blind = rng.normal(size=(len(items), 4)).astype(np.float32)
    seeing = blind.copy()
    seeing[:, :3] += 2 * np.eye(3)[[KINDS.index(kind) for kind in items["article_type"]]]
    meta = {"backbone": {"name": "toy"}}
    return tuple(FeatureStore(f, items["item_id"], meta, items=items) for f in (blind, seeing))


def keep_run(out: Path, run_id: str, store: FeatureStore, catalogue: object, **options) -> None:
    """A finished run as the runner leaves it, without its page."""
    folder = out / "03_knn_evaluation" / run_id
    folder.mkdir(parents=True)
    levels = ["article_type", "base_colour"]
    reports = evaluate_levels(store, levels=levels, k=options.pop("k", 5), **options)
    EvaluationRun.from_reports(reports, "run").save(folder / "queries.npz")
    parameters = {"catalogue": str(catalogue), "level": "article_type", "metric": run_id}
    record = {
        "notebook": "03_knn_evaluation", "run_id": run_id, "title": "How good?",
        "status": "done", "started": "2026-11-01T10:00:00+00:00", "seconds": 60.0,
        "thumbnail": "", "parameters": parameters, "meanings": dict.fromkeys(parameters, ""),
        "versions": {}, "machine": "m", "figures": [], "error": None,
        "metrics": {"precision@5 micro": reports["article_type"].micro["precision"]},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))


@pytest.fixture
def out(tmp_path, stores, catalogue) -> Path:
    keep_run(tmp_path / "out", "blind", stores[0], catalogue)
    keep_run(tmp_path / "out", "seeing", stores[1], catalogue)
    return tmp_path / "out"


def test_page_says_what_changed(out, stores):
    """Means, gains and queries on the page are those of the two evaluations."""
    found = compare_reports("blind", "03_knn_evaluation/seeing", out=out)
    page = found.page.read_text()
    before, after = (
        evaluate_levels(store, levels=["article_type"])["article_type"] for store in stores
    )
    row = found.table.iloc[0]
    assert row[["measure", "level", "view", "mean"]].tolist() == [
        "precision", "article_type", "as found", "micro",
    ]  # fmt: skip
    assert row["first"] == pytest.approx(before.micro["precision"])
    assert row["second"] == pytest.approx(after.micro["precision"])
    assert row["gain"] > 0
    assert row["p"] < 0.05
    assert f"went from {row['first']:.3f} to {row['second']:.3f}" in page
    gains = after.queries["precision"].to_numpy() - before.queries["precision"].to_numpy()
    assert f"{(gains > 0).sum()} queries gained, {(gains < 0).sum()} lost" in page
    assert "<td>metric</td><td>blind</td><td>seeing</td>" in page
    assert external_resources(page) == []
    assert {"MAP@39", "MAP@R", "nDCG@39", "hit rate@5"} <= set(re.findall("<td>([^<]+)</td>", page))


def test_rows_show_both_answers(out, stores):
    """The query that gained most comes first, with five pictures from each run."""
    page = compare_reports("blind", "seeing", out=out).page.read_text()
    first = page.split('<section class="pair">')[1]
    queries = [evaluate_levels(store, levels=["article_type"])["article_type"] for store in stores]
    gains = (
        queries[1]
        .queries.set_index("item_id")["precision"]
        .sub(queries[0].queries.set_index("item_id")["precision"])
    )
    assert re.findall(r"<b>([\d.]+)</b>", first) == sorted(re.findall(r"<b>([\d.]+)</b>", first))
    one, other = map(float, re.findall(r"<b>([\d.]+)</b>", first))
    assert other - one == pytest.approx(gains.max())
    assert first.count("item hit") == round(5 * (one + other))
    assert first.count("item miss") == 10 - round(5 * (one + other))
    pictures = re.findall(r'src="data:image/webp;base64,([^"]+)"', first)
    assert len(pictures) == 11
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0]))).size == (60, 80)


def test_table_comes_as_csv(out):
    found = compare_reports("blind", "seeing", out=out)
    links = dict(
        reversed(pair)
        for pair in re.findall(
            r'href="data:text/csv;base64,([^"]+)" download="(\w+).csv"', found.page.read_text()
        )
    )
    table = pd.read_csv(io.BytesIO(base64.b64decode(links["comparison"])), encoding="utf-8-sig")
    assert table["gain"].tolist() == pytest.approx(found.table["gain"].tolist(), abs=1e-5)
    assert set(links) == {"comparison", "categories"}


def test_runs_of_other_splits_meet_in_shared_queries(out, stores, catalogue):
    """Ten drawn queries against all: the ten are compared."""
    keep_run(out, "few", stores[0], catalogue, n_queries=10)
    found = compare_reports("few", "seeing", out=out)
    assert set(found.table["queries"]) == {10}
    assert "10 queries both judged" in found.page.read_text()


def test_index_links_comparisons(out):
    """The index names the page, and offers both runs to be chosen."""
    found = compare_reports("blind", "seeing", out=out)
    page = (out / "index.html").read_text()
    assert f'href="comparisons/{found.page.name}"' in page
    assert page.count('<option value="03_knn_evaluation/') == 4
    assert external_resources(page) == []


def test_a_catalogue_that_is_gone_costs_pictures_alone(out, stores):
    keep_run(out, "moved", stores[0], "/no/such/shop")
    page = compare_reports("moved", "moved", out=out).page.read_text()
    assert "Pictures are missing" in page
    assert "The two runs have the same parameters" in page


@pytest.mark.parametrize("name", ["nonsense", "", "03_knn", "99"])
def test_unknown_run_lists_known(out, name):
    """None by this name, or two: the answer names those there are."""
    with pytest.raises(ReportError, match="03_knn_evaluation/blind, 03_knn_evaluation/seeing"):
        compare_reports(name, "seeing", out=out)


def test_run_without_queries_refused(out):
    (out / "03_knn_evaluation/blind/queries.npz").unlink()
    with pytest.raises(ReportError, match=r"blind, which kept none.*choose from: .*seeing"):
        compare_reports("blind", "seeing", out=out)


def test_runs_without_a_shared_query_refused(out, stores, catalogue):
    items = stores[0].items.assign(item_id=[f"x{n}" for n in range(40)])
    other = FeatureStore(stores[0].features, items["item_id"], {}, items=items)
    keep_run(out, "other", other, catalogue)
    with pytest.raises(QueryError, match=r"a query in common.*'100'.*'x0'"):
        compare_reports("blind", "other", out=out)
    assert not (out / "comparisons").exists()


def test_other_number_of_places_refused(out, stores, catalogue):
    keep_run(out, "three", stores[0], catalogue, k=3)
    with pytest.raises(QueryError, match="two runs of one k"):
        compare_reports("blind", "three", out=out)


def test_folder_that_cannot_be_written_refused(out):
    """Where the page has no place, an error says so and the runs stay."""
    (out / "comparisons").write_text("in the way")
    with pytest.raises(ReportError, match="a reports folder that can be written"):
        compare_reports("blind", "seeing", out=out)
    assert len(list(out.glob("*/*/queries.npz"))) == 2


def test_record_edited_by_hand_hides_no_other(out):
    (out / "03_knn_evaluation/blind/run.json").write_text('{"notebook": 3')
    page = write_index(out).read_text()
    assert "03_knn_evaluation/seeing/report.html" in page
    assert "03_knn_evaluation/blind" not in page


def test_shared_queries_by_hand(stores):
    """Of three and two queries the one with the same item and label stays."""
    run = EvaluationRun.from_reports(evaluate_levels(stores[0], levels=["article_type"]), "a")
    key = ("article_type", "as found")
    rows = run.queries[key].iloc[:3].reset_index(drop=True)
    one = EvaluationRun("a", run.facts, {key: rows})
    other = EvaluationRun(
        "b", run.facts, {key: rows.iloc[1:].assign(label=["changed", rows["label"][2]])}
    )
    first, second = keep_shared(one, other)
    assert first.queries[key]["item_id"].tolist() == [rows["item_id"][2]]
    assert second.queries[key]["item_id"].tolist() == [rows["item_id"][2]]


def test_answers_are_kept_in_files(stores, tmp_path):
    """The neighbours of every query, once a view, read as they were written."""
    reports = evaluate_levels(stores[1], levels=["article_type", "base_colour"])
    run = EvaluationRun.from_reports(reports, "a")
    read = EvaluationRun.load(run.save(tmp_path / "run.npz"))
    assert set(read.answers) == {"as found", "excluding group"}
    item = reports["article_type"].queries["item_id"].iloc[4]
    answer = reports["article_type"].answer(item)["item_id"].tolist()
    assert read.answers["as found"].loc[item].tolist() == answer
    assert len(read.answers["as found"]) == 40


def test_examples_of_categories_by_hand(stores, catalogue):
    """Best and worst of each type by precision; nobody twice; pictures of query and answers."""
    report = evaluate_levels(stores[1], levels=["article_type"])["article_type"]
    found = examples_by_category(report, load_catalogue(catalogue), n=2)
    for category in found.categories:
        own = report.queries[report.queries["label"] == category["name"]]
        best, worst = (category[kind] for kind in ("best", "worst"))
        assert [row["precision"] for row in best] == own["precision"].nlargest(2).tolist()
        assert [row["precision"] for row in worst] == own["precision"].nsmallest(2).tolist()
        assert len({row["query"]["item_id"] for row in best + worst}) == 4
        answer = report.answer(best[0]["query"]["item_id"])
        assert [one["item_id"] for one in best[0]["answers"]] == answer["item_id"].tolist()
        assert [one["hit"] for one in best[0]["answers"]] == answer["relevant"].tolist()
        assert best[0]["query"]["source"].startswith("data:image/webp;base64,")
    bundle = found._repr_mimebundle_()
    assert bundle[EXAMPLES_MIME]["level"] == "article_type"
    assert "Shirts: best" in bundle["text/plain"]
