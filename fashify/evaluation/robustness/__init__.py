"""How much damage to a query the search survives, and which remedy helps."""

from fashify.evaluation.robustness.measure import (
    Remedy,
    RobustnessReport,
    list_remedies,
    measure_robustness,
)
from fashify.evaluation.robustness.perturb import PERTURBATIONS, Perturbation, perturb_image_rows

__all__ = [
    "PERTURBATIONS",
    "Perturbation",
    "Remedy",
    "RobustnessReport",
    "list_remedies",
    "measure_robustness",
    "perturb_image_rows",
]
