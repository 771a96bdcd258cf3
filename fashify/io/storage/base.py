"""The protocol of a place that holds a catalogue's bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stat:
    """An object as its listing shows it, without reading it.

    Attributes:
        version: changes whenever the bytes change (checksum, or size and time).
        twin: objects of one ``twin`` may be equal to the byte and are worth comparing;
            those of different ones are taken as different.
    """

    version: str
    twin: str


class Storage(Protocol):
    """Named byte objects under one root; safe to read from several threads.

    Attributes:
        url: the root.
        readers: how many threads it takes to keep reading ahead of the network.
    """

    url: str
    readers: int

    def names(self) -> list[str]:
        """Every object's name relative to the root, with ``/`` between the parts, sorted."""

    def read(self, name: str) -> bytes:
        """The object's bytes.

        Raises:
            StorageError: this object is missing or refused.
            StorageAwayError: nothing can be read there, or not any more.
        """

    def head(self, name: str, size: int) -> bytes:
        """The object's first ``size`` bytes, or all where it is shorter; errors as ``read``."""

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        """What the listing says of each named object that is there."""
