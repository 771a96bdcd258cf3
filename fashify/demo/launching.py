"""How the demo is served: every setting from the environment, safe where nothing is set."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from threadpoolctl import threadpool_limits

from fashify.demo.guard import Guard
from fashify.demo.uploads import MAX_UPLOAD_BYTES
from fashify.errors import ConfigError, MissingExtraError

#: Requests that may wait; the next is told to come back.
QUEUE_LENGTH = 128

#: Sessions remembered at once; the oldest, with its photo, goes first.
SESSIONS = 200


@dataclass(frozen=True)
class Serving:
    """Where and for whom the page is served.

    Attributes:
        host: address to listen on; this machine alone unless said otherwise.
        port: 1 to 65535.
        root_path: path of the page behind a proxy, such as ``/fashify``.
        user, password: asked of visitors when both are set.
        mcp: also serve the endpoints as tools of the Model Context Protocol.
        urls: let visitors name a picture by its address on the web.
        show: columns that cards show, with commas between; None chooses them.
        catalogue: where the pictures are; None for where the store was built from.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    root_path: str = ""
    user: str = ""
    password: str = ""
    mcp: bool = False
    urls: bool = False
    show: str | None = None
    catalogue: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ConfigError("a port from 1 to 65535", str(self.port), "set FASHIFY_PORT")
        if bool(self.user) != bool(self.password):
            raise ConfigError(
                "FASHIFY_USER and FASHIFY_PASSWORD together", "only one of them", "set both"
            )
        if self.mcp and importlib.util.find_spec("mcp") is None:
            raise MissingExtraError.of("mcp", "mcp")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Serving:
        """As ``FASHIFY_HOST, _PORT, _ROOT_PATH, _USER, _PASSWORD, _MCP`` and so on say.

        Raises:
            ConfigError: a value out of range, a user without a password or the reverse.
        """
        found: dict[str, Any] = {
            name: environment.get(f"FASHIFY_{name.upper()}", "") for name in _TEXTS
        }
        port = environment.get("FASHIFY_PORT", "") or "7860"
        if not port.isdecimal():
            raise ConfigError("a port from 1 to 65535", repr(port), "set FASHIFY_PORT")
        return cls(
            **{name: text for name, text in found.items() if text},
            port=int(port),
            mcp=is_switched_on("FASHIFY_MCP", environment),
            urls=is_switched_on("FASHIFY_URLS", environment),
        )

    def mount_options(self) -> dict[str, Any]:
        """For ``gradio.mount_gradio_app``: no file served, no trace shown, nothing counted."""
        return {
            "server_name": self.host,
            "server_port": self.port,
            "root_path": self.root_path or None,
            "auth": (self.user, self.password) if self.user else None,
            "mcp_server": self.mcp,
            "footer_links": [],
            "run_history": False,
            "enable_monitoring": False,
            "ssr_mode": False,
            "show_error": False,
            "max_file_size": MAX_UPLOAD_BYTES,
            "app_kwargs": {"middleware": [Middleware(Guard)]},
        }


def is_switched_on(name: str, environment: Mapping[str, str]) -> bool:
    """Whether a variable is set, and to none of the words for no.

    >>> is_switched_on("FASHIFY_MCP", {"FASHIFY_MCP": "1"})
    True
    """
    return environment.get(name, "").lower() not in ("", "0", "no", "false", "off")


@contextmanager
def end_orderly() -> Iterator[None]:
    """Inside, SIGTERM ends the main thread with exit code 143, cleaning up on its way out.

    Left to itself it would kill the process with uploads still on disk; and as the first
    process of a container it would not even do that.
    """

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def limit_blas_threads() -> None:
    """Lets NumPy compute on one thread for the rest of this process.

    Its helpers spin while they wait for the next product: with many small searches they took
    as much of two cores as the network did.
    """
    threadpool_limits(1, user_api="blas")


_TEXTS = ("host", "root_path", "user", "password", "show", "catalogue")
