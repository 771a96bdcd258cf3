"""Paths and settings, read from the environment on demand; importing changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

#: Category levels, coarse to fine, then the attributes.
LEVELS = (
    "gender",
    "master_category",
    "sub_category",
    "article_type",
    "base_colour",
    "season",
    "usage",
)

#: Seed of everything drawn at random unless the caller says otherwise.
SEED = 0


def _environment(name: str, default: str) -> Path:
    try:
        return Path(os.environ.get(name, default)).expanduser()
    except RuntimeError:
        # A user without a name or a home, as in a container.
        raise FileNotFoundError(
            f"Expected a home folder, or {name}. Received neither. Fix: set {name}=/a/folder."
        ) from None


@dataclass(frozen=True)
class Settings:
    """Where things live. Every path can be set by an environment variable.

    Attributes:
        cache: generated or downloaded files that can be made again (``FASHIFY_CACHE``).
        data: the project's data folder (``FASHIFY_DATA``).
        reports: where reports are written (``FASHIFY_REPORTS``).
        store: the store used when none is named (``FASHIFY_STORE``).
    """

    cache: Path = field(
        default_factory=lambda: _environment(
            "FASHIFY_CACHE", os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "fashify")
        )
    )
    data: Path = field(default_factory=lambda: _environment("FASHIFY_DATA", "data"))
    reports: Path = field(default_factory=lambda: _environment("FASHIFY_REPORTS", "reports"))
    store: Path = field(
        default_factory=lambda: _environment(
            "FASHIFY_STORE", os.path.join(os.environ.get("FASHIFY_DATA", "data"), "store")
        )
    )


def as_place(path: Path) -> Path | str:
    """A path, or the url that was meant by it, as text: a path folds its slashes.

    >>> as_place(Path("s3://bucket/store"))
    's3://bucket/store'
    """
    scheme = path.parts[0] if path.parts else ""
    if scheme in ("s3:", "gs:", "az:"):
        return f"{scheme}//" + "/".join(path.parts[1:])
    return path.expanduser()


def settings() -> Settings:
    """The settings as the environment stands now."""
    return Settings()
