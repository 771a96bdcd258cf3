"""What was understood of a catalogue: tables, columns, joins, mended rows, what was left out.

The same facts as text for a terminal and as JSON for a machine. Whatever was guessed is marked,
whatever was left out is counted with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: What lies beside pictures everywhere: in the whole text and in JSON, not in the short one.
EXPECTED_BESIDE = ("texts and programs", "hidden files of a system", "settings")

#: Examples kept of anything that is counted.
EXAMPLES = 5


@dataclass(frozen=True)
class Count:
    """A count of something, with a few examples.

    Attributes:
        what: the reason, as a clause.
        count: how many.
        examples: at most ``EXAMPLES`` names.
    """

    what: str
    count: int
    examples: tuple[str, ...] = ()

    @classmethod
    def of(cls, what: str, names: Sequence[str]) -> Count:
        """All of ``names``, counted."""
        return cls(what, len(names), tuple(str(name) for name in names[:EXAMPLES]))

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.examples) else ""
        shown = f" ({', '.join(self.examples)}{more})" if self.examples else ""
        return f"{self.count:,} {self.what}{shown}"


@dataclass(frozen=True)
class ColumnReading:
    """One column of a table.

    Attributes:
        source: its name in the file.
        became: its name here; "" where it is used nowhere.
        why: ``its own name``, ``guess, German``, ``asked for``, ``own column`` ....
        kind: what an own column holds, and ``unit``; "" for ours.
    """

    source: str
    became: str
    why: str
    kind: str = ""
    unit: str = ""

    @property
    def guess(self) -> bool:
        """Whether it was guessed."""
        return self.why.startswith("guess")


@dataclass(frozen=True)
class TableReading:
    """One table that was found.

    Attributes:
        name: file, with its sheet.
        form: format, delimiter and encoding.
        rows: of the table; ``None`` where only its beginning was read.
        used: whether the products are from it.
        why: why it was chosen or passed over.
    """

    name: str
    form: str
    rows: int | None
    used: bool
    why: str
    columns: tuple[ColumnReading, ...] = ()


@dataclass(frozen=True)
class JoinReading:
    """Rows joined to their pictures by one rule.

    Attributes:
        column: of the table, by its name in the file.
        rule: such as ``path`` or ``without its ending``.
        rows: how many rows.
        example: ``cell -> path`` of the first.
    """

    column: str
    rule: str
    rows: int
    example: str = ""


@dataclass
class Reading:
    """What ``load_catalogue`` made of a source.

    Attributes:
        source: where it came from.
        kind: ``kaggle`` or ``folder``.
        tables: all that were found, the chosen first.
        joins: by column and rule, in the order of their trial.
        rows: of the table; products where there is none.
        products: rows of ``Catalogue.table``.
        with_picture: products that have one.
        pictures: files that are pictures; ``views``: those that show a product.
        without_picture: rows whose picture is not there.
        without_row: pictures that no row names; they are no products.
        ambiguous: rows that several pictures would fit; not guessed.
        mended: malformed rows that were repaired.
        left_out: files that are in no product, by reason.
        notes: what else was done: guesses about folders, renamed columns, merged rows.
    """

    source: str = ""
    kind: str = "folder"
    tables: list[TableReading] = field(default_factory=list)
    joins: list[JoinReading] = field(default_factory=list)
    rows: int = 0
    products: int = 0
    with_picture: int = 0
    pictures: int = 0
    views: int = 0
    without_picture: Count = Count("rows without a picture", 0)
    without_row: Count = Count("pictures without a row", 0)
    ambiguous: Count = Count("rows that several pictures fit", 0)
    mended: Count = Count("rows mended", 0)
    left_out: list[Count] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return asdict(self)

    @property
    def table(self) -> TableReading | None:
        """The table the products are from, if there is one."""
        return next((table for table in self.tables if table.used), None)

    def warnings(self) -> list[str]:
        """What a user should look at, a sentence each."""
        counts = (self.without_picture, self.without_row, self.ambiguous)
        return [str(count) for count in counts if count.count]

    def lines(self, short: bool = True) -> list[str]:
        """The reading as text; ``short`` names tables, guesses, joins and what is missing."""
        line = f"{self.products:,} products from {self.rows:,} rows, {self.with_picture:,} with"
        views = f" {self.views:,} pictures" if self.views != self.with_picture else " a picture"
        lines = [line + views]
        lines += [_table_line(table) for table in self.tables]
        lines += self._column_lines(short)
        lines += [
            f"joined by {join.column}, {join.rule}: {join.rows:,} rows"
            + (f", such as {join.example}" if join.example else "")
            for join in self.joins
        ]
        lines += [f"warning: {line}" for line in self.warnings()]
        lines += [str(self.mended)] if self.mended.count else []
        lines += [
            f"left out: {count}"
            for count in self.left_out
            if not short or count.what not in EXPECTED_BESIDE
        ]
        return lines + self.notes

    def _column_lines(self, short: bool) -> list[str]:
        columns = self.table.columns if self.table else ()
        ours = [column for column in columns if column.became and not column.kind]
        own = [column for column in columns if column.kind]
        shown = [column for column in ours if column.guess or not short]
        lines = [
            f"column {c.source!r} is {c.became} ({c.why})" for c in shown if c.source != c.became
        ]
        if own:
            lines.append("own columns: " + ", ".join(_describe_column(column) for column in own))
        return lines


def _table_line(table: TableReading) -> str:
    rows = f", {table.rows:,} rows" if table.rows is not None else ""
    verb = "table" if table.used else "table passed over:"
    return f"{verb} {table.name} ({table.form}{rows}): {table.why}"


def _describe_column(column: ColumnReading) -> str:
    unit = f" in {column.unit}" if column.kind == "price" and column.unit else ""
    return f"{column.became} ({column.kind}{unit})"
