"""``fashify audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, emit, store_path, table


def audit(
    catalogue: Annotated[
        str, typer.Option(help="Folder, zip or url of a catalogue, or the word sample or kaggle.")
    ] = "sample",
    store: Annotated[
        Path | None, typer.Option(help="A store instead: it has all that is read of pictures.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV to write: each product with its group and split.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look for copies, look-alikes, variants, contradicting labels and gaps."""
    from fashify.catalogue import load_catalogue
    from fashify.evaluation.audit import audit as look
    from fashify.store import FeatureStore

    source = load_catalogue(catalogue) if store is None else FeatureStore.load(store_path(store))
    found = look(source, progress=not as_json)
    if out is not None:
        found.to_csv(out)
    kinds = [
        (one.kind, f"{one.groups:,}", f"{one.products:,}", f"{one.share:.1%}", one.largest)
        for one in found.kinds.itertuples()
    ]
    noise = [
        (
            one.level,
            f"{one.groups:,}",
            f"{one.disagree:,}",
            _format_rate(one.noise, one.low, one.high),
        )
        for one in found.noise[found.noise["kind"] == "equal files"].itertuples()
    ]
    odd = [(one.what, f"{one.n:,}") for one in found.gaps.itertuples() if one.n]
    text = [
        *table(kinds, ("joined by", "groups", "products", "share", "largest")),
        "",
        *table(noise, ("level", "groups of copies", "disagree", "labels wrong, at the least")),
        "",
        *table(odd, ("missing or odd", "products")),
    ]
    emit(found.to_dict(), as_json, text)


def _format_rate(noise: float, low: float, high: float) -> str:
    if noise != noise:
        return "no copies to tell from"
    return f"{noise:.1%}" + ("" if low != low else f" [{low:.1%}, {high:.1%}]")
