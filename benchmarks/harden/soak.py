"""Thousands of searches through the app: does it grow, does it slow down?

Clients ask a demo of its own for one photo after another, as programs do. After the first tenth,
which warms caches up, the server's memory and the searches' times are taken in twenty windows,
the times as a multiple of what a search without a server takes between the windows: whatever else
a shared machine does weighs on both. Drift is what the straight line through the windows gains from
the first to the last, as a share of its beginning, with twice its standard error. A plot of memory
and times is written beside the answer.

    python benchmarks/harden soak                                    # as make would, the sample
    python benchmarks/harden/soak.py --searches 5000 --plot docs/images/soak.png [--store DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":  # As a script, this folder stands where benchmarks/ has to.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from load import Tally, crowd, in_process, photos, running_demo

from fashify import Retriever
from fashify.plots.style import MARKERS, PALETTE, NamedFigure, picture, tidy, use_house_style
from harden import swaps
from harden.signals import NETWORK

SEARCHES, CLIENTS, WINDOWS = 5_000, 4, 20

#: Most that memory and the median time may gain from the first window to the last, percent; what
#: the windows' scatter alone can give is no gain.
MOST_DRIFT = 2.0

#: Searches without a server between two windows.
ALONE = 64


def drift(values: np.ndarray) -> tuple[float, float]:
    """Gain of the least-squares line over windows and twice its standard error, percent."""
    (slope, start), covariance = np.polyfit(np.arange(len(values)), values, 1, cov=True)
    percent = 100 * (len(values) - 1) / start
    return float(percent * slope), float(percent * 2 * np.sqrt(covariance[0, 0]))


def soaked(store: str, searches: int, clients: int) -> dict[str, Any]:
    """Window by window: the server's resident megabytes, the searches' milliseconds, and theirs
    as a multiple of a search without a server.
    """
    retriever = Retriever.open(store)
    pictures = photos(retriever, 64)
    megabytes, median, slow, multiple, errors = [], [], [], [], 0
    in_process(retriever, pictures, ALONE, Tally())
    with running_demo(store) as (port, process):
        crowd(port, "queue", pictures, clients, max(clients, searches // 10), Tally())
        for _ in range(WINDOWS):
            tally, alone = Tally(), Tally()
            crowd(port, "queue", pictures, clients, searches // WINDOWS, tally)
            megabytes.append(process.memory_info().rss / 1e6)
            in_process(retriever, pictures, ALONE, alone)
            median.append(1000 * float(np.median(tally.times)))
            multiple.append(float(np.median(tally.times)) * alone.rate)
            slow.append(1000 * float(np.quantile(tally.times, 0.95)))
            errors += sum(tally.errors.values())
    facts = {"searches": WINDOWS * (searches // WINDOWS), "clients": clients, "errors": errors}
    times = {"p50_ms": median, "p95_ms": slow, "multiple": multiple}
    return facts | {"megabytes": megabytes} | times


@use_house_style
def plot(found: dict[str, Any]) -> NamedFigure:
    """Memory above, times below, over the searches done."""
    done = np.arange(1, WINDOWS + 1) * (found["searches"] // WINDOWS)
    title = f"{found['searches']:,} searches by {found['clients']} clients at once"
    alt = f"{title}: memory of the server and time of a search, both over the searches done"
    made = picture("soak", title, alt=alt, size=(8.0, 5.0))
    above, below = map(tidy, made.subplots(2, 1, sharex=True))
    above.plot(done, found["megabytes"], color=PALETTE[0], marker=MARKERS[0], markersize=4)
    above.set(ylabel="server's memory, MB", ylim=(0, 1.15 * max(found["megabytes"])))
    for place, (name, label) in enumerate((("p50_ms", "median"), ("p95_ms", "95 %"))):
        options = {"color": PALETTE[place], "marker": MARKERS[place], "markersize": 4}
        below.plot(done, found[name], label=label, **options)
    below.set(xlabel="searches", ylabel="time of a search, ms", ylim=(0, None))
    below.legend()
    return made


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Drifts and whether they are small enough; windows in brief."""
    memory, times = (np.array(found[name]) for name in ("megabytes", "p50_ms"))
    gains = {"memory": drift(memory), "time": drift(np.array(found["multiple"]))}
    answer = {
        "searches": found["searches"],
        "clients": found["clients"],
        "errors": found["errors"],
        "memory_mb": {"first": round(float(memory[0])), "last": round(float(memory[-1]))},
        "p50_ms": {"first": round(float(times[0]), 1), "last": round(float(times[-1]), 1)},
        "drift_percent": {
            what: f"{gain:+.2f} +- {error:.2f}" for what, (gain, error) in gains.items()
        },
    }
    failures = [f"{found['errors']} searches failed"] if found["errors"] else []
    failures += [
        f"{what} drifts by {gain:.2f} +- {error:.2f} %, more than {MOST_DRIFT} %"
        for what, (gain, error) in gains.items()
        if gain - error > MOST_DRIFT
    ]
    return {**answer, "failures": failures}


def run(
    seed: int,
    folder: Path,
    searches: int = SEARCHES,
    store: Path | None = None,
    file: Path | None = None,
) -> dict[str, Any]:
    """The soak over a store, by default one of the sample built here."""
    if store is None:
        store = folder / "store"
        swaps.fashify("build", "--out", str(store), *NETWORK)
    begin = time.monotonic()
    found = soaked(str(store), searches, CLIENTS)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(plot(found).png())
    return {"seconds_soaked": round(time.monotonic() - begin), **summary(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--searches", type=int, default=SEARCHES)
    parser.add_argument("--store", type=Path, help="default: the sample's, built first")
    parser.add_argument("--plot", type=Path, metavar="PNG")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        chosen = options.searches, options.store, options.plot
        answer = run(options.seed, Path(folder), *chosen)
    print(json.dumps(answer, indent=1))
    sys.exit(bool(answer["failures"]))


if __name__ == "__main__":
    main()
