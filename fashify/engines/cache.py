"""Converted networks on disk: whole and as they were written, or made again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashify.errors import FashifyWarning

logger = logging.getLogger(__name__)

_FACTS = "entry.json"
#: Changes when the same key would give another network.
_FORMAT = 2


class ModelCache:
    """One folder an entry, named by the hash of its key, with a checksum of every file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: dict[str, Any]) -> Path | None:
        """The entry's folder, or None where there is none or it is damaged."""
        entry = self._entry(key)
        try:
            facts = json.loads((entry / _FACTS).read_text())
            sums = {name: _checksum(entry / name) for name in facts["files"]}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            facts, sums = {}, None
        if sums is None or sums != facts["files"]:
            logger.warning("the cached network %s is damaged and is made again", entry)
            return None
        return entry

    def facts(self, entry: Path) -> dict[str, Any]:
        """What was kept along with an entry."""
        return json.loads((entry / _FACTS).read_text())["facts"]

    def keep(
        self,
        key: dict[str, Any],
        write: Callable[[Path], None],
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Lets ``write`` fill a folder and puts it in place in one step.

        A folder that cannot be written costs a warning and the next start's time.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as name:
                folder = Path(name) / "entry"
                folder.mkdir()
                write(folder)
                self._seal(folder, key, facts or {})
                self._swap_in(folder, self._entry(key))
        except OSError as error:
            text = f"{self.folder} cannot keep the converted network: {error}"
            warnings.warn(text, FashifyWarning, stacklevel=2)

    def _seal(self, folder: Path, key: dict[str, Any], facts: dict[str, Any]) -> None:
        files = {path.name: _checksum(path) for path in sorted(folder.iterdir())}
        text = json.dumps({"key": key, "files": files, "facts": facts}, indent=1)
        (folder / _FACTS).write_text(text)
        for path in folder.iterdir():
            with open(path, "rb") as file:
                os.fsync(file.fileno())

    def _swap_in(self, folder: Path, entry: Path) -> None:
        shutil.rmtree(entry, ignore_errors=True)
        try:
            folder.rename(entry)
        except OSError:
            # Another process made the same entry in between; its is as good.
            if not entry.is_dir():
                raise

    def _entry(self, key: dict[str, Any]) -> Path:
        text = json.dumps({**key, "format": _FORMAT}, sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]


def _checksum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
