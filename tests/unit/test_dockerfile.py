"""The Dockerfile keeps what docs/deploy.md promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from fashify.cli import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if re.match("[A-Z]+ ", line)]


def test_the_page_runs_as_nobody(steps) -> None:
    names = [name for name, _ in steps]
    assert dict(steps)["USER"] == "65534:65534"
    # What is installed is the wheel, and what runs it needs nothing of the build's stage.
    assert [rest.split()[-1] for name, rest in steps if name == "FROM"] == [
        "wheel",
        "python:3.11-slim",
    ]
    assert "--from=wheel /srv/fashify/dist ./dist" in [
        rest for name, rest in steps if name == "COPY"
    ]
    assert names.index("USER") < names.index("CMD")
    assert names.count("USER") == 1


def test_nothing_fetched_at_start(steps) -> None:
    """All that is fetched is fetched before the start."""
    build = [rest for name, rest in steps if name == "RUN"][-1]
    assert build.startswith("fashify build")
    assert "pip" not in dict(steps)["CMD"]


def test_it_has_a_health_check_and_its_settings(steps) -> None:
    assert "HEALTHCHECK" in dict(steps)
    told = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    for name, rest in steps:
        if name == "ENV" and rest.startswith("FASHIFY_"):
            assert f"`{rest.split('=')[0]}`" in told


def test_what_is_copied_is_let_through(steps) -> None:
    ignore = (ROOT / ".dockerignore").read_text("utf-8")
    for name, rest in steps:
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}\n" in ignore


def test_the_compose_file_asks_for_what_there_is() -> None:
    """Its commands are ours, its paths and the store's are the image's."""
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load((ROOT / "docs" / "compose.yaml").read_text("utf-8"))["services"]
    for name in ("build", "search"):
        command = services[name]["command"].replace("${CATALOGUE:-sample}", "sample")
        program, verb, *options = command.split()
        called = get_command(app).commands[verb]
        parsed = called.make_context(verb, options).params
        assert (program, services[name]["read_only"]) == ("fashify", True)
        assert str(parsed["out" if verb == "build" else "store"]) == "data/served"
    assert (
        services["search"]["depends_on"]["build"]["condition"] == "service_completed_successfully"
    )
    dockerfile = services["build"]["build"]
    assert (ROOT / "docs" / dockerfile["context"] / dockerfile["dockerfile"]).is_file()
