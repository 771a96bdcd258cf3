"""What a store's folder holds, by name.

manifest.json       facts, and size and checksum of every file below
items.parquet       one row per product: the catalogue's columns
views.parquet       one row per picture: whose it is, its path, and the facts of its file
deep.npy            (v, dim) float32: what the backbone gave of each picture
colour.npy          (v, c) float32 colour features
signature.npy       (v, 16, 12, 3) uint8: what tells look-alikes
served.npy          (v, d) float32 where there is a head: what it makes of both
head.safetensors    the head; strength.json: what its distances say
quarantine.csv      products that could not be embedded
index/              an index of the served vectors: structure alone, no vectors
"""

from __future__ import annotations

from fashify.io.artefact import ArtefactKind

STORE = ArtefactKind("fashify-store", 5, "a feature store", "run: fashify build --out {folder}")

INDEX_KIND = ArtefactKind("fashify-index", 2, "an index", "build it again: fashify index")

ITEMS = "items.parquet"
VIEWS = "views.parquet"
QUARANTINE = "quarantine.csv"
HEAD = "head.safetensors"
STRENGTH = "strength.json"

#: Columns, each ``NAME.npy``.
DEEP, COLOUR, SIGNATURE, SERVED = "deep", "colour", "signature", "served"

#: Sub-folder of the index.
INDEX = "index"

#: Sub-folder of the staging folder in which the next store is put together.
NEXT = "next"

#: Sub-folder of a build under way: its journal, see ``fashify.store.shards``.
SHARDS = "shards"
