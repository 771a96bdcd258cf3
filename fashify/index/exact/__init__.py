"""Exact search: every vector is compared, or proven too far by a sketch."""

from fashify.index.exact.exact import ExactIndex

__all__ = ["ExactIndex"]
