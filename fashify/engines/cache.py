"""Cache of converted networks: intact as written, or converted again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashify.errors import FashifyError, FashifyWarning
from fashify.io.artefact import (
    MANIFEST,
    ArtefactKind,
    ArtefactReader,
    ArtefactWriter,
    write_artefact,
)

logger = logging.getLogger(__name__)

#: Its version changes when the same key would give another network.
NETWORK = ArtefactKind(
    "fashify-converted-network", 3, "a converted network", "it is made again by itself"
)


class ModelCache:
    """One folder per entry, named by the hash of its key, with a checksum of every file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: dict[str, Any]) -> Path | None:
        """The entry's folder, or None where there is none or it is damaged."""
        entry = self._entry(key)
        if not (entry / MANIFEST).exists():
            return None
        try:
            reader = ArtefactReader(entry, NETWORK, verify=True)
            for name in reader.files:
                reader.path(name)
        except FashifyError:
            logger.warning("the cached network %s is damaged and is made again", entry)
            return None
        return entry

    def facts(self, entry: Path) -> dict[str, Any]:
        """What was kept along with an entry."""
        return ArtefactReader(entry, NETWORK).facts["facts"]

    def keep(
        self,
        key: dict[str, Any],
        write: Callable[[Path], None],
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Lets ``write`` fill a folder and puts it in place in one step.

        A folder that cannot be written costs a warning and the next start's time.
        """

        def fill(writer: ArtefactWriter) -> None:
            write(writer.staging)
            for path in sorted(writer.staging.iterdir()):
                writer.take(path.name)

        entry = self._entry(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two processes may make the same entry at once.
            staging = self.folder / f".{entry.name}.{os.getpid()}"
            named = {"key": key, "facts": facts or {}}
            write_artefact(entry, NETWORK, named, fill, staging=staging)
        except OSError as error:
            text = f"{self.folder} cannot keep the converted network: {error}"
            warnings.warn(text, FashifyWarning, stacklevel=2)

    def _entry(self, key: dict[str, Any]) -> Path:
        text = json.dumps({**key, "format": NETWORK.version}, sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]
