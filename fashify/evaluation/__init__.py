"""How good the neighbours are: one search, judged at any number of category levels."""

from fashify.evaluation.judge import evaluate, evaluate_levels
from fashify.evaluation.projection import pca_spectrum, project
from fashify.evaluation.report import EvaluationReport

__all__ = ["EvaluationReport", "evaluate", "evaluate_levels", "pca_spectrum", "project"]
