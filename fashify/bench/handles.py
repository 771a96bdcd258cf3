"""A contender in this process or in one of its own, asked alike."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Protocol

from fashify.bench.contenders import Bench, Subject
from fashify.errors import EngineError, FashifyError


class BenchHandle(Protocol):
    """A ``Bench``, here or in another process."""

    def ask(self, what: str, *args: int) -> Any:
        """Calls a method of the bench. Raises ``EngineError`` when it cannot be made."""


class LocalBench:
    """A bench in this process, whose memory is not the bench's alone."""

    def __init__(self, name: str, subject: Subject) -> None:
        self._bench = Bench(name, subject)

    def ask(self, what: str, *args: int) -> Any:
        return None if what == "peak_mb" else getattr(self._bench, what)(*args)


class ProcessBench:
    """A bench in a process of its own."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def ask(self, what: str, *args: int) -> Any:
        try:
            self._pipe.send((what, args))
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise EngineError(
                "a process that measures", "one that ended", "see its last lines above"
            ) from error
        if isinstance(answer, FashifyError):
            raise answer
        return answer


@contextmanager
def start_process(name: str, subject: Subject) -> Iterator[ProcessBench]:
    """A bench in a process that ends with the block; its memory is its own."""
    # Not forked: TensorFlow's threads would not survive it.
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(theirs, name, subject), daemon=True)
    child.start()
    theirs.close()
    try:
        yield ProcessBench(pipe)
    finally:
        pipe.close()
        child.join(10)
        if child.is_alive():
            child.kill()


def _serve(pipe: Connection, name: str, subject: Subject) -> None:
    """The loop of a contender's process: answers until asked to stop."""
    try:
        bench: Bench | None = Bench(name, subject)
        trouble = None
    except FashifyError as error:
        bench, trouble = None, error
    while True:
        try:
            what, args = pipe.recv()
        except EOFError:
            return
        pipe.send(trouble if bench is None else getattr(bench, what)(*args))
