"""Ways out of the demo: to files outside its folders, and to addresses inside a network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from harden.attack import API, Attack, page_event


def paths(attack: Attack) -> list[str]:
    """Ways to write a path that leads out of a folder."""
    secret = str(attack.folder / "secret.txt")
    manifest = str(attack.folder / "store" / "manifest.json")
    up, found = "../" * 12, []
    for target in (secret, manifest, "/etc/passwd"):
        inner = target.lstrip("/")
        found += [target, "/" + target, up + inner, "..././" * 12 + inner, "....//" * 12 + inner]
        found += ["..\\" * 12 + inner.replace("/", "\\"), f"file://{target}", f"x/{up}{inner}"]
        found += [target + "%00.jpg", f"./{up}{inner}", target.replace("/", "/./")]
    escaped = [quote(path, safe="") for path in found]
    return found + escaped + [quote(path, safe="") for path in escaped]


WAYS_IN = [f"{API}/file=", f"{API}/file/", "/file=", "/static/", "/assets/", "/svelte/"]
WAYS_IN += [f"{API}/proxy=", f"{API}/custom_component/x/client/component/", "/", f"{API}/"]
WAYS_IN += [f"{API}/stream/x/1/1/", f"{API}/run-history/records/"]


def traversal(attack: Attack, every: int = 1) -> None:
    """Every way in with every path, or one in so many; uploads and calls that name files."""
    ways = [way + path for way in WAYS_IN for path in paths(attack)]
    for path in ways[::every]:
        attack.raw("traversal", path.replace(" ", "%20"))
    for path in paths(attack)[::every]:
        for image in ({"path": path}, {"path": path, "url": path}, {"url": path}, path):
            file = {"meta": {"_type": "gradio.FileData"}, **image} if image != path else path
            attack.ask("file by name", "POST", f"{API}/run/search", {"data": [file, 5, ""]})
    before = {path for path in attack.folder.rglob("*") if path.suffix == ".evil"}
    for name in ("../../x.evil", "/x.evil", "..\\..\\x.evil", "a/../../x.evil", "\x00x.evil"):
        attack.ask("upload name", "POST", f"{API}/upload", files={"files": (name, b"x")})
    uploads = attack.folder / "up"
    fresh = {path for path in attack.folder.rglob("*.evil")} - before
    strays = [path for path in fresh if not path.is_relative_to(uploads)]
    attack.check(not strays and not Path("/x.evil").exists(), f"uploads got out: {strays}")


@contextmanager
def canary() -> Iterator[tuple[list[int], list[str]]]:
    """Servers inside that nobody may be led to: their ports, and who came."""
    visits: list[str] = []
    listening = []
    for port in (80, 0):
        try:
            server = socket.create_server(("127.0.0.1", port))
        except OSError:
            continue  # Port 80 is not ours to have, or taken.
        threading.Thread(target=_listen, args=(server, visits), daemon=True).start()
        listening.append(server)
    try:
        yield [server.getsockname()[1] for server in listening], visits
    finally:
        for server in listening:
            server.close()


def _listen(server: socket.socket, visits: list[str]) -> None:
    while True:
        try:
            visitor, _ = server.accept()
        except OSError:
            return
        visits.append(visitor.recv(200).decode("latin-1").partition("\r")[0])
        visitor.close()


def inside(port: int) -> list[str]:
    """Addresses of this machine in every spelling that came to mind."""
    hosts = "127.0.0.1 localhost 127.1 0 0.0.0.0 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1"
    hosts += (
        " 127.0.0.1. LOCALHOST. [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1]"
    )
    hosts += " 127。0。0。1 ①②⑦.0.0.1 a@127.0.0.1 shop.example@127.0.0.1 127.0.0.1#shop.example"
    hosts += " 127.0.0.1%2f@x 127.0.0.1\\@shop.example 127.0.0.1%00.shop.example"
    found = [
        f"http://{host}{end}" for host in hosts.split() for end in ("/a.jpg", f":{port}/a.jpg")
    ]
    found += [f"https://127.0.0.1:{port}/a.jpg", "//127.0.0.1/a.jpg", "HTTP://127.0.0.1/a.jpg"]
    found += [f"{way}://127.0.0.1:{port}/a" for way in ("ftp", "gopher", "dict", "ldap", "jar")]
    found += ["file:///etc/passwd", "file://localhost/etc/passwd", "data:text/plain,x", "http:///a"]
    return found + [f" http://127.0.0.1:{port}/", f"http:127.0.0.1:{port}", "http:\\\\127.0.0.1"]


def led_astray(attack: Attack, every: int = 1) -> None:
    """Addresses inside, through the page's own field and through the calls for programs."""
    with canary() as (ports, visits):
        notices = 0
        for url in inside(ports[-1])[::every]:
            told = page_event(attack, {"do": "fetch", "url": url})
            notices += "fx-notice" in told
            attack.said("address field", 200, told.encode())
            for file in ({"path": url}, {"path": "a.jpg", "url": url}, {"url": url}):
                file |= {"meta": {"_type": "gradio.FileData"}}
                attack.ask(
                    "address in a call", "POST", f"{API}/run/search", {"data": [file, 5, ""]}
                )
        attack.check(not visits, f"led inside {len(visits)} times, such as {visits[:1]}")
        attack.counts["address field, refused in a sentence"] = notices
