"""The house keeps its shape: sizes, rooms, one name each, no circle of imports."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Files and folders directly under the package, sample_catalogue/ and the top together.
MAX_ROOMS = 28
MAX_LINES, MAX_PARAMETERS = 45, 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def trees() -> dict[str, ast.Module]:
    """Module name -> its syntax tree."""
    found = {}
    for path in sorted((ROOT / "fashify").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def functions() -> Iterator[tuple[str, Function]]:
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{module.removeprefix('fashify.')}.{node.name}", node


def excused() -> set[str]:
    """Functions that CONTRIBUTING names with a reason, under Sizes."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = re.split(r"\n##+ ", text.split("## Sizes")[1])[0]
    return set(re.findall(r"`([\w.]+)`", section))


def body_lines(name: str, node: Function) -> int:
    """Lines from ``def`` to the end, the docstring left out; of a command its options too."""
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = first.end_lineno - first.lineno + 1 if is_docstring else 0
    start = first.lineno if is_command(name) else node.lineno
    return node.end_lineno - start + 1 - documented


def n_parameters(node: Function) -> int:
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(one.arg not in ("self", "cls") for one in named)


def is_command(name: str) -> bool:
    """A command's options are its parameters: Typer reads them from the signature."""
    return name.startswith("cli.")


def test_functions_are_short():
    long = {name for name, node in functions() if body_lines(name, node) > MAX_LINES}
    assert long - excused() == set()


def test_functions_have_few_parameters():
    wide = {
        name
        for name, node in functions()
        if n_parameters(node) > MAX_PARAMETERS and not is_command(name)
    }
    assert wide - excused() == set()


def test_every_exception_is_needed():
    known = {
        name
        for name, node in functions()
        if body_lines(name, node) > MAX_LINES or n_parameters(node) > MAX_PARAMETERS
    }
    assert excused() - known == set()


def test_classes_have_one_name_each():
    names = Counter(
        node.name
        for tree in trees().values()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, n in names.items() if n > 1] == []


def test_rooms_have_one_name_each():
    """``heads``, ``strength``, ``bench`` and the like are said of one place alone.

    A module of figures is called as what it shows.
    """
    modules = Counter(name.rsplit(".", 1)[-1] for name in trees() if ".plots." not in name)
    names = ("heads", "strength", "remote", "bench", "serving", "learning", "demo", "reports")
    assert [name for name in names if modules[name] > 1] == []


def test_rooms_are_few():
    rooms = [
        path
        for path in (ROOT / "fashify").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]
    top = list(ROOT.glob("*.py"))
    assert len(rooms) + len(top) + 1 <= MAX_ROOMS


def test_no_import_circle():
    """Imports inside functions count too, those for the type checker alone do not."""
    edges: dict[str, set[str]] = defaultdict(set)
    for module, tree in trees().items():
        for node in runtime_nodes(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fashify"):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    edges[module].add(inner if inner in trees() else node.module)
    assert list(circles(edges)) == []


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that are there for the type checker."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from runtime_nodes(node)


def circles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """A way from a module back to itself, for each module that has one."""
    for start in sorted(edges):
        ways = [[start, step] for step in sorted(edges[start])]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            if way[-1] == start:
                yield way
                break
            if way[-1] not in seen:
                seen.add(way[-1])
                ways += [[*way, step] for step in sorted(edges.get(way[-1], ()))]


def test_no_shipped_file_is_empty():
    """A style sheet, script or template of no bytes is one that was lost."""
    kinds = {".css", ".js", ".html", ".j2", ".csv", ".zip", ".safetensors"}
    shipped = (path for path in (ROOT / "fashify").rglob("*") if path.suffix in kinds)
    assert [str(path) for path in shipped if path.stat().st_size == 0] == []
