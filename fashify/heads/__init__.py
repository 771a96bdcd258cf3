"""Heads: small trained maps from features to vectors, and what a distance under them says."""

from fashify.heads.head import Head, Part

__all__ = ["Head", "Part"]
