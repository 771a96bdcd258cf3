"""What is odd about a catalogue: gaps, copies, variants, and labels that contradict each other."""

from fashify.evaluation.audit.facts import duplicate_images, gaps, image_facts, level_counts
from fashify.evaluation.audit.noise import label_noise
from fashify.evaluation.audit.report import Audit, audit, picture_rows
from fashify.evaluation.audit.threshold import saved_anew

__all__ = [
    "Audit",
    "audit",
    "duplicate_images",
    "gaps",
    "image_facts",
    "label_noise",
    "level_counts",
    "picture_rows",
    "saved_anew",
]
