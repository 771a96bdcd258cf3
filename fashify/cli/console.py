"""What all commands share: one line for an error, JSON or a table for an answer."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fashify.config import as_place, settings
from fashify.errors import ConfigError, FashifyError
from fashify.io.text_table import format_table

logger = logging.getLogger(__name__)

#: Exit codes: a FashifyError, wrong usage (Typer's own), Ctrl-C.
FAILED, INTERRUPTED = 1, 130

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Store folder, or s3://, gs://, az:// url; default: $FASHIFY_STORE."
    ),
]
PicturesOption = Annotated[
    str | None, typer.Option(help="Where the pictures are now; default: as the store was built.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON on stdout.")]


class Commands(TyperGroup):
    """The group that turns errors into one line on stderr and an exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **options: Any) -> Any:
        print_any_letter()
        try:
            return super().main(
                expand_home(sys.argv[1:] if args is None else args), *more, **options
            )
        except SystemExit as end:
            # Typer ends so, and says nothing, wherever Ctrl-C was pressed.
            if end.code == INTERRUPTED:
                typer.echo("Interrupted.", err=True)
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FashifyError as error:
            logger.debug("details", exc_info=True)
            stop(str(error), FAILED)
        except BrokenPipeError:
            # The reader of our output has gone (`| head`): nothing is left to be said.
            sys.stderr.close()
            raise typer.Exit(FAILED) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            stop(f"{where}{error.strerror or error}", FAILED)


def expand_home(arguments: Iterable[str]) -> list[str]:
    """``~`` where a path may begin with it: no shell expands it after ``--out=``, Windows' nowhere.

    >>> expand_home(["~x", "--text=a ~ b"])
    ['~x', '--text=a ~ b']
    """
    beginning = re.compile(r"^((?:--)?[\w-]+=)?~(?=[/\\]|$)")
    home = os.path.expanduser("~")
    return [beginning.sub(lambda found: (found[1] or "") + home, text) for text in arguments]


def print_any_letter() -> None:
    """Lets stdout and stderr write what their code page lacks as a Python escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def stop(text: str, code: int) -> None:
    """One line on stderr, then out with ``code``."""
    typer.echo(" ".join(text.split()), err=True)
    raise typer.Exit(code)


def set_up_logging(verbose: bool) -> None:
    """Log lines and warnings to stderr, one line each, so that stdout is the answer alone."""
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", force=True)
    warnings.formatwarning = lambda message, *_, **__: f"Warning: {message}\n"


def store_path(store: Path | None) -> Path | str:
    """The store named, or the settings' one."""
    return as_place(store or settings().store)


def emit(answer: Any, as_json: bool, text: Iterable[str]) -> None:
    """Prints ``answer`` as JSON, or else the lines of ``text``."""
    if as_json:
        # Where the code page lacks letters they are written as JSON escapes: nothing is lost.
        escaped = "utf" not in (sys.stdout.encoding or "").lower()
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=escaped, default=str, allow_nan=False))
    else:
        typer.echo("\n".join(text))


def table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> list[str]:
    """Lines of aligned columns; as wide as the terminal where the answer goes to one."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return format_table(rows, header, width=width)


def parse_pairs(values: Sequence[str], option: str) -> dict[str, Any]:
    """``["k=5", "name=a"]`` to ``{"k": 5, "name": "a"}``; values are JSON where they can be.

    Raises:
        ConfigError: a value without ``=``.
    """
    found = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{option} name=value", repr(value), f"write {option} name=value")
        found[name.strip()] = _parse_value(text.strip())
    return found


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
