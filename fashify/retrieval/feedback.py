"""Likes and dislikes bend a query (Rocchio)."""

from __future__ import annotations

import numpy as np

from fashify.heads.head import unit_length

#: Weights of the likes' and the dislikes' mean beside the query's own of 1, as in Manning,
#: Raghavan and Schuetze, Introduction to Information Retrieval (2008), section 9.1.1.
LIKED, DISLIKED = 0.75, 0.15


def move_query(query: np.ndarray, liked: np.ndarray, disliked: np.ndarray) -> np.ndarray:
    """The query moved towards what was liked and away from what was not.

    Args:
        query: (dim,) float32.
        liked, disliked: (m, dim) float32, m may be 0. All are scaled to length 1 first, so
            that a bright picture does not weigh more than a dark one.

    Returns:
        (dim,) float32, of the query's length.
    """
    length = float(np.linalg.norm(query))
    moved = unit_length(query)
    if len(liked):
        moved = moved + LIKED * unit_length(liked).mean(axis=0)
    if len(disliked):
        moved = moved - DISLIKED * unit_length(disliked).mean(axis=0)
    return (length * unit_length(moved)).astype(np.float32)
