"""Draw the sample catalogue and the backdrops anew into the package's data: ``make sample``."""

from __future__ import annotations

from fashify.data import BACKDROPS, SAMPLE

from .archive import write_backdrops, write_catalogue

if __name__ == "__main__":
    for path in (write_catalogue(SAMPLE), write_backdrops(BACKDROPS)):
        print(f"{path}: {path.stat().st_size:,} bytes")
