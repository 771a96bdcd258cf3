"""The Fashify demo: layout and wiring. What it shows and decides is in ``fashify.demo``.

Run ``fashify demo`` or ``python gradio_app.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Set before Gradio is imported: nothing on this page or server talks to anyone else.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Gradio's own statistics, which nobody reads here: by default a data frame for every event.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")

import gradio as gr

from fashify.demo import Actions, DemoService, View, panels
from fashify.demo.api import Api
from fashify.demo.serving import QUEUE_LENGTH, Serving
from fashify.demo.theme import asset, make_theme, page_head

#: Searches that run side by side; more would only share the same processors.
SEARCHES_AT_ONCE = 2


def _part(html: str) -> gr.HTML:
    """A piece of the page that sends its clicks as ``act`` events."""
    return gr.HTML(html, js_on_load=asset("page.js"), apply_default_css=False)


def build_app(service: DemoService) -> gr.Blocks:
    """The page over an opened service, not yet launched."""
    actions = Actions(service)
    with gr.Blocks(title="Fashify", analytics_enabled=False, delete_cache=(600, 600)) as app:
        view = gr.State(View())
        _part(panels.masthead(service.facts))
        with gr.Row(elem_classes="fx-main"):
            with gr.Column(elem_classes="fx-side"):
                query = _part(panels.query_panel(View()))
                examples = _part(panels.examples_row(service.examples))
            with gr.Column(elem_classes="fx-body"):
                results = _part(panels.welcome())

        def act(view: View, event: gr.EventData) -> tuple[View, str, str]:
            view = actions.act(view, event._data or {})
            return view, *panels.page(service, view)

        for part in (query, examples, results):
            part.act(
                act,
                [view],
                [view, query, results],
                api_visibility="private",
                show_progress="hidden",
                show_progress_on=results,
                trigger_mode="multiple",
                concurrency_id="search",
                concurrency_limit=SEARCHES_AT_ONCE,
            )
        for function in Api(service).endpoints:
            gr.api(function, concurrency_id="search", concurrency_limit=SEARCHES_AT_ONCE)
    return app


def serve(
    store: Path | str | None = None,
    *,
    serving: Serving | None = None,
    browser: bool = False,
    announce: Callable[[str], Any] = print,
) -> None:
    """Opens ``store``, warms the network up and serves the page until interrupted."""
    app = build_app(DemoService.open(store))
    serving = serving or Serving.from_environment()
    announce(f"Fashify is at {launch(app, serving, inbrowser=browser)}")
    app.block_thread()


def launch(app: gr.Blocks, serving: Serving, **options: Any) -> str:
    """Starts the server beside the caller, with the demo's limits and look; its address."""
    look = {"theme": make_theme(), "head": page_head()}
    _, url, _ = app.queue(max_size=QUEUE_LENGTH).launch(
        **serving.launch_options(), **look, prevent_thread_lock=True, quiet=True, **options
    )
    return url


if __name__ == "__main__":
    serve(os.environ.get("FASHIFY_STORE"))
