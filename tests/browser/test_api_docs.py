"""The examples of docs/api.md, run as they stand against the running demo."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
PROGRAMS = {"python": sys.executable, "sh": "bash", "js": "node"}


def example(language: str) -> str:
    """The one example of a language on the page."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return found


@pytest.fixture
def run(demo_url: str, photo: Path, tmp_path: Path):
    """Runs the example of a language beside photo.jpg and gives what it prints."""
    shutil.copy(photo, tmp_path / "photo.jpg")

    def ran(language: str) -> str:
        program = shutil.which(PROGRAMS[language])
        if program is None:
            pytest.skip(f"{PROGRAMS[language]} is not installed")
        script = tmp_path / f"example.{'mjs' if language == 'js' else language}"
        script.write_text(example(language).replace("http://127.0.0.1:7860/", demo_url), "utf-8")
        done = subprocess.run(
            [program, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ran


def test_python(run, service) -> None:
    printed = run("python").splitlines()
    matches = [line for line in printed if re.match(r"\d \d\.\d+ \w", line)]
    assert [line[0] for line in matches] == ["1", "2", "3"]
    assert "5 more like the first" in printed
    cosine, total = map(float, re.search(r"cosine (\S+) = (\S+)", "\n".join(printed)).groups())
    assert cosine == pytest.approx(total, abs=1e-4)
    assert printed[-1].startswith("{")


def test_curl(run) -> None:
    answer = run("sh")
    assert "event: complete" in answer
    assert answer.count('"rank"') == 3


def test_javascript(run) -> None:
    lines = run("js").splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["1", "2", "3"]
    assert "Women" in "\n".join(lines)


def test_the_table_names_every_endpoint(demo_url: str) -> None:
    from gradio_client import Client

    served = Client(demo_url, verbose=False).view_api(return_format="dict", print_info=False)
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {f"/{name}" for name in listed} == set(served["named_endpoints"])
