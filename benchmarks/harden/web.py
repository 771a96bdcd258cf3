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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from load import running_demo

from harden import script, swaps
from harden.attack import API, Attack, page_event
from harden.excess import Slow, flood, oversized
from harden.signals import NETWORK
from harden.trespass import led_astray, traversal

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
