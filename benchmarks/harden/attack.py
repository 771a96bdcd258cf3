"""What every attack on a demo over HTTP goes through: what was sent, what came, what leaked."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx

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

    def said(self, what: str, status: int, body: bytes, sent: bytes = b"") -> None:
        """Looks through an answer for what nobody may see; what was sent may come back."""
        self.counts[f"{what}, {status // 100}xx"] += 1
        self.check(self.secret.encode() not in body, f"{what}: the secret file was read")
        self.check(b"root:x:" not in body, f"{what}: /etc/passwd was read")
        self.check(b"fashify-store" not in body, f"{what}: the store's manifest was read")
        trace = next((trace for trace in TRACES if trace in body and trace not in sent), None)
        self.check(trace is None, f"{what}: a stack trace in {body[:200]!r}")

    def ask(self, what: str, method: str, path: str, body: Any = None, **options: Any) -> int:
        """One request, its answer looked through; 0 where the connection was closed."""
        try:
            options |= {"content": body} if isinstance(body, bytes) else {"json": body}
            answer = self.client.request(method, path, **options)
        except (httpx.TransportError, httpx.InvalidURL):
            self.counts[f"{what}, closed"] += 1
            return 0
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.said(what, answer.status_code, answer.content, sent)
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
