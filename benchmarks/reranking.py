"""Does looking a second time find better neighbours? Query expansion and k-reciprocal neighbours.

Validation products are the queries, the whole store the gallery, each query's own group left out.
What gains nothing here is not in the package.

    python benchmarks/reranking.py STORE
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from scipy.sparse import csr_matrix

from fashify import metrics
from fashify.heads.head import unit_length
from fashify.index import make_index
from fashify.store import FeatureStore

LEVELS, K = ("article_type", "base_colour", "gender"), 5

#: Neighbours kept of every product, and candidates ordered anew for every query.
GRAPH, POOL = 30, 60


def graph_of(vectors: np.ndarray, k: int = GRAPH) -> tuple[np.ndarray, np.ndarray]:
    """Every product's ``k`` nearest, itself first: (n, k) positions and cosines."""
    found = make_index("exact").fit(vectors, np.arange(len(vectors)).astype(str)).search(vectors, k)
    return found.positions, 1 - found.distances


def expanded(
    vectors: np.ndarray, near: tuple[np.ndarray, np.ndarray], rows: np.ndarray, n: int, power: float
) -> np.ndarray:
    """Each vector with its ``n`` nearest added, weighted by cosine to a power.

    Chum et al., *Total recall*, ICCV 2007; the power: Radenovic et al., *Fine-tuning CNN image
    retrieval with no human annotation*, TPAMI 2019. For queries it is query expansion, for the
    gallery database augmentation.
    """
    positions, cosines = near
    out = np.empty((len(rows), vectors.shape[1]), np.float32)
    for at, row in enumerate(rows):
        weights = np.maximum(cosines[row, : n + 1], 0) ** power
        out[at] = weights @ vectors[positions[row, : n + 1]]
    return unit_length(out)


def reciprocal_sets(positions: np.ndarray, cosines: np.ndarray, k1: int) -> csr_matrix:
    """Every product's k-reciprocal neighbours, weighted, rows summing to 1.

    Zhong et al., *Re-ranking person re-identification with k-reciprocal encoding*, CVPR 2017,
    equations 1 to 5, without local query expansion.
    """
    n = len(positions)
    forward = [set(row[: k1 + 1]) for row in positions]
    half = [set(row[: k1 // 2 + 1]) for row in positions]
    mutual = [{j for j in forward[i] if i in forward[j]} for i in range(n)]
    mutual_half = [{j for j in half[i] if i in half[j]} for i in range(n)]
    rows, columns, values = [], [], []
    for i in range(n):
        members = set(mutual[i])
        for j in mutual[i]:
            if 3 * len(mutual_half[j] & mutual[i]) > 2 * len(mutual_half[j]):
                members |= mutual_half[j]
        known = dict(zip(positions[i], cosines[i], strict=True))
        found = sorted(members)
        least = float(cosines[i].min())
        weights = np.exp([known.get(j, least) - 1 for j in found])
        rows += [i] * len(found)
        columns += found
        values += list(weights / weights.sum())
    return csr_matrix((values, (rows, columns)), shape=(n, n), dtype=np.float32)


def jaccard(sets: csr_matrix, row: int, candidates: np.ndarray) -> np.ndarray:
    """(c,) Jaccard distances of weighted sets: sum of minima over sum of maxima."""
    mine = np.zeros(sets.shape[1], np.float32)
    one = sets[row]
    mine[one.indices] = one.data
    shared = np.empty(len(candidates))
    for at, candidate in enumerate(candidates):
        other = sets[candidate]
        shared[at] = np.minimum(mine[other.indices], other.data).sum()
    return 1 - shared / (2 - shared)


class Trial:
    """Queries, gallery and labels, to judge one order after another."""

    def __init__(self, store: FeatureStore, n_queries: int, seed: int) -> None:
        self.vectors = unit_length(np.asarray(store.vectors))
        self.groups = store.groups
        held_out = np.flatnonzero(store.split == "validation")
        rng = np.random.default_rng(seed)
        self.queries = np.sort(rng.choice(held_out, min(n_queries, len(held_out)), replace=False))
        self.labels = {level: store.labels(level) for level in LEVELS}
        self.near = graph_of(self.vectors)

    def searched(self, queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        """(q, POOL) positions, nearest first."""
        names = np.arange(len(gallery)).astype(str)
        return make_index("exact").fit(gallery, names).search(queries, POOL).positions

    def told(self, way: str, order: np.ndarray) -> None:
        """Prints what an order is worth."""
        kept = [
            row[self.groups[row] != self.groups[query]][:K]
            for row, query in zip(order, self.queries, strict=True)
        ]
        whole = np.array([len(row) == K for row in kept])
        near, asked = np.stack([row for row in kept if len(row) == K]), self.queries[whole]
        answer: dict[str, object] = {"way": way}
        for level, labels in self.labels.items():
            micro, macro = metrics.precision_means(labels, asked, near, K)
            answer[level] = round(micro, 4)
            if level == LEVELS[0]:
                answer[f"{level}, macro"] = round(macro, 4)
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trial = Trial(FeatureStore.load(options.store), options.queries, options.seed)
    asked = trial.vectors[trial.queries]
    plain = trial.searched(asked, trial.vectors)
    trial.told("as searched", plain)
    everything = np.arange(len(trial.vectors))
    for n, power in ((1, 0), (3, 0), (3, 3), (10, 3)):
        wider = expanded(trial.vectors, trial.near, trial.queries, n, power)
        trial.told(f"query expansion, {n}, power {power}", trial.searched(wider, trial.vectors))
    for n, power in ((3, 3), (10, 3)):
        fuller = expanded(trial.vectors, trial.near, everything, n, power)
        order = trial.searched(fuller[trial.queries], fuller)
        trial.told(f"query and gallery expanded, {n}, power {power}", order)
    for k1 in (10, 20):
        sets = reciprocal_sets(*trial.near, k1)
        for share in (0.3, 0.7):
            order = []
            for row, query, candidates in zip(trial.queries, asked, plain, strict=True):
                plainly = 1 - trial.vectors[candidates] @ query
                mixed = share * plainly + (1 - share) * jaccard(sets, row, candidates)
                order.append(candidates[np.argsort(mixed, kind="stable")])
            trial.told(f"k-reciprocal, {k1}, {share} of the plain distance", np.stack(order))


if __name__ == "__main__":
    main()
