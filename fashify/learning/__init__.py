"""Training: heads on a store's features, and whole networks on pictures and people's photos."""

from fashify.learning.calibrate import collect_matches, measure_strength
from fashify.learning.material import Material, collect_material
from fashify.learning.methods import METHODS, train_head
from fashify.learning.serve_head import learn_head
from fashify.learning.trial import run_transfer_trial, run_trials

__all__ = [
    "METHODS",
    "Material",
    "collect_matches",
    "collect_material",
    "learn_head",
    "measure_strength",
    "run_transfer_trial",
    "run_trials",
    "train_head",
]
