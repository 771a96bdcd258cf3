"""A training run that was stopped: everything needed to go on at the very step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fashify.errors import ConfigError, StoreCorruptError
from fashify.io.artefact import write_file

_STATE, _NOTE = "state.safetensors", "run.json"


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        step: steps done.
        seconds: time they took, over all sittings.
        losses: mean of each loss, one entry per epoch.
        validation: figures on held-out products and photos, one entry per epoch.
        sums: sum of each loss over the steps of an epoch that has not ended.
    """

    step: int = 0
    seconds: float = 0.0
    losses: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, losses: Mapping[str, Any]) -> None:
        """Counts the losses of one step."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def end_epoch(self, steps: int) -> dict[str, float]:
        """The mean of each loss over an epoch of so many steps, which is kept and begun anew."""
        means = {name: round(value / steps, 4) for name, value in self.sums.items()}
        self.losses.append(means)
        self.sums = {}
        return means


def open_run(folder: Path, facts: Mapping[str, Any]) -> Progress:
    """The run that was stopped in ``folder``, or a new one.

    Args:
        folder: kept while a run is not finished.
        facts: plan, data and backend; a stopped run must have the same.

    Raises:
        ConfigError: a stopped run of another plan lies there.
        StoreCorruptError: it cannot be read.
    """
    wanted = json.loads(json.dumps(facts, sort_keys=True))
    note = folder / _NOTE
    if not note.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _write(note, wanted, Progress())
        return Progress()
    try:
        found = json.loads(note.read_text("utf-8"))
        progress = Progress(**found["progress"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken_error(folder, error) from error
    if found["facts"] != wanted:
        raise ConfigError(
            "a stopped run of this plan and this data",
            f"one in {folder} that differs in {_difference(found['facts'], wanted)}",
            "go on with its own options, name another --out, or start anew with --restart",
        )
    return progress


def save_run(
    folder: Path, facts: Mapping[str, Any], progress: Progress, variables: Mapping[str, np.ndarray]
) -> None:
    """Writes the state, then the note that names it: whole or as before."""
    # Not ascontiguousarray, which gives a single number a dimension.
    whole = {name: np.require(array, requirements="C") for name, array in variables.items()}
    metadata = {"step": str(progress.step)}
    write_file(folder / _STATE, lambda beside: save_file(whole, beside, metadata=metadata))
    _write(folder / _NOTE, facts, progress)


def load_state(folder: Path) -> dict[str, np.ndarray]:
    """The variables that ``save_run`` wrote."""
    try:
        return load_file(folder / _STATE)
    except (OSError, SafetensorError) as error:
        raise _broken_error(folder, error) from error


def _write(note: Path, facts: Mapping[str, Any], progress: Progress) -> None:
    beside = note.with_name(f".{note.name}")
    text = json.dumps({"facts": facts, "progress": vars(progress)}, indent=1, sort_keys=True)
    beside.write_text(text, "utf-8")
    beside.replace(note)


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """The names of what is not the same, one level deep."""
    names = []
    for name in sorted({*found, *wanted}):
        one, other = found.get(name), wanted.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            inner = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
            names += [f"{name}.{key}" for key in inner]
        else:
            names.append(name)
    return ", ".join(names)


def _broken_error(folder: Path, error: Exception) -> StoreCorruptError:
    return StoreCorruptError(
        "a stopped run that can be read", f"{folder}: {error}", "start anew with --restart"
    )
