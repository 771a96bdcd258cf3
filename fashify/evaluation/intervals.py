"""How sure the figures are: bootstrap intervals and paired tests that draw groups, not queries.

Copies and variants of one product succeed and fail together, so queries are no independent
draws and an interval over them would be too narrow. Here whole groups are drawn:

* Field, Welsh, *Bootstrapping clustered data*, JRSS B 2007: draw whole clusters.
* Rubin, *The Bayesian bootstrap*, Annals of Statistics 1981: weigh them by exponential draws
  instead of counting them, so that no rare category is ever missing from a draw; with the
  counts of the plain bootstrap the hardest categories drop out and macro means drift upwards.
* Efron, Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13: percentile interval.
* Smucker, Allan, Carterette, CIKM 2007: Fisher's randomisation test for two retrieval runs.
* Phipson, Smyth, SAGMB 2010: a p-value of drawn permutations is never 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from fashify.config import SEED

#: Draws of an interval and of a test unless the caller says otherwise.
DRAWS, PERMUTATIONS = 1_000, 10_000

#: Share of the draws that an interval holds.
COVERAGE = 0.95

#: Cells of a block of draws: bounds its memory to some tens of MB.
_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class Intervals:
    """Percentile intervals of the means of m measures.

    Attributes:
        micro: (m, 2) of the mean over queries.
        macro: (m, 2) of the mean over the counted categories' means; NaN without any.
        categories: (c, m, 2) of each category's mean, in the order of their codes; NaN for one
            with queries of a single group, whose spread cannot be estimated.
    """

    micro: np.ndarray
    macro: np.ndarray
    categories: np.ndarray


def bootstrap(
    values: np.ndarray,
    codes: np.ndarray,
    groups: np.ndarray,
    counted: np.ndarray,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Intervals:
    """Cluster bootstrap: every draw weighs the groups anew.

    Args:
        values: (q, m) float, one row per query.
        codes: (q,) int, the category of each query, 0 to c - 1.
        groups: (q,) the group of each query.
        counted: (c,) bool, categories that count in the macro mean.
        draws: how many.
        seed: the same seed, the same intervals.
    """
    (q, m), c = values.shape, len(counted)
    cluster = np.unique(groups, return_inverse=True)[1]
    n_clusters = int(cluster.max(initial=-1)) + 1
    rows = np.repeat(cluster, m)
    columns = (codes[:, None] * m + np.arange(m)).ravel()
    sums = csr_matrix((values.ravel(), (rows, columns)), (n_clusters, c * m))
    sizes = csr_matrix((np.ones(q), (cluster, codes)), (n_clusters, c))
    totals, counts = [], []
    for weights in _draw_weights(n_clusters, draws, seed):
        totals.append((sums.T @ weights.T).T.reshape(-1, c, m))
        counts.append((sizes.T @ weights.T).T)
    total, count = np.concatenate(totals), np.concatenate(counts)[:, :, None]
    micro = total.sum(axis=1) / count.sum(axis=1)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    macro = means[:, counted].mean(axis=1) if counted.any() else np.full_like(micro, np.nan)
    means[:, _count_clusters(cluster, codes, c) < 2] = np.nan
    if n_clusters < 2:
        micro, macro = np.full_like(micro, np.nan), np.full_like(macro, np.nan)
    return Intervals(
        _percentile_interval(micro), _percentile_interval(macro), _percentile_interval(means)
    )


def permutation_p(
    differences: np.ndarray,
    groups: np.ndarray,
    weights: np.ndarray,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = SEED,
) -> float:
    """Two-sided p of a weighted mean difference, were the two runs exchangeable.

    For each permutation every group, as a whole, keeps or swaps its two runs.

    Args:
        differences: (q,) second minus first.
        groups: (q,) the group of each query.
        weights: (q,) of the mean; 1/q for a micro mean.
    """
    cluster = np.unique(groups, return_inverse=True)[1]
    parts = np.bincount(cluster, weights=differences * weights)
    parts = parts[parts != 0]
    # Rounding must not tell apart what is equal, such as the run itself and its mirror.
    observed = abs(parts.sum()) * (1 - 1e-9)
    rng, beyond = np.random.default_rng(seed), 0
    for block in _split_draws(permutations, len(parts)):
        signs = 2.0 * rng.integers(0, 2, (block, len(parts)), dtype=np.int8) - 1
        beyond += int((abs(signs @ parts) >= observed).sum())
    return (1 + beyond) / (1 + permutations)


def _draw_weights(n_clusters: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks (b, n_clusters) float64: the weight of each cluster in each draw."""
    rng = np.random.default_rng(seed)
    for block in _split_draws(draws, n_clusters):
        yield rng.standard_exponential((block, n_clusters))


def _split_draws(draws: int, width: int) -> Iterator[int]:
    """Sizes of blocks of draws, each of which takes ``width`` cells."""
    block = max(1, _CELLS // max(1, width))
    for start in range(0, draws, block):
        yield min(block, draws - start)


def _count_clusters(cluster: np.ndarray, codes: np.ndarray, c: int) -> np.ndarray:
    """(c,) how many groups have a query of each category."""
    pairs = np.unique(np.stack([codes, cluster]), axis=1)
    return np.bincount(pairs[0], minlength=c)


def _percentile_interval(draws: np.ndarray) -> np.ndarray:
    """(draws, ...) to (..., 2); NaN where the draws are."""
    edges = (0.5 - COVERAGE / 2, 0.5 + COVERAGE / 2)
    return np.moveaxis(np.quantile(draws, edges, axis=0), 0, -1)
