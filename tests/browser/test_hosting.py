"""How the demo is hosted: with a password, over a store that changes, with addresses, with MCP."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from load import Client

from fashify.demo.launching import QUEUE_LENGTH
from fashify.demo.uploads import make_own_folder

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def page(browser):
    """A fresh page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


@pytest.fixture
def own_service(service, sample_store: Path, tmp_path: Path):
    """A service over a store of its own, on the engine that is there already."""
    from fashify.demo import DemoService
    from fashify.retrieval.retriever import Retriever

    path = shutil.copytree(sample_store, tmp_path / "store")
    opened = Retriever.open(path)
    shared = service.retriever
    return DemoService(
        Retriever(opened.store, opened.index, catalogue=shared.catalogue, embedder=shared.embedder)
    )


def _example(page, number: int) -> None:
    page.locator(".fx-strip button").nth(number).click()
    expect(page.locator(".fx-card")).to_have_count(5)


def test_a_store_rebuilt_underneath(own_service, served, photo: Path, page) -> None:
    from fashify.store import FeatureStore

    path = own_service.store.path
    url = served(own_service)
    page.goto(url)
    _example(page, 0)
    expect(page.get_by_text("has been rebuilt")).to_have_count(0)
    FeatureStore.load(path).save(path)
    _example(page, 1)
    expect(page.get_by_text("has been rebuilt")).to_be_visible()
    shutil.rmtree(path)
    page.locator(".fx-file").set_input_files(photo)
    expect(page.locator(".fx-results h2")).to_contain_text("your photo")
    expect(page.locator(".fx-card")).to_have_count(5)
    page.locator('.fx-card [data-do="explain"]').first.click()
    expect(page.locator(".fx-whypanel")).to_be_visible()
    expect(page.locator(".fx-notice")).to_have_count(0)


def test_a_full_queue_is_said_and_passes(own_service, served, page, monkeypatch, screenshots):
    import httpx

    gate, by_features = threading.Event(), own_service.retriever.by_features

    def held(*args, **options):
        gate.wait(60)
        return by_features(*args, **options)

    url = served(own_service)
    page.goto(url)
    _example(page, 0)
    monkeypatch.setattr(own_service.retriever, "by_features", held)
    asked = {"data": [own_service.examples[0].query.item_id, 5, ""]}
    with httpx.Client(base_url=url, timeout=60) as client:
        answers = [
            client.post("gradio_api/call/similar", json=asked) for _ in range(QUEUE_LENGTH + 40)
        ]
        assert {answer.status_code for answer in answers} == {200, 503}
        assert "Queue is full" in answers[-1].text
        page.locator(".fx-strip button").nth(1).click()
        expect(page.get_by_text("Please try again")).to_be_visible()
        page.screenshot(path=screenshots / "full.png")
        gate.set()
        events = [answer.json()["event_id"] for answer in answers if answer.status_code == 200]
        told = client.get(f"gradio_api/call/similar/{events[-1]}").text
    assert "event: complete" in told
    page.locator(".fx-strip button").nth(2).click()
    title = own_service.examples[2].query.title
    expect(page.locator(".fx-results h2")).to_contain_text(title)
    expect(page.locator(".fx-card")).to_have_count(5)


def test_two_visitors_one_photo(service, served, photo: Path, tmp_path: Path, monkeypatch) -> None:
    """Two visitors with one photo and a demo of the same user that ends."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    data = photo.read_bytes()
    with make_own_folder() as folder:
        port = int(served(service).rstrip("/").rpartition(":")[2])
        first, second = Client(port, "run"), Client(port, "run")
        calls = [visitor.upload(data) for visitor in (first, second)]
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 2
        with monkeypatch.context() as other:
            other.setenv("GRADIO_TEMP_DIR", str(tmp_path))
            with make_own_folder():
                pass
        assert [len(v.found(c)) for v, c in zip((first, second), calls, strict=True)] == [5, 5]
    assert not folder.exists()


def test_pictures_that_are_gone_cost_no_answer(own_service, served, page, monkeypatch) -> None:
    from fashify.errors import CatalogueError

    def gone(item_id: str, view: str = "") -> None:
        raise CatalogueError("a picture", "none any more", "build the store again")

    url = served(own_service)
    page.goto(url)
    monkeypatch.setattr(own_service.retriever, "picture", gone)
    _example(page, 0)
    shown = page.locator(".fx-card .fx-picture img").first
    assert shown.evaluate("async (e) => (await e.decode(), e.naturalWidth > 0)")


def test_a_password_is_asked(service, served, page) -> None:
    import httpx

    url = served(service, user="ada", password="lovelace-1843")
    assert httpx.post(f"{url}gradio_api/upload", files={"files": b"x"}).status_code == 401
    assert httpx.get(f"{url}config").status_code == 401
    page.goto(url)
    for password, told in (("wrong", "Incorrect Credentials"), ("lovelace-1843", "Fashify")):
        page.get_by_label("username").fill("ada")
        page.get_by_label("password").fill(password)
        page.get_by_role("button", name="Login").click()
        expect(page.get_by_text(told).first).to_be_visible()
    _example(page, 0)


def test_addresses_where_they_are_on(service, served, photo: Path, page, monkeypatch) -> None:
    from fashify.demo.fetching import Fetcher

    monkeypatch.setattr(service, "fetcher", Fetcher(1_000_000))
    url = served(service)
    page.goto(url)
    field = page.get_by_label("Address of a picture")
    field.fill("http://127.0.0.1/shirt.jpg")
    page.get_by_role("button", name="Fetch").click()
    expect(page.locator(".fx-notice")).to_contain_text("inside a private network")
    monkeypatch.setattr(service.fetcher, "fetch", lambda url: photo.read_bytes())
    field.fill("https://shop.example/shirt.jpg")
    field.press("Enter")
    expect(page.locator(".fx-results h2")).to_contain_text("a picture from the web")
    expect(page.locator(".fx-card")).to_have_count(5)


def test_addresses_are_off_otherwise(open_page) -> None:
    expect(open_page().get_by_label("Address of a picture")).to_have_count(0)


def test_tools_for_assistants(service, served) -> None:
    import asyncio

    mcp = pytest.importorskip("mcp", reason="fashify[mcp] is not installed")
    from mcp.client.streamable_http import streamablehttp_client

    async def counted(url: str) -> tuple[set[str], str]:
        async with (
            streamablehttp_client(f"{url}gradio_api/mcp/") as (reader, writer, _),
            mcp.ClientSession(reader, writer) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            name = next(tool.name for tool in tools.tools if tool.name.endswith("facets"))
            told = await session.call_tool(name, {"where": "gender = Women"})
            return {tool.name for tool in tools.tools}, told.content[0].text

    url = served(service, mcp=True)
    # In a thread of its own, for Playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        names, told = pool.submit(asyncio.run, counted(url)).result()
    assert {name.split("_")[-1] for name in names} == {
        *("search", "similar", "explain", "facets"),
        *("find", "with", "suggest"),
    }
    n_women = int((service.items["gender"] == "Women").sum())
    assert f"{n_women}" in told
