"""Which pictures each row of a table names: by its picture columns, its id, or any other column."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from fashify.catalogue.joining import RULES, Joined, PictureFinder
from fashify.catalogue.mapping import Choice, ColumnMap
from fashify.catalogue.picture_names import VIEW_WORDS, may_list, split_cell
from fashify.catalogue.readers import RawTable
from fashify.catalogue.reading import JoinReading

#: A column that is neither picture nor id names the pictures if it does so in this share of rows.
ANY_COLUMN = 0.5

#: Longer cells are texts, not names.
NAME_LENGTH = 200


@dataclass
class Matches:
    """The pictures of each row.

    Attributes:
        main: (n,) int, place of the row's first picture, -1 for none.
        more: row -> its further pictures, in order.
        joins: by column and rule.
        ambiguous: row -> the pictures of which one is meant.
        used: places of the columns that named a picture.
        missing: cells of picture columns that name no file, beside others that do.
        by: the column that named most first pictures, or ``None``.
    """

    main: np.ndarray
    more: dict[int, list[int]] = field(default_factory=dict)
    joins: list[JoinReading] = field(default_factory=list)
    ambiguous: dict[int, list[int]] = field(default_factory=dict)
    used: list[Choice] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    by: Choice | None = None

    @property
    def count(self) -> int:
        return int((self.main >= 0).sum())

    def pictures(self) -> set[int]:
        """All pictures that a row names."""
        found = set(self.main[self.main >= 0].tolist())
        return found.union(*self.more.values()) if self.more else found


def match_rows(raw: RawTable, columns: ColumnMap, finder: PictureFinder) -> Matches:
    """Joins the rows of a table to their pictures.

    Args:
        raw: the table.
        columns: which of its columns are pictures and ids.
        finder: of all pictures.
    """
    matcher = _Matcher(raw, columns, finder)
    matcher.by_picture_columns()
    matcher.by_ids()
    if matcher.found.count < ANY_COLUMN * len(raw):
        matcher.by_any_column()
    matcher.by_folder_columns()
    matcher.by_view_folders()
    return matcher.found


@dataclass
class _Tried:
    """One picture column's cells and what they found."""

    choice: Choice
    lists: list[list[int]]
    rules: Counter
    examples: dict[int, str]
    ambiguous: dict[int, list[int]]
    missing: list[str]

    @property
    def count(self) -> int:
        return sum(map(bool, self.lists))


class _Matcher:
    """One table's way to its pictures."""

    def __init__(self, raw: RawTable, columns: ColumnMap, finder: PictureFinder) -> None:
        self.raw, self.columns, self.finder = raw, columns, finder
        self.found = Matches(np.full(len(raw), -1, dtype=np.int64))
        self._named: Counter[int] = Counter()

    def by_picture_columns(self) -> None:
        """The column that names most first; others add views, or stand in where it is empty."""
        tried = [self._try_column(choice) for choice in self.columns.choices("path")]
        most = max((each.count for each in tried), default=0)
        tried.sort(key=lambda each: each.count * 2 < most)
        for each in tried:
            self.found.missing += each.missing
            if each.count:
                self._take(each)
        for each in tried:
            for row, places in each.ambiguous.items():
                if self.found.main[row] < 0:
                    self.found.ambiguous.setdefault(row, places)

    def _try_column(self, choice: Choice) -> _Tried:
        cells = self.raw.cells(choice.column).tolist()
        parts = {row: self._parts(cell) for row, cell in enumerate(cells) if may_list(cell)}
        lists_of = {row: inner for row, inner in parts.items() if inner != [cells[row]]}
        whole = ["" if row in lists_of else cell for row, cell in enumerate(cells)]
        joined = self.finder.find(whole, folders=self.raw.folders)
        lists = [[place] if place >= 0 else [] for place in joined.pictures]
        tried = _Tried(choice, lists, Counter(), {}, joined.ambiguous, [])
        for row, rule in enumerate(joined.rules):
            if rule >= 0:
                tried.rules[rule] += 1
                if rule not in tried.examples:
                    tried.examples[rule] = self._example(cells[row], joined.pictures[row])
        self._find_lists(lists_of, tried)
        return tried

    def _parts(self, cell: str) -> list[str]:
        """The pictures a cell names; one where a file is called so, comma and all."""
        return [cell] if self.finder.is_name(cell) else split_cell(cell)

    def _find_lists(self, lists_of: dict[int, list[str]], tried: _Tried) -> None:
        """Cells of several pictures."""
        flat = [(row, part) for row, parts in lists_of.items() for part in parts]
        if not flat:
            return
        folders = self.raw.folders
        inner = [folders[row] for row, _ in flat] if folders else None
        joined = self.finder.find([part for _, part in flat], folders=inner)
        for at, (row, part) in enumerate(flat):
            place = joined.pictures[at]
            if place < 0:
                tried.missing.append(part)
                continue
            if not tried.lists[row]:
                rule = joined.rules[at]
                tried.rules[rule] += 1
                tried.examples.setdefault(rule, self._example(part, place))
            if place not in tried.lists[row]:
                tried.lists[row].append(place)

    def _example(self, cell: str, place: int) -> str:
        shown = cell if len(cell) <= 60 else cell[:57] + "..."
        return f"{shown} -> {self.finder.paths[place]}"

    def _take(self, tried: _Tried) -> None:
        main, more = self.found.main, self.found.more
        new = 0
        for row, places in enumerate(tried.lists):
            for place in places:
                if main[row] < 0:
                    main[row] = place
                    new += 1
                elif place != main[row] and place not in more.get(row, ()):
                    more.setdefault(row, []).append(place)
        for rule, count in sorted(tried.rules.items()):
            self._note(tried.choice, RULES[rule][0], count, tried.examples[rule])
        self._count(tried.choice, new)

    def _note(self, choice: Choice, rule: str, rows: int, example: str) -> None:
        self.found.joins.append(JoinReading(choice.source, rule, rows, example))

    def _count(self, choice: Choice, new: int) -> None:
        self.found.used.append(choice)
        self._named[choice.column] += new
        best = self._named.most_common(1)[0][0]
        if best == choice.column or self.found.by is None:
            self.found.by = choice

    def by_ids(self) -> None:
        """Rows still without a picture, by ids that agree with what picture columns found."""
        for choice in self.columns.choices("item_id"):
            if (self.found.main >= 0).all():
                return
            cells = clean_ids(self.raw, choice.column)
            joined = self.finder.find(cells, folders=self.raw.folders)
            if self._agrees(joined):
                self._take_single(choice, cells, joined)

    def _agrees(self, joined: Joined) -> bool:
        """Whether ids and picture columns name the same pictures wherever both name one."""
        pictures = np.array(joined.pictures, dtype=np.int64)
        both = (self.found.main >= 0) & (pictures >= 0)
        same = (self.found.main == pictures) & both
        return not both.any() or same.sum() * 2 >= both.sum()

    def _take_single(self, choice: Choice, cells: list[str], joined: Joined) -> int:
        """Takes pictures that no row has yet; returns for how many rows."""
        main = self.found.main
        taken = self.found.pictures()
        rules: Counter[int] = Counter()
        examples: dict[int, str] = {}
        for row in np.flatnonzero(main < 0).tolist():
            place = joined.pictures[row]
            if place >= 0 and place not in taken:
                main[row] = place
                rule = joined.rules[row]
                rules[rule] += 1
                self.found.ambiguous.pop(row, None)
                if rule not in examples:
                    examples[rule] = self._example(cells[row], place)
            elif row in joined.ambiguous:
                self.found.ambiguous.setdefault(row, joined.ambiguous[row])
        for rule, count in sorted(rules.items()):
            self._note(choice, RULES[rule][0], count, examples[rule])
        if rules:
            self._count(choice, rules.total())
        return rules.total()

    def by_any_column(self) -> None:
        """Where neither picture nor id names them: the column that names most pictures."""
        known = {c.column for f in ("path", "item_id") for c in self.columns.choices(f)}
        best: tuple[int, Choice, list[str], Joined] | None = None
        for place, source in enumerate(self.raw.columns):
            cells = self.raw.cells(place)
            if place in known or cells.str.len().mean() > NAME_LENGTH:
                continue
            texts = cells.tolist()
            joined = self.finder.find(texts, folders=self.raw.folders)
            count = len({p for p in joined.pictures if p >= 0})
            if count >= ANY_COLUMN * len(self.raw) and (best is None or count > best[0]):
                choice = Choice(place, source, "path", "guess, its values name the pictures")
                best = count, choice, texts, joined
        if best is not None:
            self._take_single(*best[1:])

    def by_folder_columns(self) -> None:
        """``1.jpg`` in every brand's folder: another column names the folder."""
        rows = self.found.ambiguous
        if not rows:
            return
        resolved = {place: self._by_folder(place) for place in range(len(self.raw.columns))}
        place = max(resolved, key=lambda place: len(resolved[place]))
        hits = resolved[place]
        if len(hits) * 2 < len(rows) or len(set(hits.values())) < len(hits):
            return
        by = self.found.by
        for row, picture in hits.items():
            self.found.main[row] = picture
            del self.found.ambiguous[row]
        name = self.raw.columns[place]
        first = next(iter(hits))
        column = by.source if by else self._key_column()
        example = self._example(self.raw.cells(place).iloc[first], hits[first])
        rule = f"file name in the folder that {name} names"
        self.found.joins.append(JoinReading(column, rule, len(hits), example))
        for choice in self.columns.choices("path")[:1]:
            self._count(choice, len(hits))

    def _key_column(self) -> str:
        named = [*self.columns.choices("path"), *self.columns.choices("item_id")]
        return named[0].source if named else "file name"

    def _by_folder(self, place: int) -> dict[int, int]:
        """Row -> the picture one of whose folders is called as this column's cell."""
        cells = self.raw.cells(place)
        hits = {}
        for row, places in self.found.ambiguous.items():
            wanted = _slug(cells.iloc[row])
            fits = [p for p in places if wanted and wanted in map(_slug, self._folders(p))]
            if len(fits) == 1:
                hits[row] = fits[0]
        return hits

    def _folders(self, place: int) -> list[str]:
        return self.finder.paths[place].split("/")[:-1]

    def by_view_folders(self) -> None:
        """``front/12.jpg`` and ``back/12.jpg``: each folder is a view."""
        done = 0
        for row, places in list(self.found.ambiguous.items()):
            names = {(self._folders(place) or [""])[-1].casefold(): place for place in places}
            if len(names) == len(places) and set(names) <= set(VIEW_WORDS):
                ordered = [names[name] for name in sorted(names, key=VIEW_WORDS.index)]
                self.found.main[row], self.found.more[row] = ordered[0], ordered[1:]
                del self.found.ambiguous[row]
                done += 1
        if done:
            rule = "file name, a folder a view"
            self.found.joins.append(JoinReading(self._key_column(), rule, done))


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+|_", "", text.casefold())


def clean_ids(raw: RawTable, place: int) -> list[str]:
    """Ids of a column: spreadsheets turn 1163 into 1163.0 as soon as a cell is empty."""
    cells = raw.cells(place)
    dotted = cells.str.fullmatch(r"\d+\.0+")
    if dotted.any():
        cells = cells.mask(dotted, cells.str.replace(r"\.0+$", "", regex=True))
    return cells.tolist()
