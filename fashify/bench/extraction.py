"""How fast pictures become features here: every way in turn, on the same pictures.

Each contender lives in a process of its own, so that its memory is its own, and they take
turns, so that other work on the machine meets all of them alike. Ratios are taken within a
turn and their median is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.bench.contenders import BASELINE, BATCHED, ENGINES, REFERENCE, Subject
from fashify.bench.handles import BenchHandle, LocalBench, start_process
from fashify.engines import measure_agreement
from fashify.engines.fidelity import FIDELITY, find_least_cosine
from fashify.engines.processor import processor
from fashify.errors import EngineError, FashifyError, join_names

#: Images per turn; the two that call ``predict`` are given fewer, for they are slow, and the
#: others more from files, so that getting under way and running empty weigh little.
TURN, SLOW_TURN, FILES_TURN = 64, 16, 256

#: Nearest others of each picture that two engines are held to agree on.
AGREEING = 5

#: What is timed: the network alone, and all from the file on.
KINDS = ("forward", "from_files")

_BASELINES = (BASELINE, BATCHED)


class Entry(NamedTuple):
    """An engine, on what, and what it is called beside the others."""

    name: str
    subject: Subject
    label: str


class Turns(NamedTuple):
    """A contender at work, and by kind the images a second of each of its turns."""

    entry: Entry
    bench: BenchHandle
    rates: dict[str, list[float]]


def compare_engines(
    source: str,
    *,
    backbone: str | Sequence[str] = "auto",
    weights: str | None = None,
    engines: Sequence[str] = ENGINES,
    images: int = 256,
    rounds: int = 5,
    processes: bool = True,
    progress: bool = False,
) -> dict[str, Any]:
    """Measures the baselines and every engine.

    Args:
        source: a catalogue, as ``load_catalogue`` takes it.
        backbone: as ``load_backbone`` takes it; several take turns in one run, and the
            baselines, to which all ratios are, run the first of them.
        weights: as ``load_backbone`` takes them.
        engines: of ``ENGINES``; those this processor lacks are left out, and said.
        images: how many pictures are drawn from the catalogue, 6 or more.
        rounds: turns of each contender.
        processes: give each contender a process of its own; without, it is quicker to
            start and nothing is known of memory.
        progress: show a bar over the turns.

    Returns:
        what was measured on what: ``processor``, ``matmul_gflops``, ``contenders`` (a list of
        records), ``left_out``, and of each network in ``networks`` its ``backbone``, ``weights``,
        ``gflops_per_image``, ``matmul_limit`` (images a second) and ``fastest_faithful`` (which
        engine; as ``auto`` chooses). What ``networks`` says of the first stands beside it, too.

    Raises:
        EngineError: an unknown engine, or fewer pictures than top-5 agreement needs.
    """
    if images <= AGREEING:
        raise EngineError(
            f"more than {AGREEING} pictures to compare on", str(images), "compare on 16 or more"
        )
    unknown = [name for name in engines if name not in ENGINES]
    if unknown:
        raise EngineError(
            "engines to compare", repr(unknown[0]), f"choose from {join_names(ENGINES)}"
        )
    names = [backbone] if isinstance(backbone, str) else list(dict.fromkeys(backbone))
    subjects = [Subject(str(source), images, name, weights) for name in names]
    with ExitStack() as stack:
        race, left_out = _start_benches(
            _list_entries(subjects, engines), stack if processes else None
        )
        gflops = _take_turns(race, rounds, progress)
        judged = [_judge_network(subject, race, race[0], gflops) for subject in subjects]
    networks = [network for network, _ in judged]
    return {
        "processor": processor(),
        **networks[0],
        "networks": networks,
        "catalogue": str(source),
        "images": images,
        "rounds": rounds,
        "matmul_gflops": _median(gflops),
        "contenders": [record for _, records in judged for record in records],
        "left_out": left_out,
    }


def _list_entries(subjects: Sequence[Subject], engines: Sequence[str]) -> list[Entry]:
    """The baselines on the first network, and every engine on each."""
    names = [REFERENCE, *(name for name in engines if name != REFERENCE)]
    several = len(subjects) > 1
    return [Entry(name, subjects[0], name) for name in _BASELINES] + [
        Entry(name, subject, f"{subject.backbone}, {name}" if several else name)
        for subject in subjects
        for name in names
    ]


def contenders_table(measured: dict[str, Any]) -> pd.DataFrame:
    """The records of ``compare_engines`` as a table, a row per contender."""
    return pd.DataFrame(measured["contenders"])


def _start_benches(
    entries: Sequence[Entry], stack: ExitStack | None
) -> tuple[list[Turns], list[dict[str, str]]]:
    """Those that can be made here, warmed up, and why the others cannot."""
    race, left_out = [], []
    for entry in entries:
        try:
            if stack is None:
                bench: BenchHandle = LocalBench(entry.name, entry.subject)
            else:
                bench = stack.enter_context(start_process(entry.name, entry.subject))
            bench.ask("forward_seconds", 0, SLOW_TURN)
        except FashifyError as error:
            if entry.name in (*_BASELINES, REFERENCE):
                raise
            left_out.append({"name": entry.label, "reason": str(error)})
        else:
            race.append(Turns(entry, bench, {kind: [] for kind in KINDS}))
    return race, left_out


def _take_turns(race: Sequence[Turns], rounds: int, progress: bool) -> np.ndarray:
    """Measures all of them; the matrix product's billions of operations a second, a turn each."""
    asked = next(turns.bench for turns in race if turns.entry.name == REFERENCE)
    limits = []
    with tqdm(total=rounds * len(race), unit="turn", disable=not progress) as bar:
        for turn in range(rounds):
            limits.append(asked.ask("matmul_gflops"))
            for entry, bench, rates in race:
                for kind, found in rates.items():
                    n = _turn_images(entry, kind)
                    found.append(n / bench.ask(f"{kind}_seconds", turn * TURN, n))
                bar.update()
    return np.array(limits)


def _turn_images(entry: Entry, kind: str) -> int:
    if entry.name in _BASELINES:
        return SLOW_TURN
    # Whoever draws a handful wants a quick look, not the same files over and over.
    return min(FILES_TURN, 8 * entry.subject.n) if kind == "from_files" else TURN


def _judge_network(
    subject: Subject, race: Sequence[Turns], baseline: Turns, gflops: np.ndarray
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is said of one network, and a record of each contender that ran it."""
    own = [turns for turns in race if turns.entry.subject == subject]
    asked = next(turns.bench for turns in own if turns.entry.name == REFERENCE)
    facts, operations = asked.ask("facts"), asked.ask("gflops_per_image")
    reference, limits = asked.ask("features"), gflops / operations
    records = [
        {"name": turns.entry.label, "backbone": facts["backbone"]}
        | _compare_rates(turns.rates, baseline.rates, limits)
        | {"peak_mb": round(turns.bench.ask("peak_mb") or 0) or None}
        | _compare_features(turns, reference)
        for turns in own
    ]
    network = {"backbone": facts["backbone"], "weights": facts["weights"]}
    network |= {"gflops_per_image": round(operations, 3), "matmul_limit": _median(limits)}
    return network | {"fastest_faithful": _find_fastest(own, records)}, records


def _compare_rates(
    rates: dict[str, list[float]], baseline: dict[str, list[float]], limits: np.ndarray
) -> dict[str, float]:
    forward, files = (np.array(rates[kind]) for kind in KINDS)
    return {
        "forward": _median(forward),
        "from_files": _median(files),
        "ratio_forward": _median(forward / baseline["forward"], 2),
        "ratio_from_files": _median(files / baseline["from_files"], 2),
        "from_files_of_forward": _median(files / forward, 3),
        "of_matmul_limit": _median(forward / limits, 3),
    }


def _compare_features(turns: Turns, reference: np.ndarray) -> dict[str, float]:
    # The baselines run the reference's own network in fp32.
    own = turns.entry.name in (*_BASELINES, REFERENCE)
    features = reference if own else turns.bench.ask("features")
    return {
        "least_cosine": round(find_least_cosine(features, reference), 5),
        "top5_agreement": round(measure_agreement(features, reference, AGREEING), 3),
    }


def _find_fastest(own: Sequence[Turns], records: Sequence[dict[str, Any]]) -> str:
    """The engine that ``auto`` takes by these figures: of full fidelity the fastest."""
    rates = {
        turns.entry.name: record["forward"]
        for turns, record in zip(own, records, strict=True)
        if turns.entry.name not in (*_BASELINES, "openvino int8")
        if record["least_cosine"] >= FIDELITY
    }
    return max(rates, key=lambda name: rates[name])


def _median(values: np.ndarray, digits: int = 1) -> float:
    return round(float(np.median(values)), digits)
