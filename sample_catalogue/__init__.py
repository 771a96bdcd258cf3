"""The program that draws the sample catalogue: a small shop and photos of its products.

It is no part of the package. What it draws is shipped as ``fashify/data/sample.zip``, and the
backdrops of its photos as ``fashify/data/backdrops.zip``; ``make sample`` draws both anew.
"""

from .archive import write_backdrops, write_catalogue
from .writer import write_photo_queries, write_sample

__all__ = ["write_backdrops", "write_catalogue", "write_photo_queries", "write_sample"]
