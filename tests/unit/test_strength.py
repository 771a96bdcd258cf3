"""Match strength: a curve that never rises, what it says, and its file."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.errors import QueryError, StoreCorruptError
from fashify.heads.strength import WORDS, Strength, fit_strength, measure_reliability
from fashify.retrieval.nearness import Nearness


@pytest.fixture(scope="module")
def curve() -> Strength:
    rng = np.random.default_rng(0)
    distances = rng.random((2_000, 5))
    return fit_strength(distances, rng.random((2_000, 5)) < 1 - distances)


def test_it_recovers_the_probability_it_was_drawn_from(curve) -> None:
    at = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(curve.probability(at), 1 - at, atol=0.06)
    assert (np.diff(curve.probability(np.linspace(-1, 2, 200))) <= 1e-12).all()


def test_a_hand_worked_fit() -> None:
    # Pooled: 0.1 -> 1; 0.2 and 0.3 hold 0 and 1, in the wrong order: 0.5 each; 0.4 -> 0.
    found = fit_strength(np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([[True, False, True, False]]))
    np.testing.assert_allclose(found.probability([0.1, 0.2, 0.3, 0.4]), [1, 0.5, 0.5, 0])
    assert found.nothing_beyond == pytest.approx(0.3)
    assert found.precision == pytest.approx(2 / 3)
    assert found.n == 4


def test_words_follow_the_probability_and_end_in_nothing(curve) -> None:
    said = [curve.words(distance) for distance in (0.02, 0.2, 0.4, 0.49, 0.9)]
    assert said == [WORDS[4], WORDS[3], WORDS[2], WORDS[2], WORDS[0]]
    assert 0.4 < curve.nothing_beyond < 0.6


def test_a_file_gives_it_back_and_anything_else_is_refused(curve) -> None:
    data = curve.to_json()
    assert Strength.from_json(data).to_json() == data
    for broken in (b"", b"[]", data[:-9], data.replace(b"fashify-strength", b"other")):
        with pytest.raises(StoreCorruptError, match="strength"):
            Strength.from_json(broken)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(QueryError, match="not empty"):
        fit_strength(np.empty((0, 5)), np.empty((0, 5), bool))


def test_reliability_sets_predictions_against_what_came_true() -> None:
    curve = Strength(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.5, 0.75, 4)
    distances = np.array([[0.1, 0.1], [0.1, 0.1], [0.8, 0.8], [0.8, 0.8]])
    relevant = np.array([[1, 1], [1, 0], [0, 0], [0, 0]], bool)
    table = measure_reliability(curve, distances, relevant, bins=2)
    assert table["n"].tolist() == [4, 4]
    np.testing.assert_allclose(table["predicted"], [0.2, 0.9])
    np.testing.assert_allclose(table["observed"], [0.0, 0.75])


def test_nearness_by_hand() -> None:
    """How much nearer than the average product, which is 0.8 away, in words."""
    near = Nearness(np.array([[1.0, 0.0]]), "cosine")
    east = np.array([0.2, np.sqrt(1 - 0.04)])
    assert near.average(east) == pytest.approx(0.8)
    words = near.words(east, (0.2, 0.4, 0.5, 0.6, 0.72))
    assert words == ["very close", "close", "similar", "loosely similar", "nothing similar"]


def test_average_distance_by_hand() -> None:
    features = np.array([[2.0, 0.0], [0.0, 3.0]], np.float32)
    east = np.array([1.0, 0.0])
    assert Nearness(features, "cosine").average(east) == pytest.approx(0.5)
    wanted = (1 + np.sqrt(10)) / 2
    assert Nearness(features, "euclidean").average(east) == pytest.approx(wanted)
