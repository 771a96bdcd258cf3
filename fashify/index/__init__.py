"""Search: one protocol over exact and approximate backends."""

from fashify.index.base import Index
from fashify.index.neighbours import Neighbours
from fashify.index.registry import list_indexes, load_index, make_index

__all__ = ["Index", "Neighbours", "list_indexes", "load_index", "make_index"]
