"""Attempts to break Fashify, one module a point; ``python benchmarks/harden`` runs them."""
