"""Settings of the demo's server: safe unless said otherwise, refused when they make no sense."""

from __future__ import annotations

import pytest

from fashify.demo.launching import Serving
from fashify.errors import ConfigError
from fashify.server.access import Access


def test_nothing_set_is_safe() -> None:
    serving = Serving.from_environment({})
    options = serving.mount_options()
    assert options["server_name"] == "127.0.0.1"
    assert options["auth"] is None
    assert options["mcp_server"] is False
    assert options["show_error"] is False
    assert "allowed_paths" not in options


def test_all_from_the_environment() -> None:
    serving = Serving.from_environment(
        {
            "FASHIFY_HOST": "0.0.0.0",
            "FASHIFY_PORT": "8080",
            "FASHIFY_ROOT_PATH": "/shop",
            "FASHIFY_USER": "ada",
            "FASHIFY_PASSWORD": "secret",
        }
    )
    options = serving.mount_options()
    assert (options["server_name"], options["server_port"]) == ("0.0.0.0", 8080)
    assert options["root_path"] == "/shop"
    assert options["auth"] == ("ada", "secret")


@pytest.mark.parametrize(
    "environment",
    [
        {"FASHIFY_PORT": "http"},
        {"FASHIFY_PORT": "0"},
        {"FASHIFY_PORT": "99999"},
        {"FASHIFY_USER": "ada"},
        {"FASHIFY_PASSWORD": "secret"},
    ],
)
def test_nonsense_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Serving.from_environment(environment)


@pytest.mark.parametrize("text", ["", "0", "False", "no", "OFF"])
def test_switches_are_off(text: str) -> None:
    """For the page and for REST alike."""
    serving = Serving.from_environment({"FASHIFY_MCP": text, "FASHIFY_URLS": text})
    assert not serving.mcp
    assert not serving.urls
    assert not Access.from_environment({"FASHIFY_URLS": text}).urls


def test_addresses_can_be_switched_on() -> None:
    assert Serving.from_environment({"FASHIFY_URLS": "1"}).urls


def test_mcp_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"fashify\[mcp\]"):
        Serving.from_environment({"FASHIFY_MCP": "1"})
