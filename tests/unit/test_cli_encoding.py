"""What a command answers can be printed in any code page."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PLACES = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
NAME = "Café → 赤いドレス ½ 👗"

# A command run through the real group, for what is looked at here is how its answer leaves.
_PROGRAM = f"""
import sys
from fashify.cli import app
from fashify.cli.console import emit, table
from fashify.errors import QueryError

@app.command()
def say(fail: bool = False, as_json: bool = False):
    if fail:
        raise QueryError("a name", {NAME!a}, "use another")
    emit({{"name": {NAME!a}}}, as_json, table([({NAME!a}, 1)], ("name", "n")))

app(["say", *sys.argv[1:]])
"""


def run(place: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("LC_ALL", "LANG", "PYTHONIOENCODING", "PYTHONUTF8")
    }
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, env=environment | PLACES[place]
    )


@pytest.mark.parametrize("place", PLACES)
def test_every_answer_is_printed(place: str) -> None:
    """Text with stand-ins for letters the code page lacks, JSON without any loss."""
    text = run(place, "-c", _PROGRAM)
    assert text.returncode == 0, text.stderr
    assert b"Caf" in text.stdout
    answer = run(place, "-c", _PROGRAM, "--as-json")
    assert json.loads(answer.stdout.decode("cp1252" if place == "cp1252" else "utf-8")) == {
        "name": NAME
    }
    failed = run(place, "-c", _PROGRAM, "--fail")
    assert failed.returncode == 1
    assert b"Traceback" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


@pytest.mark.parametrize("place", PLACES)
def test_help_is_printed(place: str) -> None:
    done = run(place, "-m", "fashify", "--help")
    assert (done.returncode, b"search" in done.stdout) == (0, True), done.stderr
