"""Pictures that a feed links to are fetched: bounded, resumable, and never from a private place."""

from __future__ import annotations

import io
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from forms import csv_text, picture, write

from fashify.catalogue import load_catalogue
from fashify.catalogue.download import (
    DownloadLimits,
    GuardedTransport,
    download_catalogue,
    file_names,
)
from fashify.errors import CatalogueError


def jpeg(number: int) -> bytes:
    file = io.BytesIO()
    picture(number).save(file, "JPEG")
    return file.getvalue()


class Shop(BaseHTTPRequestHandler):
    """A shop's server on this machine: pictures, a busy one, a page, a way into the network."""

    seen: Counter[str]

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.seen[path] += 1
        if path == "/busy.jpg" and self.seen[path] == 1:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_headers()
        elif path == "/inside.jpg":
            self.send_response(302)
            self.send_header("Location", "http://10.0.0.1/secret.jpg")
            self.end_headers()
        elif path.endswith(".jpg"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(jpeg(sum(map(ord, path))))
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>")

    def log_message(self, *_):
        """Silence."""


@pytest.fixture
def shop():
    handler = type("Seen", (Shop,), {"seen": Counter()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler.seen
    server.shutdown()


def here_alone(address) -> bool:
    return str(address) == "127.0.0.1"


QUICK = DownloadLimits(per_second=1000)


def feed(folder, rows):
    header = ("id", "title", "image_link", "additional_image_link")
    write(folder, "feed.csv", csv_text([header, *rows]))


def test_feed_fetched_once(tmp_path, shop):
    """A feed is fetched joined and not fetched again."""
    url, seen = shop
    feed(tmp_path, [
        ("1", "a", f"{url}/f/1.jpg?v=3", f"{url}/f/1_back.jpg, {url}/f/1_side.jpg"),
        ("2", "b", f"{url}/busy.jpg", ""),
        ("3", "c", f"{url}/x/main.jpg", f"{url}/y/main.jpg"),
    ])  # fmt: skip
    for fetched, kept in ((6, 0), (0, 6)):
        done = download_catalogue(tmp_path, limits=QUICK, allowed=here_alone)
        assert (done.fetched, done.kept, done.failed) == (fetched, kept, {})
    assert seen["/busy.jpg"] == 2
    assert seen.total() == 7
    catalogue = load_catalogue(tmp_path)
    views = catalogue.views.groupby("item_id")["path"].agg(list).to_dict()
    assert views["1"] == ["images/1.jpg", "images/1_back.jpg", "images/1_side.jpg"]
    assert views["3"] == ["images/x/main.jpg", "images/y/main.jpg"]
    assert not list(tmp_path.rglob("*.part"))


def test_bad_link_named(tmp_path, shop):
    """What is no picture too large or leads inside is named."""
    url, _ = shop
    feed(tmp_path, [
        ("1", "a", f"{url}/1.jpg", ""),
        ("2", "b", f"{url}/page", ""),
        ("3", "c", f"{url}/inside.jpg", ""),
    ])  # fmt: skip
    done = download_catalogue(tmp_path, limits=QUICK, allowed=here_alone)
    assert done.fetched == 1
    assert "text/html" in done.failed[f"{url}/page"]
    assert "private network" in done.failed[f"{url}/inside.jpg"]
    (tmp_path / "images" / "1.jpg").unlink()
    small = DownloadLimits(picture_bytes=100, per_second=1000)
    assert "at most 100 bytes" in download_catalogue(
        tmp_path, limits=small, allowed=here_alone
    ).failed[f"{url}/1.jpg"]  # fmt: skip
    with pytest.raises(CatalogueError, match="at most 2 pictures"):
        download_catalogue(tmp_path, limits=DownloadLimits(pictures=2), allowed=here_alone)


def test_private_addresses_are_refused_by_default(tmp_path, shop):
    url, seen = shop
    feed(tmp_path, [("1", "a", f"{url}/1.jpg", "")])
    done = download_catalogue(tmp_path, limits=QUICK)
    assert "private network" in done.failed[f"{url}/1.jpg"]
    assert not seen


def test_offline_fails_at_once_by_name(tmp_path):
    rows = [(str(n), "a", f"https://cdn{n}.example.invalid/{n}.jpg", "") for n in range(50)]
    feed(tmp_path, rows)
    with pytest.raises(CatalogueError, match=r"example.invalid.*go online"):
        download_catalogue(tmp_path, limits=QUICK)


def test_nothing_to_fetch(tmp_path):
    with pytest.raises(CatalogueError, match="a folder with a table"):
        download_catalogue(tmp_path / "none.zip")
    with pytest.raises(CatalogueError, match="a table in"):
        download_catalogue(tmp_path)
    write(tmp_path, "t.csv", "id,image\n1,a.jpg\n")
    with pytest.raises(CatalogueError, match=r"none \(image\)"):
        download_catalogue(tmp_path)


def test_names_cannot_leave_the_folder():
    names = file_names(["http://a.test/x/..%2f..%2fetc", "http://a.test/", "http://b.test/%2e%2e"])
    parts = [part for name in names.values() for part in name.split("/")]
    assert not {"", ".", ".."} & set(parts)
    assert len(set(names.values())) == 3


def test_name_resolved_once():
    """A name is resolved once and asked under its own name."""
    asked = []

    class Inner(httpx.BaseTransport):
        def handle_request(self, request):
            asked.append((request.url.host, request.headers["host"], request.extensions))
            return httpx.Response(200)

    transport = GuardedTransport(Inner(), lambda address: address.is_loopback)
    with httpx.Client(transport=transport) as client:
        client.get("https://localhost/x.jpg")
    [(host, header, extensions)] = asked
    assert host in ("127.0.0.1", "::1")
    assert (header, extensions["sni_hostname"]) == ("localhost", "localhost")
