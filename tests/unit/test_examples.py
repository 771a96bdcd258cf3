"""Every public name shows an example, and every example in the package says what it gives."""

from __future__ import annotations

import doctest
import inspect
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import fashify

ROOT = Path(__file__).resolve().parents[2]

#: Beside the names of ``fashify.__all__``: methods and functions the documentation leads with.
LED_WITH = (
    "Catalogue.image",
    "Index.search",
    "Retriever.by_image",
    "Retriever.by_item",
    "fashify.bench.choose.choose_index",
    "fashify.evaluation.audit.audit",
    "fashify.evaluation.compare_runs",
    "fashify.learning.learn_head",
)

#: Examples of these run only where an optional package is installed.
OPTIONAL = {"fashify.io.jxl": "pillow_jxl"}


def example_modules() -> list[str]:
    """Modules of the package with an example, by their text: nothing is imported to find them."""
    paths = (path for path in (ROOT / "fashify").rglob("*.py") if ">>>" in path.read_text("utf-8"))
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
    return sorted(".".join(name).removesuffix(".__init__") for name in names)


def public_docstrings() -> Iterator[tuple[str, str]]:
    """Name and docstring of every class and function in ``fashify.__all__``, and some more."""
    for name in fashify.__all__:
        found = getattr(fashify, name)
        if not inspect.ismodule(found):
            yield name, found.__doc__ or ""
    for name in LED_WITH:
        head, last = name.rsplit(".", 1)
        owner = import_module(head) if head.startswith("fashify.") else find_class(head)
        yield name, getattr(owner, last).__doc__ or ""


def find_class(name: str) -> type:
    if name == "Index":
        from fashify.index import Index

        return Index
    return getattr(fashify, name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run: 120 of the sample's products are in ``data/sample-store``."""
    folder = tmp_path_factory.mktemp("examples")
    catalogue = fashify.load_catalogue("sample").take(range(0, 600, 5))
    store = folder / "data/sample-store"
    fashify.extract_features(catalogue, "fashify-lite", store, index="exact", progress=False)
    shutil.copytree(store, folder / "data/to-learn")
    return folder


@pytest.mark.parametrize("name", example_modules())
def test_examples_give_what_they_say(name, folder, monkeypatch):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    monkeypatch.chdir(folder)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(import_module(name), optionflags=flags)
    assert (result.attempted > 0, result.failed) == (True, 0)


def test_every_public_name_has_an_example():
    without = [name for name, text in public_docstrings() if ">>>" not in text]
    assert without == []
