"""The sample's demo over a store with parts, without any training."""

from __future__ import annotations

import numpy as np

from fashify.demo import DemoService
from fashify.features.colour import COLOUR_DIM
from fashify.heads.head import Head, Part
from fashify.index import make_index
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore


def weighted_demo(plain: DemoService) -> DemoService:
    """``plain`` served by a head of shape and colour, half and half; shape is drawn at random."""
    raw = plain.store
    drawn = np.random.default_rng(0).normal(size=(raw.dim, 64)).astype(np.float32)
    parts = (
        Part("shape", ("deep",), ((drawn, np.zeros(64, np.float32)),)),
        Part(
            "colour", ("colour",), ((np.eye(COLOUR_DIM, dtype=np.float32), np.zeros(COLOUR_DIM)),)
        ),
    )
    head = Head(parts, {"shape": 0.5, "colour": 0.5}, raw.meta["backbone"])
    store = FeatureStore(
        raw.features, raw.item_ids, raw.meta, items=raw.items, colour=raw.colour, head=head
    )
    index = make_index("exact").fit(store.vectors, store.item_ids)
    retriever = plain.retriever
    return DemoService(
        Retriever(store, index, catalogue=retriever.catalogue, embedder=retriever.embedder)
    )
