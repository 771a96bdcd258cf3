"""Fetching the public catalogue and the photo set from Kaggle, for users who are online."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from fashify.errors import CatalogueError

HANDLE = "paramaggarwal/fashion-product-images-small"
PHOTOS = "agrigorev/clothing-dataset-full"
PROBE_SECONDS = 4.0

logger = logging.getLogger(__name__)


def fetch_kaggle() -> Path:
    """Downloads the catalogue once into kagglehub's cache; needs no credentials.

    Raises:
        CatalogueError: Kaggle cannot be reached or refuses.
    """
    return _fetch(HANDLE, "pass the zip as --catalogue")


def fetch_photos() -> Path:
    """Downloads the Clothing dataset (phone photos of garments, CC0 1.0) likewise."""
    return _fetch(PHOTOS, "pass the zip as --photos")


def _fetch(handle: str, use: str) -> Path:
    import kagglehub
    from kagglehub.config import DEFAULT_KAGGLE_API_ENDPOINT

    if not _is_reachable(os.environ.get("KAGGLE_API_ENDPOINT") or DEFAULT_KAGGLE_API_ENDPOINT):
        raise _offline_error(f"no connection to it within {PROBE_SECONDS:g} s", handle, use)
    try:
        folder = Path(kagglehub.dataset_download(handle))
    except Exception as error:  # kagglehub raises requests', its own and OS errors alike.
        received = f"an error ({' '.join(str(error).split())[:160]})"
        raise _offline_error(received, handle, use) from error
    logger.info("%s at %s", handle, folder)
    return folder


def _is_reachable(url: str) -> bool:
    """Checks the port first, or its proxy's: kagglehub itself would retry for minutes."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        address = (parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443))
        with socket.create_connection(address, timeout=PROBE_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _offline_error(received: str, handle: str, use: str) -> CatalogueError:
    return CatalogueError(
        "Kaggle within reach",
        received,
        f"go online, or download {handle} by hand and {use}",
    )
