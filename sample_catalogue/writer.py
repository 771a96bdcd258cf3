"""The drawn catalogue in a folder: styles.csv, images and photo queries; whole or absent."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from fashify.errors import StorageError

from .drawing import picture
from .plan import COLUMNS, Product, planned
from .scenes import QUERY_COLUMNS, photo_queries

#: JPEG quality of products and of photos: what fits into 6 MB.
QUALITY, PHOTO_QUALITY = 90, 68
_WORTH_A_PROCESS = 60


def write_sample(folder: str | os.PathLike, *, n: int = 600, seed: int = 0) -> Path:
    """Draw a catalogue of ``n`` products into ``folder``: styles.csv and images/<id>.jpg.

    The same ``n`` and ``seed`` give the same bytes. The folder appears only when complete.

    Args:
        folder: a folder that does not exist yet, or is empty.
        n: number of products, 8 to 5000.
        seed: 0 or more; another seed is another shop.

    Returns:
        The folder.

    Raises:
        ConfigError: n or seed out of range.
        StorageError: the folder holds something, or cannot be written.
    """
    products = planned(n, seed)

    def fill(beside: Path) -> None:
        (beside / "images").mkdir()
        _write_table(beside / "styles.csv", COLUMNS, (product.row for product in products))
        _draw_all(beside / "images", products, n, seed)

    return _whole_or_absent(Path(folder).expanduser(), fill)


def write_photo_queries(folder: str | os.PathLike, *, seed: int = 0) -> list[Path]:
    """Draw eight phone-like photos of products of the sample with this seed, and queries.csv.

    queries.csv names for each photo its ``file``, the ``item_id`` of the product in it and
    its ``article_type``. The products are part of every sample of 600 items or more.

    Returns:
        The eight picture files.

    Raises:
        ConfigError: seed out of range.
        StorageError: the folder holds something, or cannot be written.
    """
    queries = photo_queries(planned(600, seed), seed)

    def fill(beside: Path) -> None:
        _write_table(beside / "queries.csv", QUERY_COLUMNS, (query.row for query in queries))
        for query in queries:
            save_picture(beside / query.row["file"], query.photo(), PHOTO_QUALITY)

    home = _whole_or_absent(Path(folder).expanduser(), fill)
    return [home / query.row["file"] for query in queries]


def _whole_or_absent(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Let ``fill`` write into a fresh folder beside, and rename it when it is complete."""
    _check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        beside.chmod(0o755)
        fill(beside)
        # Renaming onto an empty folder is allowed, onto a filled one it fails: no clash.
        os.replace(beside, folder)
    except OSError as error:
        raise error if isinstance(error, StorageError) else _unwritable(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _check_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(
            "a new or empty folder", f"{folder}, which holds something", "name another folder"
        )


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        "a folder that can be written", f"{folder}: {error.strerror or error}",
        "check the path, its permissions and the space left",
    )  # fmt: skip


def _write_table(path: Path, columns: Iterable[str], rows: Iterable[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(columns), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def draw_share(folder: Path, products: list[Product], share: int, of: int) -> None:
    """Draw every ``of``-th product, starting at ``share``, into the folder."""
    for product in products[share::of]:
        save_picture(folder / f"{product.item_id}.jpg", picture(product))


def save_picture(path: Path, pixels: np.ndarray, quality: int = QUALITY) -> None:
    """Write (h, w, 3) uint8 pixels as JPEG."""
    path.write_bytes(encode_picture(pixels, quality))


def encode_picture(pixels: np.ndarray, quality: int = QUALITY) -> bytes:
    """(h, w, 3) uint8 pixels as a progressive JPEG: the pixels of a baseline one, fewer bytes."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality, optimize=True, progressive=True)
    return data.getvalue()


def _draw_all(folder: Path, products: list[Product], n: int, seed: int) -> None:
    """Draw with every processor; each picture depends on its own seed only."""
    count = min(os.cpu_count() or 1, 8, 1 + n // _WORTH_A_PROCESS)
    # Fresh interpreters, not forks: a fork of a process with TensorFlow threads can hang.
    helpers = [
        subprocess.Popen(
            [sys.executable, "-m", "sample_catalogue.share", str(folder), str(n), str(seed), str(share), str(count)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stderr=subprocess.PIPE,
            text=True,
        )
        for share in range(1, count)
    ]  # fmt: skip
    try:
        draw_share(folder, products, 0, count)
        for helper in helpers:
            _, complaint = helper.communicate()
            if helper.returncode:
                raise StorageError(
                    "a drawing process that ends well", (complaint.strip().splitlines() or ["no word"])[-1],
                    "try again, or draw fewer products",
                )  # fmt: skip
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()
