"""A real server of the toy catalogue, for tests of the API and of what asks it."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
from fakes import GridBackbone, GridEngine
from fastapi import FastAPI
from toy import write_toy

from fashify.catalogue import load_catalogue
from fashify.demo import DemoService
from fashify.demo.launching import Serving
from fashify.demo.page_server import PageServer
from fashify.features import Embedder, extract_features
from fashify.retrieval.retriever import Retriever


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def open_toy(folder: Path) -> DemoService:
    """The toy catalogue's store, its backbone and engine stood in for."""
    opened = Retriever.open(folder)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    return DemoService(Retriever(opened.store, opened.index, embedder=embedder))


def build_toy_store(folder: Path) -> Path:
    """A store of the toy catalogue with a price, ``folder/s``; the catalogue is ``folder/toy``."""
    toy = write_toy(folder / "toy")
    lines = (toy / "styles.csv").read_text().replace(", with a comma", "").splitlines()
    rows = [f"{line},{'price' if not n else 10 * n}" for n, line in enumerate(lines)]
    (toy / "styles.csv").write_text("\n".join(rows) + "\n")
    catalogue = load_catalogue(toy)
    extract_features(catalogue, GridBackbone(), folder / "s", engine=GridEngine(), index="exact")
    return folder / "s"


class Served:
    """A running server, and a client of it."""

    def __init__(self, app: FastAPI, root_path: str = "") -> None:
        serving = Serving(port=free_port(), root_path=root_path)
        self.server = PageServer(app, serving)
        self.client = httpx.Client(base_url=self.server.url, timeout=30)

    def close(self) -> None:
        """Ends both."""
        self.client.close()
        self.server.close()
