"""The rest of the page as HTML: masthead, query panel, examples, welcome and notices."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from fashify.demo import results
from fashify.demo.rendering import render
from fashify.demo.service import DemoService, Example, Facts
from fashify.demo.state import View
from fashify.demo.wishes import SWATCHES, Wishes, describe_wishes
from fashify.retrieval.region import Box

_RENEWED = (
    "The catalogue has been rebuilt. You are looking at the one before, which goes on working "
    "until the new one is opened."
)


def masthead(facts: Facts) -> Markup:
    """The top of the page: name, one sentence, what is searched and with what."""
    return render("masthead.html", facts=facts)


def query_panel(
    view: View,
    url: str = "",
    *,
    urls: bool = False,
    wishes: Wishes | None = None,
    colour: int | None = None,
) -> Markup:
    """Where a picture and words come in, and those in use.

    Args:
        view: the visitor's state.
        url: ``data:`` URL of the query's picture, "" when there is none.
        urls: whether a picture may be named by its address.
        wishes: what was understood of the words.
        colour: how much the picture's own colour counts, 0 to 100; None where that is not known.
    """
    box = _place(view.region) if view.region else {}
    return render(
        "query.html",
        query=view.query,
        region=view.region,
        url=url,
        urls=urls,
        text=view.typed or (view.query.text if view.query else ""),
        wishes=wishes or Wishes(),
        swatches=SWATCHES,
        colour=colour,
        **box,
    )


def _place(region: Box) -> dict[str, str]:
    """Where the box lies on the picture, for the style sheet and for the script."""
    sides = {
        "top": region.top,
        "left": region.left,
        "height": region.bottom - region.top,
        "width": region.right - region.left,
    }
    ends = (region.top, region.left, region.bottom, region.right)
    return {
        "box_style": ";".join(f"{name}:{100 * value:.1f}%" for name, value in sides.items()),
        "box_ends": ",".join(f"{end:.4f}" for end in ends),
    }


def examples_row(examples: Sequence[Example]) -> Markup:
    """Pictures to start from, as buttons."""
    return render("examples.html", examples=examples)


def notice(text: str) -> Markup:
    """A sentence that something did not work, read out by screen readers; "" for none."""
    if not text:
        return Markup()
    return render("sentence.html", kind="notice", role="alert", text=text)


def welcome(address: str = "") -> Markup:
    """What the results panel says before the first search.

    Args:
        address: the query string of the page from now on; "" leaves it.
    """
    return render("welcome.html", address=address)


def waiting(text: str) -> Markup:
    """What a tab says until its content is ready."""
    return render("sentence.html", kind="waiting", role="status", text=text)


def announce_renewal() -> Markup:
    """What is said once the store on disk is another one."""
    return render("sentence.html", kind="empty", role="status", text=_RENEWED)


def page(service: DemoService, view: View) -> tuple[Markup, Markup]:
    """HTML of the query panel and of the results panel for one view."""
    answered = results.panel(service, view) if view.answer else welcome("" if view.notice else "?")
    urls = service.fetcher is not None
    above = notice(view.notice) + (announce_renewal() if service.is_replaced else Markup())
    text = view.query.text if view.query else ""
    asked = query_panel(
        view,
        service.query_url(view.query),
        urls=urls,
        wishes=describe_wishes(service.retriever, text),
        colour=dict(view.selection.weights or service.own_weights).get("colour"),
    )
    return asked, above + answered
