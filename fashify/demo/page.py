"""The demo's page in Gradio: layout and wiring."""

from __future__ import annotations

import os
from collections.abc import Callable
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
from fashify.demo.api import Api, as_async_endpoint, make_endpoints
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


class Tools:
    """All that the page does with one store."""

    def __init__(self, service: DemoService) -> None:
        self.service, self.actions, self.api = service, Actions(service), Api(service)
        self.explorer, self.judge = Explorer(service), Judge(service)


class Page:
    """The page, not yet launched, over a store that may be another one later.

    Args:
        current: the opened service that answers now.

    Attributes:
        blocks: Gradio's application.
    """

    def __init__(self, current: Callable[[], DemoService]) -> None:
        self._current, self._tools = current, Tools(current())
        #: What a visit begins with, and what draws it of a store.
        self._drawn: list[tuple[gr.HTML, Callable[[Tools], str]]] = []
        with gr.Blocks(title="Fashify", analytics_enabled=False, delete_cache=(600, 600)) as app:
            self.blocks, view = app, gr.State(View())
            self._draw(lambda tools: panels.masthead(tools.service.facts))
            with gr.Tabs(elem_classes="fx-tabs", selected="search") as tabs:
                with gr.Tab("Search", id="search"):
                    parts = self._add_search()
                with gr.Tab("Explore", id="explore") as explore:
                    explored = self._add_map(explore)
                with gr.Tab("Evaluate", id="evaluate") as evaluate:
                    self._add_evaluation(evaluate)
                with gr.Tab("About", id="about"):
                    self._draw(lambda tools: about.panel(tools.service))
            self._wire(view, parts, explored, tabs)
            for function in make_endpoints(lambda: self.tools.api):
                gr.api(function, **LIMITS)
        for block in app.blocks.values():
            block.async_move_resource_to_block_cache = as_async_endpoint(check_uploaded)

    @property
    def tools(self) -> Tools:
        """Those of the store that answers now: taken once by whatever answers an event."""
        made, service = self._tools, self._current()
        if made.service is not service:
            made = self._tools = Tools(service)
        return made

    def renew(self) -> None:
        """Lets visits from now on begin with the store that answers now."""
        tools = self.tools
        for block, draw in self._drawn:
            block.value = draw(tools)
        self.blocks.config = self.blocks.get_config_file()

    def _draw(self, draw: Callable[[Tools], str]) -> gr.HTML:
        block = _part(draw(self._tools))
        self._drawn.append((block, draw))
        return block

    def _add_search(self) -> tuple[gr.HTML, gr.HTML, gr.HTML]:
        """Query, examples and results."""

        def suggest(text: str) -> list[str]:
            return suggest_texts(self.tools.service.retriever, text)

        asked = panels.query_panel(View(), urls=self.tools.service.fetcher is not None)
        with gr.Row(elem_classes="fx-main"):
            with gr.Column(elem_classes="fx-side"):
                query = _part(asked, "page.js", "words.js", server_functions=[suggest])
                examples = self._draw(lambda tools: panels.examples_row(tools.service.examples))
            with gr.Column(elem_classes="fx-body"):
                results = _part(panels.welcome())
        return query, examples, results

    def _add_map(self, tab: gr.Tab) -> tuple[gr.HTML, gr.HTML]:
        """The map, drawn when the tab is first opened, and the product looked at."""
        board = _part(panels.waiting("Laying out the catalogue ..."), "map.js")
        looked = _part("")
        self._draw(lambda tools: tools.explorer.charts())
        tab.select(lambda: self.tools.explorer.panel(), None, board, **QUIET)
        return board, looked

    def _add_evaluation(self, tab: gr.Tab) -> None:
        def report_page(name: str) -> str:
            return self.tools.judge.page(name)

        waiting = panels.waiting("Searching with the catalogue's own products ...")
        board = _part(waiting, "judged.js", server_functions=[report_page])
        tab.select(lambda: self.tools.judge.panel(), None, board, **QUIET)

    def _wire(
        self,
        view: gr.State,
        parts: tuple[gr.HTML, gr.HTML, gr.HTML],
        explored: tuple[gr.HTML, gr.HTML],
        tabs: gr.Tabs,
    ) -> None:
        """Every click on the page goes through one action and draws what changed."""
        query, _, results = parts
        board, looked = explored

        def act(view: View, event: gr.EventData) -> tuple[View, str, str]:
            tools = self.tools
            view = tools.actions.act(view, read_event(event._data))
            return view, *panels.page(tools.service, view)

        def explore(view: View, event: gr.EventData) -> tuple[View, Any, Any, Any, Any]:
            wanted = read_event(event._data)
            if wanted.get("do") == "look":
                found = self.tools.explorer.look_up(wanted)
                return view, gr.skip(), gr.skip(), found, gr.skip()
            return *act(view, event), gr.skip(), gr.Tabs(selected="search")

        for part in parts:
            part.act(act, [view], [view, query, results], **QUIET, trigger_mode="multiple")
        for part in (board, looked):
            part.act(explore, [view], [view, query, results, looked, tabs], **QUIET)


def _part(html: str, *scripts: str, **options: Any) -> gr.HTML:
    """A piece of the page that sends its clicks as ``act`` events."""
    script = "\n".join(map(asset, scripts or ("page.js",)))
    return gr.HTML(html, js_on_load=script, apply_default_css=False, **options)
