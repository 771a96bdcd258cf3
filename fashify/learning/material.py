"""What there is to learn from: a store's features, its labels, and a split by group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fashify.config import LEVELS
from fashify.heads.head import unit_length
from fashify.store import FeatureStore

#: The level that the colour part learns; the category part learns the others.
COLOUR_LEVEL = "base_colour"

#: Items a class needs in the training split before anything can be learned of it.
LEAST_ITEMS = 2


@dataclass(frozen=True)
class ComposedViews:
    """Composed views of m pictures: cut out and set on backdrops, as a user's photos of them.

    Attributes:
        rows: (m,) positions of the pictures.
        split: (m,) ``train`` or ``validation``.
        inputs: as of ``Material``, of the views.
    """

    rows: np.ndarray
    split: np.ndarray
    inputs: dict[str, np.ndarray]

    def select(self, kept: np.ndarray) -> ComposedViews:
        """Some of them, by a mask (m,)."""
        inputs = {name: values[kept] for name, values in self.inputs.items()}
        return ComposedViews(self.rows[kept], self.split[kept], inputs)


@dataclass(frozen=True)
class Material:
    """Inputs and labels of v pictures.

    Attributes:
        inputs: ``deep`` (v, dim) and ``colour`` (v, c), float32 at unit length, and ``raw``, the
            features as they are; colour and raw may be absent.
        labels: level -> (v,) object array of str, "" where missing.
        split: (v,) of ``train``, ``validation``, ``test``.
        groups: (v,) int64, what the split keeps together.
        basis: what the groups go by, in words.
        view_items: (v,) int64, ascending: whose picture each is; one per item by default.
        views: composed views of some pictures, to learn from and to judge by; or ``None``.
        more: inputs of further pictures, after those of ``inputs``; see ``with_views``.
    """

    inputs: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    split: np.ndarray
    groups: np.ndarray
    basis: str = ""
    view_items: np.ndarray | None = None
    views: ComposedViews | None = None
    more: dict[str, np.ndarray] | None = None

    @property
    def owners(self) -> np.ndarray:
        """(v,) int64: the position of each picture's item."""
        return np.arange(len(self.split)) if self.view_items is None else self.view_items

    def rows(self, part: str) -> np.ndarray:
        """Positions of the items of one split."""
        return np.flatnonzero(self.split == part)

    def take(self, names: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
        """The named inputs of ascending rows side by side, (r, sum of their lengths)."""
        n = int(np.searchsorted(rows, len(self.inputs[names[0]])))
        widths = [self.inputs[name].shape[1] for name in names]
        taken = np.empty((len(rows), sum(widths)), np.float32)
        for name, end, width in zip(names, np.cumsum(widths), widths, strict=True):
            columns = slice(end - width, end)
            taken[:n, columns] = self.inputs[name][rows[:n]]
            if n < len(rows):
                assert self.more is not None
                taken[n:, columns] = self.more[name][rows[n:] - len(self.inputs[name])]
        return taken

    def codes(self, level: str) -> tuple[np.ndarray, int]:
        """(n,) int64 class of each item, -1 where missing or unseen in training; how many."""
        labels = self.labels[level]
        train = labels[self.rows("train")]
        names, counts = np.unique(train[train != ""].astype(str), return_counts=True)
        known = {name: code for code, name in enumerate(names[counts >= LEAST_ITEMS])}
        return np.array([known.get(label, -1) for label in labels], np.int64), len(known)

    def find_teachable(self) -> tuple[str, ...]:
        """Levels with at least two classes of ``LEAST_ITEMS`` in the training split."""
        return tuple(level for level in self.labels if self.codes(level)[1] >= 2)

    def without(self, left_out: np.ndarray) -> Material:
        """The same with some items (a mask) taken out of training, to measure transfer."""
        views = self.views
        if views is not None:
            views = views.select(~left_out[views.rows])
        split = np.where(left_out & (self.split == "train"), "out", self.split)
        return replace(self, split=split, views=views)

    def first_rows(self, part: str) -> np.ndarray:
        """Position of the first picture of each item of one split."""
        first = np.unique(self.owners, return_index=True)[1]
        return first[self.split[first] == part]

    def with_views(self) -> Material:
        """The pictures and after them their views as further ones: same labels and split."""
        views = self.views
        if views is None:
            return self
        return Material(
            self.inputs,
            {level: np.append(v, v[views.rows]) for level, v in self.labels.items()},
            np.append(self.split, views.split),
            np.append(self.groups, self.groups[views.rows]),
            self.basis,
            np.append(self.owners, self.owners[views.rows]),
            more=views.inputs,
        )


def collect_material(store: FeatureStore) -> Material:
    """The material in a store, by its own split: nothing tested on is trained on."""
    inputs = {"deep": unit_length(store.features)}
    if store.colour is not None:
        inputs["colour"] = unit_length(store.colour)
    inputs["raw"] = store.features
    owners = store.view_items
    labels = {level: store.labels(level)[owners] for level in LEVELS if level in store.items}
    split, groups = store.split[owners], store.groups[owners]
    return Material(inputs, labels, split, groups, store.group_basis, owners)
