"""A helper process of the drawing program: draws one share of the pictures.

python -m sample_catalogue.share FOLDER N SEED SHARE OF
"""

from __future__ import annotations

import sys
from pathlib import Path

from .plan import planned
from .writer import draw_share

if __name__ == "__main__":
    folder, n, seed, share, of = sys.argv[1], *map(int, sys.argv[2:6])
    draw_share(Path(folder), planned(n, seed), share, of)
