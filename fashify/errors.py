"""Every error and warning Fashify raises, each with the cure in its text.

The text is always one line: what was expected, what came, how to mend it.
Each error also inherits the builtin a caller would reach for, so that
``except ValueError`` around a library call keeps working.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable


class FashifyError(Exception):
    """Base of every error raised on purpose.

    Args:
        expected: what the call needed, without a final full stop.
        received: what it got instead.
        fix: what the user can do about it.

    >>> from fashify import FashifyError, load_catalogue
    >>> try:
    ...     load_catalogue("no/such/folder")
    ... except FashifyError as error:
    ...     print(error.received)
    nothing at no/such/folder
    """

    def __init__(self, expected: str, received: str, fix: str) -> None:
        self.expected, self.received, self.fix = expected, received, fix
        text = f"Expected {expected}. Received {received}. Fix: {fix}."
        super().__init__(" ".join(text.split()))

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[FashifyError], tuple[str, str, str]]:
        # The default would call the class with one argument and fail in worker pools.
        return type(self), (self.expected, self.received, self.fix)


class ConfigError(FashifyError, ValueError):
    """A setting, option or parameter outside its range."""


class CatalogueError(FashifyError, ValueError):
    """A catalogue that cannot be read as a whole, or an unknown item or level."""


class StorageError(FashifyError, OSError):
    """A folder, archive or bucket that is missing, refused or stalled."""


class StorageAwayError(StorageError):
    """The whole place does not answer, or not any more; no single object is to blame."""


class ImageReadError(FashifyError, OSError):
    """Bytes that are no image we accept."""


class BackboneError(FashifyError, ValueError):
    """An unknown backbone, a wrong batch, or weights that cannot be had."""


class EngineError(FashifyError, RuntimeError):
    """An inference engine that is missing or not usable on this processor."""


class StoreError(FashifyError, OSError):
    """A feature store that is missing, locked or not writable."""


class StoreMismatchError(FashifyError, ValueError):
    """A store of another backbone, weights, preprocessing or format version."""


class StoreCorruptError(FashifyError, OSError):
    """A file of a store or index that does not match its checksum."""


class IndexNotFittedError(FashifyError, RuntimeError):
    """A search before ``fit`` or ``load``."""


class QueryError(FashifyError, ValueError):
    """A query of the wrong shape, k, item, level or filter."""


class UnanswerableError(QueryError):
    """A question of which the catalogue lacks what would answer it; a report ends there, in words.

    Attributes:
        closing: what the report then says.
    """

    closing = "Nothing could be answered here."

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: no line of code is at fault."""
        return [str(self)]


class NoLabelsError(UnanswerableError):
    """A question about labels, of a catalogue that has none to answer it with."""

    closing = "Nothing could be judged: this catalogue has no labels that tell right from wrong."


class FewProductsError(UnanswerableError):
    """A question about several products, of a catalogue that has not so many."""

    closing = "Nothing could be compared here: that needs more products than this catalogue has."


class NoWordsError(UnanswerableError):
    """A text, for a gallery that has neither words nor a text tower."""

    closing = (
        "No text could be answered here: this catalogue has no words, its network no text tower."
    )


class ServiceError(FashifyError, RuntimeError):
    """A search service that does not answer, or not this client or not now."""


class ReportError(FashifyError, ValueError):
    """A notebook that is unknown, lacks a parameter, or failed while running."""


class MissingExtraError(FashifyError, ImportError):
    """An optional dependency that is not installed."""

    @classmethod
    def of(cls, package: str, extra: str) -> MissingExtraError:
        """The standard wording: which package, which extra brings it."""
        return cls(
            f"the optional package {package!r}",
            "an environment without it",
            f"pip install 'fashify[{extra}]'",
        )


class FashifyWarning(UserWarning):
    """Something was mended or left out, and the user should know."""


#: What the system lacks, whatever file was asked for.
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def is_lack(error: BaseException) -> bool:
    """Whether the system is out of file handles or memory: no file is to blame for that."""
    return isinstance(error, OSError) and error.errno in _LACKING


def join_names(names: Iterable[str]) -> str:
    """``a, b, c``: the names a user may choose from, for the fix of an error."""
    return ", ".join(sorted(names))
