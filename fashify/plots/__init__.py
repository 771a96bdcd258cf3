"""Every figure of the project. Each function returns a :class:`NamedFigure`, a matplotlib figure.

The house style: axes start at 0, carry their unit, and say n; colours can be told apart by
colour-blind readers (Okabe and Ito 2008); nothing is shown by colour alone. Figures are built
from objects, not through pyplot, so they work on any thread and leave no global state.
"""

from fashify.plots.audit import group_kinds, group_sizes, label_noise
from fashify.plots.catalogue import colours, counts, image_facts, missing, shares, years
from fashify.plots.evaluation import (
    confusion,
    distances,
    levels,
    precision_by_category,
    precision_curve,
)
from fashify.plots.features import engines, feature_map, norms, spectrum, throughput
from fashify.plots.learning import gains, methods, reliability
from fashify.plots.photos import photo_precision
from fashify.plots.pictures import grid, matches, picture_rows
from fashify.plots.robustness import robustness
from fashify.plots.search import growth, index_costs, recall_speed
from fashify.plots.style import NamedFigure

__all__ = [
    "NamedFigure",
    "colours",
    "confusion",
    "counts",
    "distances",
    "engines",
    "feature_map",
    "gains",
    "grid",
    "group_kinds",
    "group_sizes",
    "growth",
    "image_facts",
    "index_costs",
    "label_noise",
    "levels",
    "matches",
    "methods",
    "missing",
    "norms",
    "photo_precision",
    "picture_rows",
    "precision_by_category",
    "precision_curve",
    "recall_speed",
    "reliability",
    "robustness",
    "shares",
    "spectrum",
    "throughput",
    "years",
]
