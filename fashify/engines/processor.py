"""What this machine has: bfloat16 arithmetic, OpenVINO."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_BF16_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}


@cache
def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself (read from Linux' cpuinfo)."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.is_file() and not _BF16_FLAGS.isdisjoint(cpuinfo.read_text().split())


def cores() -> int:
    """Processor cores this process may keep busy; ``OMP_NUM_THREADS`` says fewer, as on Ray."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed or 1, int(wanted)) if wanted.isdigit() and int(wanted) else allowed or 1


#: What decides how fast a network can be here, as Linux' cpuinfo spells it: int8 profits from
#: VNNI, dot products (asimddp), i8mm and AMX, bf16 from those named so.
_X86 = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
_ARM, _ARM_NAMES = ("asimd", "asimddp", "i8mm", "bf16", "sve"), ("aarch64", "arm64")


def processor() -> dict[str, Any]:
    """Name, cores, the instruction sets that matter and are there, and those lacking."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.is_file() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    flags, known = set(text.split()), _ARM if platform.machine() in _ARM_NAMES else _X86
    return {
        "name": names[0] if names else platform.processor() or platform.machine(),
        "cores": cores(),
        "instructions": [each for each in known if each in flags],
        "lacking": [each for each in known if each not in flags],
    }


def peak_mb() -> float | None:
    """Most memory this process has had resident so far, MiB; None where unknown."""
    status = Path("/proc/self/status")
    _, _, peak = (status.read_text() if status.is_file() else "").partition("VmHWM:")
    if peak:
        return int(peak.split()[0]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def has_openvino() -> bool:
    """Whether OpenVINO is installed."""
    return find_spec("openvino") is not None
