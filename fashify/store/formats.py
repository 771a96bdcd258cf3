"""The formats a store has had, and what to do with an older one."""

from __future__ import annotations

import json
from pathlib import Path

from fashify.errors import StoreMismatchError
from fashify.io.artefact import MANIFEST, ArtefactKind
from fashify.store.layout import STORE

#: Formats that ``fashify build`` turns into today's, see ``fashify.store.legacy``.
OLD = ArtefactKind(STORE.format, 4, STORE.noun, STORE.cure, readable=(2, 3))


def is_old(folder: Path) -> bool:
    """Whether the manifest in a folder is of one of these formats."""
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
        return found["format"] == OLD.format and found["version"] in (OLD.version, *OLD.readable)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_format(folder: Path) -> None:
    """Raises ``StoreMismatchError`` with the command that turns an old store into a new one."""
    if is_old(folder):
        source = json.loads((folder / MANIFEST).read_bytes()).get("catalogue", {}).get("source")
        named = f" --catalogue {source}" if source else ""
        raise StoreMismatchError(
            f"a store of format {STORE.version}",
            f"one of an older format at {folder}",
            f"run: fashify build{named} --out {folder}, which embeds nothing again",
        )
