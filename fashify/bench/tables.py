"""Results of the search benchmark, as text tables and as frames for figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashify.io.text_table import format_table

#: Recall below which a setting is not taken for the curve of cost against size.
ENOUGH = 0.95

_PACKAGES = ("numpy", "scikit-learn", "faiss-cpu", "annoy", "pymilvus")


class Result(dict):
    """What `run` measured: plain values, ready for JSON, and `to_text` for people."""

    def to_text(self) -> str:
        """A table of speeds and one of costs for each part."""
        lines = [", ".join(f"{name} {value}" for name, value in self["machine"].items())]
        for part in ("store", "growth", "fashion_mnist"):
            if part in self:
                lines += ["", *_describe_part(self[part])]
        if "ratios" in self:
            lines += ["", *(f"{name}: {value:g}" for name, value in self["ratios"].items())]
        return "\n".join([*lines, *self.get("skipped", ())])


def compare_times(before: float, after: float) -> tuple[float, str]:
    """A ratio of at least 1, and whether it tells how many times faster or slower.

    >>> compare_times(8, 2), compare_times(2, 8)
    ((4.0, 'times faster'), (4.0, 'times slower'))
    """
    ratio = before / after
    return (ratio, "times faster") if ratio >= 1 else (1 / ratio, "times slower")


def _describe_part(part: dict[str, Any]) -> list[str]:
    grows = len({trial["n"] for trial in part["trials"]}) > 1
    lines = [part["title"], *_tabulate_speeds(part, grows), "", *_tabulate_costs(part, grows)]
    return [*lines, "", *_tabulate_curve(part)] if grows else lines


def _tabulate_speeds(part: dict[str, Any], grows: bool) -> list[str]:
    batches = sorted(part["trials"][0]["batch_ms"])
    header = ["index", "setting", "recall", "p50 ms", "p95 ms", "p99 ms", "a second"]
    for size in batches:
        header += [f"{size}: p50 ms", "p95 ms", "p99 ms", "a second"]
    rows = []
    for one in [*part.get("reference", ()), *_sort_trials(part["trials"])]:
        cells = [one["label"], one["setting"], _format_number(one["recall"])]
        cells += [_format_number(one[name]) for name in ("p50_ms", "p95_ms", "p99_ms")]
        cells.append(_format_number(one["qps"][1]))
        for size in batches:
            cells += [*map(_format_number, one["batch_ms"][size]), _format_number(one["qps"][size])]
        rows.append([_format_size(one), *cells] if grows else cells)
    return format_table(rows, ["n", *header] if grows else header)


def _tabulate_costs(part: dict[str, Any], grows: bool) -> list[str]:
    names = ("build_s", "open_ms", "bytes_per_item", "structure_bytes_per_item")
    header = ["index", "build s", "open ms", "bytes an item", "without the vectors"]
    each = {(one["n"], one["label"]): one for one in part["trials"]}
    rows = [
        [
            *([_format_size(one)] if grows else []),
            label,
            *(_format_number(one[name]) for name in names),
        ]
        for (_, label), one in each.items()
    ]
    return format_table(rows, ["n", *header] if grows else header)


def _tabulate_curve(part: dict[str, Any]) -> list[str]:
    """Cost against size: the fastest setting with enough recall, and how its time grows."""
    best = curve(part)
    labels = list(dict.fromkeys(best["index"]))
    rows = []
    for n, group in best.groupby("n"):
        found = group.set_index("index")
        cells = [f"{found.p50_ms[one]:.3g} ms ({found.recall[one]:.3f})" for one in labels]
        jittered = int(group["n_jittered"].iloc[0])
        rows.append([f"{n:,}", f"{jittered:,}", *cells])
    rates = fit_growth_rates(best)
    rows.append(["time grows as", "", *(f"n^{rates[one]:.2f}" for one in labels)])
    title = f"fastest setting with recall {ENOUGH:g} or more, else the most exact: p50 (recall)"
    return [title, *format_table(rows, ["n", "of them jittered", *labels])]


def curve(part: dict[str, Any]) -> pd.DataFrame:
    """For each size and index of a growth part its fastest setting with enough recall."""
    trials = frame(part)
    trials["short"] = (ENOUGH - trials["recall"]).clip(lower=0)
    ordered = trials.sort_values(["n", "index", "short", "p50_ms"])
    return ordered.groupby(["n", "index"], as_index=False).first()


def fit_growth_rates(best: pd.DataFrame) -> dict[str, float]:
    """For each index the power of the size that its time grows as: 1 is in step with it."""
    return {
        str(name): round(float(np.polyfit(np.log(rows["n"]), np.log(rows["p50_ms"]), 1)[0]), 2)
        for name, rows in best.groupby("index")
    }


def frame(part: dict[str, Any]) -> pd.DataFrame:
    """The trials of one part as a table, a row per setting."""
    left_out = ("name", "label", "params", "qps", "batch_ms")
    rows = [
        {
            "index": one["label"],
            **{name: value for name, value in one.items() if name not in left_out},
            **{f"qps_{size}": rate for size, rate in one["qps"].items()},
            **{
                f"{name}_{size}": value
                for size, values in one["batch_ms"].items()
                for name, value in zip(("p50_ms", "p95_ms", "p99_ms"), values, strict=True)
            },
        }
        for one in part["trials"]
    ]
    return pd.DataFrame(rows)


def reference_frame(part: dict[str, Any]) -> pd.DataFrame:
    """Plain scikit-learn as a table: metric, median milliseconds, queries a second."""
    return pd.DataFrame(
        [
            {"metric": one["metric"], "p50_ms": one["p50_ms"]}
            | {f"qps_{size}": rate for size, rate in one["qps"].items()}
            for one in part["reference"]
        ]
    )


def machine() -> dict[str, str]:
    """Processor, cores and versions, as they stand beside every figure."""
    facts = {"processor": _processor(), "cores": str(os.cpu_count())}
    for package in _PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _sort_trials(trials: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(trials, key=lambda one: (one["n"], one["label"], one["recall"]))


def _format_size(one: dict[str, Any]) -> str:
    return f"{one['n']:,}"


def _format_number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
