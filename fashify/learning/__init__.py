"""Heads and fine-tuned networks, learned from a labelled catalogue on a processor in minutes."""

from fashify.learning.heads import METHODS, train_head
from fashify.learning.material import Material, material_of
from fashify.learning.serving import judged_matches, learn, measure_strength
from fashify.learning.trial import transfer_trial, trials

__all__ = [
    "METHODS",
    "Material",
    "judged_matches",
    "learn",
    "material_of",
    "measure_strength",
    "train_head",
    "transfer_trial",
    "trials",
]
