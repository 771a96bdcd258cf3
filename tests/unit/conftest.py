"""The toy catalogue as fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy import write_toy

from fashify.catalogue import Catalogue, load_catalogue


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The toy catalogue's folder, in Kaggle's layout."""
    return write_toy(tmp_path / "toy")


@pytest.fixture
def toy_catalogue(toy: Path) -> Catalogue:
    return load_catalogue(toy)
