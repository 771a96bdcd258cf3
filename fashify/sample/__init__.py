"""The sample catalogue: a small shop drawn by this code, so that all works without a download."""

from .writer import sample_folder, write_photo_queries, write_sample

__all__ = ["sample_folder", "write_photo_queries", "write_sample"]
