"""Schemathesis draws requests from the API's own description, right and wrong ones.

No answer may be an error of the server, each must be of a status, type and shape that is described,
and what the description refuses must be refused.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from served import Served, build_toy_store, open_toy

from fashify.server import Access, make_app

schemathesis = pytest.importorskip("schemathesis")

#: Requests of each kind for each call.
EXAMPLES = 25


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


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_answers_are_as_described(description, method: str, path: str) -> None:
    operation = description[path][method]

    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    def right(case) -> None:
        case.call_and_validate()

    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    def wrong(case) -> None:
        case.call_and_validate()

    right()
    wrong()
