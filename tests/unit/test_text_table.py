"""Tables as text: columns line up, whatever the script, and wrap where there is no room."""

from __future__ import annotations

from rich.cells import cell_len

from fashify.io.text_table import format_table


def test_numbers_stand_to_the_right() -> None:
    lines = format_table([("a", 1, "0.5"), ("bbb", 1022, "-")], ("x", "number", "share"))
    assert lines == ["x    number  share", "a         1    0.5", "bbb    1022      -"]


def test_wide_characters_line_up() -> None:
    lines = format_table([("赤いドレス", "a"), ("robe", "b")], ("name", "id"))
    assert {cell_len(line) for line in lines[1:]} == {13}
    assert {line[-1] for line in lines} == {"d", "a", "b"}


def test_markup_and_emoji_codes_stay_text() -> None:
    assert format_table([("[red]:smile:[/red]",)], ("name",))[1] == "[red]:smile:[/red]"


def test_narrow_terminal_wraps() -> None:
    """A narrow terminal wraps and loses nothing."""
    lines = format_table([("a long name of a product", "12345")], ("name", "id"), width=20)
    assert max(map(len, lines)) <= 20
    assert "12345" in lines[1]
    assert "a long name of a product".split() == " ".join(line[:13] for line in lines[1:]).split()
