"""``fashify finetune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path
from fashify.errors import ConfigError


def finetune(
    store: StoreOption = None,
    out: Annotated[
        Path, typer.Option(help="Weights file to write, ending in .safetensors.")
    ] = Path("data/tuned.safetensors"),
    catalogue: Annotated[
        str | None, typer.Option(help="Where the pictures are; default: as the store was built.")
    ] = None,
    backbone: Annotated[str, typer.Option(help="An EfficientNet-Lite.")] = "efficientnet-lite0",
    epochs: Annotated[int, typer.Option(help="Passes over the training split.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Of views, order and initial weights.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Tune the last blocks of a network on a labelled catalogue; an interrupted run goes on.

    The file is then used with: fashify build --backbone efficientnet-lite0 --weights FILE
    """
    from fashify.catalogue import load_catalogue
    from fashify.learning import material_of
    from fashify.learning.finetune import Plan, finetune
    from fashify.store import FeatureStore

    if out.suffix != ".safetensors":
        raise ConfigError("--out ending in .safetensors", out.name, "rename it")
    opened = FeatureStore.load(store_path(store))
    facts = opened.meta["catalogue"]
    products = load_catalogue(
        catalogue or facts["source"], kind="auto" if catalogue else facts["kind"]
    )
    finetune(
        products,
        opened.item_ids,
        material_of(opened, products),
        out,
        base=backbone,
        plan=Plan(epochs=epochs),
        seed=seed,
        progress=not as_json,
    )
    answer = {"weights": str(out), "backbone": backbone}
    text = f"tuned: {out}; use it with fashify build --backbone {backbone} --weights {out}"
    emit(answer, as_json, [text])
