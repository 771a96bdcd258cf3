"""The page's HTML: Jinja2 templates in ``fashify/demo/templates``, every value escaped."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

TEMPLATES = Path(__file__).with_name("templates")

#: A line break, with the indentation after it, that stands beside a tag.
_BREAK_AT_TAG = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")
_BREAK = re.compile(r"\s*\n\s*")


class _LineBreaks(Extension):
    """A line break beside a tag lays out the template alone; one in running text is a space."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _BREAK.sub(" ", _BREAK_AT_TAG.sub("", source.strip()))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=[_LineBreaks],
    )
    environment.globals["thousands"] = format_thousands
    return environment


def format_thousands(number: int) -> str:
    """
    >>> format_thousands(44441)
    '44,441'
    """
    return f"{number:,}"


def render(template: str, **values: Any) -> Markup:
    """A piece of the page.

    Args:
        template: a file of ``templates``.
        **values: all that it names; text is escaped, ``Markup`` of another piece is not.

    >>> render("sentence.html", kind="notice", role="alert", text="<i>")
    Markup('<p class="fx-notice" role="alert">&lt;i&gt;</p>')
    """
    return Markup(_environment().get_template(template).render(**values))
