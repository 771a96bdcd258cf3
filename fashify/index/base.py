"""The interface of every index: fit, search, save and load."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from fashify.errors import (
    ConfigError,
    IndexNotFittedError,
    StoreCorruptError,
    StoreMismatchError,
    join_names,
)
from fashify.index import checks
from fashify.index.gallery import Gallery
from fashify.index.neighbours import Neighbours
from fashify.index.scan import BLOCK_QUERIES, Pairs, rank
from fashify.io.artefact import ArtefactReader, ArtefactWriter, write_artefact
from fashify.store.layout import INDEX_KIND


class Index(ABC):
    """Nearest neighbours of a gallery of features.

    A backend says how candidates are found (`_candidates`) and, when it keeps a structure
    of its own, how that is built and stored. Everything a user can see is done here, once:
    checks, exact distances, ties by position, exclusion, views, files.

    Args:
        metric: "cosine" (1 - cos, 0 to 2) or "euclidean" (the plain length).
        **params: the backend's own parameters, see ``defaults``.

    Raises:
        ConfigError: an unknown metric or parameter.
    """

    name: ClassVar[str]
    #: Whether the answer is exact by construction.
    exact: ClassVar[bool] = False
    #: The backend's parameters and their defaults.
    defaults: ClassVar[dict[str, Any]] = {}
    #: Those of them that matter to a search alone and can be changed on a built index.
    tunable: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, metric: str = "cosine", **params: Any) -> None:
        self.metric = checks.metric(metric)
        unknown = sorted(set(params) - set(self.defaults))
        if unknown:
            raise ConfigError(
                f"a parameter of the {self.name!r} index",
                ", ".join(unknown),
                f"choose from: {join_names(self.defaults) or 'none'}",
            )
        self.params = {**self.defaults, **params}
        # Of an index on a server this is the roster of its rows alone.
        self._gallery: Any = None
        self._structure: Any = None

    # -- what a backend implements

    @abstractmethod
    def _candidates(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, excluded: Pairs
    ) -> Pairs:
        """(query rows, slots) to be measured exactly: each pair once, no slot that is not
        ``allowed`` ((n_slots,) bool or None), no pair that is ``excluded``."""

    def _build(self, gallery: Gallery) -> Any:
        """The structure over ``gallery.base``; None when the rows alone are enough."""
        return None

    def _dump(self, writer: ArtefactWriter) -> None:
        """Write the structure's files, when it has any."""
        return None

    def _restore(self, reader: ArtefactReader, gallery: Gallery) -> Any:
        """The structure back from its files."""
        return self._build(gallery)

    # -- what a user calls

    def fit(
        self,
        features: np.ndarray,
        item_ids: Sequence[str] | np.ndarray,
        *,
        view_items: np.ndarray | None = None,
    ) -> Self:
        """Index a gallery.

        Args:
            features: (v, dim) numbers; float32 in C order is kept as it is, not copied, and
                must not be written to afterwards.
            item_ids: (n,) str, each once.
            view_items: (v,) int64, ascending: the product of each row, where products have
                several views; one row per product by default.

        Raises:
            QueryError: empty, not finite, or ids that do not fit. The index before stays.
        """
        gallery = Gallery.of(features, item_ids, view_items)
        # Built first, assigned after: an error on the way leaves the old index usable.
        self._structure, self._gallery = self._build(gallery), gallery
        return self

    def search(
        self,
        queries: np.ndarray,
        k: int = 5,
        *,
        exclude: Sequence | np.ndarray | None = None,
        where: np.ndarray | None = None,
    ) -> Neighbours:
        """The k nearest items of each query; one of several views is as near as the nearest.

        Args:
            queries: (q, dim) numbers.
            k: 1 to ``len(index)``.
            exclude: None, or for each query None, an item id or several ids that it must
                not be answered with; ids that are not in the index exclude nothing.
            where: (n,) bool over positions, True for the items that may be answered.

        Returns:
            Neighbours of shape (q, k); where fewer items are left, positions are -1.

        Raises:
            IndexNotFittedError: before fit or load. QueryError: anything else unusable.

        >>> import numpy as np
        >>> from fashify import make_index
        >>> index = make_index("exact").fit(np.eye(3, dtype=np.float32), ["a", "b", "c"])
        >>> found = index.search(np.eye(3, dtype=np.float32)[:1], k=1, exclude=["a"])
        >>> found.item_ids.tolist(), found.distances.tolist()
        ([['b']], [[1.0]])
        """
        gallery = self._require_gallery()
        queries = checks.vectors(queries, "queries", gallery.dim)
        lengths = checks.norms(queries, "queries")
        k = checks.count(k, len(gallery))
        allowed = self._mask_allowed(where)
        rows, slots = gallery.find_excluded(exclude, len(queries))
        answers = []
        for start in range(0, max(len(queries), 1), BLOCK_QUERIES):
            block = queries[start : start + BLOCK_QUERIES]
            mine = (rows >= start) & (rows < start + len(block))
            banned = rows[mine] - start, slots[mine]
            norms = lengths[start : start + BLOCK_QUERIES]
            answers.append(self._answer(block, norms, k, allowed, banned))
        return answers[0] if len(answers) == 1 else _join_neighbours(answers)

    def vectors_of(self, item_ids: Sequence[str] | np.ndarray) -> np.ndarray:
        """(m, dim) float32 features of items' first views; QueryError for unknown ids."""
        gallery = self._require_gallery()
        return gallery.take(gallery.first_slots(gallery.locate(list(item_ids))))

    def filters_on(self, columns: set[str]) -> bool:
        """Whether ``where`` may also be a resolved Filter on these columns, which then runs
        where the data is."""
        return False

    def bytes_outside(self) -> int | None:
        """What is kept outside a saved folder; None when it cannot be seen from here."""
        return 0

    def discard(self) -> None:
        """Remove what is kept outside this process; the index cannot be used afterwards."""
        self._gallery = self._structure = None

    def with_params(self, **params: Any) -> Self:
        """The same index, sharing all it holds, with other search parameters.

        Raises:
            ConfigError: a parameter that is not ``tunable``.
        """
        fixed = sorted(set(params) - set(self.tunable))
        if fixed:
            tunable = join_names(self.tunable) or "none"
            raise ConfigError(
                f"a search parameter of the {self.name!r} index ({tunable})",
                ", ".join(fixed),
                "build another index with it",
            )
        other = copy.copy(self)
        other.params = {**self.params, **params}
        return other

    def save(self, folder: str | Path, *, column: str = "") -> Path:
        """Write the index; one already in ``folder`` is replaced in one step.

        Args:
            folder: made when missing.
            column: checksum of the file in which a store keeps the features: they are left out
                then, and `load` needs them again. By default they are written, too.

        Raises:
            StoreError: it cannot be written; the index before stays.
        """
        gallery = self._require_gallery()
        facts = {"backend": self.name, "metric": self.metric, "params": self.params}
        facts |= {"shape": list(gallery.base.shape)} | ({"column": column} if column else {})

        def fill(writer: ArtefactWriter) -> None:
            writer.add_array("norms", gallery.norms)
            writer.add_array("item_ids", gallery.item_ids)
            if gallery.view_items is not None:
                writer.add_array("view_items", gallery.view_items)
            if not column:
                writer.add_array("features", gallery.base)
            self._dump(writer)

        return write_artefact(Path(folder).expanduser(), INDEX_KIND, facts, fill)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        features: np.ndarray | None = None,
        column: str = "",
        verify: bool = False,
    ) -> Self:
        """Open a saved index of this backend with its features memory mapped.

        Args:
            folder: where it was saved.
            features: (v, dim) float32, for an index saved without them.
            column: checksum of the file they come from, compared with the index's.
            verify: read every file through to compare checksums.

        Raises:
            StoreError: nothing there. StoreMismatchError: another backend, version, or
                other features. StoreCorruptError: a file that is not as written.
        """
        reader = ArtefactReader(Path(folder).expanduser(), INDEX_KIND, verify=verify)
        if reader.facts.get("backend") != cls.name:
            raise StoreMismatchError(
                f"an index of backend {cls.name!r}",
                f"one of {reader.facts.get('backend')!r}",
                "use load_index",
            )
        return cls.from_files(reader, features=features, column=column)

    @classmethod
    def from_files(
        cls, reader: ArtefactReader, *, features: np.ndarray | None = None, column: str = ""
    ) -> Self:
        """The index whose files are open; errors as ``load``."""
        index = cls(metric=reader.facts["metric"], **reader.facts["params"])
        if column and reader.facts.get("column", column) != column:
            raise _other_features(f"one of others in {reader.folder}")
        index._read(reader, features)
        return index

    @property
    def item_ids(self) -> np.ndarray:
        """(n,) str, in the order of positions."""
        return self._require_gallery().item_ids

    @property
    def dim(self) -> int:
        """Length of one feature."""
        return self._require_gallery().dim

    def __len__(self) -> int:
        return 0 if self._gallery is None else len(self._gallery)

    def __repr__(self) -> str:
        facts = "".join(f", {name}={value!r}" for name, value in self.params.items())
        return f"<Index {self.name} metric={self.metric}{facts}: {len(self)} items>"

    # -- inside

    def _require_gallery(self) -> Gallery:
        if self._gallery is None:
            raise IndexNotFittedError(
                "an index that holds features", "one that is empty", "call fit or load first"
            )
        return self._gallery

    def _read(self, reader: ArtefactReader, features: np.ndarray | None) -> None:
        gallery = _read_gallery(reader, features)
        self._structure, self._gallery = self._restore(reader, gallery), gallery

    def _mask_allowed(self, where: np.ndarray | None) -> np.ndarray | None:
        return self._require_gallery().mask_slots(where)

    def _answer(
        self,
        queries: np.ndarray,
        lengths: np.ndarray,
        k: int,
        allowed: np.ndarray | None,
        excluded: Pairs,
    ) -> Neighbours:
        enough = self._require_gallery().count_enough_views(k)
        pairs = self._candidates(queries, enough, allowed, excluded)
        return rank(self._require_gallery(), queries, lengths, k, pairs, self.metric)


def _join_neighbours(answers: list[Neighbours]) -> Neighbours:
    parts = ("positions", "distances", "item_ids", "views")
    return Neighbours(*(np.concatenate([getattr(one, part) for one in answers]) for part in parts))


def _read_gallery(reader: ArtefactReader, features: np.ndarray | None) -> Gallery:
    if "features.npy" in reader:
        base = reader.array("features", mapped=True)
    elif features is None:
        raise StoreMismatchError(
            "the features this index was built on",
            "an index that was saved without them",
            "open it through its store: load_index(folder, features=store.vectors)",
        )
    else:
        base = checks.vectors(features, "features")
    if list(base.shape) != reader.facts["shape"]:
        raise _other_features(f"others, shape {base.shape}")
    norms, ids = reader.array("norms"), reader.array("item_ids")
    owners = reader.array("view_items") if "view_items.npy" in reader else None
    if len(norms) != len(base) or len(ids if owners is None else owners) != len(base):
        raise StoreCorruptError(
            "index arrays of matching length", f"{len(norms)} norms, {len(ids)} ids", "rebuild it"
        )
    return Gallery(base, norms, ids, owners)


def _other_features(received: str) -> StoreMismatchError:
    return StoreMismatchError(
        "an index of the store's own vectors", received, "build it again: fashify index"
    )
