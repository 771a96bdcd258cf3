"""Thousands of broken, odd and hostile pictures: each is decoded, or refused by name.

    python benchmarks/harden malformed

Every file goes through ``load_image`` in a process of its own kind, watched from outside. A
promise is broken by a crash, a hang, an error that is not Fashify's, more than ``SECONDS`` of
processor time (other programs run too; the quickest of three tries counts), more than
``MEMORY`` of that whole process, a bomb that was not refused before its pixels were allocated,
and by a whole picture that was refused or came out in another size. Pillow's own test pictures
are taken from its source package where that can be had.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harden.bombs import bombs
from harden.script import main
from harden.specimens import ANY, BOMB, REFUSED, WHOLE, Specimen, small_specimens

SECONDS, MEMORY = 2.0, 512 << 20

#: What refusing a bomb may take beyond its own bytes.
BEFORE_PIXELS = 24 << 20

#: A file has hung that took so much processor time, or so much of the clock's.
PATIENCE, LONGEST = 20.0, 300.0

ROOT = Path(__file__).resolve().parents[2]


def processor_seconds(pid: int) -> float:
    """What a process has used so far; the clock says little where many processes run."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Decoder:
    """A ``harden.worker`` that is started again whenever a file has ended it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, path: Path) -> dict[str, Any]:
        """As ``worker.decode``; ``{"died": how}`` for a file that it did not outlive."""
        process = self._running()
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        start = time.monotonic()
        used = processor_seconds(process.pid)
        while not select.select([process.stdout], [], [], 1.0 if PATIENCE else 0)[0]:
            late = time.monotonic() - start > LONGEST
            if late or processor_seconds(process.pid) - used >= PATIENCE:
                self._end()
                return {"died": f"no answer within {PATIENCE:g} s"}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self._end()
            return {"died": f"the process ended with {code}"}
        return json.loads(line)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            paths = [str(ROOT), str(ROOT / "benchmarks")]
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join(paths),
                # Its buffers count as addresses, and nothing here is multiplied.
                "OPENBLAS_NUM_THREADS": "1",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harden.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libtiff speaks of every bad byte.
                text=True,
                env=environment,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None


class Tally:
    """Counts, extremes and broken promises."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.slowest, self.largest = (0.0, ""), (0, "")
        self.bomb = (0, "")
        self.failures: list[str] = []

    def take(self, one: Specimen, answer: dict[str, Any]) -> None:
        self.counts["files"] += 1
        if "died" in answer:
            self.failures.append(f"{one.name}: {answer['died']}")
            return
        self.counts["decoded" if answer["error"] is None else "refused"] += 1
        if answer["error"] is not None:
            self.refused[answer["error"]] += 1
        self.slowest = max(self.slowest, (round(answer["seconds"], 3), one.name))
        self.largest = max(self.largest, (answer["peak"] >> 20, one.name))
        if one.expect == BOMB:
            self.counts["bombs"] += 1
            self.bomb = max(self.bomb, (answer["grown"] >> 20, one.name))
        self.failures += [f"{one.name}: {text}" for text in broken(one, answer)]

    def facts(self) -> dict[str, Any]:
        return {
            "files": self.counts["files"],
            "decoded": self.counts["decoded"],
            "refused": dict(self.refused),
            "slowest_s": dict([self.slowest[::-1]]),
            "most_memory_mb": dict([self.largest[::-1]]),
            "bombs_refused": self.counts["bombs"],
            "most_for_a_bomb_mb": dict([self.bomb[::-1]]),
        }


def broken(one: Specimen, answer: dict[str, Any]) -> Iterator[str]:
    """Each promise that was not kept."""
    decoded = answer["error"] is None
    if not answer["ours"]:
        yield f"not ours: {answer['error']}"
    if answer["seconds"] > SECONDS:
        yield f"took {answer['seconds']:.2f} s"
    if answer["peak"] > MEMORY:
        yield f"took {answer['peak'] >> 20} MB"
    if one.expect == WHOLE and not decoded:
        yield f"refused although whole ({answer['error']})"
    if decoded and one.size is not None and tuple(answer["size"]) != one.size:
        yield f"came out as {answer['size']}, not {one.size}"
    if decoded and one.expect in (REFUSED, BOMB):
        yield "was not refused"
    if one.expect == BOMB and answer["grown"] > BEFORE_PIXELS + len(one.data):
        yield f"took {answer['grown'] >> 20} MB before it was refused"


def judge(specimens: Iterable[Specimen], folder: Path) -> Tally:
    """Every file written, decoded and judged, one after the other."""
    tally = Tally()
    with Decoder() as decoder:
        for one in specimens:
            path = folder / one.name
            path.write_bytes(one.data)
            answer = decoder(path)
            for _ in range(2):
                if answer.get("seconds", 0) > SECONDS:
                    answer = min(answer, decoder(path), key=lambda a: a.get("seconds", 1e9))
            tally.take(one, answer)
            path.unlink()
    return tally


def pillows_own() -> Iterator[Specimen]:
    """The pictures of Pillow's test suite; nothing where its source cannot be had."""
    for archive in _source_archive():
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and "/Tests/images/" in member.name:
                    name = member.name.split("/Tests/images/")[1].replace("/", "-")
                    yield Specimen(name, tar.extractfile(member).read(), ANY)


def _source_archive() -> list[Path]:
    """Pillow's source package, kept below ``build/``; fetched at the first use."""
    kept, wanted = ROOT / "build" / "harden", f"pillow-{version('pillow')}.tar.gz"
    if not (kept / wanted).is_file():
        with tempfile.TemporaryDirectory() as fresh:
            options = ["--quiet", "--no-deps", "--no-binary", "pillow", "--dest", fresh]
            command = [sys.executable, "-m", "pip", "download", *options]
            command.append(f"pillow=={version('pillow')}")
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=240)
                kept.mkdir(parents=True, exist_ok=True)
                (kept / wanted).write_bytes((Path(fresh) / wanted).read_bytes())
            except (OSError, subprocess.SubprocessError):
                return []
    return [kept / wanted]


def run(seed: int, folder: Path) -> dict[str, Any]:
    """See above; ``folder`` is an empty one."""
    parts = {"small": small_specimens(seed), "large": bombs(seed), "pillow": pillows_own()}
    tallies = {name: judge(part, folder) for name, part in parts.items()}
    answer: dict[str, Any] = {}
    for name, tally in tallies.items():
        answer |= {f"{name}: {key}": value for key, value in tally.facts().items() if value}
    if not tallies["pillow"].counts["files"]:
        answer["pillow"] = "skipped: its source package could not be had"
    failures = [line for tally in tallies.values() for line in tally.failures]
    return {**answer, "failures": failures}


if __name__ == "__main__":
    main(run, __doc__)
