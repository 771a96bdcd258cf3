"""The demo's page in Gradio: layout and wiring."""

from __future__ import annotations

import os
from typing import Any

# Set before Gradio is imported: nothing on this page or server talks to anyone else.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Gradio's own statistics, which nobody reads here: by default a data frame for every event.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")

import gradio as gr

from fashify.demo import Actions, DemoService, View, about, panels
from fashify.demo.actions import read_event
from fashify.demo.api import Api, as_async_endpoint
from fashify.demo.batching import MOST
from fashify.demo.explore import Explorer
from fashify.demo.judged import Judge
from fashify.demo.theme import asset
from fashify.demo.uploads import check_uploaded
from fashify.demo.wishes import suggest_texts

#: Searches under way at once: as many as go through the network in one batch.
LIMITS: dict[str, Any] = {"concurrency_id": "search", "concurrency_limit": MOST}
#: Events of the page itself: no endpoint for programs, no spinner of Gradio's own.
QUIET: dict[str, Any] = {**LIMITS, "api_visibility": "private", "show_progress": "hidden"}


def build_app(service: DemoService) -> gr.Blocks:
    """The page over an opened service, not yet launched."""
    with gr.Blocks(title="Fashify", analytics_enabled=False, delete_cache=(600, 600)) as app:
        view = gr.State(View())
        _part(panels.masthead(service.facts))
        with gr.Tabs(elem_classes="fx-tabs", selected="search") as tabs:
            with gr.Tab("Search", id="search"):
                parts = _search_tab(service)
            with gr.Tab("Explore", id="explore") as explore:
                explored = _explore_tab(service, explore)
            with gr.Tab("Evaluate", id="evaluate") as evaluate:
                _evaluate_tab(service, evaluate)
            with gr.Tab("About", id="about"):
                _part(about.panel(service))
        _wire(service, view, parts, explored, tabs)
        for function in Api(service).endpoints:
            gr.api(function, **LIMITS)
    for block in app.blocks.values():
        block.async_move_resource_to_block_cache = as_async_endpoint(check_uploaded)
    return app


def _part(html: str, *scripts: str, **options: Any) -> gr.HTML:
    """A piece of the page that sends its clicks as ``act`` events."""
    script = "\n".join(map(asset, scripts or ("page.js",)))
    return gr.HTML(html, js_on_load=script, apply_default_css=False, **options)


def _search_tab(service: DemoService) -> tuple[gr.HTML, gr.HTML, gr.HTML]:
    """Query, examples and results."""

    def suggest(text: str) -> list[str]:
        return suggest_texts(service.retriever, text)

    asked = panels.query_panel(View(), urls=service.fetcher is not None)
    with gr.Row(elem_classes="fx-main"):
        with gr.Column(elem_classes="fx-side"):
            query = _part(asked, "page.js", "words.js", server_functions=[suggest])
            examples = _part(panels.examples_row(service.examples))
        with gr.Column(elem_classes="fx-body"):
            results = _part(panels.welcome())
    return query, examples, results


def _explore_tab(service: DemoService, tab: gr.Tab) -> tuple[gr.HTML, gr.HTML, Explorer]:
    """The map, drawn when the tab is first opened, and the product looked at."""
    explorer = Explorer(service)
    board = _part(panels.waiting("Laying out the catalogue ..."), "map.js")
    looked = _part("")
    _part(explorer.charts())
    tab.select(explorer.panel, None, board, **QUIET)
    return board, looked, explorer


def _evaluate_tab(service: DemoService, tab: gr.Tab) -> None:
    judge = Judge(service)

    def report_page(name: str) -> str:
        return judge.page(name)

    waiting = panels.waiting("Searching with the catalogue's own products ...")
    board = _part(waiting, "judged.js", server_functions=[report_page])
    tab.select(judge.panel, None, board, **QUIET)


def _wire(
    service: DemoService,
    view: gr.State,
    parts: tuple[gr.HTML, gr.HTML, gr.HTML],
    explored: tuple[gr.HTML, gr.HTML, Explorer],
    tabs: gr.Tabs,
) -> None:
    """Every click on the page goes through one action and draws what changed."""
    actions = Actions(service)
    query, _, results = parts
    board, looked, explorer = explored

    def act(view: View, event: gr.EventData) -> tuple[View, str, str]:
        view = actions.act(view, read_event(event._data))
        return view, *panels.page(service, view)

    def explore(view: View, event: gr.EventData) -> tuple[View, Any, Any, Any, Any]:
        wanted = read_event(event._data)
        if wanted.get("do") == "look":
            return view, gr.skip(), gr.skip(), explorer.look_up(wanted), gr.skip()
        view = actions.act(view, wanted)
        return view, *panels.page(service, view), gr.skip(), gr.Tabs(selected="search")

    for part in parts:
        part.act(act, [view], [view, query, results], **QUIET, trigger_mode="multiple")
    for part in (board, looked):
        part.act(explore, [view], [view, query, results, looked, tabs], **QUIET)
