"""How fast pictures become features here: every way in turn, on the same pictures.

Each contender lives in a process of its own, so that its memory is its own, and they take
turns, so that other work on the machine meets all of them alike. Ratios are taken within a
turn and their median is given.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.bench.contenders import BASELINE, BATCHED, ENGINES, REFERENCE, Bench, Subject
from fashify.engines import measure_agreement
from fashify.engines.fidelity import find_least_cosine
from fashify.engines.processor import processor
from fashify.errors import EngineError, FashifyError, join_names

#: Images per turn; the two that call ``predict`` are given fewer, for they are slow, and the
#: others more from files, so that getting under way and running empty weigh little.
TURN, SLOW_TURN, FILES_TURN = 64, 16, 256

#: Nearest others of each picture that two engines are held to agree on.
AGREEING = 5

_BASELINES = (BASELINE, BATCHED)


class BenchHandle(Protocol):
    """A ``Bench``, here or in another process."""

    def ask(self, what: str, *args: int) -> Any:
        """Calls a method of the bench. Raises ``EngineError`` when it cannot be made."""


class LocalBench:
    """A bench in this process."""

    def __init__(self, name: str, subject: Subject) -> None:
        self._bench = Bench(name, subject)

    def ask(self, what: str, *args: int) -> Any:
        return getattr(self._bench, what)(*args)


class ProcessBench:
    """A bench in a process of its own."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def ask(self, what: str, *args: int) -> Any:
        try:
            self._pipe.send((what, args))
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise EngineError(
                "a process that measures", "one that ended", "see its last lines above"
            ) from error
        if isinstance(answer, FashifyError):
            raise answer
        return answer


def compare_engines(
    source: str,
    *,
    backbone: str = "auto",
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
        backbone, weights: as ``load_backbone`` takes them.
        engines: of ``ENGINES``; those this processor lacks are left out, and said.
        images: how many pictures are drawn from the catalogue, 6 or more.
        rounds: turns of each contender.
        processes: give each contender a process of its own; without, it is quicker to
            start and nothing is known of memory.
        progress: show a bar over the turns.

    Returns:
        what was measured on what: ``processor``, ``backbone``, ``matmul_gflops``,
        ``matmul_limit`` (images a second), ``contenders`` (a list of records), ``left_out``.

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
    names = [*_BASELINES, REFERENCE, *(name for name in engines if name != REFERENCE)]
    subject = Subject(str(source), images, backbone, weights)
    with ExitStack() as stack:
        benches, left_out = _start_benches(names, subject, stack if processes else None)
        rates, limits = _take_turns(benches, rounds, progress)
        operations = benches[REFERENCE].ask("gflops_per_image")
        facts = benches[REFERENCE].ask("facts")
        records = _make_records(benches, rates, np.array(limits) / operations, processes)
    return {
        "processor": processor(),
        "backbone": facts["backbone"],
        "weights": facts["weights"],
        "catalogue": str(source),
        "images": images,
        "rounds": rounds,
        "gflops_per_image": round(operations, 3),
        "matmul_gflops": round(float(np.median(limits)), 1),
        "matmul_limit": round(float(np.median(limits)) / operations, 1),
        "contenders": records,
        "left_out": left_out,
    }


def contenders_table(measured: dict[str, Any]) -> pd.DataFrame:
    """The records of ``compare_engines`` as a table, a row per contender."""
    return pd.DataFrame(measured["contenders"])


def _start_benches(
    names: Sequence[str], subject: Subject, stack: ExitStack | None
) -> tuple[dict[str, BenchHandle], list[dict[str, str]]]:
    """The benches that can be made here, warmed up, and why the others cannot."""
    benches: dict[str, BenchHandle] = {}
    left_out = []
    for name in names:
        try:
            if stack is None:
                bench: BenchHandle = LocalBench(name, subject)
            else:
                bench = stack.enter_context(_start_process(name, subject))
            bench.ask("forward_seconds", 0, SLOW_TURN)
        except FashifyError as error:
            if name == REFERENCE or name in _BASELINES:
                raise
            left_out.append({"name": name, "reason": str(error)})
        else:
            benches[name] = bench
    return benches, left_out


@contextmanager
def _start_process(name: str, subject: Subject) -> Iterator[ProcessBench]:
    # Not forked: TensorFlow's threads would not survive it.
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs, name, subject), daemon=True)
    child.start()
    theirs.close()
    try:
        yield ProcessBench(pipe)
    finally:
        pipe.close()
        child.join(10)
        if child.is_alive():
            child.kill()


def _serve(pipe: Connection, name: str, subject: Subject) -> None:
    """The loop of a contender's process: answers until asked to stop."""
    try:
        bench: Bench | None = Bench(name, subject)
        trouble = None
    except FashifyError as error:
        bench, trouble = None, error
    while True:
        try:
            what, args = pipe.recv()
        except EOFError:
            return
        pipe.send(trouble if bench is None else getattr(bench, what)(*args))


def _take_turns(
    benches: dict[str, BenchHandle], rounds: int, progress: bool
) -> tuple[dict[str, dict[str, list[float]]], list[float]]:
    """Images a second of each contender by kind, and the matrix product's speed, a turn each."""
    rates: dict[str, dict[str, list[float]]] = {
        name: {"forward": [], "from_files": []} for name in benches
    }
    limits = []
    bar = tqdm(total=rounds * len(benches), unit="turn", disable=not progress)
    with bar:
        for turn in range(rounds):
            limits.append(benches[REFERENCE].ask("matmul_gflops"))
            for name, bench in benches.items():
                for kind, found in rates[name].items():
                    n = _turn_images(name, kind)
                    found.append(n / bench.ask(f"{kind}_seconds", turn * TURN, n))
                bar.update()
    return rates, limits


def _turn_images(name: str, kind: str) -> int:
    if name in _BASELINES:
        return SLOW_TURN
    return FILES_TURN if kind == "from_files" else TURN


def _make_records(
    benches: dict[str, BenchHandle],
    rates: dict[str, dict[str, list[float]]],
    limits: np.ndarray,
    processes: bool,
) -> list[dict[str, Any]]:
    reference = benches[REFERENCE].ask("features")
    records = []
    for name, bench in benches.items():
        forward, files = (np.array(rates[name][kind]) for kind in ("forward", "from_files"))
        # The baselines run the reference's own network in fp32.
        features = reference if name in (*_BASELINES, REFERENCE) else bench.ask("features")
        records.append(
            {
                "name": name,
                "forward": _median(forward),
                "from_files": _median(files),
                "ratio_forward": _median(forward / rates[BASELINE]["forward"], 2),
                "ratio_from_files": _median(files / rates[BASELINE]["from_files"], 2),
                "from_files_of_forward": _median(files / forward, 3),
                "of_matmul_limit": _median(forward / limits, 3),
                "peak_mb": round(bench.ask("peak_mb") or 0) or None if processes else None,
                "least_cosine": round(find_least_cosine(features, reference), 5),
                "top5_agreement": round(measure_agreement(features, reference, AGREEING), 3),
            }
        )
    return records


def _median(values: np.ndarray, digits: int = 1) -> float:
    return round(float(np.median(values)), digits)
