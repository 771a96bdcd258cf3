"""The API as an application of its own, and page and API inside another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from fashify.demo.launching import QUEUE_LENGTH, SESSIONS, Serving
from fashify.demo.page import Page
from fashify.demo.service import DemoService
from fashify.demo.theme import make_theme, page_head
from fashify.errors import ConfigError
from fashify.io.storage import is_url
from fashify.server.access import Access
from fashify.server.counters import Counters
from fashify.server.gate import Gate
from fashify.server.health import add_health_routes
from fashify.server.holding import StoreHolder
from fashify.server.problems import add_problem_handlers
from fashify.server.routes import router
from fashify.store.bucket import BucketFollower

#: The API's version, and its path below the page's.
VERSION = "v1"

_DESCRIPTION = (
    "Reverse image search for fashion: a picture, a text or a product in, the products of the "
    "catalogue that answer best out. Every error says what was expected, what came and how to "
    "mend it."
)


def make_api(holder: StoreHolder, counters: Counters, access: Access) -> FastAPI:
    """The versioned API alone, to be mounted at ``/v1``."""
    api = FastAPI(
        title="Fashify", version="1", description=_DESCRIPTION, redoc_url=None, docs_url=None
    )
    api.state.holder, api.state.counters = holder, counters
    api.include_router(router)
    api.add_api_route("/docs", _docs_page(api), include_in_schema=False)
    add_problem_handlers(api)
    # The last one added is the outermost.
    api.add_middleware(Gate, access=access, counters=counters)
    if access.origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=list(access.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        )
    return api


def _docs_page(api: FastAPI) -> Any:
    """The API's description as a page that loads nothing from elsewhere."""
    from fastapi.responses import HTMLResponse

    from fashify.demo.rendering import render

    def docs() -> HTMLResponse:
        schema = api.openapi()
        calls = [
            {
                "method": method.upper(),
                "path": path,
                "summary": what["summary"],
                "description": what.get("description", ""),
                "parameters": [{"description": "", **one} for one in what.get("parameters", [])],
            }
            for path, methods in schema["paths"].items()
            for method, what in methods.items()
        ]
        return HTMLResponse(render("api_docs.html", schema=schema, calls=calls))

    return docs


def mount(
    app: FastAPI,
    store: str | Path | DemoService,
    path: str = "/search",
    *,
    page: bool = True,
    access: Access | None = None,
    serving: Serving | None = None,
) -> FastAPI:
    """Puts the search page and its API into an application.

    The page is at ``path``, the API at ``path/v1`` with its description at ``path/v1/docs``, and
    ``healthz``, ``readyz`` and ``metrics`` at ``path``. A store that is replaced is taken up by
    both, and no request is dropped for it; one in a bucket within some seconds.

    Args:
        app: any FastAPI application, before it is started.
        store: its folder or url, or a service that is open already.
        path: where, such as ``/search``; "" for the root.
        page: whether the page is there, too.
        access: keys, rate and origins of the API; by default as the environment says.
        serving: who may see the page, and what its cards show; by default anyone.

    Returns:
        ``app``.

    Raises:
        ConfigError: a path that does not begin with a slash.
        StoreError: there is no store there.

    >>> from fastapi import FastAPI
    >>> from fashify import mount
    >>> app = mount(FastAPI(), "data/sample-store", path="/search")
    """
    path = path.rstrip("/")
    if path and not path.startswith("/"):
        raise ConfigError("a path that begins with a slash", repr(path), f"use /{path}")
    access, serving = access or Access.from_environment(), serving or Serving()
    counters = app.state.fashify_counters = Counters()
    far = not isinstance(store, DemoService) and is_url(store)
    refresh = BucketFollower(str(store)) if far else None
    holder = app.state.fashify_store = StoreHolder(_opener(store, access, serving), refresh)
    holder.followers.append(lambda: counters.note_store(len(holder.service.store)))
    holder.open()
    app.mount(f"{path}/{VERSION}", make_api(holder, counters, access))
    add_health_routes(app, path, holder, counters)
    if page:
        _mount_page(app, holder, path, serving)
    return app


def make_app(
    store: str | Path | DemoService,
    *,
    page: bool = True,
    access: Access | None = None,
    serving: Serving | None = None,
) -> FastAPI:
    """An application that is the search alone; arguments and errors as ``mount``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_problem_handlers(app)
    return mount(app, store, "", page=page, access=access, serving=serving)


def _opener(store: str | Path | DemoService, access: Access, serving: Serving) -> Any:
    first = [store] if isinstance(store, DemoService) else []
    place = store.store.path if isinstance(store, DemoService) else store

    def open_service() -> DemoService:
        if first:
            return first.pop()
        return DemoService.open(
            place, urls=access.urls, show=serving.show, catalogue=serving.catalogue
        )

    return open_service


def _mount_page(app: FastAPI, holder: StoreHolder, path: str, serving: Serving) -> None:
    page = Page(lambda: holder.service)
    holder.followers.append(page.renew)
    blocks = page.blocks
    blocks.state_session_capacity = SESSIONS
    blocks.queue(max_size=QUEUE_LENGTH)
    look: dict[str, Any] = {"theme": make_theme(), "head": page_head()}
    gr.mount_gradio_app(app, blocks, path=path or "/", **serving.mount_options(), **look)
