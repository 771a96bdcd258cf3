"""Fixtures every test may use; what needs the real catalogue skips where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


# One worker a core: threads of their own would only take turns with those of the other workers.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{library}_THREADS", "1")

# Stores and compiled networks are kept between runs, apart from the user's own.
os.environ.setdefault("FASHIFY_CACHE", str(ROOT / ".pytest_cache" / "fashify"))


def _shared(name: str) -> Path:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the shared file {name} is not beside this checkout")
    return path


@pytest.fixture(scope="session")
def kaggle_zip() -> Path:
    """The real catalogue: 44,446 rows, 44,441 images."""
    return _shared("data/fashion-product-images-small.zip")


@pytest.fixture(scope="session")
def reference_features() -> Path:
    """Pooled features of the original EfficientNet-Lite networks for six images."""
    return _shared("data/efficientnet_lite_reference.npz")


@pytest.fixture(scope="session")
def lite_reference() -> Path:
    """Twelve pictures and the features that the trained ``fashify-lite`` gave for them."""
    return _shared("photo_network/reference.npz")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The sample's eight photos as files."""
    from fashify.data import read_photos

    folder = tmp_path_factory.mktemp("photos")
    for name, data in read_photos().items():
        (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def photo(photos: list[Path]) -> Path:
    """The first of the sample's photos: a T-shirt on bed linen."""
    return photos[0]


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the drawn sample catalogue with its index: 600 products."""
    from fashify import extract_features, load_catalogue

    out = tmp_path_factory.mktemp("sample") / "store"
    extract_features(
        load_catalogue("sample"), "efficientnet-lite0", out, index="exact", progress=False
    )
    return out
