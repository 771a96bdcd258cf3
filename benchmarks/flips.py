"""Single bits flipped in the files of a store: ``fashify verify`` must name the file each time.

Works on a copy. Half of the flips choose a file and then a bit of it, so that small files are
hit too; the other half choose any bit of the whole store.

    python benchmarks/flips.py data/kaggle
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from fashify.cli import app


def flip_bits(store: Path, flips: int, rng: np.random.Generator) -> dict[str, Any]:
    """Flips one bit at a time in ``store`` and back again.

    Returns:
        ``flips``, ``found`` (the file was named, and no other), ``missed`` (file, byte, bit)
        and how often each kind of file was hit.
    """
    files = sorted(path for path in store.rglob("*") if path.is_file())
    sizes = np.array([path.stat().st_size for path in files], float)
    hit: Counter[str] = Counter()
    missed = []
    for turn in range(flips):
        chances = None if turn % 2 else sizes / sizes.sum()
        file = files[rng.choice(len(files), p=chances)]
        at, bit = int(rng.integers(file.stat().st_size)), int(rng.integers(8))
        name = file.relative_to(store).as_posix()
        hit[name if "/" not in name else f"{name.split('/')[0]}/"] += 1
        _flip(file, at, bit)
        if verified(store) != [name]:
            missed.append((name, at, bit))
        _flip(file, at, bit)
    if verified(store):
        missed.append(("the store as it was", 0, 0))
    return {"flips": flips, "found": flips - len(missed), "missed": missed, "hit": dict(hit)}


def verified(store: Path) -> list[str]:
    """The files that ``fashify verify`` complains of."""
    done = CliRunner().invoke(app, ["verify", "--store", str(store), "--json"])
    problems = [one["file"] for one in json.loads(done.stdout)["problems"]]
    if (done.exit_code != 0) != bool(problems):
        raise SystemExit(f"exit code {done.exit_code} with {len(problems)} problems")
    return problems


def _flip(file: Path, at: int, bit: int) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        (byte,) = handle.read(1)
        handle.seek(at)
        handle.write(bytes([byte ^ 1 << bit]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "store"
        shutil.copytree(options.store, copy)
        answer = flip_bits(copy, options.flips, np.random.default_rng(options.seed))
    print(json.dumps(answer, indent=1))
    sys.exit(bool(answer["missed"]))


if __name__ == "__main__":
    main()
