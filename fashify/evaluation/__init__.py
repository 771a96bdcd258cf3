"""How good the neighbours are: one search, judged at any number of category levels."""

from fashify.evaluation.compare import EvaluationRun, compare_runs, keep_shared
from fashify.evaluation.examples import compare_levels, example_rows, examples_by_category
from fashify.evaluation.gains import compare_categories, gains_by_category
from fashify.evaluation.projection import feature_norms, pca_spectrum, project
from fashify.evaluation.protocol import evaluate, evaluate_levels
from fashify.evaluation.report import EvaluationReport

__all__ = [
    "EvaluationReport",
    "EvaluationRun",
    "compare_categories",
    "compare_levels",
    "compare_runs",
    "evaluate",
    "evaluate_levels",
    "example_rows",
    "examples_by_category",
    "feature_norms",
    "gains_by_category",
    "keep_shared",
    "pca_spectrum",
    "project",
]
