"""``healthz``, ``readyz`` and ``metrics``: for machines of one's own, so without a key."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from fashify.server.counters import Counters
from fashify.server.holding import StoreHolder
from fashify.server.problems import ProblemError


def add_health_routes(app: FastAPI, path: str, holder: StoreHolder, counters: Counters) -> None:
    """Adds the three below ``path``."""

    def healthz() -> Response:
        """Whether the process answers at all."""
        return JSONResponse({"status": "alive"})

    def readyz() -> Response:
        """Whether searches are answered; 503 while no store is open."""
        try:
            service = holder.service
        except ProblemError as problem:
            return problem.response()
        return JSONResponse({"status": "ready", "n_products": len(service.store)})

    def metrics() -> Response:
        """What was counted, for Prometheus."""
        return Response(counters.text(), headers={"Content-Type": counters.media_type})

    for route in (healthz, readyz, metrics):
        app.add_api_route(f"{path}/{route.__name__}", route, include_in_schema=False)
