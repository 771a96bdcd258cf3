"""The demo's own look: a Gradio theme on local fonts, and the style sheet beside it.

Nothing here names a font, script or picture from outside: the page is whole with
the network cable pulled.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import gradio as gr

#: Ink, paper and one accent. Every text and background pair used below was checked
#: against WCAG AA (4.5 to 1); tests/unit/test_demo.py checks it again.
LIGHT = {
    "paper": "#faf7f2",
    "card": "#ffffff",
    "ink": "#1d1a20",
    "soft": "#655e6b",
    "line": "#e5ddd2",
    "accent": "#a3264a",
    "accent_ink": "#ffffff",
    "accent_soft": "#f8e7eb",
    "good": "#1b6b45",
    "warn": "#8a4b08",
}
DARK = {
    "paper": "#151217",
    "card": "#1f1b22",
    "ink": "#f4eff5",
    "soft": "#b3a9b8",
    "line": "#38313d",
    "accent": "#ff8fab",
    "accent_ink": "#2a0612",
    "accent_soft": "#3a2029",
    "good": "#7fd6a8",
    "warn": "#f2b872",
}

_SANS = ["ui-sans-serif", "system-ui", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SF Mono", "DejaVu Sans Mono", "monospace"]

#: Theme variable -> colour name; each is set for light and dark alike.
_COLOURS = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "soft",
    "background_fill_primary": "card",
    "background_fill_secondary": "paper",
    "block_background_fill": "card",
    "block_border_color": "line",
    "block_info_text_color": "soft",
    "block_label_text_color": "soft",
    "block_title_text_color": "ink",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "color_accent_soft": "accent_soft",
    "input_background_fill": "paper",
    "input_border_color": "line",
    "input_placeholder_color": "soft",
    "link_text_color": "accent",
    "link_text_color_hover": "accent",
    "link_text_color_visited": "accent",
    "link_text_color_active": "accent",
    "loader_color": "accent",
    "slider_color": "accent",
    "panel_background_fill": "paper",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent",
    "button_primary_text_color": "accent_ink",
    "button_primary_text_color_hover": "accent_ink",
    "button_secondary_background_fill": "card",
    "button_secondary_background_fill_hover": "accent_soft",
    "button_secondary_text_color": "ink",
    "button_secondary_text_color_hover": "ink",
    "button_secondary_border_color": "line",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_text_color": "ink",
    "checkbox_label_background_fill": "card",
    "checkbox_label_background_fill_selected": "accent_soft",
    "checkbox_label_text_color_selected": "ink",
}


def make_theme() -> gr.themes.Base:
    """The Fashify theme, for ``launch(theme=...)``."""
    theme = gr.themes.Base(
        font=[gr.themes.Font(name) for name in _SANS],
        font_mono=[gr.themes.Font(name) for name in _MONO],
        radius_size=gr.themes.sizes.radius_lg,
    )
    values = {name: LIGHT[colour] for name, colour in _COLOURS.items()}
    values |= {f"{name}_dark": DARK[colour] for name, colour in _COLOURS.items()}
    return theme.set(**values, color_accent=LIGHT["accent"], block_radius="16px")


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--fx-{name.replace('_', '-')}:{value};" for name, value in colours.items())


@cache
def asset(name: str) -> str:
    """The text of a file in ``fashify/demo/assets``."""
    return files("fashify.demo").joinpath("assets", name).read_text(encoding="utf-8")


def page_head() -> str:
    """What goes into the page's head: the palette as variables, then ``assets/style.css``.

    Not through ``launch(css=...)``, which would rewrite each selector for one Gradio version.
    """
    palette = f":root{{{_variables(LIGHT)}}}.dark{{{_variables(DARK)}}}"
    return f"<style>{palette}{asset('style.css')}</style>"
