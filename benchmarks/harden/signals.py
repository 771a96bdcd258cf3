"""SIGTERM and Ctrl-C in every command that takes long, and two builds of one store at once.

Real processes, ended at moments drawn by the seed: each must be gone at once with an exit code
that is not 0, take its helpers with it and leave the store as it was, or as the finished command
leaves it where the signal came after the work; and the same command must do its work when it is
given again.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from kills import hashes
from load import Client, free_port

from fashify.store import verify_store

#: Not ``auto``, which would look for the weights of another network first.
NETWORK = ("--backbone", "efficientnet-lite0", "--engine", "openvino")

#: Seconds within which a process that was told to end is gone.
PROMPT = 5.0


def commands(store: Path, folder: Path) -> dict[str, list[str]]:
    """The long commands, each on ``store``."""
    at = ["--store", str(store)]
    return {
        "build": ["build", "--out", str(store), "--limit", "200", *NETWORK],
        "index": ["index", *at, "--name", "annoy", "-p", "trees=400"],
        "learn": ["learn", *at, "--head", "softmax"],
        "evaluate": ["evaluate", *at, "--split", "all"],
        "report": ["report", "01_eda", "--out", str(folder / "reports")],
        "demo": ["demo", *at, "--port", str(free_port())],
    }


def started(words: list[str], folder: Path) -> subprocess.Popen:
    """A command of ours in a process and session of its own; what it says goes to a file."""
    told = (folder / "said.txt").open("wb")
    environment = os.environ | {"FASHIFY_PROGRESS": "0", "GRADIO_TEMP_DIR": str(folder / "up")}
    return subprocess.Popen(
        [sys.executable, "-m", "fashify", *words], stdout=told, stderr=told, env=environment,
        # Whoever starts this in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def terminated(
    process: subprocess.Popen, after: float, sign: signal.Signals = signal.SIGTERM
) -> tuple[bool, float, int]:
    """Whether it was still at work ``after`` seconds, how long it took to end, helpers left."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        pass
    else:
        return False, 0.0, 0
    helpers = psutil.Process(process.pid).children(recursive=True)
    begin = time.monotonic()
    process.send_signal(sign)
    try:
        process.wait(120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    seconds = time.monotonic() - begin
    _, alive = psutil.wait_procs(helpers, timeout=PROMPT)
    for helper in alive:
        helper.kill()
    return True, seconds, len(alive)


def uploaded(port: int) -> None:
    """Leaves a picture with the demo that nobody asks about."""
    body = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="q.jpg"\r\n\r\n'
    Client(port, "run").post(
        "/gradio_api/upload", body + b"secret\r\n--cut--\r\n", "multipart/form-data; boundary=cut"
    )


def demo_ended(store: Path, folder: Path, prompt: float = PROMPT) -> dict[str, Any]:
    """SIGTERM for a demo that serves and holds an upload: it ends in order, nothing is left."""
    port, up = free_port(), folder / "up"
    process = started(["demo", "--store", str(store), "--port", str(port)], folder)
    until = time.monotonic() + 280
    while b"Fashify is at" not in (folder / "said.txt").read_bytes():
        if time.monotonic() > until or process.poll() is not None:
            process.kill()
            return {"failures": ["the demo did not start"]}
        time.sleep(0.1)
    uploaded(port)
    there = [path for path in up.rglob("*") if path.is_file()]
    _, seconds, helpers = terminated(process, 0)
    left = [path for path in up.rglob("*") if path.is_file()]
    checks = {
        "the upload did not arrive": bool(there),
        f"{len(left)} uploads left": not left,
        f"exit code {process.returncode}": process.returncode == 128 + signal.SIGTERM,
        f"{seconds:.1f} s to end": seconds <= prompt,
        f"{helpers} helpers left": not helpers,
        "a traceback": b"Traceback" not in (folder / "said.txt").read_bytes(),
    }
    failures = [f"SIGTERM while serving: {broken}" for broken, kept in checks.items() if not kept]
    return {"SIGTERM while serving, s": round(seconds, 1), "failures": failures}


def end_each(seed: int, folder: Path, moments: int = 2, names: tuple = ()) -> dict[str, Any]:
    """Ends each command ``moments`` times, then lets it come to its end."""
    rng = np.random.default_rng(seed)
    failures: list[str] = []
    counts = {"commands ended": 0, "commands finished before": 0}
    signs = itertools.cycle((signal.SIGTERM, signal.SIGINT))
    slowest = 0.0
    base = folder / "base"
    build = ["build", "--out", str(base), "--limit", "80", *NETWORK]
    started(build, folder).wait()
    for name in names or commands(base, folder):
        store = folder / f"term-{name}"
        shutil.copytree(base, store)
        words, before, changed = commands(store, folder)[name], hashes(store), []
        for after, sign in zip(rng.uniform(0.1, 6.0, moments), signs, strict=False):
            process = started(words, folder)
            ended, seconds, helpers = terminated(process, after, sign)
            slowest = max(slowest, seconds)
            if not ended:
                counts["commands finished before"] += 1
                before = hashes(store)
                continue
            counts["commands ended"] += 1
            what, now = f"{sign.name} in {name} after {after:.1f} s", hashes(store)
            # An index being written may have left files that nothing names.
            if not before.items() <= now.items():
                before = now
                changed.append((what, now))
            checks = {
                "exit code 0": process.returncode != 0,
                f"{seconds:.1f} s to end": seconds <= PROMPT,
                f"{helpers} helpers left": not helpers,
                "the store is not whole": not verify_store(store),
                "a traceback": b"Traceback" not in (said := (folder / "said.txt").read_bytes()),
                "not said": sign == signal.SIGTERM or said.endswith(b"Interrupted.\n"),
            }
            failures += [f"{what}: {broken}" for broken, kept in checks.items() if not kept]
        failures += _again(name, words, store, folder)
        last = hashes(store)
        failures += [
            f"{what}: neither as before nor as finished"
            for what, now in changed
            if not last.items() <= now.items()
        ]
    return {**counts, "slowest end s": round(slowest, 1), "failures": failures}


def _again(name: str, words: list[str], store: Path, folder: Path) -> list[str]:
    """The same command given once more; the demo has its turn elsewhere."""
    if name == "demo":
        return demo_ended(store, folder)["failures"]
    code = started(words, folder).wait()
    failures = [f"{name} after its ends: exit code {code}"] if code else []
    if verify_store(store):
        failures.append(f"{name} after its ends: the store is not whole")
    strange = [path.name for path in store.rglob("*.part")]
    strange += [path.name for path in (store / "index").glob("*") if ".json." in path.name]
    return failures + [f"{name} left {left} behind" for left in strange]


def two_at_once(folder: Path) -> dict[str, Any]:
    """Two builds of one store at the same time: one does it, the other is told so."""
    out = folder / "two"
    words = ["build", "--out", str(out), "--limit", "120", *NETWORK]
    first, second = folder / "first", folder / "second"
    for place in (first, second):
        place.mkdir()
    both = [started(words, first), started(words, second)]
    codes = [process.wait() for process in both]
    said = b"".join((place / "said.txt").read_bytes() for place in (first, second))
    failures = []
    if 0 not in codes or not {0, 1} >= set(codes):
        failures.append(f"two builds at once ended with {codes}")
    if sum(codes) and b"another process that is writing it" not in said:
        failures.append("two builds at once: the loser was not told why")
    if b"Traceback" in said or verify_store(out):
        failures.append("two builds at once: a traceback, or the store is not whole")
    return {"two builds at once": f"exit codes {sorted(codes)}", "failures": failures}


def run(seed: int, folder: Path) -> dict[str, Any]:
    """Both."""
    ended, two = end_each(seed, folder), two_at_once(folder)
    failures = ended.pop("failures") + two.pop("failures")
    return {**ended, **two, "failures": failures}
