"""``fashify finetune`` and ``fashify learn``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path
from fashify.cli.head_lines import describe_head, format_head
from fashify.errors import ConfigError

PicturesOption = Annotated[
    str | None, typer.Option(help="Where the pictures are; default: as the store was built.")
]


def finetune(
    store: StoreOption = None,
    out: Annotated[
        Path, typer.Option(help="Weights file to write, ending in .safetensors.")
    ] = Path("data/tuned.safetensors"),
    catalogue: PicturesOption = None,
    backbone: Annotated[str, typer.Option(help="An EfficientNet-Lite.")] = "efficientnet-lite0",
    epochs: Annotated[int, typer.Option(help="Passes over the training split.", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Of views, order and initial weights.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Tune the last blocks of a network on a labelled catalogue; an interrupted run goes on.

    The file is then used with: fashify build --backbone efficientnet-lite0 --weights FILE
    """
    from fashify.catalogue import load_catalogue
    from fashify.learning import collect_material
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
        collect_material(opened),
        out,
        base=backbone,
        plan=Plan(epochs=epochs),
        seed=seed,
        progress=not as_json,
    )
    answer = {"weights": str(out), "backbone": backbone}
    text = f"tuned: {out}; use it with fashify build --backbone {backbone} --weights {out}"
    emit(answer, as_json, [text])


def learn(
    store: StoreOption = None,
    head: Annotated[
        str,
        typer.Option(help="auto, none (nothing trained), raw, pca, lda, softmax or proxy-anchor."),
    ] = "auto",
    index: Annotated[str, typer.Option(help="Search backend, see fashify info.")] = "exact",
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a head on a store's own features and labels, and serve the store through it."""
    from fashify.learning import learn

    taught = learn(store_path(store), method=head, index=index, seed=seed)
    emit(describe_head(taught), as_json, [f"{len(taught):,} products; {format_head(taught)}"])
