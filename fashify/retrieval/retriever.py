"""One image in, its matches out: neighbours joined with the products' facts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fashify.catalogue import Catalogue, reopen_catalogue
from fashify.catalogue.columns import ColumnType
from fashify.config import SEED
from fashify.errors import CatalogueError, FashifyWarning, QueryError, StoreMismatchError
from fashify.features import Embedder
from fashify.features.colour import colour_features
from fashify.features.embedder import embedder_of
from fashify.features.framing import is_photo
from fashify.heads.strength import NEIGHBOURS, Strength, measure_agreement
from fashify.index import Index, load_index, make_index
from fashify.index.filters.columns import Columns, Typed
from fashify.index.filters.filter import Filter
from fashify.io.images import load_image
from fashify.retrieval.match import Match, facts_by_column
from fashify.retrieval.nearness import SAMPLE, Nearness
from fashify.retrieval.photo_way import PhotoReading, read_photo, search_garments
from fashify.retrieval.search import Request, search
from fashify.retrieval.variants import variant_ids
from fashify.retrieval.wording import Wording
from fashify.store import FeatureStore
from fashify.store.layout import INDEX
from fashify.store.store import check_backbone, find_store_folder, name_served_file, open_files


class Retriever:
    """Finds the catalogue products that look most like a picture.

    Queries take the same way as the gallery did: same backbone and weights, same engine
    and precision, same preparation, all read from the store.

    Args:
        store: features and products.
        index: fitted on the store's features.
        catalogue: where the pictures are; opened from the manifest when first needed.
        embedder: backbone on its engine; made from the manifest when first needed.

    >>> from fashify import Retriever
    >>> retriever = Retriever.open("data/sample-store")
    >>> [match.rank for match in retriever.by_item(retriever.store.item_ids[0], k=3)]
    [1, 2, 3]
    """

    def __init__(
        self,
        store: FeatureStore,
        index: Index,
        *,
        catalogue: Catalogue | str | Path | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.store, self.index = store, index
        if isinstance(catalogue, str | Path):
            catalogue = reopen_catalogue(store.meta["catalogue"], catalogue)
        self._catalogue, self._embedder = catalogue, embedder
        if catalogue is not None:
            _check_products(store, catalogue)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        catalogue: Catalogue | str | Path | None = None,
        index: str | None = None,
        verify: bool = True,
    ) -> Retriever:
        """Opens a store directory with its index.

        Args:
            path: the store's folder, or its ``s3://`` url.
            catalogue: the pictures, or where they are, if no longer where the store was built
                from.
            index: a backend to fit now instead of the one saved with the store.
            verify: read the index's files through and compare their checksums, about a second
                a gigabyte; without it files over 4 MB are known by their size alone.

        Raises:
            StoreError: no store there.
            StoreMismatchError, StoreCorruptError: not one this release can trust.
        """
        path = find_store_folder(path)
        files = open_files(path, verify=verify)
        with ThreadPoolExecutor(1) as pool:
            # Checksums are computed beside: opening is what somebody waits for.
            checked = pool.submit(files.path, name_served_file(files))
            store = FeatureStore.from_files(files)
            checked.result()
        folder = path / INDEX
        if index is not None or not folder.is_dir():
            fitted = make_index(index or "exact")
            fitted.fit(store.vectors, store.item_ids, view_items=store.view_items)
            return cls(store, fitted, catalogue=catalogue)
        opened = load_index(
            folder, features=store.vectors, column=store.vectors_checksum, verify=verify
        )
        if opened.item_ids.tolist() != store.item_ids.tolist():
            raise StoreMismatchError(
                "an index of the store's own items",
                f"one of {len(opened.item_ids):,} others in {folder}",
                "run: fashify index",
            )
        return cls(store, opened, catalogue=catalogue)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue the store was built from.

        Raises:
            CatalogueError: it is no longer there; errors as ``load_catalogue``.
        """
        if self._catalogue is not None:
            return self._catalogue
        try:
            return reopen_catalogue(self.store.meta["catalogue"])
        except CatalogueError as error:
            raise CatalogueError(
                f"the catalogue that the store was built from ({error.expected})",
                error.received,
                "name where it is now: fashify demo --catalogue PATH, or "
                "Retriever.open(store, catalogue=PATH)",
            ) from error

    @cached_property
    def embedder(self) -> Embedder:
        """The store's backbone on the store's engine.

        Raises:
            StoreMismatchError: the weights at hand are not those of the store.
        """
        spec = self.store.meta["backbone"]
        if self._embedder is not None:
            check_backbone(spec, self._embedder.spec, self.store.path or Path("the store"))
            return self._embedder
        return embedder_of(self.store.meta)

    @property
    def backbone_note(self) -> str:
        """Which backbone answers, and why it was chosen."""
        spec = self.store.meta["backbone"]
        return f"{spec['name']} ({spec['dim']}-d)" + (
            f": {spec['reason']}" if spec.get("reason") else ""
        )

    def search(
        self,
        image: Any = None,
        text: str | None = None,
        item_id: str | None = None,
        k: int = 5,
        **options: Any,
    ) -> list[Match]:
        """The products that answer a query of one part or several.

        What a text names beside an image or item takes the place of that part of it: "in black"
        asks for the same in black. ``-blue`` and "not blue" leave out what is blue.

        Args:
            image: whatever ``load_image`` reads, or what ``read_photo`` made of it.
            text: such as "red floral dress for women, not striped"; English, and words for
                colours, types and genders of seven other languages.
            item_id: of a product of the gallery.
            k: how many.
            **options: of ``fashify.retrieval.search.Request``: ``where`` as in ``by_image``;
                ``weights`` of ``words``, ``picture``, ``image`` and of the head's parts; ``liked``
                and ``disliked`` item ids; ``variety`` from 0 to 1; ``collapse="variants"`` shows
                products that differ in colour alone, or are copies, as one;
                ``labels=False`` goes by pictures alone; ``as_it_is`` as in ``by_image``.

        Returns:
            matches, the best first. With a text their distance is 1 less the calibrated
            probability that the product answers, of all and, in ``parts``, of each part.

        Raises:
            QueryError: nothing asked, no known word, contradicting words, or an option out of
                its range.
        """
        return search(self, Request(image, text, item_id, k, **options))

    def by_text(self, text: str, k: int = 5, **options: Any) -> list[Match]:
        """The products that answer a text; options and errors as ``search``."""
        return self.search(text=text, k=k, **options)

    @cached_property
    def wording(self) -> Wording:
        """What the gallery can be asked in words."""
        return Wording(self.store)

    @cached_property
    def variants(self) -> np.ndarray:
        """(n,) int: equal for products that are variants or copies of one another."""
        return variant_ids(self.store)

    def by_image(
        self,
        image: Any,
        k: int = 5,
        *,
        where: np.ndarray | str | Mapping[str, Any] | None = None,
        weights: Mapping[str, float] | None = None,
        as_it_is: bool = False,
    ) -> list[Match]:
        """The products most like a picture, out of its frame or screen and upright.

        Args:
            image: whatever ``load_image`` reads.
            k: how many, at least 1; of a gallery with fewer all, with a ``FashifyWarning``.
            where: a mask ``(n,)``, or a filter over the catalogue's columns.
            weights: how much each of ``parts`` counts, such as ``{"shape": 1, "colour": 3}``;
                the head's own by default.
            as_it_is: neither cut the picture out nor turn it, see ``read_photo``.

        Raises:
            ImageReadError: not an image.
            QueryError: k, the filter or the weights are out of range.

        >>> from fashify import Retriever, load_catalogue
        >>> retriever = Retriever.open("data/sample-store")
        >>> item_id = retriever.store.item_ids[0]
        >>> best = retriever.by_image(retriever.picture(item_id), k=1)[0]
        >>> best.item_id == item_id
        True
        """
        k, reading = self.cut_k(k), self.read_photo(image, as_it_is=as_it_is)
        return self.by_reading(reading, k, where=where, weights=weights)

    def by_reading(self, reading: PhotoReading, k: int = 5, **options: Any) -> list[Match]:
        """As ``by_image`` for a photo that was read; options of ``by_feature``."""
        return self.by_feature(reading.vector, k, photo=is_photo(reading.image), **options)

    def read_photo(self, image: Any, *, as_it_is: bool = False) -> PhotoReading:
        """What is searched of a person's photo: out of its frame or screenshot, and upright.

        Quarter turns are tried where the first answer is weak.

        Args:
            image: whatever ``load_image`` reads; what was read already is given back.
            as_it_is: neither cut it out nor turn it.

        >>> from fashify import Retriever
        >>> retriever = Retriever.open("data/sample-store")
        >>> picture = retriever.picture(retriever.store.item_ids[0])
        >>> retriever.read_photo(picture).turn
        0
        """
        return read_photo(self, image, as_it_is=as_it_is)

    def by_garments(
        self, image: Any, k: int = 5, **options: Any
    ) -> list[tuple[PhotoReading, list[Match]]]:
        """A row of matches for each garment of a photo: of two side by side, two rows.

        Args:
            image: whatever ``load_image`` reads.
            k: matches for each.
            **options: of ``by_reading``.
        """
        return search_garments(self, image, k, **options)

    def by_item(
        self,
        item_id: str,
        k: int = 5,
        *,
        where: np.ndarray | str | Mapping[str, Any] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> list[Match]:
        """The products most like one of the gallery, itself left out by its id.

        Raises:
            QueryError: no such item in the gallery, or as ``by_image``.

        >>> from fashify import Retriever
        >>> retriever = Retriever.open("data/sample-store")
        >>> matches = retriever.by_item(retriever.store.item_ids[0], k=2, where="gender = Men")
        >>> [match.gender for match in matches]
        ['Men', 'Men']
        """
        item_id = str(item_id)
        feature = self.feature(item_id)
        k = self.cut_k(k, others_than=1)
        if not k:
            return []
        return self.by_feature(feature, k, where=where, exclude=item_id, weights=weights)

    def by_feature(
        self,
        feature: np.ndarray,
        k: int = 5,
        *,
        where: np.ndarray | str | Mapping[str, Any] | None = None,
        exclude: Any = None,
        weights: Mapping[str, float] | None = None,
        photo: bool = False,
    ) -> list[Match]:
        """The products nearest to a served vector ``(d,)``; errors as ``by_image``."""
        excluded = None if exclude is None else [exclude]
        vectors = np.asarray(feature, np.float32)[None]
        return self.by_features(
            vectors, k, where=where, exclude=excluded, weights=weights, photo=photo
        )[0]

    def by_features(
        self,
        features: np.ndarray,
        k: int = 5,
        *,
        where: np.ndarray | str | Mapping[str, Any] | None = None,
        exclude: Sequence[Any] | np.ndarray | None = None,
        weights: Mapping[str, float] | None = None,
        photo: bool | Sequence[bool] = False,
    ) -> list[list[Match]]:
        """As ``by_feature`` for served vectors ``(q, d)``, the gallery read once for all.

        Args:
            exclude: for each vector None, an item id or several that are not to be answered.
            photo: whether the vectors, or which of them, are of photos: of those a distance says
                something else than of a shop's pictures.
        """
        k = self.cut_k(k)
        vectors = np.asarray(features, np.float32)
        asked = vectors
        if weights is not None:
            asked = np.stack([self._weigh_query(vector, weights) for vector in vectors])
        # A match's strength goes by what the other nearest ones are.
        most = k if self.strength is None else max(k, min(NEIGHBOURS, len(self.store)))
        found = self.index.search(asked, most, exclude=exclude, where=self._resolve_filter(where))
        if weights is not None:
            # The index measures at unit length; the weighted mean of cosines is the dot product.
            lengths = np.linalg.norm(asked, axis=1, keepdims=True)
            found = replace(found, distances=1 - (1 - found.distances) * lengths)
        photos = [photo] * len(vectors) if isinstance(photo, bool) else photo
        answers = zip(found.positions, found.views, found.distances, vectors, photos, strict=True)
        return [self._make_matches(*answer, k) for answer in answers]

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that can be weighted at query time; empty for a store without a head."""
        head = self.store.head
        return head.names if head is not None and self.index.metric == "cosine" else ()

    @cached_property
    def strength(self) -> Strength | None:
        """What a distance under the default weights says; ``None`` where not calibrated."""
        return self.store.strength if self.index.metric == "cosine" else None

    @cached_property
    def nearness(self) -> Nearness:
        """What a distance says beside that of the average product, where nothing is calibrated."""
        n = len(self.store)
        rows = np.random.default_rng(SEED).choice(n, min(n, SAMPLE), replace=False)
        return Nearness(self.vectors_at(np.sort(rows)), self.index.metric)

    def _weigh_query(self, vector: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
        if not self.parts or self.store.head is None:
            raise QueryError(
                "a store with a head and a cosine index, to weigh its parts",
                "a store of raw features" if self.store.head is None else "another metric",
                "build it with fashify build --head auto",
            )
        return self.store.head.weigh_query(vector, weights)

    def embed(self, image: Any) -> np.ndarray:
        """A picture's served vector, ``(d,)`` float32."""
        return self.embed_prepared(self.embedder.prepare(load_image(image))[None])[0]

    def embed_prepared(self, batch: np.ndarray) -> np.ndarray:
        """Served vectors ``(b, d)`` of pictures ``(b, H, W, 3)`` as ``embedder.prepare`` gives."""
        # Straight to the engine: a few queries are not worth filling up to a whole batch.
        features = self.embedder.engine.run(batch)
        if self.store.head is None:
            return features
        return self.store.head(features, colour_features(batch))

    def feature(self, item_id: str) -> np.ndarray:
        """The served vector of a product, ``(d,)`` float32."""
        return self.vectors_at([self.store.position(item_id)])[0]

    def vectors_at(self, positions: Sequence[int] | np.ndarray) -> np.ndarray:
        """The served vectors ``(m, d)`` float32 of products' first views, by position."""
        rows = self.store.first_views[np.asarray(positions, np.int64)]
        return np.asarray(self.store.vectors[rows])

    def mask(
        self, where: np.ndarray | str | Mapping[str, Any] | Filter | None
    ) -> np.ndarray | None:
        """A filter as a mask ``(n,)`` over the gallery; ``None`` for no filter."""
        if where is None or isinstance(where, np.ndarray):
            return where
        return Filter.parse(where).mask(self.store.items, self.column_types)

    def _resolve_filter(self, where: np.ndarray | str | Mapping[str, Any] | None) -> Any:
        """The filter itself for an index that filters where its data is, else its mask."""
        if where is None or isinstance(where, np.ndarray):
            return where
        wanted = Filter.parse(where).resolve(self.store.items, self.column_types)
        return wanted if self.index.filters_on(wanted.columns) else self.mask(wanted)

    def picture(self, item_id: str, view: str = "") -> np.ndarray:
        """A product's picture ``(h, w, 3)`` uint8; as ``Catalogue.image``."""
        return self.catalogue.image(item_id, view)

    @cached_property
    def column_types(self) -> dict[str, Typed]:
        """What each column of the products holds: numbers, prices, dates, lists ...

        As the catalogue found out; of columns it says nothing of, as they look.
        """
        found = self.store.meta.get("catalogue", {}).get("columns", {})
        declared = {name: ColumnType(**facts) for name, facts in found.items()}
        return Columns(self.store.items, declared).types

    def cut_k(self, k: int, *, others_than: int = 0) -> int:
        """``k``, cut to the products there are with a warning; those left out do not count.

        Raises:
            QueryError: no whole number of at least 1.
        """
        whole = isinstance(k, int | np.integer) and not isinstance(k, bool)
        if not whole or k < 1:
            raise QueryError("k as a whole number of at least 1", f"k = {k!r}", "ask for k = 5")
        top = len(self.store) - others_than
        if k > top:
            other = "other " if others_than else ""
            text = f"k = {k} cut to {top:,}: the gallery has no more {other}products"
            warnings.warn(text, FashifyWarning, stacklevel=3)
        return min(int(k), top)

    def _make_matches(
        self,
        positions: np.ndarray,
        views: np.ndarray,
        near: np.ndarray,
        vector: np.ndarray,
        photo: bool,
        k: int,
    ) -> list[Match]:
        rows = [int(row) for row in positions[:k] if row >= 0]
        distances = [float(distance) for distance in near[: len(rows)]]
        agreement = self._agreement(positions)[: len(rows)]
        told = self._describe_matches(views[: len(rows)], distances, vector, photo, agreement)
        for more, path in zip(told, self._view_paths(views[: len(rows)]), strict=True):
            more["view"] = path
        return self._join_facts(rows, distances, told)

    def _agreement(self, positions: np.ndarray) -> np.ndarray:
        """(k,) how many of the other nearest products are of each match's type."""
        if self.strength is None:
            return np.ones(len(positions))
        return measure_agreement(self._types, positions[None])[0]

    @cached_property
    def _types(self) -> np.ndarray:
        return np.asarray(self.store.labels("article_type")).astype(str)

    def _view_paths(self, views: np.ndarray) -> list[str]:
        """Paths of rows of vectors; with one picture per product its own, read already."""
        if len(self.store.view_items) == len(self.store):
            paths = self._facts.get("path")
            return [str(paths[row]) if paths else "" for row in views]
        return [str(path) for path in self.store.view_paths[views]]

    def make_matches(
        self, positions: np.ndarray, distances: np.ndarray, parts: Sequence[Mapping[str, float]]
    ) -> list[Match]:
        """Matches of rows of the gallery, with what is known of each one's distance."""
        told = [{"parts": dict(part)} for part in parts]
        return self._join_facts([int(row) for row in positions], distances.tolist(), told)

    def _join_facts(
        self, rows: list[int], distances: list[float], told: list[dict[str, Any]]
    ) -> list[Match]:
        columns, item_ids = self._facts, self.store.item_ids
        return [
            Match(
                rank,
                item_ids[row],
                distance,
                row,
                {name: column[row] for name, column in columns.items()},
                **more,
            )
            for rank, (row, distance, more) in enumerate(
                zip(rows, distances, told, strict=True), start=1
            )
        ]

    def _describe_matches(
        self,
        views: np.ndarray,
        distances: list[float],
        vector: np.ndarray,
        photo: bool,
        agreement: np.ndarray,
    ) -> list[dict[str, Any]]:
        """Parts of each match's distance, and what its distance says."""
        parts: list[dict[str, float]] = [{} for _ in views]
        head = self.store.head
        if head is not None and self.parts and len(views):
            by_part = head.part_distances(vector, self.store.vectors[views])
            rows = zip(*(values.tolist() for values in by_part.values()), strict=True)
            parts = [dict(zip(by_part, row, strict=True)) for row in rows]
            # The curve was fitted under the default weights, whatever the query's were.
            distances = [sum(head.weights[name] * d for name, d in row.items()) for row in parts]
        curve = self.strength and self.strength.curve(photo=photo)
        if curve is None:
            words = self.nearness.words(vector, distances)
            return [
                {"parts": part, "strength": word} for part, word in zip(parts, words, strict=True)
            ]
        sure = 1.0 if head is None else float(head.confidence(vector[None])[0])
        return [
            {
                "parts": part,
                "probability": float(curve.probability(distance, agreed, sure)),
                "strength": curve.words(distance, agreed, sure),
            }
            for part, distance, agreed in zip(parts, distances, agreement, strict=True)
        ]

    def facts_of(self, position: int) -> dict[str, Any]:
        """A product's facts, as ``Match.facts`` has them."""
        return {name: column[position] for name, column in self._facts.items()}

    @cached_property
    def _facts(self) -> dict[str, list[Any]]:
        return facts_by_column(self.store.items, self.column_types)


def _check_products(store: FeatureStore, catalogue: Catalogue) -> None:
    """A catalogue that was named in place of the store's own has the store's products.

    Raises:
        StoreMismatchError: none of them; that some are missing is a warning.
    """
    missing = len(set(store.item_ids) - set(catalogue.item_ids))
    if missing == len(store):
        raise StoreMismatchError(
            f"a catalogue of the store's {len(store):,} products",
            f"{catalogue.source}, which has none of them",
            "name the place that the store's own catalogue was moved to",
        )
    if missing:
        text = f"{missing:,} of the store's {len(store):,} products are not in {catalogue.source}"
        warnings.warn(text, FashifyWarning, stacklevel=3)
