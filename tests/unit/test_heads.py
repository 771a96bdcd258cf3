"""Heads: their arithmetic by hand, weights in the query, files that are whole or refused."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fashify.errors import ConfigError, QueryError, StoreCorruptError, StoreMismatchError
from fashify.heads.head import Head, Part, Posterior, unit_length
from fashify.index import make_index

RNG = np.random.default_rng(0)
BACKBONE = {"name": "toy", "weights_hash": "0", "dim": 6}


def part(name: str, takes: tuple[str, ...], *sizes: int) -> Part:
    layers = [
        (RNG.normal(size=pair).astype(np.float32), RNG.normal(size=pair[1]).astype(np.float32))
        for pair in pairwise(sizes)
    ]
    return Part(name, takes, tuple(layers))


@pytest.fixture
def head() -> Head:
    parts = part("shape", ("deep",), 6, 4), part("colour", ("deep", "colour"), 9, 7, 3)
    return Head(parts, {"shape": 0.75, "colour": 0.25}, BACKBONE, {"method": "test"})


@pytest.fixture
def inputs() -> tuple[np.ndarray, np.ndarray]:
    return RNG.normal(size=(20, 6)).astype(np.float32), RNG.random((20, 3)).astype(np.float32)


def test_part_by_hand() -> None:
    """A part is its layers with relu between at unit length."""
    kernel, bias = np.array([[2.0, -1.0]], np.float32), np.array([0.0, 0.5], np.float32)
    last = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    made = Part("p", ("deep",), ((kernel, bias), last))
    # x = 1: (2, -0.5), ReLU: (2, 0), unit: (1, 0).
    np.testing.assert_allclose(made({"deep": np.array([[1.0]], np.float32)}), [[1.0, 0.0]])


def test_posteriors_are_roots() -> None:
    """Posteriors follow the embedding as square roots of probabilities."""
    layer = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    proxies = np.log(np.array([[4.0, 1.0], [1.0, 1.0]], np.float32))
    query = {"deep": np.array([[3.0, 0.0]], np.float32)}
    # The embedding is (1, 0), so the proxies alone give probabilities of 4 to 1.
    for bias, p in ((0.0, 0.8), (np.log(4.0), 0.5)):
        kind = Posterior("gender", 0.75, proxies, np.array([0.0, bias], np.float32))
        made = Part("p", ("deep",), (layer,), (kind,))
        assert made.dim == 4
        expected = [0.5, 0.0, np.sqrt(0.75 * p), np.sqrt(0.75 * (1 - p))]
        np.testing.assert_allclose(made(query), [expected], atol=1e-6)


def test_posteriors_survive_a_file_in_their_order() -> None:
    layer = np.eye(6, 3, dtype=np.float32), np.zeros(3, np.float32)
    kinds = tuple(
        Posterior(level, 0.25, *(RNG.normal(size=x).astype(np.float32) for x in ((3, n), n)))
        for level, n in (("usage", 4), ("gender", 2))
    )
    head = Head((Part("category", ("deep",), (layer,), kinds),), {"category": 1.0}, BACKBONE)
    again, deep = Head.from_bytes(head.to_bytes()), RNG.normal(size=(5, 6)).astype(np.float32)
    assert [one.level for one in again.parts[0].posteriors] == ["usage", "gender"]
    assert np.array_equal(again(deep), head(deep))
    np.testing.assert_allclose(np.linalg.norm(head(deep), axis=1), 1, atol=1e-5)


def test_served_cosine_is_weighted_mean(head, inputs) -> None:
    """The cosine of served vectors is the weighted mean of the parts."""
    served = head(*inputs)
    assert served.shape == (20, head.dim) == (20, 7)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1, atol=1e-5)
    scaled = {"deep": unit_length(inputs[0]), "colour": unit_length(inputs[1])}
    shape, colour = (made(scaled) for made in head.parts)
    expected = 0.75 * shape[0] @ shape[1] + 0.25 * colour[0] @ colour[1]
    assert served[0] @ served[1] == pytest.approx(expected, abs=1e-5)
    apart = head.part_distances(served[0], served)
    np.testing.assert_allclose(apart["shape"], 1 - shape @ shape[0], atol=1e-5)
    whole = 0.75 * apart["shape"] + 0.25 * apart["colour"]
    np.testing.assert_allclose(whole, 1 - served @ served[0], atol=1e-5)


def test_query_weights_rank_like_gallery(head, inputs) -> None:
    """Other weights in the query rank as a gallery made with them."""
    served = head(*inputs)
    other = Head(head.parts, {"shape": 0.1, "colour": 0.9}, BACKBONE)(*inputs)
    names = [str(n) for n in range(20)]
    asked = np.stack([head.weigh_query(row, {"shape": 1, "colour": 9}) for row in served])
    found = make_index("exact").fit(served, names).search(asked, 5)
    expected = make_index("exact").fit(other, names).search(other, 5)
    assert np.array_equal(found.positions, expected.positions)


def test_weights_that_mean_nothing_are_refused(head) -> None:
    assert head.check_weights({"colour": 2}) == {"shape": 0.0, "colour": 1.0}
    for weights in ({"sleeve": 1}, {"shape": -1, "colour": 2}, {"shape": 0}, {"shape": np.nan}):
        with pytest.raises(QueryError, match="weights of 0 or more"):
            head.check_weights(weights)


def test_head_file_round_trip(head, inputs) -> None:
    """A file gives the head back and the same bytes."""
    data = head.to_bytes()
    again = Head.from_bytes(data)
    assert again.to_bytes() == data
    assert np.array_equal(again(*inputs), head(*inputs))
    assert again.provenance == {"method": "test"}


def test_a_damaged_file_is_refused(head) -> None:
    data = head.to_bytes()
    for broken in (b"", data[:40], data[:-7], b"x" * 400):
        with pytest.raises(StoreCorruptError, match="head"):
            Head.from_bytes(broken)


def test_a_head_of_other_features_is_refused(head, inputs) -> None:
    deep, colour = inputs
    with pytest.raises(StoreMismatchError, match="numbers for the head's shape"):
        head(deep[:, :5], colour)
    with pytest.raises(StoreMismatchError, match="with colour"):
        head(deep)
    with pytest.raises(StoreMismatchError, match="weights_hash"):
        head.check_backbone({"name": "toy", "weights_hash": "1", "dim": 6})


def test_parts_and_weights_must_name_each_other(head) -> None:
    with pytest.raises(ConfigError, match="one weight each"):
        Head(head.parts, {"shape": 1.0}, BACKBONE)


def test_basis_shortens_embedding() -> None:
    """Embedding (3, 4) / 5; its first coordinate alone is 1 at unit length; the second counts."""
    layer = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    proxies = np.array([[0.0, 0.0], [0.0, 10.0]], np.float32)
    kind = Posterior("gender", 0.5, proxies, np.zeros(2, np.float32))
    basis = np.array([[1.0], [0.0]], np.float32)
    made = Part("p", ("raw",), (layer,), (kind,), basis)
    assert made.dim == 3
    odds = np.exp(10 * 0.8)
    expected = [np.sqrt(0.5), np.sqrt(0.5 / (1 + odds)), np.sqrt(0.5 * odds / (1 + odds))]
    np.testing.assert_allclose(made({"raw": np.array([[3.0, 4.0]])})[0], expected, rtol=1e-5)


def test_a_basis_and_raw_features_survive_a_file() -> None:
    layer = np.eye(6, 3, dtype=np.float32), np.ones(3, np.float32)
    made = Part("instance", ("raw",), (layer,), (), np.eye(3, 2, dtype=np.float32))
    head = Head((made,), {"instance": 1.0}, BACKBONE)
    again = Head.from_bytes(head.to_bytes())
    features = RNG.normal(size=(5, 6)).astype(np.float32)
    np.testing.assert_array_equal(again(features), head(features))
    assert again.to_bytes() == head.to_bytes()
    # Raw features keep their length: with a bias, twice as long is another direction.
    assert not np.allclose(head(2 * features), head(features))
