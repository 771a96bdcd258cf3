"""Variety and weights: what they are by hand, and what the page makes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from headed import weighted_demo

from fashify.demo import Actions, DemoService, View, results
from fashify.demo.address import write_address
from fashify.demo.judged import Judge
from fashify.errors import QueryError
from fashify.retrieval.diversity import choose_varied

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def test_variety_by_hand() -> None:
    distances = np.array([0.0, 0.1, 0.5])
    vectors = np.array([EAST, EAST, NORTH])
    assert choose_varied(distances, vectors, 2, 0.0, "cosine") == [0, 1]
    # The copy costs 0.7 * 0.1 - 0.3 * 0 = 0.07, the other 0.7 * 0.5 - 0.3 * 1 = 0.05.
    assert choose_varied(distances, vectors, 2, 0.3, "cosine") == [0, 2]
    assert choose_varied(distances, vectors, 2, 0.2, "cosine") == [0, 1]
    assert choose_varied(distances, 3 * vectors, 3, 1.0, "euclidean") == [0, 2, 1]


@pytest.mark.parametrize("k", [1, 3, 9])
def test_variety_never_gives_more_than_there_is(k: int) -> None:
    order = choose_varied(np.zeros(3), np.eye(3), k, 0.5, "cosine")
    assert sorted(order) == list(range(min(k, 3)))
    assert choose_varied(np.empty(0), np.empty((0, 0)), k, 0.5, "cosine") == []


def test_variety_has_a_range() -> None:
    with pytest.raises(QueryError, match="from 0 to 1"):
        choose_varied(np.zeros(1), np.eye(1), 1, 1.5, "cosine")


@pytest.fixture(scope="module")
def plain(sample_store: Path) -> DemoService:
    return DemoService.open(sample_store)


@pytest.fixture(scope="module")
def weighted(plain: DemoService) -> DemoService:
    """The sample's store served by a head of two parts, half and half."""
    return weighted_demo(plain)


def ids(view: View) -> list[str]:
    return [match.item_id for match in view.answer.matches]


def test_variety_keeps_nearest_first(plain: DemoService) -> None:
    """The nearest stays first and the others differ more."""
    actions = Actions(plain)
    near = actions.act(View(k=8), {"do": "example", "n": "0"})
    apart = actions.act(near, {"do": "vary", "value": "60"})
    assert ids(apart)[0] == ids(near)[0]
    assert ids(apart) != ids(near)
    assert [match.rank for match in apart.answer.matches] == list(range(1, 9))

    def closest_pair(view: View) -> float:
        rows = plain.retriever.index.vectors_of(ids(view))
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return float((rows @ rows.T - 2 * np.eye(len(rows))).max())

    assert closest_pair(apart) < closest_pair(near)
    assert actions.act(apart, {"do": "vary", "value": "0"}).answer.matches == near.answer.matches


def test_variety_keeps_to_the_filters(plain: DemoService) -> None:
    actions = Actions(plain)
    view = actions.act(View(), {"do": "example", "n": "0"})
    view = actions.act(view, {"do": "filter", "level": "gender", "value": "Women"})
    view = actions.act(view, {"do": "vary", "value": "100"})
    assert {match.gender for match in view.answer.matches} == {"Women"}


def test_a_raw_store_has_no_weights(plain: DemoService) -> None:
    view = Actions(plain).act(View(), {"do": "example", "n": "0"})
    assert 'data-live="weigh"' not in results.panel(plain, view)
    assert 'data-live="vary"' in results.panel(plain, view)


def test_weights_change_the_answer_and_are_shared(weighted: DemoService) -> None:
    actions = Actions(weighted)
    even = actions.act(View(), {"do": "example", "n": "0"})
    assert 'data-part="colour"><output>50</output>' in results.panel(weighted, even)
    view = actions.act(even, {"do": "weigh", "part": "shape", "value": "0"})
    assert view.selection.weights == (("shape", 0), ("colour", 50))
    colours = [match.parts["colour"] for match in view.answer.matches]
    assert colours == sorted(colours)
    assert [match.distance for match in view.answer.matches] == pytest.approx(colours, abs=1e-4)
    opened = actions.act(View(), {"do": "address", "query": write_address(view)})
    assert (ids(opened), opened.selection) == (ids(view), view.selection)
    cleared = actions.act(view, {"do": "reset"})
    assert ids(cleared) == ids(even)


def test_nothing_but_zeros_is_refused(weighted: DemoService) -> None:
    actions = Actions(weighted)
    view = actions.act(View(), {"do": "example", "n": "0"})
    view = actions.act(view, {"do": "weigh", "part": "shape", "value": "0"})
    refused = actions.act(view, {"do": "weigh", "part": "colour", "value": "0"})
    assert refused.notice.endswith("Move a slider up first.")
    assert ids(refused) == ids(view)


def test_why_shows_parts(weighted: DemoService) -> None:
    """Why shows the parts that make the distance."""
    actions = Actions(weighted)
    view = actions.act(View(), {"do": "example", "n": "0"})
    nearest = view.answer.matches[0]
    assert sum(nearest.parts.values()) / 2 == pytest.approx(nearest.distance, abs=1e-4)
    html = results.panel(weighted, actions.act(view, {"do": "explain", "item": nearest.item_id}))
    for name, apart in nearest.parts.items():
        assert f"<dt>{name}</dt>" in html
        assert f"<b>{apart:.3f}</b>" in html


def test_a_photo_is_served_through_the_head(weighted: DemoService) -> None:
    kinds = [example.query.kind for example in weighted.examples]
    view = Actions(weighted).act(View(), {"do": "example", "n": str(kinds.index("photo"))})
    assert view.query.feature.shape == (weighted.store.head.dim,)
    assert json.loads(results.as_json(view.answer))[0]["parts"].keys() == {"shape", "colour"}


def test_evaluate_tab_asks_test_split(weighted, plain) -> None:
    """The evaluate tab asks only what the head has not learned."""
    told = Judge(weighted).panel()
    assert "the head has not learned from" in told
    asked = int(re.search(r"([\d,]+) products the head", told)[1])
    assert 0 < asked < 0.25 * len(weighted.store)
    assert f"{len(plain.store):,} products searched" in Judge(plain).panel()
