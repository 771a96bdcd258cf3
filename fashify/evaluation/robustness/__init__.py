"""How much a query may be spoiled before the search fails, and which remedy helps."""

from fashify.evaluation.robustness.measure import (
    Remedy,
    RobustnessReport,
    measure_robustness,
    remedies_of,
)
from fashify.evaluation.robustness.perturb import PERTURBATIONS, Perturbation, spoiled_rows

__all__ = [
    "PERTURBATIONS",
    "Perturbation",
    "Remedy",
    "RobustnessReport",
    "measure_robustness",
    "remedies_of",
    "spoiled_rows",
]
