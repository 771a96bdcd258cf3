"""The audit itself: which products are copies, look-alikes or variants, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue
from fashify.catalogue.groups import SPLITS, group_ids, split_by_group, variant_keys
from fashify.catalogue.likeness import SIZE, THRESHOLD, look_alikes
from fashify.config import SEED
from fashify.evaluation.audit.facts import count_gaps, find_gaps, read_pictures
from fashify.evaluation.audit.noise import estimate_label_noise
from fashify.io.plain import format_count, to_plain
from fashify.store import FeatureStore

#: What joins two products, from the surest to the loosest.
KINDS = ("equal files", "look-alikes", "variants", "groups")


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found in a catalogue.

    Attributes:
        items: one row per product: ``item_id``; ``copy, look, variant``, keys that are equal for
            products of equal files, of pictures that look alike, of one name and type ("" for
            one that has none such); ``group`` as ``catalogue.groups.group_ids`` numbers them by
            all three, ``group_size``, and ``split``.
        kinds: one row each of ``KINDS``: ``kind``, ``groups`` of two or more, ``products`` in
            them, their ``share`` of all, and the ``largest``.
        noise: ``estimate_label_noise`` of each kind but the last, with a column ``kind``. Of equal
            a difference is an error; look-alikes may be two shades, variants two colours.
        gaps: what is missing or odd, as ``fashify.evaluation.audit.find_gaps``.
        facts: of the images, as ``fashify.evaluation.audit.read_image_facts``.
    """

    items: pd.DataFrame
    kinds: pd.DataFrame
    noise: pd.DataFrame
    gaps: pd.DataFrame
    facts: pd.DataFrame

    @property
    def splits(self) -> pd.DataFrame:
        """One row per split: ``split, products, groups, share``."""
        by = self.items.groupby("split")["group"].agg(["size", "nunique"]).reindex(SPLITS)
        by = by.fillna(0).astype(int).rename(columns={"size": "products", "nunique": "groups"})
        by["share"] = by["products"] / max(1, len(self.items))
        return by.reset_index()

    @property
    def describe_noise(self) -> str:
        """A sentence about the level whose labels contradict each other most."""
        equal = self.noise[(self.noise["kind"] == "equal files") & (self.noise["groups"] > 0)]
        if not len(equal):
            return "No two products share a file, so nothing tells how many labels are wrong."
        worst = equal.loc[equal["noise"].idxmax()]
        if not worst["disagree"]:
            groups = format_count(worst["groups"], "group")
            return f"In {groups} of equal files no two products disagree about a label."
        return (
            f"Of {worst['groups']:,} groups of equal files {worst['disagree']:,} disagree about "
            f"their {worst['level'].replace('_', ' ')}, so at least {worst['noise']:.1%} of those "
            "labels are wrong; no other level has more."
        )

    def conclusions(self) -> list[str]:
        """What was found, as sentences."""
        kinds = self.kinds.set_index("kind")
        counts, n = {kind: int(kinds.loc[kind, "products"]) for kind in KINDS}, len(self.items)
        largest = max(1, int(kinds.loc["groups", "largest"]))
        return [
            f"{counts['groups']:,} of {n:,} products ({counts['groups'] / max(1, n):.1%}) have a "
            "copy, a look-alike or a variant.",
            f"{counts['equal files']:,} share their file, {counts['look-alikes']:,} look alike at "
            f"a threshold of {THRESHOLD}, {counts['variants']:,} share name and type.",
            f"The largest group has {format_count(largest, 'product')}.",
            self.describe_noise,
        ]

    def largest(self, kind: str = "groups", n: int = 10, seed: int | None = None) -> list[list]:
        """Item ids of the n largest groups of a kind, or of n drawn ones where a seed is given."""
        column = {"equal files": "copy", "look-alikes": "look", "variants": "variant"}
        keys = self.items[column.get(kind, "group")]
        sizes = keys[keys != ""].value_counts()
        names = sizes[sizes > 1].rename_axis("key").reset_index()
        names = names.sort_values(["count", "key"], ascending=[False, True])["key"]
        if seed is not None:
            names = names.sample(min(n, len(names)), random_state=seed)
        return [self.items.loc[keys == name, "item_id"].tolist() for name in names.head(n)]

    def to_dict(self) -> dict:
        """Everything but the single products, as plain JSON values."""
        tables = {"kinds": self.kinds, "noise": self.noise, "gaps": self.gaps}
        tables |= {"splits": self.splits}
        return to_plain({name: table.to_dict("records") for name, table in tables.items()})

    def to_csv(self, path: str | Path) -> None:
        """Writes ``items``, one line per product; errors as ``open``."""
        self.items.to_csv(path, index=False, lineterminator="\n")


def audit(source: Catalogue | FeatureStore, *, seed: int = SEED, progress: bool = False) -> Audit:
    """Reads every picture of a catalogue once; of a store none, for it holds all that is asked.

    Args:
        source: n products. Those of a catalogue that have no image join others by name alone;
            a store has only products with one, and tells the others from its quarantine.
        seed: of the intervals of the label noise.
        progress: show progress bars.

    >>> from fashify import load_catalogue
    >>> from fashify.evaluation.audit import audit
    >>> found = audit(load_catalogue("sample").sample(24))
    >>> len(found.items)
    24
    """
    if isinstance(source, FeatureStore):
        seen = _see_store(source)
    else:
        seen = _see_catalogue(source, progress)
    table = seen.table
    keys = {
        "equal files": _keep_shared(_short_checksums(table, seen.facts)),
        "look-alikes": look_alikes(seen.signatures),
        "variants": _keep_shared(variant_keys(table)),
    }
    groups = seen.groups
    noise = [
        estimate_label_noise(table, key, seed=seed).assign(kind=kind) for kind, key in keys.items()
    ]
    sizes = pd.Series(groups).groupby(groups).transform("size").to_numpy()
    items = pd.DataFrame({"item_id": table["item_id"]})
    items = items.assign(copy=keys["equal files"], look=keys["look-alikes"])
    items = items.assign(variant=keys["variants"], group=groups, group_size=sizes)
    items["split"] = split_by_group(groups)
    kinds = [_summarise_kind(kind, key) for kind, key in keys.items()]
    kinds.append(_summarise_kind("groups", _keep_shared(groups.astype(str).astype(object))))
    noisy = pd.concat(noise, ignore_index=True)
    return Audit(items, pd.DataFrame(kinds), noisy, seen.gaps, seen.facts)


@dataclass(frozen=True)
class _Seen:
    """What an audit works on: n products and what is known of their pictures.

    Attributes:
        table: the products. facts: of their pictures, with ``item_id``.
        signatures: (n, 16, 12, 3) uint8 of their first views, zeros where there is none.
        gaps: see ``Audit``. groups: (n,) int64, by all views.
    """

    table: pd.DataFrame
    facts: pd.DataFrame
    signatures: np.ndarray
    gaps: pd.DataFrame
    groups: np.ndarray


def _see_catalogue(catalogue: Catalogue, progress: bool) -> _Seen:
    facts, signatures = read_pictures(catalogue, progress=progress)
    owners = facts["item_id"].map(catalogue.position).to_numpy(np.int64)
    groups = group_ids(catalogue.table, facts["sha256"].to_numpy(), look_alikes(signatures), owners)
    items, first = np.unique(owners, return_index=True)
    small = np.zeros((len(catalogue), *SIZE, 3), np.uint8)
    small[items] = signatures[first]
    return _Seen(catalogue.table, facts, small, find_gaps(catalogue, facts), groups)


def _see_store(store: FeatureStore) -> _Seen:
    first = store.first_views
    facts = store.facts.iloc[first].reset_index(drop=True)
    facts.insert(0, "item_id", store.item_ids)
    signatures = store.signatures
    small = np.zeros((len(store), *SIZE, 3), np.uint8) if signatures is None else signatures[first]
    missing = {"no image, or an unreadable one": len(store.quarantine)}
    gaps = count_gaps(store.items, facts, missing)
    return _Seen(store.items, facts, small, gaps, store.groups)


def picture_rows(
    catalogue: Catalogue, groups: Sequence[Sequence[str]], *, level: str, width: int = 7
) -> list[tuple[str, list[tuple[np.ndarray, str]]]]:
    """Groups as ``fashify.plots.picture_rows`` draws them: (words, [(image, caption)]).

    Args:
        catalogue: where the pictures are.
        groups: item ids, such as ``Audit.largest`` gives them; those without image are left out.
        level: whose label stands below each picture.
        width: pictures per group at most.
    """
    rows = []
    for group in groups:
        facts = [catalogue.facts(item_id) for item_id in group]
        shown = [one for one in facts if one["has_image"]][:width]
        names = pd.Series([one["name"] for one in facts]).value_counts()
        more = f" (one of {len(names)} names)" if len(names) > 1 else ""
        words = f"{len(group)} products: {names.index[0]}{more}"
        pictures = [(catalogue.image(one["item_id"]), one[level] or "no label") for one in shown]
        rows.append((words, pictures))
    return rows


def _short_checksums(table: pd.DataFrame, facts: pd.DataFrame) -> np.ndarray:
    sums = facts.drop_duplicates("item_id").set_index("item_id")["sha256"].str[:16]
    return sums.reindex(table["item_id"]).fillna("").to_numpy(dtype=object)


def _keep_shared(keys: np.ndarray) -> np.ndarray:
    """``keys`` with "" where nobody else has the same."""
    sizes = pd.Series(keys).groupby(keys).transform("size").to_numpy()
    return np.where(sizes > 1, keys, "")


def _summarise_kind(kind: str, keys: np.ndarray) -> dict:
    sizes = pd.Series(keys[keys != ""]).value_counts()
    n = int(sizes.sum())
    share, largest = n / max(1, len(keys)), int(sizes.max()) if len(sizes) else 0
    return {"kind": kind, "groups": len(sizes), "products": n, "share": share, "largest": largest}
