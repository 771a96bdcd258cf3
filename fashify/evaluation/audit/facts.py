"""What is odd about a catalogue: its images' sizes and copies, and the gaps in its table."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.catalogue import Catalogue
from fashify.catalogue.likeness import SIZE, make_signature
from fashify.config import LEVELS, SEED
from fashify.errors import FashifyError
from fashify.io.images import ImageFacts, load_image, read_facts
from fashify.io.plain import format_count

#: Of a product whose picture cannot be read at all.
_UNREADABLE = ImageFacts(0, 0, "unreadable", "", 0, "")


def read_image_facts(catalogue: Catalogue, *, progress: bool = False) -> pd.DataFrame:
    """Header and checksum of every image, read without decoding its pixels.

    Args:
        catalogue: n products; those without an image are left out.
        progress: show a progress bar.

    Returns:
        One row per image: ``item_id, width, height`` (pixels), ``mode`` and ``format`` as
        stored, ``bytes`` (size of the file) and ``sha256``. Where the header cannot be read,
        width and height are 0 and the mode is "unreadable".
    """
    item_ids = catalogue.table.loc[catalogue.table["has_image"], "item_id"]
    rows = tqdm(item_ids, "image headers", unit="image", disable=not progress)
    return _facts_table(item_ids, [_read_image_facts(catalogue, item_id) for item_id in rows])


def read_pictures(
    catalogue: Catalogue, *, progress: bool = False
) -> tuple[pd.DataFrame, np.ndarray]:
    """Facts and signature of every picture, each read once.

    Returns:
        the facts as :func:`read_image_facts` gives them, one row per view in the order of
        ``Catalogue.views``, and (v, 16, 12, 3) uint8, zeros for one that cannot be decoded.
    """

    def read(path: str) -> tuple[ImageFacts, np.ndarray]:
        facts, signature = _UNREADABLE, np.zeros((*SIZE, 3), np.uint8)
        try:
            data = catalogue.storage.read(path)
            facts = read_facts(data)
            signature = make_signature(load_image(data))
        except FashifyError:
            pass  # The facts say so.
        return facts, signature

    views = catalogue.views
    with ThreadPoolExecutor() as pool:
        found = pool.map(read, views["path"], chunksize=64)
        bar = tqdm(found, "pictures", len(views), unit="image", disable=not progress)
        facts, signatures = zip(*bar, strict=True) if len(views) else ((), ())
    table = _facts_table(views["item_id"], list(facts))
    return table, np.array(signatures, np.uint8).reshape(-1, *SIZE, 3)


def _facts_table(item_ids: pd.Series, rows: list[ImageFacts]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=ImageFacts._fields)
    table.insert(0, "item_id", item_ids.to_numpy(dtype=object))
    return table


def find_duplicate_images(facts: pd.DataFrame) -> pd.DataFrame:
    """The items whose image another item has too, byte for byte.

    Args:
        facts: as :func:`read_image_facts` gives them.

    Returns:
        ``group`` (0, 1, ...; the largest group first), ``item_id`` and ``copies``, how many
        items share the image.
    """
    readable = facts[facts["sha256"] != ""]
    copies = readable.groupby("sha256")["item_id"].transform("size")
    shared = readable.assign(copies=copies)[copies > 1]
    shared = shared.sort_values(["copies", "sha256", "item_id"], ascending=[False, True, True])
    shared["group"] = pd.factorize(shared["sha256"])[0]
    return shared[["group", "item_id", "copies"]].reset_index(drop=True)


def find_gaps(catalogue: Catalogue, facts: pd.DataFrame) -> pd.DataFrame:
    """What is missing or odd: ``what``, ``n`` rows of the table, ``of`` how many.

    Args:
        catalogue: the product table.
        facts: as :func:`read_image_facts` gives them, of the same catalogue.
    """
    missing = {
        "malformed row, repaired": len(catalogue.mended),
        "no image": int((~catalogue.table["has_image"]).sum()),
        "unreadable image": int((facts["mode"] == "unreadable").sum()),
    }
    return count_gaps(catalogue.table, facts, missing)


def count_gaps(
    table: pd.DataFrame, facts: pd.DataFrame, missing: Mapping[str, int]
) -> pd.DataFrame:
    """As :func:`find_gaps`, of a table without its catalogue.

    Args:
        table: the products.
        facts: as :func:`read_image_facts` gives them, of the same products.
        missing: what is known of rows and images that are missing or broken.
    """
    found = dict(missing)
    duplicates = find_duplicate_images(facts)
    found["further copy of another's image"] = len(duplicates) - duplicates["group"].nunique()
    found |= {f"no {level.replace('_', ' ')}": int((table[level] == "").sum()) for level in LEVELS}
    found["no year"] = int(table["year"].isna().sum())
    found["no name"] = int((table["name"] == "").sum())
    return pd.DataFrame({"what": list(found), "n": list(found.values()), "of": len(table)})


def count_labels(catalogue: Catalogue) -> pd.DataFrame:
    """Each level's ``labels`` (different ones), ``missing``, ``largest`` and its ``share``."""
    rows = []
    for level in LEVELS:
        labels = pd.Series(catalogue.labels(level))
        sizes = labels[labels != ""].value_counts()
        largest = sizes.index[0] if len(sizes) else ""
        share = sizes.iloc[0] / len(labels) if len(sizes) else 0.0
        singles = int((sizes == 1).sum())
        rows.append((level, len(sizes), int((labels == "").sum()), singles, largest, share))
    columns = ["level", "labels", "missing", "used_once", "largest", "share"]
    return pd.DataFrame(rows, columns=columns)


def choose_examples(
    catalogue: Catalogue, level: str, *, labels: int, per_label: int, seed: int = SEED
) -> pd.DataFrame:
    """A few products of each of the most frequent labels, in the order of frequency.

    Args:
        catalogue: products; those without an image are left out.
        level: whose labels; where nothing has one, products are drawn from all.
        labels: how many of them.
        per_label: how many products of each, fewer where there are fewer.

    Returns:
        Rows of the catalogue's table.
    """
    table = catalogue.table[catalogue.table["has_image"]]
    labelled = table[table[level] != ""]
    if not len(labelled):
        return table.sample(min(labels * per_label, len(table)), random_state=seed)
    frequent = labelled[level].value_counts().index[:labels]
    shown = labelled[labelled[level].isin(frequent)].groupby(level, sort=False)
    return shown.sample(per_label, replace=True, random_state=seed).drop_duplicates("item_id")


def describe_labels(counts: pd.DataFrame, level: str = "article_type") -> str:
    """A level of ``count_labels`` in a sentence: how many labels, and which is the largest."""
    row = counts.set_index("level").loc[level]
    noun = level.replace("_", " ")
    if not row["labels"]:
        return f"No product has a label of {level}: which of them are of one kind is not known."
    share = f"{row['largest']} is the largest with {row['share']:.1%}"
    once = format_count(row["used_once"], "label")
    return f"{format_count(row['labels'], noun)}; {share}; used once: {once}."


def _read_image_facts(catalogue: Catalogue, item_id: str) -> ImageFacts:
    try:
        return read_facts(catalogue.image_bytes(item_id))
    except FashifyError:
        return _UNREADABLE
