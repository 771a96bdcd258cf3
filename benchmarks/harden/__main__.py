"""Runs the points of hardening that are named, or all but the soak, and prints what came out.

    python benchmarks/harden                      # or: make harden
    python benchmarks/harden malformed artefacts --seed 3

Each point runs in a process of its own, so that none can spoil another. The exit code is 1
where any promise was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

#: Name of a point -> its module in this folder, which offers ``run(seed, folder) -> dict``.
POINTS = {
    "malformed": "malformed",
    "catalogues": "catalogues",
    "artefacts": "artefacts",
    "faults": "faults",
    "web": "web",
    "determinism": "determinism",
    "soak": "soak",
}

#: Left out unless it is named: it takes longer than all the others.
LONG = ("soak",)


def run_point(name: str, seed: int) -> dict[str, Any]:
    """One point's counts, how many ``seconds`` it took, and its ``failures``."""
    command = [sys.executable, "-m", f"harden.{POINTS[name]}", "--seed", str(seed)]
    paths = [str(ROOT), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
    seconds = round(time.monotonic() - start, 1)
    try:
        answer = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        answer = {"failures": [f"no answer, exit code {done.returncode}: {done.stdout[-200:]}"]}
    return {"seconds": seconds, **answer}


def lines(name: str, answer: dict[str, Any]) -> list[str]:
    """A point's counts, one per line, and each broken promise."""
    failures = answer["failures"]
    counts = {key: value for key, value in answer.items() if key != "failures"}
    state = f"{len(failures)} BROKEN" if failures else "kept"
    told = [f"{name}: {state}"]
    for key, value in counts.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        told.append(f"  {key.replace('_', ' '):<28} {text}")
    return told + [f"  BROKEN {line}" for line in failures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("points", nargs="*", metavar="POINT", help=", ".join(POINTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one object of all the counts")
    options = parser.parse_args()
    unknown = sorted(set(options.points) - set(POINTS))
    if unknown:
        parser.error(f"unknown points {', '.join(unknown)}; there are {', '.join(POINTS)}")
    answers = {}
    for name in options.points or [name for name in POINTS if name not in LONG]:
        answers[name] = run_point(name, options.seed)
        if not options.json:
            print("\n".join(lines(name, answers[name])), flush=True)
    if options.json:
        print(json.dumps(answers, indent=1))
    sys.exit(any(answer["failures"] for answer in answers.values()))


if __name__ == "__main__":
    main()
