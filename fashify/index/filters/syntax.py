"""The text of a filter to its tree, by recursive descent."""

from __future__ import annotations

import re

from fashify.errors import QueryError
from fashify.index.filters.tree import (
    KEYWORDS,
    ORDER,
    Among,
    Compare,
    Contains,
    Join,
    Node,
    Not,
    plain,
)

_MOST_DEPTH = 50
_TOKENS = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>`[^`]+`)
    |(?P<sign><=|>=|!=|==|=|<|>|\(|\)|,)|(?P<word>[^\s"'`<>=!(),]+))""",
    re.VERBOSE | re.DOTALL,
)


def parse(text: str) -> Node:
    """The tree of a text; QueryError saying at which character it stops making sense."""
    return _Parser(text).parse_whole()


class _Parser:
    """Recursive descent: ``or`` binds weakest, then ``and``, then ``not``."""

    def __init__(self, text: str) -> None:
        self._text, self._place, self._depth = text, 0, 0
        self._tokens = self._split(text)

    def _split(self, text: str) -> list[tuple[str, str, int]]:
        tokens, end = [], 0
        while end < len(text.rstrip()):
            match = _TOKENS.match(text, end)
            if match is None:
                raise self._error("a quote that is closed", text[end:], end)
            kind = str(match.lastgroup)
            word = match.group(kind)
            tokens.append((*_find_key(kind, word), match.start(kind)))
            end = match.end()
        return [*tokens, ("end", "the end", len(text))]

    def parse_whole(self) -> Node:
        if self._peek()[0] == "end":
            return Join("and", ())
        node = self._parse_joined("or")
        if self._peek()[0] != "end":
            raise self._expectation_error("'and', 'or' or the end")
        return node

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._place]

    def _accept(self, *words: str) -> str | None:
        kind, word, _ = self._peek()
        if kind in ("key", "sign") and word in words:
            self._place += 1
            return word
        return None

    def _parse_joined(self, word: str) -> Node:
        inner = (lambda: self._parse_joined("and")) if word == "or" else self._parse_negated
        parts = [inner()]
        while self._accept(word):
            parts.append(inner())
        return parts[0] if len(parts) == 1 else Join(word, tuple(parts))

    def _parse_negated(self) -> Node:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._expectation_error(f"at most {_MOST_DEPTH} levels of nesting")
        if self._accept("not"):
            node: Node = Not(self._parse_negated())
        elif self._accept("("):
            node = self._parse_joined("or")
            if not self._accept(")"):
                raise self._expectation_error("')'")
        else:
            node = self._parse_condition()
        self._depth -= 1
        return node

    def _parse_condition(self) -> Node:
        column = self._column()
        negated = bool(self._accept("not"))
        if self._accept("in"):
            node = self._parse_among(column)
        elif self._accept_contains():
            node = Contains(column, self._parse_value())
        elif negated:
            raise self._expectation_error("'in' or 'contains'")
        else:
            sign = self._accept("=", "==", "!=", *ORDER)
            if sign is None:
                raise self._expectation_error("one of = != < <= > >= in contains")
            negated = sign == "!="
            value = self._parse_value()
            ordered = sign in ORDER
            node = Compare(column, sign, _end(value)) if ordered else Among(column, (value,))
        return Not(node) if negated else node

    def _column(self) -> str:
        """The name of a column: a word, or any text in quotes or backticks."""
        kind, word, _ = self._peek()
        if kind not in ("word", "quoted", "name"):
            raise self._expectation_error("a column name")
        self._place += 1
        if kind == "quoted":
            return _unquote(word)
        return word.strip("`")

    def _accept_contains(self) -> bool:
        # No keyword: as a value, or a part of a name, it needs no quotes.
        kind, word, _ = self._peek()
        found = kind == "word" and word.lower() == "contains"
        self._place += found
        return found

    def _parse_among(self, column: str) -> Node:
        if not self._accept("("):
            return self._parse_between(column)
        if self._accept(")"):
            return Among(column, ())
        values = [self._parse_value()]
        while self._accept(","):
            values.append(self._parse_value())
        if not self._accept(")"):
            raise self._expectation_error("',' or ')'")
        return Among(column, tuple(values))

    def _parse_between(self, column: str) -> Node:
        start = self._peek()[2]
        low, dots, high = self._parse_value().partition("..")
        if not dots:
            raise self._error("(value, value) or low..high after 'in'", low, start)
        ends = (">=", _end(low)), ("<=", _end(high))
        return Join("and", tuple(Compare(column, sign, end) for sign, end in ends))

    def _parse_value(self) -> str:
        kind, word, _ = self._peek()
        if kind == "quoted":
            self._place += 1
            return _unquote(word)
        words = []
        while self._peek()[0] == "word":
            words.append(self._peek()[1])
            self._place += 1
        if not words:
            raise self._expectation_error("a value")
        return " ".join(words)

    def _expectation_error(self, what: str) -> QueryError:
        _, word, start = self._peek()
        return self._error(what, repr(word), start)

    def _error(self, what: str, received: str, start: int) -> QueryError:
        return QueryError(
            f"{what} at character {start + 1} of the filter {self._text!r}",
            received,
            'write it like: gender = Women and article_type in (Shirts, "Bath and Body") '
            'and "list price" < 20',
        )


def _unquote(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL)


def _end(word: str) -> float | str:
    """A number where the word is one; else the text, for a date or a price with its currency."""
    try:
        return plain(float(word))
    except ValueError:
        return word.strip()


def _find_key(kind: str, word: str) -> tuple[str, str]:
    return ("key", word.lower()) if kind == "word" and word.lower() in KEYWORDS else (kind, word)
