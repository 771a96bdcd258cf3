"""Reports anyone can regenerate: notebooks run with parameters, kept as self-contained pages."""

from fashify.reports.comparison import compare_reports
from fashify.reports.findings import conclude_report
from fashify.reports.index_page import write_index
from fashify.reports.inputs import describe_store, open_reference, open_store
from fashify.reports.notebooks import (
    copy_notebooks,
    find_notebook,
    list_notebooks,
    read_parameters,
)
from fashify.reports.runner import ReportRun, run_notebook, run_reports
from fashify.reports.words import describe_race

__all__ = [
    "ReportRun",
    "compare_reports",
    "conclude_report",
    "copy_notebooks",
    "describe_race",
    "describe_store",
    "find_notebook",
    "list_notebooks",
    "open_reference",
    "open_store",
    "read_parameters",
    "run_notebook",
    "run_reports",
    "write_index",
]
