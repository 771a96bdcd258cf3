"""A process that decodes one picture after the other, and says what each cost.

Started by ``harden.malformed``: a path a line comes in, a JSON object per line goes out. What
kills this process kills nothing else.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

from fashify.errors import FashifyError
from fashify.io.images import load_image

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

#: Beyond this the system says no: a guard for the machine, well above what is judged.
MOST_ADDRESSES = 4 << 30


def memory(field: str) -> int:
    """Bytes of this process as the system counts them: ``VmRSS`` now, ``VmHWM`` at the peak."""
    return int(re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())[1]) << 10


def decode(path: str) -> dict[str, Any]:
    """What became of one file.

    Returns:
        ``error`` (the kind, or None), ``ours`` (a FashifyError of one line), ``size`` (width,
        height), ``seconds`` of processor time, ``peak`` (bytes of the process) and ``grow_gallery``
        (bytes beyond what it held before).
    """
    RESET.write_text("5")
    before, start = memory("VmRSS"), time.process_time()
    answer: dict[str, Any] = {"error": None, "ours": True, "size": None}
    try:
        image = load_image(path)
        answer["size"] = [image.shape[1], image.shape[0]]
        del image
    except FashifyError as error:
        answer["error"] = type(error).__name__
        answer["ours"] = str(error).startswith("Expected ") and "\n" not in str(error)
    except BaseException as error:
        answer |= {"error": f"{type(error).__name__}: {error}"[:200], "ours": False}
    answer["seconds"] = time.process_time() - start
    peak = memory("VmHWM")
    return answer | {"peak": peak, "grown": max(0, peak - before)}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    for line in sys.stdin:
        print(json.dumps(decode(line.rstrip("\n"))), flush=True)


if __name__ == "__main__":
    main()
