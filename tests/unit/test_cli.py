"""The command line: answers, exit codes, one line for whatever went wrong."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fakes import GridBackbone, GridEngine
from typer.testing import CliRunner

from fashify import FeatureStore, Retriever, extract_features, load_catalogue
from fashify.cli import app
from fashify.cli.console import expand_home, parse_pairs
from fashify.config import settings
from fashify.errors import ConfigError

COMMANDS = (
    "build learn train search audit evaluate compare report notebooks bench index demo info"
    " verify".split()
)


def run(*arguments: object):
    """One in-process call; stdout and stderr apart."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def one_line(result) -> str:
    """The error line of a failed call: exactly one, with its cure, and no traceback."""
    assert result.exit_code == 1, result.output
    assert not result.stdout
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert "Fix:" in lines[0]
    return lines[0]


@pytest.fixture
def text_as_jpg(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jpg"
    path.write_text("not a picture")
    return path


def test_help_names_every_command() -> None:
    answer = run("--help")
    assert answer.exit_code == 0
    assert all(command in answer.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", [*COMMANDS, "bench extraction", "bench search"])
def test_each_command_has_help(command: str) -> None:
    assert run(*command.split(), "--help").exit_code == 0


@pytest.mark.parametrize("arguments", [["nonsense"], ["search"], ["search", "a", "-k", "many"]])
def test_wrong_usage_exits_with_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_search_gives_matches_as_json(sample_store: Path, photo: Path) -> None:
    answer = run("search", photo, "--store", sample_store, "-k", 3, "--json")
    assert answer.exit_code == 0, answer.stderr
    matches = json.loads(answer.stdout)
    assert [match["rank"] for match in matches] == [1, 2, 3]
    distances = [match["distance"] for match in matches]
    assert distances == sorted(distances)
    assert all(match["facts"]["name"] and match["facts"]["article_type"] for match in matches)


@pytest.fixture(scope="module")
def taught_store(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("taught") / "store"
    shutil.copytree(small_store, store)
    answer = run("learn", "--store", store, "--head", "lda", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert set(json.loads(answer.stdout)["parts"]) == {"shape", "category", "colour"}
    return store


def test_a_taught_store_tells_parts_and_strength(taught_store: Path, photo: Path) -> None:
    answer = run("search", photo, "--store", taught_store, "--json")
    assert answer.exit_code == 0, answer.stderr
    for match in json.loads(answer.stdout):
        assert set(match["parts"]) == {"shape", "category", "colour"}
        assert 0 <= match["probability"] <= 1
        assert match["strength"]
    assert run("verify", "--store", taught_store).exit_code == 0


def test_evaluate_head_against_raw(taught_store: Path) -> None:
    """Evaluate sets a head against the raw features."""
    answer = run("evaluate", "--store", taught_store, "--level", "article_type", "--json")
    assert answer.exit_code == 0, answer.stderr
    assert set(json.loads(answer.stdout)["vectors"]) == {"raw", "head"}


def test_a_head_that_does_not_exist_is_one_line(sample_store: Path) -> None:
    assert "proxy-anchor" in one_line(run("learn", "--store", sample_store, "--head", "magic"))


def test_train_wants_a_safetensors_file(sample_store: Path) -> None:
    assert ".safetensors" in one_line(run("train", "--store", sample_store, "--out", "x.h5"))


def test_search_prints_a_table(sample_store: Path, photo: Path) -> None:
    answer = run("search", photo, "--store", sample_store)
    assert answer.exit_code == 0, answer.stderr
    header, *rows = answer.stdout.splitlines()
    assert header.split() == "rank distance strength item_id name article_type base_colour".split()
    assert len(rows) == 5


def test_evaluate_texts(sample_store: Path, tmp_path: Path) -> None:
    """Labels of the gallery, and a table of names: both in words, from the command line."""
    answer = run("evaluate", "--store", sample_store, "--queries", "labels", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = {
        (r["protocol"], r["method"], r["measure"]): r["value"]
        for r in json.loads(answer.stdout)["table"]
    }
    assert found["labels: base_colour", "joined", "precision@1"] == 1
    names = tmp_path / "names.csv"
    item = FeatureStore.load(sample_store).items.iloc[0]
    names.write_text(f'query,item_ids\n"{item["name"]}",{item["item_id"]}\n')
    answer = run("evaluate", "--store", sample_store, "--queries", names)
    assert re.search(r"names +words +recall@10 +1\.000", answer.stdout)
    one_line(run("evaluate", "--store", sample_store, "--queries", tmp_path / "none.csv"))


def test_search_by_text(sample_store: Path, photo: Path) -> None:
    """A text alone, and beside a picture whose colour it replaces; what was understood is said."""
    answer = run("search", "--text", "blakc dress", "--store", sample_store, "-k", 3)
    assert answer.exit_code == 0, answer.stderr
    first, second, *rows = answer.stdout.splitlines()
    assert first == "understood: black (colour), dresses (type)"
    assert second == "read blakc as black"
    assert len(rows) == 5
    both = run("search", photo, "-t", "in black", "--store", sample_store, "--json")
    colours = {match["facts"]["base_colour"] for match in json.loads(both.stdout)}
    assert colours == {"Black"}
    assert "nothing here answers" in one_line(run("search", "-t", "zzxq", "--store", sample_store))


def test_evaluate_answers_as_json(sample_store: Path) -> None:
    answer = run("evaluate", "--store", sample_store, "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["groups"].endswith("look-alikes")
    assert list(found["vectors"]) == ["raw"]
    assert next(iter(found["vectors"]["raw"])) == "article_type"
    report = found["vectors"]["raw"]["article_type"]
    assert (report["k"], report["facts"]["split"]) == (5, "test")
    low, high = report["intervals"]["micro"]["precision"]
    assert report["micro"]["chance"] < low < report["micro"]["precision"] < high <= 1
    assert report["excluding_group"]["facts"]["left_out"] == "the query's group"


def test_evaluate_prints_tables(sample_store: Path) -> None:
    """Evaluate prints both tables and the categories of one level."""
    answer = run("evaluate", "--store", sample_store, "--queries", 60, "--level", "gender")
    assert answer.exit_code == 0, answer.stderr
    assert "test split: 60 queries against 600 products" in answer.stdout
    assert "copies and variants left out" in answer.stdout
    assert "gender: precision@5" in answer.stdout
    assert re.search(r"gender +raw +60 +\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]", answer.stdout)


def test_audit_json_and_csv(tmp_path: Path) -> None:
    """Audit answers as JSON and writes each product's group."""
    answer = run("audit", "--json", "--out", tmp_path / "audit.csv")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [row["kind"] for row in found["kinds"]][-1] == "groups"
    assert sum(row["products"] for row in found["splits"]) == 600
    lines = (tmp_path / "audit.csv").read_text().splitlines()
    assert lines[0] == "item_id,copy,look,variant,group,group_size,split"
    assert len(lines) == 601
    assert "labels wrong" in run("audit").stdout
    one_line(run("audit", "--catalogue", tmp_path / "none"))


def test_compare_across_metrics(sample_store: Path, tmp_path: Path) -> None:
    """Compare a store with a run of another metric."""
    file = tmp_path / "run.npz"
    options = ("--level", "base_colour", "--level", "article_type")
    run("evaluate", "--store", sample_store, *options, "--metric", "euclidean", "--out", file)
    answer = run("compare", file, sample_store, *options, "--json")
    assert answer.exit_code == 0, answer.stderr
    rows = json.loads(answer.stdout)["levels"]
    assert {row["level"] for row in rows} == {"base_colour", "article_type"}
    assert {row["view"] for row in rows} == {"as found", "excluding group"}
    assert all(0 < row["p"] <= 1 and row["low"] <= row["gain"] <= row["high"] for row in rows)
    same = run("compare", file, file)
    assert same.exit_code == 0, same.stderr
    assert "+0.000 [+0.000, +0.000]  1.0000" in same.stdout


def test_compare_refuses_other_queries(sample_store: Path, tmp_path: Path) -> None:
    """Compare refuses runs that are not of the same queries."""
    file = tmp_path / "run.npz"
    run("evaluate", "--store", sample_store, "--level", "gender", "--split", "train", "--out", file)
    wrong = run("compare", file, sample_store, "--level", "gender")
    assert "one split" in one_line(wrong)
    (tmp_path / "not.npz").write_text("{}")
    assert "evaluate --out" in one_line(run("compare", tmp_path / "not.npz", file))
    assert "split" in one_line(run("evaluate", "--store", sample_store, "--split", "holdout"))


def test_index_then_search(sample_store: Path, photo: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(sample_store, store)
    changed = run("index", "--store", store, "--metric", "euclidean", "--json")
    assert changed.exit_code == 0, changed.stderr
    assert json.loads(changed.stdout)["metric"] == "euclidean"
    assert run("search", photo, "--store", store).exit_code == 0
    assert run("verify", "--store", store).exit_code == 0


def test_index_chosen_by_measuring(small_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(small_store, store)
    answer = run("index", "--store", store, "--auto", "--json")
    assert answer.exit_code == 0, answer.stderr
    chosen = json.loads(answer.stdout)
    assert chosen["index"] == "exact"
    assert len(chosen["trials"]) >= 1
    assert chosen["reason"]


def test_bench_search_measures(sample_store: Path, tmp_path: Path) -> None:
    arguments = ["bench", "search", "--store", sample_store, "--queries", 10]
    arguments += ["--part", "store", "--part", "growth", "--size", 200, "--size", 400]
    arguments += ["--index", "exact", "--index", "sklearn", "--figures", tmp_path]
    answer = run(*arguments, "--json")
    assert answer.exit_code == 0, answer.stderr
    measured = json.loads(answer.stdout)
    assert {one["recall"] for one in measured["store"]["trials"]} == {1}
    assert all(one["p50_ms"] > 0 for one in measured["growth"]["trials"])
    drawn = sorted(path.name for path in tmp_path.iterdir())
    assert drawn == ["growth.png", "store-costs.png", "store-recall-speed.png"]


def test_bench_search_needs_store(tmp_path: Path, monkeypatch) -> None:
    """Bench search needs a store for its own part alone."""
    rng = np.random.default_rng(0)
    for name, n in (("train", 300), ("t10k", 20)):
        body = bytes(16) + rng.integers(256, size=784 * n, dtype=np.uint8).tobytes()
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(body, 1))
    monkeypatch.setattr("fashify.bench.vectors.FASHION_MNIST", tmp_path)
    arguments = ["bench", "search", "--store", tmp_path / "none", "--index", "exact"]
    answer = run(*arguments, "--part", "fashion-mnist", "--queries", 5, "--json")
    assert answer.exit_code == 0, answer.stderr
    measured = json.loads(answer.stdout)["fashion_mnist"]
    assert {one["recall"] for one in measured["trials"]} == {1}
    assert "300 x 784" in measured["title"]
    assert "none" in one_line(run(*arguments, "--part", "growth", "--part", "fashion-mnist"))
    assert "growth" in one_line(run(*arguments, "--part", "moon"))


def test_info_says_what_is_usable(sample_store: Path) -> None:
    answer = run("info", "--store", sample_store, "--json")
    assert answer.exit_code == 0, answer.stderr
    facts = json.loads(answer.stdout)
    lite = next(one for one in facts["backbones"] if one["name"] == "efficientnet-lite0")
    assert lite["weights_at_hand"]
    assert facts["store"]["usable"]
    assert "exact" in facts["indexes"]
    assert facts["versions"]["numpy"]


def test_info_works_without_a_store(tmp_path: Path) -> None:
    answer = run("info", "--store", tmp_path / "none")
    assert answer.exit_code == 0, answer.stderr
    assert "efficientnet-lite0" in answer.stdout


def test_verify_finds_a_changed_byte(sample_store: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(sample_store, store)
    shard = store / "deep.npy"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    answer = run("verify", "--store", store, "--json")
    assert answer.exit_code == 1
    (problem,) = json.loads(answer.stdout)["problems"]
    assert shard.name in problem["file"]


def test_a_text_file_is_no_picture(sample_store: Path, text_as_jpg: Path) -> None:
    assert "notes.jpg" in one_line(run("search", text_as_jpg, "--store", sample_store))


def test_a_missing_picture(sample_store: Path, tmp_path: Path) -> None:
    assert "none.jpg" in one_line(run("search", tmp_path / "none.jpg", "--store", sample_store))


@pytest.mark.parametrize("command", [["evaluate"], ["verify"], ["index"], ["bench", "search"]])
def test_a_missing_store(command: list[str], tmp_path: Path) -> None:
    one_line(run(*command, "--store", tmp_path / "none"))


@pytest.mark.parametrize("k", [0, -1])
def test_k_out_of_range(k: int, sample_store: Path, photo: Path) -> None:
    one_line(run("search", photo, "--store", sample_store, "-k", k))


def test_unknown_names_list_the_known_ones(sample_store: Path, tmp_path: Path) -> None:
    assert "article_type" in one_line(run("evaluate", "--store", sample_store, "--level", "shape"))
    assert "exact" in one_line(run("evaluate", "--store", sample_store, "--index", "magic"))
    unknown = run("build", "--backbone", "vgg", "--out", tmp_path / "out")
    assert "resnet50" in one_line(unknown)


@pytest.mark.parametrize("source", ["nowhere", "empty"])
def test_build_of_nothing(source: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    one_line(run("build", "--catalogue", tmp_path / source, "--out", out))
    assert not out.exists()


def test_build_limit_must_be_positive(tmp_path: Path) -> None:
    one_line(run("build", "--limit", 0, "--out", tmp_path / "out"))


def test_report_refuses_an_unknown_notebook(tmp_path: Path) -> None:
    one_line(run("report", "99_none", "--out", tmp_path))


def test_report_parameter_needs_a_value(tmp_path: Path) -> None:
    assert "name=value" in one_line(run("report", "-p", "k", "--out", tmp_path))


def test_paths_may_begin_at_home(toy: Path, tmp_path: Path, monkeypatch) -> None:
    """In every way a path is given: an option, one with =, an argument, a name=value pair."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    options = {"engine": GridEngine(), "index": "exact", "progress": False}
    store = extract_features(load_catalogue(str(toy)), GridBackbone(), "~/store", **options)
    assert store.path == tmp_path / "store"
    assert len(FeatureStore.load("~/store")) == len(Retriever.open("~/store").store) == 8
    assert run("info", "--store=~/store", "--json").exit_code == 0
    assert run("verify", "--store", "~/store").exit_code == 0
    assert run("index", "--store=~/store", "--name", "exact").exit_code == 0
    assert run("audit", "--store=~/store", "--out=~/audit.csv").exit_code == 0
    assert (tmp_path / "audit.csv").is_file()
    assert run("notebooks", "~/mine").exit_code == 0
    assert (tmp_path / "mine").is_dir()
    assert f"no file at {tmp_path}" in one_line(run("search", "~/none.jpg", "--store=~/store"))
    assert not Path("~").exists()
    assert expand_home([r"out=~\a", "~", "a~/b", "~user/x", "--text=~ 3"]) == [
        rf"out={tmp_path}\a", str(tmp_path), "a~/b", "~user/x", "--text=~ 3",
    ]  # fmt: skip


def test_a_user_without_a_home_is_told(monkeypatch) -> None:
    monkeypatch.delenv("FASHIFY_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def none(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", none)
    with pytest.raises(FileNotFoundError, match="Fix: set FASHIFY_CACHE="):
        settings()


def test_notebooks_are_copied_and_edits_kept(tmp_path: Path) -> None:
    done = run("notebooks", tmp_path / "mine")
    assert f"jupyter lab {tmp_path / 'mine'}" in done.stdout
    (tmp_path / "mine/03_knn_evaluation.ipynb").write_text("edited")
    assert "03_knn_evaluation.ipynb" in one_line(run("notebooks", tmp_path / "mine"))
    assert run("notebooks", tmp_path / "mine", "--replace").exit_code == 0


def test_pairs_reads_json_where_it_can() -> None:
    found = parse_pairs(["k=5", "name=a b", "deep=[1, 2]", "flag=true"], "-p")
    assert found == {"k": 5, "name": "a b", "deep": [1, 2], "flag": True}
    with pytest.raises(ConfigError):
        parse_pairs(["=5"], "-p")


def test_as_a_program(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "fashify", "search", str(tmp_path / "none.jpg")]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Fix:" in done.stderr


def test_ctrl_c_ends_with_one_line(sample_store: Path) -> None:
    program = [sys.executable, "-c", _SLOW]
    child = subprocess.Popen(program, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "ready"
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == 130
    assert stderr.splitlines() == ["Interrupted."]


# A command that waits, run through the real group: what Ctrl-C meets in a long build.
_SLOW = """
import signal, time
from fashify.cli import app, main

# Started in the background, the tests' own process may ignore it, and so would this one.
signal.signal(signal.SIGINT, signal.default_int_handler)

@app.command()
def wait():
    print("ready", flush=True)
    time.sleep(60)

import sys
sys.argv = ["fashify", "wait"]
main()
"""


def test_importing_the_command_line_is_light() -> None:
    code = (
        "import sys, fashify.cli; "
        "print([m for m in ('tensorflow', 'gradio', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bench_extraction_compares_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    # How long a turn is changes how steady the figures are, and no figure is looked at here.
    for turn in ("TURN", "SLOW_TURN", "FILES_TURN"):
        monkeypatch.setattr(f"fashify.bench.extraction.{turn}", 4)
    words = ["--backbone", "fashify-lite", "--engine", "openvino fp32", "--images", 16]
    answer = run("bench", "extraction", *words, "--rounds", 1, "--no-processes", "--json")
    assert answer.exit_code == 0, answer.stderr
    measured = json.loads(answer.stdout)
    records = {one["name"]: one for one in measured["contenders"]}
    assert list(records) == [
        "predict, each image", "predict, batches of 32", "tensorflow fp32", "openvino fp32",
    ]  # fmt: skip
    assert measured["processor"]["name"]
    for record in records.values():
        assert min(record["forward"], record["from_files"], record["of_matmul_limit"]) > 0
        assert record["least_cosine"] > 0.999
    assert records["predict, each image"]["ratio_from_files"] == 1


def test_an_unknown_engine_is_one_line() -> None:
    assert "openvino int8" in one_line(run("bench", "extraction", "--engine", "onnx fp32"))
