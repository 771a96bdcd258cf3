"""Starting the page's server, and ending it."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI

from fashify.demo.guard import PatientProtocol
from fashify.demo.launching import QUEUE_LENGTH, SESSIONS, Serving, end_orderly, limit_blas_threads
from fashify.demo.page import Page
from fashify.demo.service import DemoService
from fashify.demo.theme import make_theme, page_head
from fashify.demo.uploads import make_own_folder
from fashify.errors import ConfigError

#: Seconds for requests under way to end once the server is told to.
GRACE_SECONDS = 3

#: Seconds that a connection is kept for its next request: longer than proxies keep theirs, mostly
#: 60, or one of them sends a request into a connection that is being closed.
KEEP_SECONDS = 75

#: Seconds without a request under way after which a server that was told to end does so: what
#: lies in a connection, not read yet, would be lost with it. And the most it waits for that.
QUIET_SECONDS, DRAIN_SECONDS = 0.5, 20.0

#: Ports looked at for one that is free, from the one that is taken.
_PORTS_TRIED = 50


class PageServer:
    """An application, or the page over a service, served by a thread of its own until closed.

    Args:
        served: an opened store, whose page is served, or an application.
        serving: where and for whom.

    Attributes:
        url: the page's address.

    Raises:
        ConfigError: the address cannot be listened on.
    """

    def __init__(self, served: DemoService | FastAPI, serving: Serving) -> None:
        listener = _bind(serving.host, serving.port)
        host = "localhost" if serving.host in ("", "0.0.0.0", "::") else serving.host
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{serving.port}/"
        config = uvicorn.Config(
            served if isinstance(served, FastAPI) else mount_page(served, serving),
            http=PatientProtocol,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_keep_alive=KEEP_SECONDS,
            # Gradio is told on its own where its page is.
            root_path=serving.root_path.rstrip("/") if isinstance(served, FastAPI) else "",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="page", daemon=True
        )
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.01)

    def wait(self) -> None:
        """Returns when the server has ended."""
        while self._thread.is_alive():
            # Not forever at once: a signal is looked at in between.
            self._thread.join(1.0)

    def drain(self, count_under_way: Callable[[], int]) -> None:
        """Answers what came, and what still comes, then ends the server.

        Args:
            count_under_way: how many requests are not answered yet.
        """
        begin = quiet_since = time.monotonic()
        while time.monotonic() - begin < DRAIN_SECONDS:
            time.sleep(0.05)
            if count_under_way():
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                break
        self.close()

    def close(self) -> None:
        """Ends the server; requests under way have ``GRACE_SECONDS``."""
        self._server.should_exit = True
        self._thread.join(GRACE_SECONDS + 2)


def mount_page(service: DemoService, serving: Serving) -> FastAPI:
    """An application that is the page alone, with the demo's limits and look."""
    page = Page(lambda: service).blocks
    page.state_session_capacity = SESSIONS
    page.queue(max_size=QUEUE_LENGTH)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    look: dict[str, Any] = {"theme": make_theme(), "head": page_head()}
    return gr.mount_gradio_app(app, page, path="/", **serving.mount_options(), **look)


def serve(
    store: Path | str | None = None,
    *,
    serving: Serving | None = None,
    browser: bool = False,
    announce: Callable[[str], Any] = print,
) -> None:
    """Opens ``store``, warms the network up and serves the page until interrupted.

    Args:
        store: folder or url; without one the settings' store, else the sample's.
        serving: where and for whom; default: as the environment says.
        browser: whether to open the page in a browser.
        announce: is told the page's address.

    Raises:
        ConfigError: the address cannot be listened on.
        StoreError: a store was named and is not there.
    """
    serving = serving or Serving.from_environment()
    # Before the store is opened, which takes longer than to learn that the port is taken.
    check_address(serving)
    limit_blas_threads()
    service = DemoService.open(
        store, urls=serving.urls, show=serving.show, catalogue=serving.catalogue
    )
    with end_orderly(), make_own_folder():
        server = PageServer(service, serving)
        try:
            # Who reads the address may tell the server to end at once.
            announce(f"Fashify is at {server.url}")
            if browser:
                webbrowser.open(server.url)
            server.wait()
        finally:
            server.close()


def check_address(serving: Serving) -> None:
    """Raises ``ConfigError`` where the address cannot be listened on now."""
    _bind(serving.host, serving.port).close()


def _bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address; ``ConfigError`` with a port that is free if it is taken."""
    try:
        return _bound_socket(host, port)
    except OSError as error:
        # A port of another program, or one that only an administrator may take?
        free = _find_free_port(host, max(port, 1024) + 1)
        if free is not None:
            raise ConfigError(
                "a port that is free and may be listened on",
                f"{port}: {error.strerror}",
                f"choose another, such as --port {free} or FASHIFY_PORT={free}",
            ) from error
        raise ConfigError(
            "an address of this machine to listen on",
            f"{host}: {error.strerror}",
            "use --host 127.0.0.1, or 0.0.0.0 for all its addresses",
        ) from error


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the socket says that it is TCP; else an answer
    # in two parts waits 40 ms for the client to acknowledge the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # As every server does where the system allows it: not to wait for old connections.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _find_free_port(host: str, first: int) -> int | None:
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        try:
            _bound_socket(host, port).close()
        except OSError:
            continue
        return port
    return None
