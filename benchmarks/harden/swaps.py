"""A store replaced in every way while the demo serves it: the answers stay right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from load import running_demo

from fashify import Retriever
from harden.signals import NETWORK

ASKED, K = 8, 5


def similar(port: int, item_id: str, k: int = K) -> list[str]:
    """Ids of what the running demo answers; ValueError for anything but an answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"data": [item_id, k, ""]})
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/gradio_api/run/similar", body, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status != 200:
        raise ValueError(f"{answer.status} {told[:100]!r}")
    return [match["item_id"] for match in json.loads(told)["data"][0]]


def answered(port: int, item_id: str) -> list[str]:
    """As ``similar``, or the error in words."""
    try:
        return similar(port, item_id)
    except (OSError, ValueError, HTTPException) as error:
        return [repr(error)]


def wanted(store: Path) -> dict[str, list[str]]:
    """Items spread over the gallery, and the ids of their matches as the library finds them."""
    opened = Retriever.open(store)
    ids = opened.store.item_ids
    asked = [str(ids[place * len(ids) // ASKED]) for place in range(ASKED)]
    return {one: [match.item_id for match in opened.by_item(one, K)] for one in asked}


def fashify(*words: str) -> None:
    """One command, which has to succeed."""
    subprocess.run([sys.executable, "-m", "fashify", *words], check=True, stdout=sys.stderr)


def ways(store: Path, other: Path) -> dict[str, Callable[[], None]]:
    """What may happen to ``store`` while it is served; ``other`` is one of other products."""

    def another_index() -> None:
        fashify("index", "--store", str(store), "--name", "annoy")

    def renamed_over() -> None:
        for file in sorted((other / "index").iterdir()):
            fresh = shutil.copy(file, store / "index" / f".{file.name}")
            Path(fresh).replace(store / "index" / file.name)

    return {
        "another index": another_index,
        "index files of another store": renamed_over,
        "a store of fewer products": lambda: fashify(
            "build", "--out", str(store), "--limit", "60", *NETWORK
        ),
        "nothing": lambda: shutil.rmtree(store),
    }


def run(seed: int, folder: Path) -> dict[str, Any]:
    """Each way of replacing, and the answers after it."""
    store, other = folder / "served", folder / "other"
    fashify("build", "--out", str(store), "--limit", "80", *NETWORK)
    fashify("build", "--out", str(other), "--limit", "40", *NETWORK)
    right, failures, answers = wanted(store), [], 0
    with running_demo(str(store)) as (port, process):
        for name, replace in ways(store, other).items():
            replace()
            found = {item_id: answered(port, item_id) for item_id in right}
            answers += len(found)
            failures += [
                f"replaced by {name}: {item_id} gave {found[item_id]}, not {matches}"
                for item_id, matches in right.items()
                if found[item_id] != matches
            ]
        if not process.is_running():
            failures.append("the demo died")
    return {"answers while replaced": answers, "failures": failures}
