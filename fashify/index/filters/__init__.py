"""Filters over the catalogue's columns, written as text or as JSON."""

from fashify.index.filters.filter import Filter

__all__ = ["Filter"]
