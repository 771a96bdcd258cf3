"""Imports TensorFlow without its start-up notes.

Its C++ side writes some of them before it reads any setting, so they are taken from the
process' stderr while it starts; whatever is no such note is passed on.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

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
