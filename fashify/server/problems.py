"""Every error of the API as a problem document (RFC 9457), with the way to mend it."""

from __future__ import annotations

import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from fashify.errors import (
    CatalogueError,
    FashifyError,
    ImageReadError,
    NoLabelsError,
    QueryError,
    StorageError,
    StoreError,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: The status of each kind of error, the most particular first; all others are the server's own.
_STATUS: tuple[tuple[type[FashifyError], int], ...] = (
    (ImageReadError, 422),
    (NoLabelsError, 422),
    (QueryError, 400),
    (StoreError, 503),
    (StorageError, 503),
    (CatalogueError, 503),
)

#: What is said of statuses that come from the framework.
_FIXES = {
    404: ("a path of this API", "see /v1/docs"),
    405: ("a method that this path has", "see /v1/docs"),
    415: ("a content type that this path takes", "see /v1/docs"),
}


class ProblemError(Exception):
    """A refusal with a status of its own.

    Args:
        status: of HTTP.
        expected, received, fix: as every ``FashifyError`` says them.
        **headers: such as ``retry_after``.
    """

    def __init__(self, status: int, expected: str, received: str, fix: str, **headers: str) -> None:
        super().__init__(expected)
        self.status, self.headers = status, headers
        self.error = FashifyError(expected, received, fix)
        self.kind = "refused"

    def response(self) -> JSONResponse:
        """The answer that says so."""
        return make_problem(self.status, self.error, self.kind, self.headers)


def make_problem(
    status: int, error: FashifyError, kind: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem document.

    Args:
        status: of HTTP.
        error: what was expected, what came, how to mend it.
        kind: a short name, the end of the document's ``type``.
        headers: with underscores for hyphens.
    """
    body = {
        "type": f"urn:fashify:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": str(error),
        "expected": error.expected,
        "received": error.received,
        "fix": error.fix,
    }
    named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    return JSONResponse(body, status, named, media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Makes every error that leaves the application a problem document."""
    handlers: dict[Any, Any] = {
        ProblemError: _refuse,
        FashifyError: _explain,
        RequestValidationError: _explain_validation,
        HTTPException: _explain_status,
        Exception: _hide,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _refuse(request: Request, error: ProblemError) -> JSONResponse:
    return error.response()


async def _explain(request: Request, error: FashifyError) -> JSONResponse:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        logger.error("%s %s", request.method, request.url.path, exc_info=error)
    name = type(error).__name__.removesuffix("Error")
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    return make_problem(status, error, kind)


async def _explain_validation(request: Request, error: RequestValidationError) -> JSONResponse:
    """The first value that does not fit, by its place, and how many more there are."""
    first, *more = error.errors()
    place = ".".join(str(part) for part in first["loc"])
    received = "nothing" if first["type"] == "missing" else repr(first.get("input"))[:200]
    rest = f", and {len(more)} more that do not fit" if more else ""
    said = str(first["msg"]).removeprefix("Value error, ")
    problem = FashifyError(f"a valid {place}: {said}", received + rest, "see /v1/docs")
    return make_problem(422, problem, "validation")


async def _explain_status(request: Request, error: HTTPException) -> JSONResponse:
    expected, fix = _FIXES.get(
        error.status_code, ("a request that can be answered", "see /v1/docs")
    )
    received = f"{request.method} {request.url.path} ({error.detail})"
    headers = dict(error.headers or {})
    problem = FashifyError(expected, received, fix)
    return make_problem(error.status_code, problem, "http", headers)


async def _hide(request: Request, error: Exception) -> JSONResponse:
    """An unexpected error: logged in full, answered in one sentence."""
    logger.error("%s %s", request.method, request.url.path, exc_info=error)
    problem = FashifyError("an answer", "an error of this server, which its log holds", "try again")
    return make_problem(500, problem, "internal")
