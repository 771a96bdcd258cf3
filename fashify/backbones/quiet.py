"""Imports TensorFlow without its start-up notes, and OpenVINO without its reports to its makers.

TensorFlow's C++ side writes some of them before it reads any setting, so they are taken from the
process' stderr while it starts; whatever is no such note is passed on.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fashify.errors import MissingExtraError

#: The package that OpenVINO reports by.
_TELEMETRY = "openvino_telemetry"

_NOTES = re.compile(r"^(I0000|WARNING: All log messages|.*(cuInit|cudart_stub|cuda_platform))")


def import_tensorflow() -> None:
    """Imports TensorFlow and starts it, unless it is there or Keras has another backend."""
    if "tensorflow" in sys.modules or os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _drop_notes():
        import tensorflow as tf

        tf.constant(0)


@contextmanager
def _drop_notes() -> Iterator[None]:
    sys.stderr.flush()
    with tempfile.TemporaryFile() as caught:
        stderr = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            _pass_on(caught.read().decode(errors="replace"))


def _pass_on(text: str) -> None:
    kept = [line for line in text.splitlines() if line and not _NOTES.match(line)]
    if kept:
        sys.stderr.write("\n".join(kept) + "\n")


def import_openvino() -> Any:
    """OpenVINO's module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with block_telemetry():
            import openvino

            # Found out by openvino.convert_model when first called; found out here, blind.
            import openvino.tools.ovc.convert_impl
    except ImportError as error:
        raise MissingExtraError(
            "the package 'openvino'", "an environment without it", "pip install openvino"
        ) from error
    return openvino


@contextmanager
def block_telemetry() -> Iterator[None]:
    """Imports inside see no telemetry package.

    OpenVINO and NNCF report each conversion to their makers wherever that package is
    installed. A catalogue is its owner's business; both do without when it is absent.
    """
    before = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if before is None:
            del sys.modules[_TELEMETRY]
        else:
            sys.modules[_TELEMETRY] = before
