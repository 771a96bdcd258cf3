"""The package's outside: light to import, in layers, its files in step with each other."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import fashify

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirement_name(text: str) -> str:
    return re.split(r"[\[<>=!~ ;]", text, maxsplit=1)[0].lower().replace("_", "-")


def requirements() -> set[str]:
    """Every requirement of the project and its extras, as written."""
    extras = PROJECT["optional-dependencies"].values()
    written = {*PROJECT["dependencies"], *(text for extra in extras for text in extra)}
    return {text for text in written if not text.startswith("fashify[")}


def test_import_brings_in_nothing_heavy():
    heavy = ["tensorflow", "keras", "gradio", "torch", "openvino", "ray", "pymilvus", "faiss"]
    # Every notebook's kernel imports reports; nbformat's schemas take it more than a second.
    heavy += ["nbformat", "jsonschema"]
    code = (
        "import sys, fashify; fashify.load_catalogue; fashify.Retriever; fashify.load_backbone;"
        "fashify.reports;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_search_by_a_photo_starts_no_tensorflow(sample_store: Path, photo: Path):
    """From a store's second opening on, its network lies there converted."""
    fashify.Retriever.open(sample_store)
    code = """
import sys, fashify
from fashify.io.images import load_image
from fashify.retrieval.region import find_product
retriever, image = fashify.Retriever.open(sys.argv[1]), load_image(sys.argv[2])
assert len(retriever.by_image(image)) == 5 and find_product(retriever.embedder, image)
sys.exit("tensorflow" in sys.modules)
"""
    command = [sys.executable, "-c", code, sample_store, photo]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("name", fashify.__all__)
def test_public_names_documented(name):
    """Every public name exists and says what it is."""
    assert getattr(fashify, name).__doc__


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nonsense"):
        fashify.nonsense  # noqa: B018


def test_environment_in_step():
    """Environment.yml is in step with pyproject."""
    yaml = pytest.importorskip("yaml")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    assert set(pip) - {"-e ."} == requirements()


def read_pins(lock: str) -> set[str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_lock_pins_requirements():
    """The lock pins every requirement and names no host."""
    pins = read_pins("requirements.lock")
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+", pin) for pin in pins)
    pinned = {requirement_name(pin) for pin in pins}
    assert {requirement_name(text) for text in requirements()} <= pinned


def test_news_can_be_gathered():
    """Each file of changelog.d is of a kind that `make news` knows, and says something."""
    kinds = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]["type"]
    known = {one["directory"] for one in kinds}
    for path in (ROOT / "changelog.d").iterdir():
        if path.name != "README.md":
            assert path.name.split(".")[-2] in known, path.name
            assert path.read_text().strip(), path.name


def test_runtime_lock_is_part_of_the_whole():
    """The same versions, every runtime requirement, and nothing of development's."""
    runtime = read_pins("requirements-runtime.lock")
    assert runtime <= read_pins("requirements.lock")
    names = {requirement_name(pin) for pin in runtime}
    assert {requirement_name(text) for text in PROJECT["dependencies"]} <= names
    assert names.isdisjoint({"pytest", "ruff", "mypy", "playwright", "jupyterlab", "ray"})


#: Files that may import pickle: a reader that refuses all but tensors, and its tests.
PICKLERS = {"torch_file.py", "test_backbones.py"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "os.popen"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "pd.read_pickle", "torch.load"),
}


def sources() -> list[tuple[str, str]]:
    """``(name, text)`` of every Python file and every notebook's code in the repository."""
    folders = ("fashify", "benchmarks", "tests")
    files = [
        *(path for name in folders for path in (ROOT / name).rglob("*.py")),
        *ROOT.glob("*.py"),
    ]
    found = [(path.name, path.read_text(encoding="utf-8")) for path in files]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found.append((path.name, "\n".join(code)))
    return found


def dangers(text: str) -> Iterator[tuple[int, str]]:
    """``(line, what)`` of each import or call that could run what a file says."""
    for node in ast.walk(ast.parse(text)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        yield from (
            (node.lineno, name) for name in modules if name.split(".")[0] in FORBIDDEN_MODULES
        )
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in FORBIDDEN_CALLS:
                yield node.lineno, ast.unparse(node.func)
            for word in node.keywords:
                value = getattr(word.value, "value", None)
                if word.arg in ("shell", "allow_pickle") and value is not False:
                    yield node.lineno, f"{word.arg}={ast.unparse(word.value)}"


def test_nothing_dangerous_is_called():
    """No pickle, eval, exec, yaml.load or shell=True in package, benchmarks, tests, notebooks."""
    read = sources()
    assert len(read) > 250
    found = [(name, *danger) for name, text in read for danger in dangers(text)]
    assert [danger for danger in found if danger[0] not in PICKLERS] == []
    assert {name for name, *_ in found} == PICKLERS


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import os, joblib.memory",
        "from dill import loads",
        "def f():\n    return eval('1')",
        "yaml.load(text)",
        "run('ls', shell=True)",
        "run('ls', shell=sure)",
        "np.load(path, allow_pickle=True)",
        "os.system('ls')",
    ],
)
def test_dangers_are_seen(text):
    assert list(dangers(text))


def test_gradio_app_imports_only_the_package():
    names = set()
    for node in ast.walk(ast.parse((ROOT / "gradio_app.py").read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"fashify"}


def test_own_gradio_app_ignored(tmp_path):
    """The package imports no module of that name, and the wheel has none."""
    (tmp_path / "gradio_app.py").write_text("raise SystemExit('the wrong module')\n")
    code = "import sys, fashify.demo.page_server; print('gradio_app' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    assert hatch["build"]["targets"]["wheel"]["packages"] == ["fashify"]
