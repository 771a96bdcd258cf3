"""Catalogue to features; heavy libraries load only when a network is asked for."""

from __future__ import annotations

from fashify.features.embedder import Embedder
from fashify.features.extract import extract_features

__all__ = ["Embedder", "extract_features"]
