"""The demo attacked over HTTP: what may not be read, reached, filled up, held or broken.

A demo of its own with the address field switched on, on this machine alone. Promised: no file
outside its folders is read, no address inside a network is asked, bodies and waiting requests
are bounded, slow clients keep nobody else waiting and are let go, nothing it says holds a stack
trace, and at the end it is alive and gives the answers it gave before.

Gradio describes its calls in an OpenAPI document, but knows no answer there other than 200 and
leaves out half of the ways in; a checker that goes by it would call every refusal a bug. So
Hypothesis draws the calls.

    python benchmarks/harden web
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from load import running_demo

from fashify.demo.uploads import MAX_UPLOAD_BYTES
from harden import script, swaps
from harden.signals import NETWORK

API = "/gradio_api"
TRACES = (b"Traceback (most recent", b'File "/', b"site-packages/")


class Attack:
    """A running demo, what was sent to it and what came.

    Attributes:
        secret: text of a file beside the demo's folders; nobody may ever see it.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder
        self.secret, self.counts, self.failures = secrets.token_hex(16), Counter(), []
        (folder / "secret.txt").write_text(self.secret, "utf-8")
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)

    def check(self, kept: bool, broken: str) -> None:
        """Notes a promise that was not kept."""
        if not kept and len(self.failures) < 40:
            self.failures.append(broken)

    def said(self, what: str, status: int, body: bytes) -> None:
        """Looks through an answer for what nobody may see."""
        self.counts[f"{what}, {status // 100}xx"] += 1
        self.check(self.secret.encode() not in body, f"{what}: the secret file was read")
        self.check(b"root:x:" not in body, f"{what}: /etc/passwd was read")
        self.check(b"fashify-store" not in body, f"{what}: the store's manifest was read")
        trace = next((trace for trace in TRACES if trace in body), None)
        self.check(trace is None, f"{what}: a stack trace in {body[:200]!r}")

    def ask(self, what: str, method: str, path: str, body: Any = None, **options: Any) -> int:
        """One request, its answer looked through; 0 where the connection was closed."""
        try:
            options |= {"content": body} if isinstance(body, bytes) else {"json": body}
            answer = self.client.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL):
            self.counts[f"{what}, closed"] += 1
            return 0
        self.said(what, answer.status_code, answer.content)
        return answer.status_code

    def raw(self, what: str, path: str) -> None:
        """A GET whose path nobody has tidied up."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest("GET", path, skip_host=False)
            connection.endheaders()
            answer = connection.getresponse()
            self.said(what, answer.status, answer.read())
        except (HTTPException, OSError, ValueError):
            self.counts[f"{what}, closed"] += 1
        finally:
            connection.close()


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


def page_event(attack: Attack, event: dict[str, Any]) -> str:
    """What the page shows after one of its own events, sent as its script does."""
    config = attack.client.get("/config").json()
    acts = [one for one in config["dependencies"] if "act" in [way for _, way in one["targets"]]]
    session = secrets.token_hex(8)
    call = {"data": [None], "event_data": event, "fn_index": acts[0]["id"]}
    call |= {"session_hash": session, "trigger_id": acts[0]["targets"][0][0]}
    joined = attack.client.post(f"{API}/queue/join", json=call)
    if joined.status_code != 200:
        return joined.text
    asked = attack.client.stream("GET", f"{API}/queue/data", params={"session_hash": session})
    told = ""
    with asked as answer:
        for line in answer.iter_lines():
            told += line
            if "process_completed" in line:
                break
    return told


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


def oversized(attack: Attack, process: Any, megabytes: int = 60) -> None:
    """Bodies far above what anybody needs; the server's memory is looked at."""
    before = process.memory_info().rss
    huge = b'{"data": ["' + b"a" * (megabytes << 20) + b'", 5, ""]}'
    kind = {"Content-Type": "application/json"}

    def piecewise() -> Iterator[bytes]:
        for start in range(0, len(huge), 1 << 16):
            yield huge[start : start + (1 << 16)]

    for path in (
        "run/similar",
        "call/similar",
        "call/v2/similar",
        "queue/join",
        "component_server",
    ):
        for body in (huge, piecewise()):
            status = 0
            with suppress(httpx.TransportError):  # Closed before all of it was sent.
                answer = attack.client.post(f"{API}/{path}", content=body, headers=kind)
                status = answer.status_code
            attack.counts[f"oversized, {status or 'closed'}"] += 1
            attack.check(status in (0, 400, 413), f"oversized body at {path}: {status}")
    large = bytes(MAX_UPLOAD_BYTES + (5 << 20))
    many = [("files", (f"{n}.jpg", bytes(1 << 20))) for n in range(len(large) >> 20)]
    for files in ([("files", ("a.jpg", large))], many):
        status = attack.ask("oversized upload", "POST", f"{API}/upload", files=files)
        attack.check(status in (0, 400, 413), f"oversized upload: {status}")
    attack.ask("oversized head", "GET", "/config", headers={"X-Long": "a" * 200_000})
    attack.ask("oversized head", "GET", "/config?" + "a" * 60_000)
    grown = (process.memory_info().rss - before) >> 20
    attack.counts["oversized, server grew MB"] = grown
    # In a test the server is this very process, which holds what it sends.
    elsewhere = process.pid != os.getpid()
    attack.check(
        not elsewhere or grown < 60 + megabytes, f"oversized bodies: the server grew by {grown} MB"
    )


def flood(attack: Attack, item_id: str, calls: int = 600, at_once: int = 48) -> None:
    """More calls than may wait, all at once and nobody listening for the answers."""
    body = {"data": [item_id, 20, ""], "session_hash": "flood"}
    url = f"http://127.0.0.1:{attack.port}{API}/call/similar"
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(at_once) as pool:
        statuses = Counter(
            pool.map(lambda _: client.post(url, json=body).status_code, range(calls))
        )
    for status, count in statuses.items():
        attack.counts[f"flood, {status}"] += count
    attack.check(set(statuses) <= {200, 503}, f"flood: {dict(statuses)}")


class Slow:
    """Clients that never finish their request: heads without an end, bodies by the byte."""

    def __init__(self, port: int, heads: int = 300, bodies: int = 20) -> None:
        head = b"GET /config HTTP/1.1\r\nHost: here\r\nX-Slow: "
        post = b"POST /gradio_api/run/similar HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n"
        post += b"Content-Type: application/json\r\n\r\n{"
        self.begin = time.monotonic()
        self.sockets = [self._open(port, head) for _ in range(heads)]
        self.sockets += [self._open(port, post) for _ in range(bodies)]

    def _open(self, port: int, first: bytes) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", port), timeout=5)
        opened.sendall(first)
        return opened

    def let_go(self, within: float) -> int:
        """How many the server has let go by then; each sends a byte now and then until it is."""
        alive = list(self.sockets)
        while alive and time.monotonic() - self.begin < within:
            alive = [one for one in alive if self._dripped(one)]
            time.sleep(0.5)
        for one in self.sockets:
            one.close()
        return len(self.sockets) - len(alive)

    def _dripped(self, one: socket.socket) -> bool:
        try:
            one.settimeout(0.001)
            if one.recv(4096) == b"":
                return False
        except TimeoutError:
            pass
        except OSError:
            return False
        try:
            one.sendall(b"a")
        except OSError:
            return False
        return True


#: JSON of any shape, and now and then what a call looks like, nearly.
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = ("search", "similar", "explain", "facets", "act", "nothing", "../similar", "%00")
ROUTES = ("run", "api", "call", "call/v2")
FIELDS = (
    "data",
    "fn_index",
    "session_hash",
    "event_data",
    "trigger_id",
    "event_id",
    "item_id",
    "k",
)
CALLS = st.fixed_dictionaries({}, optional={name: ANY for name in FIELDS}) | ANY
OTHERS = ("queue/join", "cancel", "reset", "component_server", "upload", "vibe-edit", "login")


def malformed(attack: Attack, seed: int, examples: int = 300) -> None:
    """Calls that Hypothesis draws, at every way in; raw bytes too."""
    by_name = st.tuples(st.sampled_from(ROUTES), st.sampled_from(NAMES)).map("/".join)

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(by_name | st.sampled_from(OTHERS), CALLS, st.binary(max_size=30), st.booleans())
    def send(route: str, call: Any, noise: bytes, whole: bool) -> None:
        body = json.dumps(call).encode()
        body = body if whole else body[: len(body) // 2] + noise
        kind = {"Content-Type": "application/json" if whole or len(noise) % 2 else "text/plain"}
        attack.ask("malformed call", "POST", f"{API}/{route}", body, headers=kind)

    send()
    for query in ("?item=" + "%00" * 50, "?k=1e999", "?filter=" + "[" * 500, "?__theme=<script>"):
        attack.ask("malformed address", "GET", "/" + query)
    for event in ({"do": "crop", "region": "a"}, {"do": 5}, [], "x", {"do": "back", "n": "-1"}):
        attack.said("malformed event", 200, page_event(attack, event).encode())


def run(seed: int, folder: Path, scale: float = 1.0) -> dict[str, Any]:
    """One demo under all attacks; ``scale`` is the share of what is sent."""
    store = folder / "store"
    swaps.fashify("build", "--out", str(store), "--limit", "60", *NETWORK)
    environment = os.environ | {"FASHIFY_URLS": "1", "GRADIO_TEMP_DIR": str(folder / "up")}
    log = (folder / "log.txt").open("w")
    with running_demo(str(store), env=environment, stderr=log) as (port, process):
        return assault(Attack(port, folder), process, swaps.wanted(store), seed, scale)


def assault(
    attack: Attack,
    process: Any,
    right: dict[str, list[str]],
    seed: int,
    scale: float,
    patience: float = 150,
    steps: tuple[str, ...] = ("traversal", "addresses", "oversized", "flood", "malformed"),
) -> dict[str, Any]:
    """Attacks on one demo, and whether it is its old self after each.

    Slow clients hold on meanwhile and for ``patience`` seconds at least.
    """
    slow = Slow(attack.port, int(300 * scale) + 1, int(20 * scale) + 1)
    known: dict[str, Callable[[], None]] = {
        "traversal": lambda: traversal(attack),
        "addresses": lambda: led_astray(attack),
        "oversized": lambda: oversized(attack, process, max(3, int(60 * scale))),
        "flood": lambda: flood(attack, next(iter(right)), max(40, int(600 * scale))),
        "malformed": lambda: malformed(attack, seed, max(20, int(300 * scale))),
    }
    for name in steps:
        known[name]()
        for item_id, matches in right.items():
            found = swaps.answered(attack.port, item_id)
            attack.check(found == matches, f"after {name}: {item_id} gave {found}")
        attack.check(process.is_running(), f"after {name}: the demo died")
    gone = slow.let_go(within=patience)
    attack.counts["slow clients let go"] = gone
    held = len(slow.sockets) - gone
    attack.check(not held or not patience, f"{held} slow clients held on")
    return {**dict(sorted(attack.counts.items())), "failures": attack.failures}


if __name__ == "__main__":
    script.main(run, __doc__)
