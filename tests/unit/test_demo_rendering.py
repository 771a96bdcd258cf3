"""The page's templates: everything is escaped, nothing is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from fashify.demo import panels
from fashify.demo.rendering import TEMPLATES, render
from fashify.demo.service import Example, Facts
from fashify.demo.state import Query

HOSTILE = '"><script>alert(1)</script>'


def test_templates_escape_text_and_keep_pieces() -> None:
    example = Example(Query("item", HOSTILE, item_id="7"), "data:,x")
    facts = Facts(7, HOSTILE, HOSTILE, 8, HOSTILE, HOSTILE)
    for html in (panels.examples_row([example]), panels.masthead(facts), panels.notice(HOSTILE)):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
    assert panels.notice("a") + Markup("<b>") == '<p class="fx-notice" role="alert">a</p><b>'


def test_a_value_left_out_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="text"):
        render("sentence.html", kind="notice", role="alert")


def test_template_line_breaks_dropped() -> None:
    """Line breaks of a template are not on the page."""
    html = panels.welcome()
    assert "\n" not in html
    assert "<ol><li><b>Show</b> a photo" in html


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_switches_escaping_off(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "| safe" not in text
    assert "autoescape" not in text
    # A value of an attribute outside quotes could add attributes of its own.
    assert not re.search(r"=\{\{", text)


def test_python_writes_no_tags() -> None:
    """HTML is in the templates alone; the page's head is a style sheet."""
    for path in TEMPLATES.parent.glob("*.py"):
        if path.name not in ("theme.py", "rendering.py"):
            assert not re.search(r"[\"']</?[a-z]", path.read_text(encoding="utf-8")), path.name
