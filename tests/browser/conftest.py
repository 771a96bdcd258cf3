"""The demo in a real Chromium: one server and one browser for all tests, a fresh page each."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera that is always there and always allowed: a drawn test picture.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
#: Milliseconds that something may take to show up: other jobs may run beside the tests.
PATIENCE = 30_000
DESKTOP, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests leave their screenshots: $FASHIFY_SCREENSHOTS or a temporary folder."""
    configured = os.environ.get("FASHIFY_SCREENSHOTS")
    folder = Path(configured) if configured else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def browser():
    """Debian's Chromium; it ends with the last of these tests, for it is never quite idle."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; apt-get install chromium")
    sync_api.expect.set_options(timeout=PATIENCE)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=chromium_options())
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def service(sample_store: Path):
    """The demo's service over the sample store."""
    from fashify.demo import DemoService

    return DemoService.open(sample_store)


@pytest.fixture(scope="session")
def weighted_service(service):
    """The same products served by a head of two parts."""
    from headed import weighted_demo

    return weighted_demo(service)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A reports folder with one finished run and one that is broken off."""
    folder = tmp_path_factory.mktemp("reports")
    run = folder / "01_eda" / "20260101-000000"
    run.mkdir(parents=True)
    (run / "report.html").write_text("<h1>The whole report</h1>", encoding="utf-8")
    Image.new("RGB", (320, 200), "seagreen").save(run / "thumbnail.png")
    facts = {"notebook": "01_eda", "title": "What is in the catalogue?", "status": "done"}
    facts |= {"started": "2026-01-01T00:00:00+00:00", "seconds": 12.3, "thumbnail": "thumbnail.png"}
    facts |= {"metrics": {"products": 600, "precision": 0.8541}}
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    broken = folder / "02_feature_extraction" / "20260101-000000"
    broken.mkdir(parents=True)
    (broken / "run.json").write_text("{", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASHIFY_REPORTS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def demo_url(service, reports) -> Iterator[str]:
    """Address of the running demo."""
    from fashify.demo.launching import Serving
    from fashify.demo.page_server import PageServer

    server = PageServer(service, Serving(port=free_port()))
    yield server.url
    server.close()


@pytest.fixture
def served():
    """Serves another demo: ``served(service, **settings)`` gives its address; closed afterwards."""
    from fashify.demo.launching import Serving
    from fashify.demo.page_server import PageServer

    servers = []

    def start(service, **settings: object) -> str:
        servers.append(PageServer(service, Serving(port=free_port(), **settings)))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


def chromium_options() -> list[str]:
    """How to start the browser; without its sandbox only where root needs it so."""
    return CHROMIUM_OPTIONS + (["--no-sandbox"] if os.geteuid() == 0 else [])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Width and height of the window; ask for it to run a test at both."""
    return request.param


@pytest.fixture
def open_page(browser, demo_url: str):
    """Opens the demo in a fresh context; afterwards nothing may have left this machine."""
    contexts, outside, errors = [], [], []

    def opened(
        size: tuple[int, int] = DESKTOP, *, query: str = "", dark: bool = False, at: str = demo_url
    ):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            # The page scrolls at once then: nothing moves away under a click.
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: _watch(request.url, outside))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(at + query)
        page.wait_for_selector(".fx-strip button")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not outside, f"requests left the machine: {outside}"
    assert not errors, f"errors in the page: {errors}"


def _watch(url: str, outside: list[str]) -> None:
    address = urlsplit(url)
    if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
        outside.append(url)
