"""Tables as lines of text, laid out by rich: as wide as a terminal shows their characters."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

#: Width where nothing wraps.
_UNBOUNDED = 100_000

_NUMBER = re.compile(r"[-+]?[\d.,]+(\s?%)?|-|nan|")


def format_table(
    rows: Sequence[Sequence[Any]], header: Sequence[str], *, width: int | None = None
) -> list[str]:
    """Aligned columns, numbers to the right; cells wrap where the table would pass ``width``.

    >>> format_table([("Shirt", 1), ("Dress", 22)], ("type", "count"))
    ['type   count', 'Shirt      1', 'Dress     22']
    """
    # Where a table is printed alone: importing rich takes longer than most commands' answers.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    cells = [[str(cell) for cell in row] for row in rows]
    for number, name in enumerate(header):
        numeric = bool(cells) and all(_NUMBER.fullmatch(row[number]) for row in cells)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    page = io.StringIO()
    console = Console(file=page, width=width or _UNBOUNDED, color_system=None, legacy_windows=False)
    console.print(table)
    return [line.rstrip() for line in page.getvalue().splitlines()]
