"""The REST API, asked over the loopback address of a real server."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pandas as pd
import pytest
from fakes import GridBackbone, GridEngine
from fastapi import FastAPI
from PIL import Image
from served import Served, build_toy_store, open_toy
from toy import write_toy

from fashify.catalogue import load_catalogue
from fashify.demo import Actions, DemoService, View
from fashify.errors import ConfigError, StoreError
from fashify.features import extract_features
from fashify.retrieval.retriever import Retriever
from fashify.server import Access, make_app, mount
from fashify.server.access import Rates
from fashify.server.holding import StoreHolder

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_toy_store(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def client(toy_store: Path):
    served = Served(make_app(open_toy(toy_store), page=False, access=Access()))
    yield served.client
    served.close()


@pytest.fixture
def photo(toy_store: Path) -> bytes:
    return (toy_store.parent / "toy" / "images" / "4.jpg").read_bytes()


def data_url(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def problem(answer: httpx.Response, status: int) -> dict:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    document = answer.json()
    assert document["status"] == status
    assert {"type", "title", "detail", "expected", "received", "fix"} <= set(document)
    assert "Traceback" not in answer.text
    return document


def test_two_garments_of_a_picture_have_a_row_each(
    client: httpx.Client, toy_store: Path, tmp_path: Path
) -> None:
    sides = [Image.open(toy_store.parent / "toy" / "images" / f"{n}.jpg") for n in (1, 4)]
    pair = Image.new("RGB", (120, 80))
    for place, side in enumerate(sides):
        pair.paste(side, (60 * place, 0))
    pair.save(tmp_path / "pair.png")
    files = {"image": (tmp_path / "pair.png").read_bytes()}
    rows = client.post("/v1/search/garments", files=files, data={"k": 2}).json()
    assert [row["matches"][0]["item_id"] for row in rows] == ["1", "4"]
    assert rows[0]["box"] == [0.0, 0.0, 1.0, 0.5]
    assert [len(row["matches"]) for row in rows] == [2, 2]
    problem(client.post("/v1/search/garments", files={"image": b"text"}), 422)


def test_a_picture_finds_its_product(client: httpx.Client, photo: bytes) -> None:
    """As an upload and as a data URL; every fact is in the answer, in its own type."""
    upload = client.post("/v1/search/image", files={"image": ("a.jpg", photo)}, data={"k": 3})
    assert upload.status_code == 200, upload.text
    sent = client.post("/v1/search", json={"image": data_url(photo), "k": 3})
    for answer in (upload.json(), sent.json()):
        assert answer["matches"][0]["item_id"] == "4"
        assert len(answer["matches"]) == 3
        assert answer["n_products"] == 8
        facts = answer["matches"][0]["facts"]
        assert (facts["price"], facts["article_type"], facts["year"]) == (40, "Heels", 2012)
        assert "path" not in facts


def test_a_product_and_a_filter(client: httpx.Client) -> None:
    asked = {"item_id": "1", "where": "price < 45 and article_type = shirts", "k": 5}
    found = [match["item_id"] for match in client.post("/v1/search", json=asked).json()["matches"]]
    assert set(found) == {"2", "3"}
    same = client.get("/v1/products/1/similar", params={"where": asked["where"]}).json()
    assert [match["item_id"] for match in same["matches"]] == found
    mapping = asked | {"where": {"price": {"<": 45}, "article_type": ["Shirts"]}}
    again = client.post("/v1/search", json=mapping).json()
    assert [match["item_id"] for match in again["matches"]] == found


def test_words(client: httpx.Client) -> None:
    answer = client.get("/v1/search", params={"text": "green heels", "k": 2}).json()
    assert answer["matches"][0]["item_id"] == "7"
    assert client.get("/v1/suggestions", params={"text": "hee"}).json() == ["heels"]
    several = {"item_id": "4", "text": "in blue", "k": 1}
    assert client.post("/v1/search", json=several).json()["matches"][0]["item_id"] == "5"


def test_k_is_cut_to_the_catalogue(client: httpx.Client) -> None:
    assert len(client.get("/v1/products/1/similar", params={"k": 100}).json()["matches"]) == 7


def test_a_product_and_its_picture(client: httpx.Client) -> None:
    product = client.get("/v1/products/8").json()
    assert product["facts"]["name"] == "Acme Black Watches"
    answer = client.get(product["picture"], params={"side": 40})
    assert answer.headers["content-type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 40


def test_what_can_be_narrowed_by(client: httpx.Client) -> None:
    facets = client.get("/v1/facets", params={"where": "article_type = Heels"}).json()
    assert facets["values"]["base_colour"] == {"Blue": 1, "Green": 1, "Red": 1}
    assert facets["ranges"]["price"]["high"] == 80
    assert facets["columns"]["price"] == "price"


@pytest.mark.parametrize(
    ("path", "asked", "status", "said"),
    [
        ("/v1/search", {}, 400, "an image, a text or an item_id"),
        ("/v1/search", {"item_id": "77"}, 404, "of the 8 products"),
        ("/v1/search", {"item_id": "1", "k": 0}, 422, "valid body.k"),
        ("/v1/search", {"item_id": "1", "k": 101}, 422, "valid body.k"),
        ("/v1/search", {"item_id": "1", "q": 1}, 422, "valid body.q"),
        ("/v1/search", {"item_id": "1", "where": "prise < 3"}, 400, "column"),
        ("/v1/search", {"item_id": "1", "where": {"price": {"~": 3}}}, 400, "bounds"),
        ("/v1/search", {"item_id": "1", "liked": ["none"]}, 400, "an item_id of"),
        ("/v1/search", {"item_id": "1", "weights": {"shape": 1}}, 400, "a store with a head"),
        ("/v1/search", {"image": "data:image/png;base64,####"}, 422, "in base64"),
        ("/v1/search", {"image": data_url(b"no picture")}, 422, "image"),
        ("/v1/search", {"image": "https://example.org/x.jpg"}, 403, "data: URL"),
        ("/v1/search", {"text": "qqqqqq zzzz"}, 400, "word"),
        ("/v1/explain", {"match": "1"}, 400, "either an image or an item_id"),
        ("/v1/nothing", {}, 404, "a path of this API"),
    ],
)
def test_refusals_say_what_to_mend(client: httpx.Client, path, asked, status, said) -> None:
    assert said in problem(client.post(path, json=asked), status)["expected"]


@pytest.mark.parametrize(
    ("path", "name", "last", "beyond"),
    [
        ("search", "k", 100, 101),
        ("search", "text", "red " * 250, "red " * 250 + "x"),
        ("search", "liked", ["2"] * 50, ["2"] * 51),
        ("search", "variety", 1, 1.01),
        ("search", "variety", 0, -0.01),
        ("products/1/similar", "k", 1, 0),
        ("products/1/similar", "where", "year = 2012" + " " * 9989, "year = 2012" + " " * 9990),
        ("products/1/picture", "side", 16, 15),
        ("products/1/picture", "side", 1024, 1025),
        ("suggestions", "text", "r" * 200, "r" * 201),
    ],
)
def test_limits_at_and_beyond_their_edge(client, path, name, last, beyond) -> None:
    def ask(value: object) -> httpx.Response:
        if path == "search":
            return client.post("/v1/search", json={"item_id": "1", name: value})
        return client.get(f"/v1/{path}", params={name: value})

    assert ask(last).status_code == 200, ask(last).text
    assert name in problem(ask(beyond), 422)["expected"]


def test_a_filter_that_is_too_long(client) -> None:
    at, beyond = ("year = 2012" + " " * blanks for blanks in (9989, 9990))
    asked = {"item_id": "1", "where": at}
    assert client.post("/v1/search", json=asked).status_code == 200
    told = problem(client.post("/v1/search", json=asked | {"where": beyond}), 400)
    assert "10000 characters" in told["expected"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b'"text"', b"{", b"\xff\xfe", b'{"item_id": "1", "k": NaN}',
        b'{"item_id": "1", "variety": NaN}', b'{"item_id": "1", "weights": {"shape": Infinity}}',
        b'{"item_id": "\\ud800"}', b'{"text": "\\ud800 \\u0000"}',
        b'{"image": "data:image/png;base64,"}', b'{"image": "data:,"}', b'{"image": "file:///etc"}',
        b'{"item_id": "1", "where": "' + b"(" * 9000 + b'"}',
        b'{"item_id": "1", "where": "' + b"not " * 2000 + b'year = 1"}',
        b'{"item_id": "1", "where": ' + b'{"not": ' * 5000 + b"1" + b"}" * 5001,
        b'{"item_id": "1", "where": {"price": {"<": [[[]]]}}}',
        b'{"item_id": "1", "liked": ["1"], "disliked": ["1"], "where": {"\\ud800": 1}}',
        b'{"item_id": "1", "k": ' + b"9" * 6000 + b"}",
    ],
)  # fmt: skip
def test_any_body_is_a_problem_document(client, body: bytes) -> None:
    sent = client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code in (400, 403, 404, 422), (body[:60], sent.text)
    problem(sent, sent.status_code)


def test_refusals_of_other_kinds(client: httpx.Client) -> None:
    problem(client.get("/v1/products/nobody"), 404)
    problem(client.get("/v1/products/nobody/picture"), 404)
    problem(client.get("/v1/products/1/picture", params={"side": 5}), 422)
    problem(client.delete("/v1/search"), 405)
    problem(
        client.post("/v1/search", content=b"{", headers={"content-type": "application/json"}), 422
    )
    problem(client.post("/v1/search/image", data={"k": 3}), 422)
    problem(client.post("/v1/search/image", files={"image": b"text"}), 422)


def test_unforeseen_error_one_sentence(toy_store, monkeypatch, caplog) -> None:
    """An error nobody foresaw is told in one sentence."""
    service = open_toy(toy_store)
    monkeypatch.setattr(service, "find", lambda *_: {}["secret"])
    served = Served(make_app(service, page=False, access=Access()))
    try:
        told = problem(served.client.get("/v1/products/1/similar"), 500)
    finally:
        served.close()
    assert "secret" not in str(told)
    assert "secret" in caplog.text


def test_health_and_counts(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "n_products": 8}
    client.get("/v1/products/1")
    counted = client.get("/metrics").text
    route = 'fashify_requests_total{method="GET",path="/products/{item_id:path}",status="200"}'
    assert route in counted
    assert "fashify_products 8.0" in counted


def test_description_self_contained(client: httpx.Client) -> None:
    """The description is whole and loads nothing."""
    described = client.get("/v1/openapi.json").json()
    assert {"/search", "/search/image", "/facets", "/explain"} <= set(described["paths"])
    page = client.get("/v1/docs").text
    assert "POST /search/image" in page
    assert "http" not in page.replace("https", "http").replace("http(s)", "")


def test_keys_rates_origins_and_sizes(toy_store: Path, photo: bytes) -> None:
    """Each at and beyond its edge; health is asked without a key."""
    access = Access(
        keys=frozenset({"a-secret-key"}),
        rate=4,
        origins=("https://shop.example",),
        max_body_bytes=len(photo) + 1000,
    )
    served = Served(make_app(open_toy(toy_store), page=False, access=access))
    client, key = served.client, {"X-API-Key": "a-secret-key"}
    try:
        assert problem(client.get("/v1/facets"), 401)["received"] == "none"
        wrong = client.get("/v1/facets", headers={"Authorization": "Bearer other-key"})
        assert wrong.headers["www-authenticate"] == "Bearer"
        assert client.get("/healthz").status_code == 200
        bearer = {"Authorization": "Bearer a-secret-key", "Origin": "https://shop.example"}
        allowed = client.get("/v1/facets", headers=bearer)
        assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
        fits = client.post("/v1/search/image", files={"image": photo}, headers=key)
        assert fits.status_code == 200
        large = client.post("/v1/search/image", files={"image": photo + bytes(2000)}, headers=key)
        assert "at most" in problem(large, 413)["expected"]
        pieces = (bytes(1000) for _ in range(20))
        problem(client.post("/v1/search", content=pieces, headers=key), 413)
        limited = client.get("/v1/facets", headers=key)
        assert int(limited.headers["retry-after"]) >= 1
        problem(limited, 429)
    finally:
        served.close()


def test_a_bucket_fills_steadily() -> None:
    rates = Rates(60)
    assert [rates.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert rates.wait("a", 0.0) == pytest.approx(1)
    assert rates.wait("b", 0.0) == 0
    assert rates.wait("a", 0.5) == pytest.approx(0.5)
    assert rates.wait("a", 1.5) == 0


@pytest.mark.parametrize("environment", [{"FASHIFY_RATE": "many"}, {"FASHIFY_API_KEYS": "short"}])
def test_bad_terms(environment) -> None:
    with pytest.raises(ConfigError):
        Access.from_environment(environment)


def test_many_at_once_are_answered_as_alone(client: httpx.Client, photo: bytes) -> None:
    def ask(n: int) -> list[str]:
        item_id = str(n % 8 + 1)
        answer = client.get(f"/v1/products/{item_id}/similar", params={"k": 3}).json()
        return [item_id, *(match["item_id"] for match in answer["matches"])]

    alone = {n: ask(n) for n in range(8)}
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(ask, range(64)))
    assert together == [alone[n % 8] for n in range(64)]


def ask_page(client: httpx.Client, item_id: str) -> int:
    """How many matches the page's own queue gives for a product."""
    asked = client.post("gradio_api/call/similar", json={"data": [item_id, 3, ""]}).json()
    told = client.get(f"gradio_api/call/similar/{asked['event_id']}").text
    return told.count('"rank"') if "event: complete" in told else 0


def test_replaced_store_taken_up(toy_store: Path, tmp_path: Path, monkeypatch) -> None:
    """A build on the same store while the API and the page are asked: all are answered, then by
    the new one, which the next visit begins with, too."""
    shutil.copytree(toy_store.parent, tmp_path / "c")
    store, toy = tmp_path / "c" / "s", tmp_path / "c" / "toy"
    # The toy's backbone is none that can be loaded by name.
    monkeypatch.setattr(DemoService, "open", lambda place, **_: open_toy(place))
    monkeypatch.setattr("fashify.server.holding.LOOK_SECONDS", 0.1)
    served = Served(make_app(store, access=Access()))
    client, failed, ended = served.client, list[object](), threading.Event()
    assert "<b>8</b> products" in client.get("config").json()["components"][1]["props"]["value"]

    def ask_api() -> int:
        answer = client.get("v1/products/1/similar", params={"k": 3})
        return len(answer.json()["matches"]) if answer.status_code == 200 else 0

    def ask(find: Callable[[], int]) -> None:
        while not ended.is_set():
            if (n := find()) != 3:
                failed.append(n)

    asking = [threading.Thread(target=ask, args=[ask_api]) for _ in range(3)]
    asking.append(threading.Thread(target=ask, args=[lambda: ask_page(client, "1")]))
    for thread in asking:
        thread.start()
    lines = (toy / "styles.csv").read_text().splitlines(keepends=True)
    (toy / "styles.csv").write_text("".join(x for x in lines if not x.startswith("8,")))
    (toy / "images" / "8.jpg").unlink()
    engine = GridEngine()
    extract_features(load_catalogue(toy), GridBackbone(), store, engine=engine, index="exact")
    end = time.monotonic() + 20
    while client.get("readyz").json()["n_products"] == 8 and time.monotonic() < end:
        time.sleep(0.05)
    ended.set()
    for thread in asking:
        thread.join()
    try:
        assert failed == []
        assert client.get("readyz").json()["n_products"] == 7
        problem(client.get("v1/products/8"), 404)
        assert (ask_page(client, "1"), ask_page(client, "8")) == (3, 0)
        assert "<b>7</b> products" in client.get("config").json()["components"][1]["props"]["value"]
    finally:
        served.close()


def test_a_visit_goes_on_with_the_new_store(toy_store: Path, tmp_path: Path) -> None:
    """What a visitor sees is answered anew; what the new store lacks ends the search alone."""
    toy = toy_store.parent / "toy"
    before = Actions(open_toy(toy_store))
    picture = np.asarray(Image.open(toy / "images" / "4.jpg"))
    photo = before._start(View(), before.service.photo_query(picture, "a photo"))
    photo = before.act(photo, {"do": "filter", "level": "article_type", "value": "Heels"})
    # What another network read: the old store's vector says nothing in the new one.
    assert photo.query.feature is not None
    photo = replace(photo, query=replace(photo.query, feature=-photo.query.feature))
    item = before.act(View(), {"do": "similar", "item": "8"})
    few = load_catalogue(toy).take(range(7))
    extract_features(few, GridBackbone(), tmp_path / "s", engine=GridEngine(), index="exact")
    after = Actions(open_toy(tmp_path / "s"))
    again = after.act(photo, {"do": "count", "value": 2})
    assert (again.notice, again.selection.filters) == ("", (("article_type", ("Heels",)),))
    assert again.answer.matches[0].item_id == "4"
    gone = after.act(item, {"do": "close"})
    assert (gone.query, gone.answer) == (None, None)
    told = after.act(View(), {"do": "example", "n": "0", "title": "of another store"})
    assert "Reload the page" in told.notice


def test_broken_store_keeps_old(toy_store: Path, tmp_path: Path) -> None:
    """A store that cannot be opened leaves the old one."""
    shutil.copytree(toy_store, tmp_path / "s")
    opened = [open_toy(tmp_path / "s")]

    def reopen() -> DemoService:
        if opened:
            return opened.pop()
        raise StoreError("a store", "half of one", "build it again")

    holder = StoreHolder(reopen)
    service = holder.open()
    holder.close()
    (tmp_path / "s" / "manifest.json").write_text("{}")
    assert holder.look() is False
    assert holder.service is service


def test_mounted_in_an_application_of_ones_own(toy_store: Path, photo: bytes) -> None:
    """Page, API and health below a prefix; the application's own paths stay its own."""
    app = FastAPI()

    @app.get("/mine")
    def mine() -> str:
        return "mine"

    served = Served(mount(app, open_toy(toy_store), path="/search", access=Access()))
    client = served.client
    try:
        assert client.get("/mine").json() == "mine"
        page = client.get("/search/")
        assert "Fashify" in page.text
        assert client.get("/search/readyz").json()["n_products"] == 8
        answer = client.post("/search/v1/search/image", files={"image": photo}).json()
        picture = answer["matches"][0]["picture"]
        assert picture == f"/search/v1/products/{quote('4')}/picture"
        assert client.get(picture).headers["content-type"] == "image/jpeg"
        problem(client.get("/search/v1/products/none"), 404)
        assert client.get("/v1/facets").status_code == 404
    finally:
        served.close()
    with pytest.raises(ConfigError, match="begins with a slash"):
        mount(FastAPI(), open_toy(toy_store), path="search")


def test_ids_of_any_letters_are_found(tmp_path: Path) -> None:
    """A slash, a quote, a blank or a percent sign in an id is part of it."""
    ids = ["a/b", 'x "y"', "50%", "größe", "a/b/picture"]
    toy = write_toy(tmp_path / "toy")
    catalogue = load_catalogue(toy)
    table = catalogue.table.iloc[:5].assign(item_id=pd.Series(ids, dtype=object))
    own = type(catalogue)(table, catalogue.storage, source=str(toy), kind=catalogue.kind)
    store = extract_features(
        own, GridBackbone(), tmp_path / "s", engine=GridEngine(), index="exact"
    )
    retriever = Retriever(store, Retriever.open(store.path).index, catalogue=own)
    served = Served(make_app(DemoService(retriever), page=False, access=Access()))
    try:
        for item_id in ids[:4]:
            product = served.client.get(f"/v1/products/{quote(item_id, safe='')}").json()
            assert product["item_id"] == item_id
            assert served.client.get(product["picture"]).status_code == 200
    finally:
        served.close()


DOCS = Path(__file__).resolve().parents[2] / "docs" / "rest.md"


@pytest.mark.parametrize(("language", "program"), [("sh", "bash"), ("python", ""), ("js", "node")])
def test_the_examples_of_the_docs_run(client, photo, tmp_path, language, program) -> None:
    """As they stand, beside a photo, against a running server."""
    found = shutil.which(program) if program else sys.executable
    if found is None:
        pytest.skip(f"{program} is not installed")
    example = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[0]
    (tmp_path / "photo.jpg").write_bytes(photo)
    script = tmp_path / f"example.{'mjs' if language == 'js' else language}"
    script.write_text(example.replace("http://127.0.0.1:7860/", str(client.base_url)), "utf-8")
    done = subprocess.run(
        [found, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Acme Red Heels" in done.stdout


def test_the_docs_name_every_call(client) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    served = {f"{method.upper()} {path}" for path, calls in paths.items() for method in calls}
    listed = re.findall(r"^\| `(\w+ /v1[^`]*)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    named = {call.replace("/v1", "").replace("ID", "{item_id}") for call in listed}
    assert named == served
