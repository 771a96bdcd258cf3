"""One query in, its matches out: neighbours joined with the products' facts."""

from fashify.retrieval.retriever import Match, Retriever

__all__ = ["Match", "Retriever"]
