"""The API where shops put it: behind a prefix, a proxy and HTTPS; and how it ends."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from served import Served, build_toy_store, free_port, open_toy

from fashify.client import SearchClient
from fashify.demo import guard
from fashify.demo.guard import PatientProtocol
from fashify.demo.launching import Serving
from fashify.demo.page_server import PageServer
from fashify.server import Access, make_app, mount


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_toy_store(tmp_path_factory.mktemp("hosting"))


@pytest.fixture
def photo(toy_store: Path) -> bytes:
    return (toy_store.parent / "toy" / "images" / "4.jpg").read_bytes()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine for itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", key, "-out", made, "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


class Secured:
    """An application served over HTTPS by uvicorn itself, until closed."""

    def __init__(self, app: FastAPI, certificate: tuple[Path, Path]) -> None:
        port, (made, key) = free_port(), certificate
        config = uvicorn.Config(
            app, port=port, log_level="warning", ssl_certfile=made, ssl_keyfile=key
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.url = f"https://localhost:{port}"
        trusted = ssl.create_default_context(cafile=str(made))
        self.client = httpx.Client(base_url=self.url, verify=trusted, timeout=30)

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(10)


def make_proxy(upstream: str, prefix: str) -> FastAPI:
    """What a reverse proxy does: cuts its prefix off, says whom it answers, passes the rest on."""
    proxy = FastAPI()

    @proxy.api_route(prefix + "/{path:path}", methods=["GET", "POST"])
    async def forward(path: str, request: Request) -> Response:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("host", "content-length", "connection")
        }
        headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        headers["X-Forwarded-Host"] = request.headers["host"]
        async with httpx.AsyncClient(base_url=upstream, timeout=30) as inner:
            answer = await inner.request(
                request.method,
                path,
                params=request.query_params,
                content=await request.body(),
                headers=headers,
            )
        kept = {"content-type": answer.headers.get("content-type", "")}
        return Response(answer.content, answer.status_code, kept)

    return proxy


def test_behind_a_prefix_a_proxy_and_https(toy_store, certificate, photo) -> None:
    """The addresses in the answers lead through the proxy, and the page loads behind it."""
    serving = Serving(root_path="/shop")
    inner = Served(make_app(open_toy(toy_store), access=Access(), serving=serving), "/shop")
    outer = Secured(make_proxy(inner.server.url, "/shop"), certificate)
    try:
        answer = outer.client.post("/shop/v1/search/image", files={"image": photo})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        picture = found["matches"][0]["picture"]
        assert picture == "/shop/v1/products/4/picture"
        assert outer.client.get(picture).headers["content-type"] == "image/jpeg"
        assert outer.client.get("/shop/readyz").json()["n_products"] == 8
        assert outer.client.get("/shop/v1/products/none").status_code == 404
        page = outer.client.get("/shop/").text
        assert f"{outer.url}/shop" in page
        assert "http://127.0.0.1" not in page
        described = outer.client.get("/shop/v1/openapi.json").json()
        assert described["servers"] == [{"url": "/shop/v1"}]
    finally:
        outer.close()
        inner.close()


def test_mounted_below_a_path_over_https(toy_store, certificate) -> None:
    """In an application of one's own that speaks HTTPS itself; the client follows it there."""
    app = mount(FastAPI(), open_toy(toy_store), path="/search", page=False, access=Access())
    secured = Secured(app, certificate)
    try:
        match = secured.client.get("/search/v1/products/1/similar").json()["matches"][0]
        assert match["picture"].startswith("/search/v1/products/")
        with SearchClient(f"{secured.url}/search") as shop:
            shop._http.close()
            shop._http = httpx.Client(
                base_url=f"{secured.url}/search/v1/",
                verify=ssl.create_default_context(cafile=str(certificate[0])),
            )
            found = shop.find_similar("1", k=1)[0]
        assert found.picture == f"{secured.url}{match['picture']}"
    finally:
        secured.close()


def connect(port: int) -> list[HTTPConnection]:
    """24 connections that nothing was sent over yet."""
    connections = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(24)]
    for connection in connections:
        connection.connect()
    return connections


def send_photos(connections: list[HTTPConnection], photo: bytes) -> None:
    """A search over each of them, whose answer is not waited for."""
    body = b'--cut\r\nContent-Disposition: form-data; name="image"; filename="q"\r\n\r\n'
    body += photo + b"\r\n--cut--\r\n"
    for connection in connections:
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        connection.request("POST", "/v1/search/image", body, kind)


def count_matches(connection: HTTPConnection) -> int:
    """How many matches come over a connection; 0 for a refusal."""
    answer = connection.getresponse()
    return len(json.loads(answer.read())["matches"]) if answer.status == 200 else 0


def test_a_server_that_ends_answers_first(toy_store, photo) -> None:
    app = make_app(open_toy(toy_store), page=False, access=Access())
    served = Served(app)
    connections = connect(served.client.base_url.port)
    send_photos(connections, photo)
    served.server.drain(lambda: app.state.fashify_counters.under_way)
    assert [count_matches(connection) for connection in connections] == [5] * 24
    with pytest.raises(httpx.ConnectError):
        served.client.get("/healthz")
    served.client.close()


@pytest.mark.slow
def test_sigterm_drops_no_request(sample_store: Path, photo: bytes) -> None:
    """Told to end with 24 searches under way, as soon as it says where it is: all are answered."""
    port = free_port()
    command = [sys.executable, "-m", "fashify", "serve", "--no-page"]
    command += ["--store", str(sample_store), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "Fashify is at" in server.stdout.readline()
        connections = connect(port)
        send_photos(connections, photo)
        server.send_signal(signal.SIGTERM)
        with ThreadPoolExecutor(24) as pool:
            assert list(pool.map(count_matches, connections)) == [5] * 24
        assert server.wait(30) == 128 + signal.SIGTERM
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")


def test_connections_are_kept(toy_store: Path, photo: bytes, monkeypatch) -> None:
    """One connection asks again and again, longer than a head may take to arrive."""
    monkeypatch.setattr(PatientProtocol, "patience", 0.5)
    serving = Serving(host="127.0.0.1", port=free_port())
    server = PageServer(make_app(open_toy(toy_store), page=False), serving)
    connection = HTTPConnection("127.0.0.1", serving.port, timeout=20)
    try:
        for _ in range(4):
            connection.request("GET", "/v1/search?item_id=4")
            # HTTPConnection opens another where the first was closed: it must not.
            sock = connection.sock
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            assert connection.sock is sock
            time.sleep(0.4)
    finally:
        connection.close()
        server.close()


def test_slow_body_refused(toy_store: Path, monkeypatch) -> None:
    """A body that stops coming is a problem document, in time."""
    monkeypatch.setattr(guard, "PIECE_SECONDS", 0.3)
    serving = Serving(host="127.0.0.1", port=free_port())
    server = PageServer(make_app(open_toy(toy_store), page=False), serving)
    try:
        with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as client:
            client.sendall(b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{")
            told = client.recv(2000)
        assert b" 408 " in told.split(b"\r\n")[0]
        assert b"application/problem+json" in told
    finally:
        server.close()


def test_answers_are_sent_at_once(toy_store: Path, monkeypatch) -> None:
    """Accepted connections do not hold small parts of an answer back (Nagle's algorithm)."""
    held: list[int] = []
    made = PatientProtocol.connection_made

    def note(protocol: PatientProtocol, transport) -> None:
        made(protocol, transport)
        sock = transport.get_extra_info("socket")
        held.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(PatientProtocol, "connection_made", note)
    served = Served(make_app(open_toy(toy_store), page=False))
    try:
        assert served.client.get("/v1/products/4").status_code == 200
    finally:
        served.close()
    assert held == [1]
