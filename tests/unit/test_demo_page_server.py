"""The page's server: an address that cannot be had is told with a mend that works."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest

from fashify.demo import page_server
from fashify.demo.launching import Serving
from fashify.errors import ConfigError


def test_a_taken_port_names_one_that_is_free(monkeypatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Received {port}: ") as caught:
            page_server.serve("nowhere", serving=Serving(port=port))
    named = re.search(r"--port (\d+) or FASHIFY_PORT=\1\b", str(caught.value))[1]
    assert int(named) != port
    page_server._bind("127.0.0.1", int(named)).close()
    monkeypatch.setenv("FASHIFY_PORT", named)
    assert Serving.from_environment().port == int(named)
    # Whoever typed make gets the same advice.
    asked = ["make", "-n", "-C", Path(__file__).resolve().parents[2], "PYTHON=true", "demo"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"demo --store \S+ --port {named}$", told, re.MULTILINE)


@pytest.mark.parametrize("host", ["198.51.100.7", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="an address of this machine"):
        page_server._bind(host, 7860)
