"""Measuring extraction and search: trials, limits of the machine, and choosing an index."""
