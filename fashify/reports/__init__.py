"""Reports anyone can regenerate: notebooks run with parameters, kept as self-contained pages."""

from fashify.reports.findings import what_we_saw
from fashify.reports.index_page import write_index
from fashify.reports.inputs import describe_store, open_store
from fashify.reports.notebooks import find_notebook, list_notebooks, parameters_of
from fashify.reports.runner import Run, run_notebook, run_reports

__all__ = [
    "Run",
    "describe_store",
    "find_notebook",
    "list_notebooks",
    "open_store",
    "parameters_of",
    "run_notebook",
    "run_reports",
    "what_we_saw",
    "write_index",
]
