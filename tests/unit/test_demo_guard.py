"""Requests that are too large or too slow, at a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from fashify.demo import guard
from fashify.demo.guard import Guard, PatientProtocol


async def counting(scope, receive, send) -> None:
    """Answers with the length of the body."""
    if scope["type"] != "http":
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def port(uploads: Path) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "PIECE_SECONDS", 0.5)
        patch.setattr(guard, "BODY_SECONDS", 1.0)
        patch.setattr(PatientProtocol, "patience", 0.5)
        options = {"port": 0, "log_level": "error", "lifespan": "off", "http": PatientProtocol}
        config = uvicorn.Config(Guard(counting, uploads), **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
        server.should_exit = True
        thread.join(5)


def post(port: int, path: str, body, **options) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}{path}", content=body, timeout=10, **options)


def pieces(size: int, times: int) -> Iterator[bytes]:
    for _ in range(times):
        yield bytes(size)


def test_what_is_small_enough_passes(port: int) -> None:
    assert post(port, "/run", bytes(1000)).text == "1000"
    assert post(port, "/run", pieces(1000, 5)).text == "5000"
    assert post(port, "/gradio_api/upload", bytes(2_000_000)).text == "2000000"
    assert httpx.get(f"http://127.0.0.1:{port}/").text == "0"


@pytest.mark.parametrize("body", [bytes(1_000_001), pieces(100_000, 11)], ids=["told", "in pieces"])
def test_what_is_too_large_is_refused(port: int, body) -> None:
    answer = post(port, "/run", body)
    assert answer.status_code == 413
    assert answer.text.endswith(".")


def test_a_length_that_is_none_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /run HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n")
        assert client.recv(100).split()[1] in (b"400", b"413")


def test_no_more_uploads_than_there_is_room_for(port: int, uploads: Path, monkeypatch) -> None:
    (uploads / "waiting.jpg").write_bytes(bytes(2000))
    monkeypatch.setattr(guard, "MAX_WAITING_BYTES", 1000)
    assert post(port, "/gradio_api/upload", b"x").status_code == 503
    assert post(port, "/run", b"x").status_code == 200
    (uploads / "waiting.jpg").unlink()
    assert post(port, "/gradio_api/upload", b"x").status_code == 200


def test_a_body_by_the_byte_is_let_go(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /run HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n")
        begin, told = time.monotonic(), b""
        client.settimeout(0.2)
        while not told and time.monotonic() - begin < 20:
            client.sendall(b".")
            try:
                told = client.recv(200)
            except TimeoutError:
                continue
        assert b" 408 " in told


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nX-Slow: ", None])
def test_a_head_without_an_end_is_let_go(port: int, first: bytes | None) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        if first is None:
            # A whole request first: patience begins anew after it.
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b" 200 " in client.recv(500)
            first = b"GET / HTTP/1.1\r\nX-Slow: "
        client.sendall(first)
        while client.recv(500):
            pass
        assert post(port, "/run", b"still here").status_code == 200


def test_vanishing_uploads_harmless(tmp_path: Path) -> None:
    """Uploads that vanish while they are counted harm nothing."""
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            for n in range(20):
                (tmp_path / f"u{n}").mkdir()
                (tmp_path / f"u{n}" / "photo.jpg").write_bytes(b"12345")
            for n in range(20):
                (tmp_path / f"u{n}" / "photo.jpg").unlink()
                (tmp_path / f"u{n}").rmdir()

    busy = threading.Thread(target=come_and_go)
    busy.start()
    try:
        for _ in range(300):
            assert 0 <= guard._bytes_below(tmp_path) <= 100
    finally:
        over.set()
        busy.join()
    (tmp_path / "kept.jpg").write_bytes(b"123")
    assert guard._bytes_below(tmp_path) == 3
