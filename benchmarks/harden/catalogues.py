"""Product tables as nobody should write them: no row lost, no wrong join, no foreign error.

    python benchmarks/harden catalogues

Hypothesis writes tables by the rules of CSV and against them, in every encoding that is read,
and compares what ``load_catalogue`` makes of them with what was meant. At the end comes one
table of a million rows.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from fashify.catalogue import Catalogue, load_catalogue
from fashify.errors import CatalogueError
from harden.script import main
from harden.tables import (
    ENCODINGS,
    HEADER,
    OURS,
    PIECES,
    as_meant,
    cells,
    flat,
    numbers,
    products,
    quoted,
)

ROOT = Path(__file__).resolve().parents[2]


class Folder:
    """A catalogue's folder whose pictures stay and whose table changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "images").mkdir(parents=True)
        for number in range(1, 61):
            (path / "images" / f"{number}.jpg").write_bytes(b"")

    def load(self, data: bytes, name: str = "styles.csv") -> Catalogue:
        """The catalogue with this table; every promise that needs no knowledge of it is checked."""
        for left in self.path.glob("*.csv"):
            left.unlink()
        (self.path / name).write_bytes(data)
        catalogue = load_catalogue(self.path, allow_unmatched=True)
        table = catalogue.table
        assert table["item_id"].is_unique
        for item_id, path in zip(table["item_id"], table["path"], strict=True):
            assert name != "styles.csv" or path in ("", f"images/{item_id}.jpg"), (item_id, path)
        assert table["has_image"].equals(table["path"] != "")
        assert set(catalogue.mended["item_id"]) <= set(table["item_id"])
        return catalogue

    def refused(self, data: bytes) -> str:
        """What Fashify says against this table; "" where it takes it."""
        try:
            self.load(data)
        except CatalogueError as error:
            return str(error)
        return ""


def as_read(catalogue: Catalogue) -> list[list[str]]:
    columns = [name for name in OURS if name != "year"]
    return catalogue.table[columns].to_numpy().tolist()


def by_the_rules(folder: Folder) -> Callable:
    """Any cell, rightly quoted, any order of columns: read to the letter."""

    @given(
        products(),
        st.permutations(range(10)),
        st.sampled_from(ENCODINGS),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.booleans(),
        st.booleans(),
    )
    def check(rows, order, encoding, newline, always, floats):
        codec = "cp1252" if encoding == "cp1252" else "utf-8"
        rows = [[c.encode(codec, "ignore").decode(codec) for c in row] for row in rows]
        written = [[row[0] + ".0" * floats, *row[1:]] for row in rows]
        lines = [
            ",".join(quoted(row[column], always) for column in order) for row in [HEADER, *written]
        ]
        text = newline.join([*lines[:2], "", *lines[2:], ""])
        assert as_read(folder.load(text.encode(encoding))) == as_meant(rows)

    return check


def against_them(folder: Folder) -> Callable:
    """Names with bare commas and quotes, rows cut short or too long: each row stays a row."""

    @given(st.data(), products(flat), st.sampled_from(["\n", "\r\n"]))
    def check(data, rows, newline):
        lines, meant = [",".join(HEADER)], []
        for row in rows:
            name = " ".join(data.draw(cells).split())
            fields = [cell.replace(",", ";") for cell in row[:9]]
            kept = data.draw(st.sampled_from([1, 4, 9, 10, 10, 10]))
            lines.append(",".join([*fields, name][:kept]))
            full = [*(fields[:kept] + [""] * 9)[:9], name if kept == 10 else ""]
            meant.append(full)
        read = as_read(folder.load((newline.join(lines) + newline).encode()))
        bare = [[cell.replace('"', "").strip() for cell in row] for row in read]
        assert bare == as_meant([[c.replace('"', "") for c in row] for row in meant])

    return check


def twice(folder: Folder) -> Callable:
    """An id twice, whichever way it is spelled: one product, or an error that names its lines."""

    @given(products(flat), st.data())
    def check(rows, data):
        again = list(data.draw(st.sampled_from(rows)))
        at, name = len(rows) + 2, again[0]
        again[0] += data.draw(st.sampled_from(["", ".0", " "]))
        lines = [",".join(quoted(c, False) for c in row) for row in [HEADER, *rows, again]]
        assert len(folder.load("\n".join(lines).encode())) == len(rows)
        again[-1] += " of another name"
        assume(rows[[row[0] for row in rows].index(name)][-1].strip())
        lines[-1] = ",".join(quoted(c, False) for c in again)
        said = folder.refused("\n".join(lines).encode())
        assert repr(name) in said, said
        assert f", {at}" in said, said

    return check


def of_any_columns(folder: Folder) -> Callable:
    """A table of a shop's own: columns of any name, pictures named by path, name or stem."""
    names = st.lists(
        st.sampled_from(
            [*PIECES, "price", "Price", "has_image", "row", "version", "colour", "sku"]
        ),
        max_size=5,
        unique=True,
    )
    spelled = st.sampled_from(["{}", "{}.jpg", "images/{}.jpg", "./images/{}.jpg", "", "..", "/"])

    @given(names, numbers, st.data())
    def check(columns, ids, data):
        columns = ["image", *columns]
        rows = [
            [data.draw(spelled).format(n), *(data.draw(flat) for _ in columns[1:])] for n in ids
        ]
        lines = [",".join(quoted(c, False) for c in row) for row in [columns, *rows]]
        try:
            catalogue = folder.load("\n".join(lines).encode(), "shop.csv")
        except CatalogueError:
            return
        table = catalogue.table
        named = {PurePosixPath(row[0]).stem for row in rows}
        if "sku" in columns:
            named |= {row[columns.index("sku")].strip() for row in rows}
        listed = [name for name in table["path"] if name]
        assert {PurePosixPath(name).stem for name in listed} <= named, (listed, named)
        assert len(set(listed)) == len(listed)

    return check


def spoiled(folder: Folder) -> Callable:
    """Bytes put in, taken out and changed in a whole table: read or refused, no more."""

    @given(products(), st.sampled_from(ENCODINGS), st.data())
    def check(rows, encoding, data):
        lines = [",".join(quoted(c, False) for c in row) for row in [HEADER, *rows]]
        table = bytearray("\n".join(lines).encode(encoding, "replace"))
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(table) - 1))
            table[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
            table = table or bytearray(b"x")
        said = folder.refused(bytes(table))
        assert not said or (said.startswith("Expected ") and "\n" not in said), said

    return check


PROPERTIES = (by_the_rules, against_them, twice, of_any_columns, spoiled)


def fuzz(folder: Path, examples: int, seed: int) -> tuple[dict[str, int], list[str]]:
    """Every property so many times.

    Returns:
        how many tables were read, and a line for each property that does not hold.
    """
    counts, failures = {}, []
    for make in PROPERTIES:
        place = Folder(folder / make.__name__)
        check = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(seeded(seed)(make(place)))
        try:
            check()
        except Exception as error:  # Whatever comes out of it is what is looked for.
            text = " ".join(f"{type(error).__name__}: {error}".split())
            failures.append(f"{make.__name__}: {text[:600]}")
        counts[make.__name__] = examples
    return counts, failures


def million(folder: Path, rows: int) -> dict[str, Any]:
    """One long table, every hundredth row malformed; run in a process of its own.

    Returns:
        rows ``written`` and ``read``, ``seconds``, and ``peak_mb`` of the process.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "7.jpg").write_bytes(b"")
    with (folder / "styles.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(HEADER) + "\n")
        for n in range(1, rows + 1):
            name = f'Acme, {n}" wide' if n % 100 == 0 else f"Acme Shirt {n}"
            file.write(f"{n},Men,Apparel,Topwear,Shirts,Blue,Fall,{2000 + n % 25},NA,{name}\n")
    start = time.perf_counter()
    catalogue = load_catalogue(folder, allow_unmatched=True)
    seconds = time.perf_counter() - start
    wrong = [n for n in range(100, rows + 1, 9_900) if not _named(catalogue, n)]
    return {
        "rows_written": rows,
        "rows_read": len(catalogue),
        "mended": len(catalogue.mended),
        "wrong": wrong,
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _named(catalogue: Catalogue, n: int) -> bool:
    return catalogue.facts(str(n))["name"] == f'Acme, {n}" wide'


def run(seed: int, folder: Path, *, examples: int = 600, rows: int = 1_000_000) -> dict[str, Any]:
    """Every property and the long table; ``folder`` is an empty one."""
    counts, failures = fuzz(folder, examples, seed)
    paths = [str(ROOT), str(ROOT / "benchmarks")]
    code = (
        "import json, pathlib, sys; from harden.catalogues import million;"
        "print(json.dumps(million(pathlib.Path(sys.argv[1]), int(sys.argv[2]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "long"), str(rows)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    long = json.loads(done.stdout)
    if long["rows_read"] != rows or long["mended"] != rows // 100 or long.pop("wrong"):
        failures.append(f"the long table: {long}")
    return {"tables": sum(counts.values()), **counts, "long_table": long, "failures": failures}


if __name__ == "__main__":
    main(run, __doc__)
