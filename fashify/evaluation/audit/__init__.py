"""What is odd about a catalogue: gaps, copies, variants, and labels that contradict each other."""

from fashify.evaluation.audit.facts import (
    choose_examples,
    count_labels,
    describe_labels,
    find_duplicate_images,
    find_gaps,
    read_image_facts,
)
from fashify.evaluation.audit.noise import estimate_label_noise
from fashify.evaluation.audit.report import Audit, audit, picture_rows
from fashify.evaluation.audit.threshold import measure_resaving

__all__ = [
    "Audit",
    "audit",
    "choose_examples",
    "count_labels",
    "describe_labels",
    "estimate_label_noise",
    "find_duplicate_images",
    "find_gaps",
    "measure_resaving",
    "picture_rows",
    "read_image_facts",
]
