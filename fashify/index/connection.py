"""Connecting to Milvus, and its errors in the words of the user's problem."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from fashify.errors import ConfigError, MissingExtraError, StorageError


def connect(uri: str, timeout: float) -> Any:
    """A client of the server at ``uri``, or of the file it names."""
    try:
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException
    except ImportError as error:
        raise MissingExtraError.of("pymilvus", "milvus") from error
    # pymilvus logs a traceback for every refused call; the error raised here says it better.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    if "://" not in uri:
        _prepare_file(uri)
    try:
        token = os.environ.get("FASHIFY_MILVUS_TOKEN", "")
        return MilvusClient(uri=uri, token=token, timeout=timeout)
    except (MilvusException, ConnectionError, OSError, ValueError) as error:
        raise away(uri, getattr(error, "message", "") or str(error)) from error


def _prepare_file(uri: str) -> None:
    if not uri.endswith(".db"):
        raise ConfigError(
            "a Milvus uri: a file ending in .db, or http://host:port", repr(uri), "use one of these"
        )
    try:
        import milvus_lite  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("milvus-lite", "milvus") from error
    Path(uri).parent.mkdir(parents=True, exist_ok=True)


def away(uri: str, received: str) -> StorageError:
    """The error for whatever kept Milvus from answering."""
    fix = "start the server and check --uri" if "://" in uri else "close other programs that use it"
    return StorageError(f"an answer from Milvus at {uri}", " ".join(received.split())[:300], fix)
