"""The demo's one shared, read-only heart: a retriever and what the page asks of it."""

from __future__ import annotations

import atexit
import logging
import random
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fashify.catalogue import load_catalogue
from fashify.config import SEED, as_place, settings
from fashify.data import read_photos
from fashify.demo.batching import (
    Nearest,
    SearchRequest,
    make_looking_batcher,
    make_search_batcher,
    make_wording_batcher,
)
from fashify.demo.fetching import Fetcher
from fashify.demo.own_columns import OwnColumns
from fashify.demo.pictures import CARD_SIDE, EXAMPLE_SIDE, QUERY_SIDE, data_url, missing_url
from fashify.demo.state import FILTER_LEVELS, MAX_RESULTS, NOTHING, Answer, Query, Selection
from fashify.demo.uploads import UPLOAD_LIMITS
from fashify.demo.wishes import make_request, understand
from fashify.errors import FashifyError, QueryError
from fashify.evaluation.robustness.perturb import PERTURBATIONS
from fashify.features import extract_features
from fashify.features.framing import is_photo
from fashify.index.filters.filter import facet_counts
from fashify.io.artefact import MANIFEST
from fashify.io.images import load_image
from fashify.learning import learn_head
from fashify.retrieval.diversity import choose_varied, pool_size
from fashify.retrieval.explanation import Explanation, explain_images
from fashify.retrieval.match import Match
from fashify.retrieval.photo_way import PhotoReading, read_garments, read_photo_batch
from fashify.retrieval.retriever import Retriever
from fashify.retrieval.search import Request
from fashify.retrieval.variants import POOL, find_collapsed

logger = logging.getLogger(__name__)

N_ITEM_EXAMPLES, N_PHOTO_EXAMPLES = 6, 3

#: What two garments side by side are called.
_SIDES = ("the left garment", "the right garment")

#: Percent of each side that lies around a product in an example photo made from its picture.
PHOTO_MARGIN = 30

#: Which of the sample's photos, side by side, make the hard example: a dress and a bag.
HARD = (2, 5)


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
        fetcher: for pictures named by their address; None where visitors may not.
        show: which of the catalogue's own columns the cards show, such as "price,brand,link";
            None chooses these where they are.

    Raises:
        ConfigError: ``show`` names a column that is not there.
    """

    def __init__(
        self, retriever: Retriever, *, fetcher: Fetcher | None = None, show: str | None = None
    ) -> None:
        self.retriever, self.fetcher = retriever, fetcher
        self.store, self.items = retriever.store, retriever.store.items
        self.own = OwnColumns(self.items, retriever.column_types, show)
        self._positions = {item_id: row for row, item_id in enumerate(self.store.item_ids)}
        self._names = dict(zip(self.items["item_id"], self.items["name"], strict=True))
        self._picture_url = lru_cache(maxsize=2048)(self._encode_picture)
        self._facets = lru_cache(maxsize=256)(self._count_facets)
        self._looker = make_looking_batcher(retriever)
        self._searcher = make_search_batcher(retriever)
        self._reader = make_wording_batcher(retriever)
        self.facts = describe_store_facts(retriever)
        self.stamp = read_stamp(self.store.path)
        self.examples = self._item_examples() + self._photo_examples()

    @classmethod
    def open(
        cls,
        store: Path | str | None = None,
        *,
        urls: bool = False,
        show: str | None = None,
        catalogue: str | None = None,
    ) -> DemoService:
        """Opens ``store``; without one, the settings' store, else the sample's, built if absent.

        Args:
            store: its folder or url.
            urls: whether visitors may name pictures by their address.
            show: as for the class.
            catalogue: where the pictures are now, if no longer where the store was built from.

        Raises:
            StoreError: a store was named and is not there.
            StoreMismatchError: the catalogue named holds none of the store's products.
            ConfigError: as for the class.
        """
        fetcher = Fetcher(UPLOAD_LIMITS.max_bytes) if urls else None
        retriever = Retriever.open(store or ensure_default_store(), catalogue=catalogue)
        service = cls(retriever, fetcher=fetcher, show=show)
        service.warm()
        return service

    def warm(self) -> None:
        """Compiles what compiles at first use, so that the first visitor does not wait."""
        query = Query("photo", "warm-up", picture=np.full((64, 64, 3), 255, np.uint8))
        nearest = self.search(query, 1).matches[0]
        self.explain(query, nearest.item_id)

    def _prepare_query(self, query: Query) -> np.ndarray:
        """The served vector of a query, or its picture prepared, to be embedded with others."""
        if query.feature is not None:
            return query.feature
        if query.kind == "item":
            return self.retriever.feature(query.item_id)
        return self.retriever.embedder.prepare(query.photo)

    def embed(self, query: Query) -> np.ndarray:
        """The served vector (d,) of a query's picture, embedded now if it is not yet."""
        asked = self._prepare_query(query)
        return self._looker.ask(asked)[0] if asked.ndim == 3 else asked

    def photo_query(self, picture: np.ndarray, title: str, *, as_it_is: bool = False) -> Query:
        """A query for a visitor's picture, (h, w, 3) uint8: out of its frame or screen, upright.

        Args:
            picture: as it came.
            title: what to call it.
            as_it_is: neither cut it out nor turn it.
        """
        return _as_query(self._read(picture, as_it_is), title, picture)

    def _read(self, picture: np.ndarray, as_it_is: bool = False) -> PhotoReading:
        return read_photo_batch(self.retriever, [picture], as_it_is=as_it_is, look=self._look)[0]

    def _look(self, prepared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vectors, near = zip(*self._looker.ask_all(prepared), strict=True)
        return np.stack(vectors), np.array(near)

    def part_garments(self, query: Query) -> Query:
        """The query of a photo with a query of its own for each garment on it; of one garment
        alone as it is.
        """
        photo = query.photo if query.whole is None else query.whole
        found = read_garments(self.retriever, photo)
        if len(found) < 2:
            return query
        down = found[0].box.top < found[1].box.top
        titles = ("the upper garment", "the lower garment") if down else _SIDES
        garments = [_as_query(one, title, photo) for one, title in zip(found, titles, strict=True)]
        return replace(query, picture=photo, whole=None, feature=None, garments=tuple(garments))

    def garment_of(self, query: Query, item_id: str) -> Query:
        """Of a query of several garments the one that a product is nearest to; else itself."""
        if not query.garments:
            return query
        own = self.retriever.feature(item_id)
        return max(query.garments, key=lambda one: float(own @ self.embed(one)))

    def search(self, query: Query, k: int, selection: Selection = NOTHING) -> Answer:
        """The ``k`` nearest products, the query's own item and disliked ones left out.

        Of a query of several garments ``k`` for each; a vote counts for the garment that the
        product is nearest to.

        Raises:
            QueryError: ``k`` below 1, an unknown item or filter.
        """
        if not query.garments:
            return self.find(query, k, selection.where, selection)
        votes = (*selection.liked, *selection.disliked)
        voted = {item_id: self.garment_of(query, item_id) for item_id in votes}
        rows = []
        for garment in query.garments:
            others = [item for item, owner in voted.items() if owner is not garment]
            asked = replace(garment, text=query.text)
            rows.append(self.find(asked, k, selection.where, selection.without_votes(others)))
        matches = tuple(match for row in rows for match in row.matches)
        return Answer(matches, sum(row.milliseconds for row in rows), rows=tuple(rows))

    def find(
        self,
        query: Query,
        k: int,
        where: Mapping[str, Any] | str | None = None,
        selection: Selection = NOTHING,
    ) -> Answer:
        """As ``search``, with a filter in any form that ``Filter.parse`` takes."""
        if query.text:
            return self._find_words(query, k, where, selection)
        begin = time.perf_counter()
        left_out = {*selection.disliked, *([query.item_id] if query.item_id else [])}
        wanted = SearchRequest(
            self._prepare_query(query),
            self._check_k(k),
            frozenset(left_out),
            where or None,
            dict(selection.weights) or None,
            query.picture is not None and is_photo(query.picture),
            self._features(selection.liked),
            self._features(selection.disliked),
        )
        found = self._diversify(wanted, selection)
        milliseconds = 1000 * (time.perf_counter() - begin)
        return Answer(tuple(found.matches), milliseconds, found.vector)

    def _find_words(self, query: Query, k: int, where: Any, selection: Selection) -> Answer:
        """As ``find``, for a query with words."""
        begin = time.perf_counter()
        feature = self.embed(query) if query.has_picture else None
        k = min(self._check_k(k), len(self.store) - bool(query.item_id))
        request = make_request(self.retriever, query, feature, max(1, k), where, selection)
        matches = self._reader.ask(request)
        return Answer(tuple(matches), 1000 * (time.perf_counter() - begin), feature)

    def answer(self, request: Request) -> list[Match]:
        """The matches of a request of several parts, answered together with what others ask.

        Raises:
            QueryError: as ``Retriever.search``.
        """
        if request.image is not None:
            reading = self._read(request.image, request.as_it_is)
            request = replace(request, image=reading)
            if request.item_id is None:
                request = replace(request, image=None, vector=reading.vector)
        return self._reader.ask(request)

    def _diversify(self, wanted: SearchRequest, selection: Selection) -> Nearest:
        """The nearest, or of a few times as many those that differ most among themselves."""
        if not selection.variety:
            return self._find_nearest(wanted, selection)
        pool = min(pool_size(wanted.k), len(self.store))
        found = self._find_nearest(replace(wanted, k=pool), selection)
        near = found.matches
        metric = self.retriever.index.metric
        distances = np.array([match.distance for match in near])
        vectors = self.retriever.vectors_at([match.position for match in near])
        order = choose_varied(distances, vectors, wanted.k, selection.variety / 100, metric)
        varied = [replace(near[place], rank=rank) for rank, place in enumerate(order, start=1)]
        return Nearest(varied, found.vector)

    def _find_nearest(self, wanted: SearchRequest, selection: Selection) -> Nearest:
        """The nearest, variants as one where that was asked for."""
        most = len(self.store) - len(wanted.left_out)
        if not selection.collapse or most < 1:
            return self._searcher.ask(wanted)
        first = self._searcher.ask(replace(wanted, k=min(POOL * wanted.k, most)))
        # Embedded once: what is asked again is asked with the vector.
        again = replace(wanted, asked=first.vector)
        matches = find_collapsed(
            lambda n: self._searcher.ask(replace(again, k=n)).matches,
            self.retriever.variants,
            self.store.item_ids,
            wanted.k,
            most,
            found=first.matches,
        )
        return Nearest(matches, first.vector)

    def find_variants(self, query: Query, match: Match, selection: Selection) -> list[Match]:
        """The products that a match stands for beside itself, the nearest first."""
        if not match.variants:
            return []
        alone = Selection(weights=selection.weights)
        where = {"item_id": list(match.variants)}
        return list(self.find(query, len(match.variants), where, alone).matches)

    def colours_of(self, match: Match) -> list[str]:
        """The colours of a match and its variants, its own first; none without any variant."""
        if not match.variants or "base_colour" not in self.items:
            return []
        rows = [match.position, *(self._positions[item_id] for item_id in match.variants)]
        names = self.items["base_colour"].iloc[rows].astype(str)
        return [name for name in dict.fromkeys(names) if name not in ("", "NA")]

    @cached_property
    def has_variants(self) -> bool:
        """Whether any product of the gallery is another's variant."""
        variants = self.retriever.variants
        return len(np.unique(variants)) < len(variants)

    def _check_k(self, k: int) -> int:
        """``k``, checked and cut to the gallery before it joins a batch with others."""
        if k < 1:
            raise QueryError("k of at least 1", f"k = {k}", "choose 5")
        return min(k, len(self.store))

    def _features(self, item_ids: tuple[str, ...]) -> np.ndarray:
        rows = [self.retriever.feature(item_id) for item_id in item_ids]
        return np.stack(rows) if rows else np.empty((0, self.store.dim), np.float32)

    def draw_items(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (m,) of products drawn once for all, ascending, and their vectors (m, d)."""
        rng = np.random.default_rng(SEED)
        rows = np.sort(rng.choice(len(self.store), min(n, len(self.store)), replace=False))
        return rows, self.retriever.vectors_at(rows)

    def picture(self, query: Query) -> np.ndarray:
        """The query's picture, (height, width, 3) uint8."""
        return self.retriever.picture(query.item_id) if query.item_id else query.photo

    def explain(self, query: Query, item_id: str, view: str = "") -> Explanation:
        """Where the likeness of the query and a product lies.

        Args:
            query: what was searched with.
            item_id: the product.
            view: which picture of it; its main one by default.

        Raises:
            QueryError: no such item in the gallery.
        """
        item_id = self.item_query(item_id).item_id
        embedder = self.retriever.embedder
        return explain_images(embedder, self.picture(query), self.retriever.picture(item_id, view))

    def facets(self, selection: Selection) -> dict[str, dict[str, int]]:
        """Per level, how many items each value would leave: ``{level: {value: count}}``.

        A level is counted under the filters of the other levels, so that a second value of
        the same level shows what it would add.
        """
        return self._facets(Selection(filters=selection.filters, ranges=selection.ranges))

    def _count_facets(self, selection: Selection) -> dict[str, dict[str, int]]:
        found = {}
        for level in FILTER_LEVELS:
            kept = self.own.mask(selection, but=level)
            counts = facet_counts(self.items, kept, levels=(level,)).get(level, {})
            found[level] = {value: count for value, count in counts.items() if value}
        return found | self.own.count_values(selection)

    def check_filter(self, level: object, value: object) -> tuple[str, str]:
        """A column and one of its values, as the page sent them.

        Raises:
            QueryError: the catalogue has no such column or value.
        """
        if self.own.has_value(level, value):
            return str(level), str(value)
        if level in FILTER_LEVELS and level in self.items and (self.items[level] == value).any():
            return str(level), str(value)
        raise QueryError("a filter of this page", f"{level} = {value}", "choose one from the menus")

    @property
    def max_results(self) -> int:
        """How many results a visitor may ask for: no more than there are products."""
        return min(MAX_RESULTS, len(self.store))

    def check_k(self, value: object) -> int:
        """``value`` as a number of results, 1 to 20 and no more than the gallery has.

        Raises:
            QueryError: no number.
        """
        try:
            wanted = int(float(str(value)))
        except (ValueError, OverflowError):
            raise QueryError("a number of results", repr(value), "move the slider") from None
        return max(1, min(wanted, self.max_results))

    @property
    def own_weights(self) -> tuple[tuple[str, int], ...]:
        """The parts of the distance with the store's own weights, of 100; () if it has none."""
        head = self.store.head
        if head is None:
            return ()
        return tuple((part, round(100 * head.weights[part])) for part in self.retriever.parts)

    def set_weight(
        self, weights: tuple[tuple[str, int], ...], part: str, value: object
    ) -> tuple[tuple[str, int], ...]:
        """``weights`` with one part changed; () stands for the store's own.

        Raises:
            QueryError: no such part, no number from 0 to 100, or nothing left but zeros.
        """
        changed = dict(weights or self.own_weights)
        if part not in changed:
            raise QueryError("a part of the distance", repr(part), "move one of the sliders")
        changed[part] = check_share(value)
        if not any(changed.values()):
            raise QueryError("one part that counts", "zeros alone", "move a slider up first")
        return tuple(changed.items())

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
        if item_id not in self._names:
            raise QueryError("a product of this catalogue", repr(item_id), "pick one on the page")
        return Query("item", self._names[item_id] or f"item {item_id}", item_id=item_id)

    def text_query(self, text: str) -> Query:
        """A query for words alone.

        Raises:
            QueryError: as ``Wording.understand``.
        """
        understand(self.retriever, text)
        return Query("text", text, text=text)

    def position(self, item_id: str) -> int | None:
        """A product's row in the gallery; None for one that is not there."""
        return self._positions.get(item_id)

    def surprise(self) -> Query:
        """Any item of the gallery, drawn anew each time."""
        return self.item_query(str(random.choice(self.store.item_ids)))

    @property
    def is_replaced(self) -> bool:
        """Whether the store on disk is another one by now; this one stays in use, as mapped."""
        return read_stamp(self.store.path) != self.stamp

    def picture_url(self, item_id: str, view: str = "") -> str:
        """An item's picture as a ``data:`` URL; a grey one where it cannot be read any more."""
        try:
            return self._picture_url(item_id, CARD_SIDE, view)
        except FashifyError:
            logger.warning("no picture of item %s", item_id, exc_info=True)
            return missing_url()

    def query_url(self, query: Query | None) -> str:
        """The query's picture as a ``data:`` URL, "" without one."""
        if query is None or not query.has_picture:
            return ""
        try:
            return data_url(self.picture(query), QUERY_SIDE)
        except FashifyError:
            return missing_url()

    def _encode_picture(self, item_id: str, side: int, view: str = "") -> str:
        return data_url(self.retriever.picture(item_id, view), side)

    def _item_examples(self) -> list[Example]:
        """The first of the chosen products."""
        return [
            Example(self.item_query(item_id), self._encode_picture(item_id, EXAMPLE_SIDE))
            for item_id in self._chosen()[:N_ITEM_EXAMPLES]
        ]

    def _chosen(self) -> list[str]:
        """Items to start from, of as many article types as there are, the same ones every time."""
        shuffled = self.items.sample(frac=1.0, random_state=SEED)
        again = shuffled.duplicated("article_type")
        ordered = shuffled.assign(again=again).sort_values("again", kind="stable")
        return ordered["item_id"].tolist()[: N_ITEM_EXAMPLES + N_PHOTO_EXAMPLES]

    def _photo_examples(self) -> list[Example]:
        """Products of this catalogue as a phone would see them, and two in one photo."""
        is_sample = self.store.meta["catalogue"]["source"] == "sample"
        photos = sample_photos() if is_sample else self._compose_photos()
        first, second = HARD if is_sample else (0, len(photos) - 1)
        if first != second:
            shown = list(photos.values())
            hard = np.hstack([shown[first], shown[second]])
            photos["a hard one, two products in one photo"] = hard
        return [
            Example(Query("photo", title, picture=picture), data_url(picture, EXAMPLE_SIDE))
            for title, picture in photos.items()
        ]

    def _compose_photos(self) -> dict[str, np.ndarray]:
        """Pictures of the last chosen products, each set before a backdrop."""
        compose, chosen = PERTURBATIONS["background"], self._chosen()
        return {
            f"{self.item_query(item_id).title} before a backdrop": compose(
                self.retriever.picture(item_id), PHOTO_MARGIN, (SEED, number)
            )
            for number, item_id in enumerate(chosen[N_ITEM_EXAMPLES:] or chosen[-N_PHOTO_EXAMPLES:])
        }


def _as_query(reading: PhotoReading, title: str, photo: np.ndarray) -> Query:
    """What was read of a photo, as a query that the whole photo can be had back from."""
    whole = photo if reading.changed else None
    picture, feature = reading.image, reading.vector.copy()
    return Query("photo", title, picture=picture, whole=whole, feature=feature)


def read_stamp(store: Path | None) -> tuple[int, int] | None:
    """What tells one build of a store from the next; None where there is no store (any more)."""
    try:
        facts = ((store or Path("none")) / MANIFEST).stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def check_share(value: object) -> int:
    """``value`` as a whole number from 0 to 100.

    Raises:
        QueryError: no number.
    """
    try:
        return max(0, min(100, int(float(str(value)))))
    except (ValueError, OverflowError):
        raise QueryError("a number from 0 to 100", repr(value), "move the slider") from None


def ensure_default_store() -> Path | str:
    """The settings' store if there is one, else the sample's, built now if absent.

    One in a bucket is taken to be there: the sample must not answer where a shop was meant.
    """
    configured = as_place(settings().store)
    if isinstance(configured, str) or (configured / MANIFEST).is_file():
        return configured
    path = _writable_cache() / "sample-store"
    if not (path / MANIFEST).is_file():
        logger.warning("no store at %s: building the sample's at %s", configured, path)
        extract_features(load_catalogue("sample"), "auto", path, index="exact")
        # The quickest head with all three parts; the sample's photos are answered better with it.
        learn_head(path, method="lda")
    return path


def _writable_cache() -> Path:
    """The settings' cache, or a temporary folder where nothing can be written to it."""
    cache = settings().cache
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return cache
    except OSError as error:
        if (cache / "sample-store" / MANIFEST).is_file():
            return cache  # What lies there already can be read.
        other = Path(tempfile.mkdtemp(prefix="fashify-"))
        atexit.register(shutil.rmtree, other, ignore_errors=True)
        logger.warning("the cache %s cannot be written (%s): %s instead", cache, error, other)
        return other


def describe_store_facts(retriever: Retriever) -> Facts:
    """What the page tells about the opened store."""
    backbone = retriever.store.meta["backbone"]
    return Facts(
        n_items=len(retriever.store),
        catalogue=describe_catalogue(str(retriever.store.meta["catalogue"]["source"])),
        backbone=backbone["name"],
        dim=backbone["dim"],
        why=retriever.backbone_note,
        metric=retriever.index.metric,
    )


def describe_catalogue(source: str) -> str:
    """A catalogue's source as a visitor would call it."""
    return "the sample catalogue" if source == "sample" else Path(source).stem


def sample_photos() -> dict[str, np.ndarray]:
    """The sample's photos by title, (height, width, 3) uint8."""
    photos = enumerate(read_photos().values(), start=1)
    return {f"example photo {n}": load_image(data) for n, data in photos}
