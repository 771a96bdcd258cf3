"""Intervals and tests by group: against closed forms, coverage, and small cases by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fashify.evaluation.intervals import bootstrap, permutation_p


def micro(values, groups, **options):
    values = np.asarray(values, float)[:, None]
    codes, counted = np.zeros(len(values), int), np.ones(1, bool)
    return bootstrap(values, codes, np.asarray(groups), counted, **options).micro[0]


def test_lone_groups_interval():
    """Of lone groups the interval is that of a mean."""
    values = (np.random.default_rng(0).random(900) < 0.3).astype(float)
    low, high = micro(values, np.arange(900), draws=4_000)
    error = values.std() / np.sqrt(900)
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_copies_do_not_make_an_interval_narrower():
    values = (np.random.default_rng(0).random(300) < 0.5).astype(float)
    once = micro(values, np.arange(300))
    tenfold = micro(np.repeat(values, 10), np.repeat(np.arange(300), 10))
    np.testing.assert_allclose(tenfold, once)
    wrong = micro(np.repeat(values, 10), np.arange(3_000))
    assert np.ptp(wrong) < 0.5 * np.ptp(once)


def test_interval_coverage():
    """The true mean lies inside about 95 times of 100."""
    rng = np.random.default_rng(2)
    inside = 0
    for trial in range(200):
        group_mean = rng.beta(2, 2, 80)
        sizes = rng.integers(1, 6, 80)
        groups = np.repeat(np.arange(80), sizes)
        low, high = micro(
            rng.random(len(groups)) < group_mean[groups], groups, seed=trial, draws=300
        )
        inside += low <= 0.5 <= high
    assert 180 <= inside <= 199


def test_macro_interval_counts_categories():
    """The macro interval is over counted categories alone."""
    # Category 0 is always right, 1 always wrong, 2 (not counted) a coin.
    values = np.r_[np.ones(40), np.zeros(40), np.tile([0, 1], 20)].astype(float)[:, None]
    codes = np.repeat([0, 1, 2], 40)
    found = bootstrap(values, codes, np.arange(120), np.array([True, True, False]))
    np.testing.assert_allclose(found.macro[0], [0.5, 0.5])
    np.testing.assert_allclose(found.categories[:2, 0], [[1, 1], [0, 0]])
    assert np.ptp(found.categories[2, 0]) > 0.2


def test_one_group_tells_no_interval():
    found = bootstrap(np.ones((5, 2)), np.zeros(5, int), np.zeros(5), np.ones(1, bool))
    assert np.isnan(found.micro).all()
    assert np.isnan(found.macro).all()
    assert np.isnan(found.categories).all()


def test_interval_follows_seed():
    """The same seed gives the same interval and the order of rows does not matter."""
    rng = np.random.default_rng(0)
    values, groups = rng.random(200), rng.integers(0, 50, 200)
    first = micro(values, groups, seed=3)
    np.testing.assert_array_equal(first, micro(values, groups, seed=3))
    order = rng.permutation(200)
    np.testing.assert_allclose(first, micro(values[order], groups[order], seed=3))
    assert (first != micro(values, groups, seed=4)).any()


def test_p_of_five_equal_gains_by_hand():
    # Of 32 ways to swap five groups, two are as far from 0: p = 2/32.
    p = permutation_p(np.ones(5), np.arange(5), np.full(5, 0.2), permutations=40_000)
    assert p == pytest.approx(2 / 32, abs=0.005)


def test_p_is_by_group_not_by_query():
    gains = np.repeat(np.ones(5), 20)
    p = permutation_p(gains, np.repeat(np.arange(5), 20), np.full(100, 0.01))
    assert p == pytest.approx(2 / 32, abs=0.01)


def test_p_agrees_with_t_test():
    """P agrees with the paired t-test on many groups."""
    rng = np.random.default_rng(1)
    gains = rng.normal(0.08, 1, 500)
    expected = stats.ttest_1samp(gains, 0).pvalue
    assert permutation_p(gains, np.arange(500), np.full(500, 1 / 500)) == pytest.approx(
        expected, abs=0.015
    )


def test_no_difference_has_p_1_and_none_has_p_0():
    assert permutation_p(np.zeros(9), np.arange(9), np.full(9, 1 / 9)) == 1.0
    p = permutation_p(np.ones(400), np.arange(400), np.full(400, 1 / 400), permutations=999)
    assert p == pytest.approx(1 / 1000)
