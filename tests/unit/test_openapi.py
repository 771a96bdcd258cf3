"""Schemathesis draws requests from the API's own description, right and wrong ones.

No answer may be an error of the server, each must be of a status, type and shape that is described,
and what the description refuses must be refused.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from served import Served, build_toy_store, open_toy

from fashify.server import Access, make_app

schemathesis = pytest.importorskip("schemathesis")

checks = schemathesis.checks

#: Requests of each kind for each call.
EXAMPLES = 12

DRAWN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_toy_store(tmp_path_factory.mktemp("openapi"))


@pytest.fixture(scope="module")
def description(toy_store: Path):
    served = Served(make_app(open_toy(toy_store), page=False, access=Access()))
    yield schemathesis.openapi.from_url(f"{served.server.url}v1/openapi.json")
    served.close()


CALLS = (
    ("POST", "/search"),
    ("GET", "/search"),
    ("POST", "/search/image"),
    ("POST", "/search/garments"),
    ("GET", "/products/{item_id}"),
    ("GET", "/products/{item_id}/picture"),
    ("GET", "/products/{item_id}/similar"),
    ("GET", "/facets"),
    ("GET", "/suggestions"),
    ("POST", "/explain"),
)


def test_every_call_is_tried(description) -> None:
    described = description.raw_schema["paths"]
    calls = {(method.upper(), path) for path, found in described.items() for method in found}
    assert calls == set(CALLS)


def test_an_address_that_is_too_long(description) -> None:
    """Refused before the application sees it, and yet as a problem document."""
    place = urlsplit(description.get_base_url())
    connection = HTTPConnection(place.hostname, place.port, timeout=30)
    connection.request("GET", f"{place.path}/facets?where={'x' * 70_000}")
    answer = connection.getresponse()
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "64 kB" in json.loads(answer.read())["expected"]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_answers_are_as_described(description, method: str, path: str) -> None:
    operation = description[path][method]

    @given(case=operation.as_strategy())
    @DRAWN
    def right(case) -> None:
        # A filter may name a column that no schema can know of: 400 is an answer, too.
        case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])

    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    @DRAWN
    def wrong(case) -> None:
        case.call_and_validate()

    right()
    if path != "/products/{item_id}":  # Any text may be an id: nothing can be wrong there.
        wrong()
