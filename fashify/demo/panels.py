"""The rest of the page as HTML: masthead, query panel, examples, welcome and notices."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fashify.demo import results
from fashify.demo.service import DemoService, Example, Facts
from fashify.demo.state import View
from fashify.retrieval.region import Box

_UPLOAD_ICON = (
    '<svg viewBox="0 0 48 48" aria-hidden="true"><path d="M24 30V12m-8 8 8-8 8 8M10 30v6a3 3 0 0 0 '
    '3 3h22a3 3 0 0 0 3-3v-6" fill="none" stroke="currentColor" stroke-width="2.5" '
    'stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_HANGER = (
    '<svg viewBox="0 0 48 40" aria-hidden="true"><path d="M24 14c0-3 4-3.5 4-7a4 4 0 0 0-8 0M24 '
    '14 4.5 29.5A2.5 2.5 0 0 0 6 34h36a2.500 2.500 0 0 0 1.5-4.5Z" fill="none" '
    'stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_HALF = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8" fill="none" '
    'stroke="currentColor" stroke-width="2"/><path d="M10 2a8 8 0 0 1 0 16Z" '
    'fill="currentColor"/></svg>'
)


def masthead(facts: Facts) -> str:
    """The top of the page: name, one sentence, what is searched and with what."""
    return (
        f'<header class="fx-head"><div class="fx-brand">{_HANGER}<h1>Fashify</h1></div>'
        '<p class="fx-tag">Show it a piece of clothing. It finds the ones that look like it.</p>'
        '<button type="button" class="fx-icon" data-theme-toggle aria-label="Switch between light '
        f'and dark">{_HALF}</button></header>'
        f'<ul class="fx-store" aria-label="What is searched"><li><b>{facts.n_items:,}</b> products'
        f"</li><li>{escape(facts.catalogue)}</li><li><b>{escape(facts.backbone)}</b> · "
        f"{facts.dim:,} numbers a picture</li><li>{escape(facts.metric)} distance</li>"
        f'</ul><p class="fx-why">{escape(facts.why)}</p>'
    )


def query_panel(view: View, url: str = "", *, urls: bool = False) -> str:
    """Where a picture comes in, and the one in use.

    Args:
        view: the visitor's state.
        url: ``data:`` URL of the query's picture, "" when there is none.
        urls: whether a picture may be named by its address.
    """
    shown = _photo(view, url) if view.query else _drop_zone()
    return (
        f'<section class="fx-query" aria-label="Your picture">{shown}'
        '<div class="fx-tools"><label class="fx-button fx-primary">Choose a photo'
        '<input type="file" class="fx-file" accept="image/*" aria-label="Choose a photo"></label>'
        '<button type="button" class="fx-button" data-camera>Camera</button>'
        '<button type="button" class="fx-button" data-do="surprise">Surprise me</button></div>'
        f"{_ADDRESS if urls else ''}</section>"
    )


_ADDRESS = (
    '<form class="fx-address"><input type="url" name="url" required maxlength="2000" '
    'placeholder="https:// address of a picture" aria-label="Address of a picture">'
    '<button type="submit" class="fx-button">Fetch</button></form>'
)


def _drop_zone() -> str:
    return (
        f'<div class="fx-drop">{_UPLOAD_ICON}<strong>Drop a photo here</strong>'
        "<span>or paste one, take one, pick one below</span></div>"
    )


def _photo(view: View, url: str) -> str:
    title = escape(view.query.title, quote=True)
    cuttable = view.query.kind == "photo"
    frame = (
        f'<div class="fx-frame"{" data-cuttable" if cuttable else ""}>'
        f'<img src="{url}" alt="Searching with: {title}" draggable="false">'
        f"{_box(view.region)}</div>"
    )
    return (
        f'<figure class="fx-photo">{frame}<figcaption>{title}</figcaption></figure>'
        f"{_photo_tools(view) if cuttable else ''}"
    )


def _box(region: Box | None) -> str:
    if region is None:
        return '<i class="fx-box" hidden></i>'
    ends = (region.top, region.left, region.bottom, region.right)
    numbers = ",".join(f"{end:.4f}" for end in ends)
    style = ";".join(
        f"{name}:{100 * value:.1f}%"
        for name, value in (
            ("top", region.top),
            ("left", region.left),
            ("height", region.bottom - region.top),
            ("width", region.right - region.left),
        )
    )
    return f'<i class="fx-box" style="{style}" data-region="{numbers}"></i>'


def _photo_tools(view: View) -> str:
    cut = "" if view.region else " disabled"
    whole = (
        '<button type="button" class="fx-link" data-do="whole">Whole photo</button>'
        if view.query.whole is not None
        else ""
    )
    return (
        '<div class="fx-phototools" role="group" aria-label="Work on the photo">'
        '<button type="button" class="fx-link" data-do="find">Find the product</button>'
        '<button type="button" class="fx-link" data-do="rotate">Turn</button>'
        f'<button type="button" class="fx-link" data-cut{cut}>Search this part</button>{whole}'
        "</div>"
    )


def examples_row(examples: Sequence[Example]) -> str:
    """Pictures to start from, as buttons."""
    buttons = "".join(
        f'<button type="button" data-do="example" data-n="{n}" '
        f'data-kind="{example.query.kind}" title="{_quoted(example)}">'
        f'<img src="{example.url}" alt="{_quoted(example)}"></button>'
        for n, example in enumerate(examples)
    )
    return (
        '<section class="fx-examples" aria-label="Examples"><h2>Or start from one of these</h2>'
        f'<div class="fx-strip">{buttons}</div></section>'
    )


def _quoted(example: Example) -> str:
    return escape(example.query.title, quote=True)


def notice(text: str) -> str:
    """A sentence that something did not work, read out by screen readers."""
    return f'<p class="fx-notice" role="alert">{escape(text)}</p>' if text else ""


RENEWED = (
    '<p class="fx-empty" role="status">The catalogue has been rebuilt since this page was started. '
    "You are looking at the one before, which goes on working; the new one appears when the demo "
    "is started again.</p>"
)


def welcome() -> str:
    """What the results panel says before the first search."""
    return (
        '<section class="fx-welcome"><h2>Nothing searched yet</h2><ol>'
        "<li><b>Show</b> a photo of a garment, a shoe, a bag, a watch: anything in the shop.</li>"
        "<li><b>See</b> the products that look most like it, nearest first.</li>"
        "<li><b>Wander</b> from any of them to its own neighbours.</li></ol>"
        "<p>Photos are decoded in memory and not kept.</p></section>"
    )


def waiting(text: str) -> str:
    """What a tab says until its content is ready."""
    return f'<p class="fx-waiting" role="status">{escape(text)}</p>'


def page(service: DemoService, view: View) -> tuple[str, str]:
    """HTML of the query panel and of the results panel for one view."""
    answered = results.panel(service, view) if view.answer else welcome()
    urls = service.fetcher is not None
    said = notice(view.notice) + (RENEWED if service.renewed else "")
    return query_panel(view, service.query_url(view.query), urls=urls), said + answered
