"""Connecting to Milvus: names and aliases there, and errors in the words of the user's problem."""

from __future__ import annotations

import copy
import logging
import logging.config
import os
import time
import uuid
from pathlib import Path
from typing import Any, Self

from fashify.errors import ConfigError, MissingExtraError, StorageError, StoreMismatchError

#: Seconds to wait for the server to index or load what was uploaded.
PATIENCE = 3600

#: Milvus' codes of what can be mended by trying again.
_NOT_CONNECTED, _NOT_LOADED = 2, 101

#: gRPC waits up to two minutes before it tries a lost connection anew; here half a second, and
#: the seconds between the tries of one call are a little more.
_RECONNECT = {"grpc.initial_reconnect_backoff_ms": 300, "grpc.max_reconnect_backoff_ms": 500}
_PAUSES = (0.2, 0.8)


def connect(uri: str, timeout: float) -> Any:
    """A client of the server at ``uri``, or of the file it names."""
    client = _client_class()
    # pymilvus logs a traceback for every refused call; the error raised here says it better.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    if "://" not in uri:
        _prepare_file(uri)
    failures: tuple[type[Exception], ...] = (*refusals(), OSError, ValueError)
    try:
        token = os.environ.get("FASHIFY_MILVUS_TOKEN", "")
        return client(uri=uri, token=token, timeout=timeout, grpc_options=_RECONNECT)
    except failures as error:
        raise away_error(uri, format_reason(error)) from error


def _client_class() -> Any:
    """``MilvusClient``, without what pymilvus does to logging.

    Its import sets logging up anew for the whole process, which closes every handler there
    is: a service's log file, or stderr itself.
    """
    settings: Any = logging.config
    configure = settings.dictConfig
    settings.dictConfig = lambda _: None
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise MissingExtraError.of("pymilvus", "milvus") from error
    finally:
        settings.dictConfig = configure
    return MilvusClient


def refusals() -> tuple[type[Exception], ...]:
    """What pymilvus raises when a call fails; a deadline comes through as gRPC's own error."""
    from grpc import RpcError
    from pymilvus.exceptions import MilvusException

    return MilvusException, RpcError


def format_reason(error: Exception) -> str:
    """What the server said, in words."""
    details = getattr(error, "details", None)
    return getattr(error, "message", "") or (details() if callable(details) else "") or str(error)


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


def away_error(uri: str, received: str) -> StorageError:
    """The error for whatever kept Milvus from answering."""
    served = "start the server and check --uri"
    fix = served if "://" in uri else "close other programs that have the file open"
    return StorageError(f"an answer from Milvus at {uri}", " ".join(received.split())[:300], fix)


class MilvusConnection:
    """A name on a server, of a collection or of an alias, and the way to it.

    Args:
        uri: a file ending in .db, or http://host:port.
        name: of the collection or alias.
        timeout: seconds to wait for one answer.
    """

    def __init__(self, uri: str, name: str, timeout: float) -> None:
        self.uri, self.name, self.timeout = uri, name, timeout
        self._client = connect(uri, timeout)

    def with_name(self, name: str) -> Self:
        """The same under another name on the same server, through the same connection."""
        other = copy.copy(self)
        other.name = name
        return other

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One call to the server; StorageError in place of pymilvus' own errors.

        A server that was started again is waited for shortly, and loads the collection anew.
        """
        timeout = kwargs.pop("timeout", self.timeout)
        for pause in (*_PAUSES, None):
            try:
                return getattr(self._client, method)(*args, timeout=timeout, **kwargs)
            except refusals() as error:
                if pause is None or not self._recover(error, pause):
                    raise away_error(self.uri, f"{method}: {format_reason(error)}") from error

    def _recover(self, error: Exception, pause: float) -> bool:
        """Whether another try may succeed; waits ``pause`` seconds for a lost connection."""
        code = getattr(error, "code", None)
        if code == _NOT_LOADED:
            self._client.load_collection(self.name, timeout=PATIENCE)
        elif code == _NOT_CONNECTED:
            time.sleep(pause)
        return code in (_NOT_LOADED, _NOT_CONNECTED)

    def exists(self) -> bool:
        return self.call("has_collection", self.name)

    def fresh(self) -> Self:
        """One of a name not used before, to be pointed to by the alias ``self.name``.

        Raises:
            StoreMismatchError: the name is a collection's own, which no alias can take.
        """
        if self.exists() and not self._is_alias():
            raise StoreMismatchError(
                f"an alias at {self.name!r}, or nothing yet",
                "a collection of that very name",
                "choose another --collection, or bring it in step: fashify index sync",
            )
        return self.with_name(f"{self.name}_{uuid.uuid4().hex[:8]}")

    def _is_alias(self) -> bool:
        return self.name in self.call("list_aliases")["aliases"]

    def drop(self) -> None:
        """Remove it, and the alias when ``name`` is one; nothing to do when it is not there."""
        if not self.exists():
            return
        name = self.name
        if self._is_alias():
            name = self.call("describe_alias", name)["collection_name"]
            self.call("drop_alias", self.name)
        self.call("drop_collection", name)

    def point(self, alias: str) -> None:
        """Let ``alias`` mean this collection, in one step, and drop what it meant before."""
        if not self.with_name(alias)._is_alias():
            self.call("create_alias", self.name, alias)
            return
        before = self.call("describe_alias", alias)["collection_name"]
        self.call("alter_alias", self.name, alias)
        if before != self.name:
            self.with_name(before).drop()
