"""What this machine has: bfloat16 arithmetic, OpenVINO."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fashify.errors import MissingExtraError

_BF16_FLAGS = {"amx_bf16", "avx512_bf16"}
_TELEMETRY = "openvino_telemetry"


@cache
def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself (read from Linux' cpuinfo)."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.is_file() and not _BF16_FLAGS.isdisjoint(cpuinfo.read_text().split())


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec("openvino") is not None


def import_openvino() -> Any:
    """OpenVINO's module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        with no_telemetry():
            import openvino

            # Found out by openvino.convert_model when first called; found out here, blind.
            import openvino.tools.ovc.convert_impl
    except ImportError as error:
        raise MissingExtraError(
            "the package 'openvino'", "an environment without it", "pip install openvino"
        ) from error
    return openvino


@contextmanager
def no_telemetry() -> Iterator[None]:
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
