"""What every point of hardening has in common when it is run alone."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: ``run(seed, folder)`` returns counts, and under ``failures`` a line for each broken promise.
ReportRun = Callable[[int, Path], dict[str, Any]]


def main(run: ReportRun, about: str) -> None:
    """Runs one point in a folder that goes away again and prints its counts as JSON."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="harden-") as folder:
        answer = run(options.seed, Path(folder))
    print(json.dumps(answer, indent=1))
    sys.exit(bool(answer["failures"]))
