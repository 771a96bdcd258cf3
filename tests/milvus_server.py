"""A Milvus server in a process of its own, bound to the loopback address."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MilvusServer:
    """``milvus-lite server`` over a folder; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder)]
        self._command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self.start()

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, stdout=quiet, stderr=quiet)
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("milvus-lite server did not start")

    def stop(self) -> None:
        """Ends it between two writes: half an index, which it writes behind its answers, it does
        not open again.
        """
        before, end = None, time.monotonic() + 20
        while (sizes := self._index_sizes()) != before or 0 in sizes.values():
            if time.monotonic() > end:
                break
            before = sizes
            time.sleep(0.5)
        self._process.terminate()
        self._process.wait(timeout=20)

    def _index_sizes(self) -> dict[Path, int]:
        return {path: path.stat().st_size for path in self._folder.rglob("*idx")}
