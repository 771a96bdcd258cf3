"""Checks the figures of docs/reproduce.md by running their commands.

    python benchmarks/reproduce.py                                   # those of the sample
    python benchmarks/reproduce.py --catalogue ARCHIVE.zip --photos SET.zip
    python benchmarks/reproduce.py --catalogue ARCHIVE.zip --fill    # write what was measured

The page's own tables are what is read, so that page and check cannot differ. Commands of ten
minutes and more are left out unless ``--minutes`` allows them; a store that is there is used.
Exit code 1 where a figure is farther off than its tolerance.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reproduce.md"

#: Headings of the page's tables.
STORES = ("store", "minutes", "command")
FIGURES = ("figure", "expected", "within", "read from")

#: The line of a code block whose command the tables after it are read from.
_COMMAND = re.compile(r"(\w.*?)\s+# (\d+) min")

#: Words of a command that stand for a file of the reader's.
PLACES = {"ARCHIVE.zip": "catalogue", "SET": "photos"}

_STEP = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")


@dataclass
class Row:
    """One row of a table: its cells by heading, without backticks, and its line on the page.

    A figure has the command above its table, which takes ``minutes`` and stands on ``source``.
    """

    cells: dict[str, str]
    line: int
    command: str = ""
    minutes: float = 0.0
    source: int = -1


def read_rows(text: str, heading: tuple[str, ...]) -> list[Row]:
    """The rows below every table of this heading."""
    rows, inside, above = [], False, ("", 0.0, -1)
    for number, line in enumerate(text.splitlines()):
        if found := _COMMAND.fullmatch(line):
            above = found[1], float(found[2]), number
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif tuple(cells) == heading:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            named = dict(zip(heading, (cell.strip("`") for cell in cells), strict=True))
            own = (
                (named["command"], float(named["minutes"]), number) if heading == STORES else above
            )
            rows.append(Row(named, number, *own))
    return rows


def read_value(answer: Any, path: str) -> float:
    """The number at ``vectors.head.rows[name=P@1,level=type].value`` of a JSON answer."""
    for wanted, key in _STEP.findall(path):
        if key:
            answer = answer[key]
        else:
            pairs = [pair.split("=") for pair in wanted.split(",")]
            answer = next(r for r in answer if all(str(r[name]) == v for name, v in pairs))
    return float(answer)


def fill_places(command: str, given: dict[str, str]) -> list[str] | None:
    """The command as arguments, with the reader's files in it; None where one was not given."""
    words = shlex.split(command)
    for word, name in PLACES.items():
        if word in words and not given.get(name):
            return None
    words = [given[PLACES[word]] if word in PLACES else word for word in words]
    start = [sys.executable, "-m", "fashify"] if words[0] == "fashify" else [sys.executable]
    return start + words[1:]


def make_stores(rows: list[Row], needed: set[str], given: dict[str, str], limit: float) -> None:
    """Builds the stores that are needed, missing and quick enough."""
    for row in rows:
        store, command = row.cells["store"], fill_places(row.command, given)
        missing = not (ROOT / store / "manifest.json").is_file()
        if store in needed and missing and command and row.minutes < limit:
            print(f"building {store}, some {row.minutes:g} minutes", flush=True)
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def run_command(command: list[str]) -> tuple[Any, float]:
    """The command's JSON answer, and the minutes it took."""
    begun = time.perf_counter()
    done = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout), (time.perf_counter() - begun) / 60


def check_figures(rows: list[Row], given: dict[str, str], limit: float) -> list[dict]:
    """What each row expects and what its command gave; each command runs once."""
    answers: dict[str, tuple[Any, float] | str] = {}
    found = []
    for row in rows:
        text = row.command
        if text not in answers:
            answers[text] = answer_command(text, row.minutes, given, limit)
        answer = answers[text]
        one = {"row": row, "got": math.nan, "minutes": math.nan, "state": answer}
        if not isinstance(answer, str):
            one |= read_figure(row, *answer)
        found.append(one)
    return found


def read_figure(row: Row, answer: Any, minutes: float) -> dict:
    """The number of a row in its command's answer, and what to say of it."""
    path = row.cells["read from"]
    try:
        got = read_value(answer, path)
    except (KeyError, StopIteration, TypeError, ValueError):
        return {"state": f"failed: nothing at {path} of the answer"}
    return {"got": got, "minutes": minutes, "state": judge_figure(row, got)}


def answer_command(
    text: str, minutes: float, given: dict[str, str], limit: float
) -> tuple[Any, float] | str:
    """The answer with its minutes, or why there is none."""
    command = fill_places(text, given)
    store = re.search(r"--store (\S+)", text)
    if command is None:
        return "skipped: its files were not named"
    if minutes >= limit:
        return f"skipped: {minutes:g} minutes"
    if store and not (ROOT / store[1] / "manifest.json").is_file():
        return f"skipped: no {store[1]} yet"
    try:
        return run_command(command)
    except RuntimeError as error:
        return f"failed: {error}"


def judge_figure(row: Row, got: float) -> str:
    """``ok`` within the tolerance; without a number expected yet, ``new``."""
    try:
        expected = float(row.cells["expected"])
    except ValueError:
        return "new"
    return "ok" if abs(got - expected) <= float(row.cells["within"]) + 1e-9 else "OFF"


def fill_page(text: str, found: list[dict]) -> str:
    """The page with the numbers that were measured, to three places, and the minutes they took."""
    lines = text.splitlines()
    for one in found:
        if math.isnan(one["got"]):
            continue
        row = one["row"]
        cells = lines[row.line].strip("|").split("|")
        cells[FIGURES.index("expected")] = f" {one['got']:.3f} "
        lines[row.line] = "|" + "|".join(cells) + "|"
        lines[row.source] = f"{row.command}   # {max(1, math.ceil(one['minutes']))} min"
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Reads the page, builds, runs, compares; 1 where something is off or failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogue", default="", help="the archive of Kaggle's catalogue")
    parser.add_argument("--photos", default="", help="a photo set, or clothing")
    parser.add_argument("--minutes", type=float, default=10, help="leave out what takes as long")
    parser.add_argument("--fill", action="store_true", help="write the numbers into the page")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    given = {name: getattr(options, name) for name in PLACES.values()}
    given = {
        name: str(Path(v).resolve()) if Path(v).exists() and v else v for name, v in given.items()
    }
    text = options.page.read_text(encoding="utf-8")
    rows = read_rows(text, FIGURES)
    needed = set(re.findall(r"--store (\S+)", " ".join(row.command for row in rows)))
    make_stores(read_rows(text, STORES), needed, given, options.minutes)
    found = check_figures(rows, given, options.minutes)
    for one in found:
        cells = one["row"].cells
        got = "" if math.isnan(one["got"]) else f"{one['got']:.3f}"
        print(f"{one['state']:<10} {cells['expected']:>7} {got:>7}  {cells['figure']}")
    if options.fill:
        options.page.write_text(fill_page(text, found), encoding="utf-8")
    return int(any(one["state"] == "OFF" or one["state"].startswith("failed") for one in found))


if __name__ == "__main__":
    sys.exit(main())
