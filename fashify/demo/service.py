"""The demo's one shared, read-only heart: a retriever, its pictures and its examples."""

from __future__ import annotations

import base64
import logging
import random
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from fashify.catalogue import load_catalogue
from fashify.config import SEED, settings
from fashify.demo.state import MAX_RESULTS, Answer, Query
from fashify.errors import QueryError
from fashify.features import extract_features
from fashify.images import encode_jpeg, load_image, thumbnail
from fashify.retrieval import Retriever
from fashify.sample import sample_folder

logger = logging.getLogger(__name__)

#: Longer side of a picture on a card, pixels; small catalogue pictures stay as they are.
CARD_SIDE = 320
EXAMPLE_SIDE = 160
N_ITEM_EXAMPLES = 7


@dataclass(frozen=True)
class Example:
    """One clickable picture: a catalogue item or a photo."""

    query: Query
    url: str


@dataclass(frozen=True)
class Facts:
    """What the page tells about the store in use."""

    n_items: int
    catalogue: str
    backbone: str
    dim: int
    why: str
    metric: str


class DemoService:
    """Searches for every visitor; holds nothing of any one of them.

    Args:
        retriever: an opened store with its catalogue and backbone.
    """

    def __init__(self, retriever: Retriever) -> None:
        self.retriever = retriever
        self._picture_url = lru_cache(maxsize=2048)(self._encode_picture)
        self.facts = store_facts(retriever)
        self.examples = item_examples(self) + photo_examples()

    @classmethod
    def open(cls, store: Path | str | None = None) -> DemoService:
        """Opens ``store``; without one, the settings' store, else the sample's, built if absent.

        Raises:
            StoreError: a store was named and is not there.
        """
        service = cls(Retriever.open(store or default_store()))
        service.warm()
        return service

    def warm(self) -> None:
        """One search through everything, so that the first visitor does not wait."""
        self.search(Query("photo", "warm-up", picture=np.full((64, 64, 3), 255, np.uint8)), 1)

    def search(self, query: Query, k: int, *, where: str = "") -> Answer:
        """The ``k`` nearest products that pass the filter ``where``.

        Raises:
            QueryError: ``k`` outside 1 to the gallery's size, an unknown item or a bad filter.
        """
        begin = time.perf_counter()
        if query.kind == "item":
            matches = self.retriever.by_item(query.item_id, k, where=where or None)
        else:
            matches = self.retriever.by_image(query.picture, k, where=where or None)
        return Answer(tuple(matches), 1000 * (time.perf_counter() - begin))

    def checked_k(self, value: object) -> int:
        """``value`` as a number of results, 1 to 20 and no more than the gallery has.

        Raises:
            QueryError: no number.
        """
        try:
            wanted = int(float(str(value)))
        except ValueError:
            raise QueryError("a number of results", repr(value), "move the slider") from None
        return max(1, min(wanted, MAX_RESULTS, len(self.retriever.store.item_ids)))

    def strict_k(self, k: int) -> int:
        """``k`` as a program asked for it.

        Raises:
            QueryError: outside 1 to 20.
        """
        if not isinstance(k, int) or not 1 <= k <= MAX_RESULTS:
            raise QueryError(f"k from 1 to {MAX_RESULTS}", f"k = {k!r}", "choose k in that range")
        return k

    def example(self, number: object) -> Example:
        """The example of that number on the page.

        Raises:
            QueryError: no such example.
        """
        text = str(number)
        if not text.isdecimal() or int(text) >= len(self.examples):
            raise QueryError("one of the examples", "another number", "click an example")
        return self.examples[int(text)]

    def item_query(self, item_id: str) -> Query:
        """A query for a catalogue item.

        Raises:
            QueryError: no such item in the gallery.
        """
        items = self.retriever.store.items
        names = items.loc[items["item_id"] == item_id, "name"]
        if names.empty:
            raise QueryError("a product of this catalogue", repr(item_id), "pick one on the page")
        return Query("item", names.iloc[0] or f"item {item_id}", item_id=item_id)

    def surprise(self) -> Query:
        """Any item of the gallery, drawn anew each time."""
        return self.item_query(str(random.choice(self.retriever.store.item_ids)))

    def picture_url(self, item_id: str) -> str:
        """An item's picture as a ``data:`` URL, so that no file is ever served."""
        return self._picture_url(item_id, CARD_SIDE)

    def query_url(self, query: Query | None) -> str:
        """The query's picture as a ``data:`` URL, "" without a query."""
        if query is None:
            return ""
        if query.kind == "item":
            return self.picture_url(query.item_id)
        return data_url(query.picture, 2 * CARD_SIDE)

    def _encode_picture(self, item_id: str, side: int) -> str:
        return data_url(self.retriever.picture(item_id), side)


def data_url(picture: np.ndarray, side: int) -> str:
    """(height, width, 3) uint8 as a JPEG ``data:`` URL, the longer side at most ``side``."""
    jpeg = encode_jpeg(thumbnail(picture, side))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def default_store() -> Path:
    """The settings' store if there is one, else the sample's, built now if absent."""
    configured = settings().store
    if (configured / "manifest.json").is_file():
        return configured
    path = settings().cache / "sample-store"
    if not (path / "manifest.json").is_file():
        logger.warning("no store at %s: building the sample's at %s", configured, path)
        extract_features(load_catalogue("sample"), "auto", path, index="exact")
    return path


def store_facts(retriever: Retriever) -> Facts:
    """What the page tells about the opened store."""
    backbone = retriever.store.meta["backbone"]
    return Facts(
        n_items=len(retriever.store.item_ids),
        catalogue=catalogue_title(str(retriever.store.meta["catalogue"]["source"])),
        backbone=backbone["name"],
        dim=backbone["dim"],
        why=retriever.backbone_note,
        metric=retriever.index.metric,
    )


def catalogue_title(source: str) -> str:
    """A catalogue's source as a visitor would call it."""
    return "the sample catalogue" if "sample" in Path(source).name else Path(source).stem


def item_examples(service: DemoService) -> list[Example]:
    """Six items of as many article types as there are, the same ones every time."""
    items = service.retriever.store.items
    shuffled = items.sample(frac=1.0, random_state=SEED)
    chosen = shuffled.drop_duplicates("article_type").head(N_ITEM_EXAMPLES)
    return [
        Example(service.item_query(item_id), service._encode_picture(item_id, EXAMPLE_SIDE))
        for item_id in chosen["item_id"]
    ]


def photo_examples() -> list[Example]:
    """The sample's photo queries: drawn products as a phone would see them."""
    files = sorted((sample_folder() / "queries").glob("*.jpg"))
    pictures = [load_image(file) for file in files]
    return [
        Example(
            Query("photo", f"example photo {n}", picture=picture), data_url(picture, EXAMPLE_SIDE)
        )
        for n, picture in enumerate(pictures, start=1)
    ]
