"""Fixtures every test may use; what needs the real catalogue skips where it is absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


# One worker a core: threads of their own would only take turns with those of the other workers.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{library}_THREADS", "1")

# Stores and compiled networks are kept between runs, apart from the user's own.
os.environ.setdefault("FASHIFY_CACHE", str(ROOT / ".pytest_cache" / "fashify"))


#: Files that take longest, longest first: begun late, one of them would keep a single worker busy
#: at the end. By `pytest --durations=0`, half a minute or more.
LONGEST = (
    "notebooks/test_run.py",
    "unit/test_wheel.py",
    "unit/test_storage_s3.py",
    "browser/test_demo.py",
    "browser/test_refine.py",
    "browser/test_words_page.py",
    "browser/test_access.py",
    "browser/test_tabs.py",
    "unit/test_cli.py",
    "contract/test_backbones_contract.py",
    "unit/test_learning.py",
    "unit/test_photo_heads.py",
    "unit/test_reports.py",
    "unit/test_train.py",
    "notebooks/03_knn_evaluation.ipynb",
    "unit/test_faults.py",
    "notebooks/05_catalogue_audit.ipynb",
    "unit/test_cluster.py",
    "unit/test_original.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {ROOT / name: rank for rank, name in enumerate(LONGEST)}
    ranks |= {ROOT / "tests" / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(LONGEST)))


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
def photo_folder() -> Path:
    """Phone photos of the Clothing dataset, by person."""
    return _shared("photos/clothing-photos.zip").parent


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
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``built_once(name, build)``: this worker's copy of a folder that one worker builds for all.

    ``build(folder)`` makes it; whoever comes later waits, and copies what is there.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def make(name: str, build: Callable[[Path], object]) -> Path:
        whole = shared / f"{name}.built"
        with FileLock(f"{whole}.lock"):
            if not whole.is_dir():
                build(shared / f"{name}.building")
                (shared / f"{name}.building").rename(whole)
        own = tmp_path_factory.mktemp(name) / "store"
        shutil.copytree(whole, own)
        return own

    return make


@pytest.fixture(scope="session")
def sample_store(built_once: Callable[..., Path]) -> Path:
    """A store of the drawn sample catalogue with its index: 600 products."""
    from fashify import extract_features, load_catalogue

    def build(folder: Path) -> None:
        extract_features(
            load_catalogue("sample"), "efficientnet-lite0", folder, index="exact", progress=False
        )

    return built_once("sample", build)


@pytest.fixture(scope="session")
def small_store(built_once: Callable[..., Path]) -> Path:
    """As ``sample_store``, 160 products: for work whose length goes by their number."""
    from fashify import extract_features, load_catalogue

    def build(folder: Path) -> None:
        part = load_catalogue("sample").sample(160, seed=0)
        options = {"engine": "openvino", "precision": "fp32", "index": "exact", "progress": False}
        extract_features(part, "efficientnet-lite0", folder, **options)

    return built_once("small", build)
