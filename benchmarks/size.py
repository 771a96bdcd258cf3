"""Lines of a package by room: code, docstrings and comments, imports, blank lines.

python benchmarks/size.py
python benchmarks/size.py ../old/fashify
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from pathlib import Path

KINDS = ("code", "prose", "imports", "blank")

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def count_lines(source: str) -> Counter[str]:
    """Lines of one module by kind; docstrings and comment lines are ``prose``."""
    lines, kinds = source.splitlines(), {}
    for node in ast.walk(ast.parse(source)):
        kind = "imports" if isinstance(node, ast.Import | ast.ImportFrom) else ""
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            node, kind = node.body[0], "prose"
        if kind:
            kinds |= dict.fromkeys(range(node.lineno - 1, node.end_lineno), kind)
    for place, line in enumerate(lines):
        text = line.strip()
        own = "blank" if not text else "prose" if text.startswith("#") else "code"
        kinds.setdefault(place, own)
    return Counter(kinds.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", nargs="?", type=Path, default=Path("fashify"))
    root = parser.parse_args().package
    rooms: dict[str, Counter[str]] = {}
    for path in sorted(root.rglob("*.py")):
        room = path.relative_to(root).parts[0] if path.parent != root else "(files)"
        rooms.setdefault(room, Counter()).update(count_lines(path.read_text("utf-8")), modules=1)
    rooms["all"] = sum(rooms.values(), Counter())
    print("| room | modules |", *(f"{kind} |" for kind in (*KINDS, "lines")))
    print("|---" * (len(KINDS) + 3) + "|")
    for room, counts in sorted(rooms.items(), key=lambda pair: -pair[1]["code"]):
        numbers = [counts["modules"], *(counts[kind] for kind in KINDS)]
        print(f"| {room} |", *(f"{n:,} |" for n in (*numbers, sum(numbers[1:]))))


if __name__ == "__main__":
    main()
