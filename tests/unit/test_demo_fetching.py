"""Pictures named by their address: nothing private is reached, nothing has no bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import ClassVar

import pytest

from fashify.demo.fetching import AT_ONCE, Fetcher, is_public, resolve
from fashify.errors import ImageReadError

HERE = ip_address("127.0.0.1")


class Shop(BaseHTTPRequestHandler):
    """A web server that also misbehaves."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        getattr(self, f"answer_{self.path.strip('/').partition('?')[0]}")()

    def format_mean(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_picture(self) -> None:
        self.format_mean(200, b"bytes", Content_Length="5")

    def answer_inward(self) -> None:
        self.format_mean(302, Location="http://inside.example/picture")

    def answer_aside(self) -> None:
        self.format_mean(302, Location="/picture?moved")

    def answer_file(self) -> None:
        self.format_mean(302, Location="file:///etc/hostname")

    def answer_round(self) -> None:
        self.format_mean(301, Location="/round")

    def answer_gone(self) -> None:
        self.format_mean(404)

    def answer_boast(self) -> None:
        self.format_mean(200, Content_Length="999999999")

    def answer_endless(self) -> None:
        self.format_mean(200)
        try:
            for _ in range(1000):
                self.wfile.write(bytes(1000))
        except OSError:
            pass

    def answer_drip(self) -> None:
        self.format_mean(200, Content_Length="1000")
        try:
            for _ in range(100):
                self.wfile.write(b".")
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetcher(port: int) -> Fetcher:
    """This machine plays a public one, under every name but ``inside.example``."""

    def resolver(host: str, port: int) -> list:
        return [ip_address("10.0.0.8") if host == "inside.example" else HERE]

    return Fetcher(
        10_000,
        seconds=1,
        ports={"http": port},
        resolver=resolver,
        allowed=lambda address: address == HERE,
    )


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1
    224.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 fc00::1 ff02::1 ::ffff:127.0.0.1
    ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1""".split(),
)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111"])
def test_what_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.jpg",
        "http://localhost/a.jpg",
        "http://[::1]/a.jpg",
        "http://2130706433/a.jpg",
        "http://0x7f.1/a.jpg",
        "https://169.254.169.254/latest/meta-data",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(ImageReadError, match="inside a private network"):
        Fetcher(1000).fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shirt.jpg",
        "file:///etc/hostname",
        "ftp://shop.example/a.jpg",
        "http://",
        "http://ada:secret@shop.example/a.jpg",
        "http://shop.example:22/a.jpg",
        "http://shop.example:x/",
        "http://shop.example/a b.jpg",
        "http://shop.example/\x01",
        "http://shop.example/" + 2000 * "a",
    ],
)
def test_other_addresses_are_refused(url: str, fetcher: Fetcher) -> None:
    with pytest.raises(ImageReadError):
        fetcher.fetch(url)


def test_a_picture_is_fetched_under_its_name(fetcher: Fetcher, port: int) -> None:
    assert fetcher.fetch(" http://shop.example/picture?size=2 ") == b"bytes"
    assert Shop.asked[-1] == ("/picture?size=2", f"shop.example:{port}")


def test_a_redirect_is_followed(fetcher: Fetcher) -> None:
    assert fetcher.fetch("http://shop.example/aside") == b"bytes"
    assert Shop.asked[-1][0] == "/picture?moved"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("inward", "inside a private network"),
        ("file", "something else"),
        ("round", "leads on and on"),
        ("gone", "answers 404"),
        ("boast", "a larger one"),
        ("endless", "a larger one"),
        ("drip", "too slow"),
    ],
)
def test_what_a_server_may_not_do(path: str, reason: str, fetcher: Fetcher) -> None:
    with pytest.raises(ImageReadError, match=reason):
        fetcher.fetch(f"http://shop.example/{path}")


def test_name_resolved_once(port: int) -> None:
    """A name is resolved once and every address counts."""
    answers = [[HERE], [ip_address("10.0.0.8")]]
    asked = []

    def rebinding(host: str, port: int) -> list:
        asked.append(host)
        return answers[len(asked) - 1]

    options = {"ports": {"http": port}, "allowed": lambda address: address == HERE}
    fetcher = Fetcher(1000, resolver=rebinding, **options)
    assert fetcher.fetch("http://shop.example/picture") == b"bytes"
    assert asked == ["shop.example"]
    both = Fetcher(1000, resolver=lambda *_: [HERE, ip_address("10.0.0.8")], **options)
    with pytest.raises(ImageReadError, match="private"):
        both.fetch("http://shop.example/picture")


def test_nobody_at_home_is_a_sentence(fetcher: Fetcher) -> None:
    fetcher.ports = {"http": 9}
    with pytest.raises(ImageReadError, match="does not answer"):
        fetcher.fetch("http://shop.example/picture")


def test_only_so_many_at_once(fetcher: Fetcher) -> None:
    fetcher.seconds = 0.5
    told = []

    def ask() -> None:
        try:
            fetcher.fetch("http://shop.example/drip")
        except ImageReadError as error:
            told.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("several fetches under way" in text for text in told) == 2
    assert fetcher.fetch("http://shop.example/picture") == b"bytes"


def test_the_systems_resolver_gives_addresses() -> None:
    assert HERE in resolve("localhost", 80)
