"""The package's outside: light to import, in layers, its files in step with each other."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fashify

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = [*(ROOT / "fashify").rglob("*.py"), ROOT / "gradio_app.py"]


def requirement_name(text: str) -> str:
    return re.split(r"[\[<>=!~ ;]", text, maxsplit=1)[0].lower().replace("_", "-")


def requirements() -> set[str]:
    """Every requirement of the project and its extras, as written."""
    extras = PROJECT["optional-dependencies"].values()
    written = {*PROJECT["dependencies"], *(text for extra in extras for text in extra)}
    return {text for text in written if not text.startswith("fashify[")}


def test_import_brings_in_nothing_heavy():
    heavy = ["tensorflow", "keras", "gradio", "torch", "openvino", "ray", "pymilvus", "faiss"]
    code = (
        "import sys, fashify; fashify.load_catalogue; fashify.Retriever; fashify.load_backbone;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", fashify.__all__)
def test_every_public_name_exists_and_says_what_it_is(name):
    assert getattr(fashify, name).__doc__


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nonsense"):
        fashify.nonsense  # noqa: B018


def test_environment_yml_is_in_step_with_pyproject():
    yaml = pytest.importorskip("yaml")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    assert set(pip) - {"-e ."} == requirements()


def test_the_lock_pins_every_requirement_and_names_no_host():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+", pin) for pin in pins)
    pinned = {requirement_name(pin) for pin in pins}
    assert {requirement_name(text) for text in requirements()} <= pinned


def test_nothing_dangerous_is_called():
    """No pickle, eval, exec, yaml.load or shell=True anywhere in the sources."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import) and any(
                alias.name in ("pickle", "joblib", "dill", "marshal") for alias in node.names
            ):
                found.append((path.name, node.lineno, "import"))
            if isinstance(node, ast.Call):
                text = ast.unparse(node.func)
                shell = any(
                    word.arg == "shell" and getattr(word.value, "value", None) is True
                    for word in node.keywords
                )
                if text in ("eval", "exec", "yaml.load", "os.system") or shell:
                    found.append((path.name, node.lineno, text))
    # The reader of PyTorch's zip format subclasses Unpickler to refuse all but tensors.
    assert [entry for entry in found if entry[0] != "torch_file.py"] == []


def test_gradio_app_and_notebooks_import_only_the_package():
    names = set()
    for node in ast.walk(ast.parse((ROOT / "gradio_app.py").read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"fashify", "gradio"}
