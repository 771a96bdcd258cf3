"""One query in, its matches out: neighbours joined with the products' facts."""

from fashify.retrieval.match import Match
from fashify.retrieval.retriever import Retriever

__all__ = ["Match", "Retriever"]
