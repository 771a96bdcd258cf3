"""``fashify train`` and ``fashify learn``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, PicturesOption, StoreOption, emit, store_path
from fashify.cli.head_lines import describe_head, format_head
from fashify.cli.judging_photos import AnswersOption, CalibrationOption, load_calibration
from fashify.errors import ConfigError


def train(
    store: StoreOption = None,
    out: Annotated[
        Path, typer.Option(help="Weights file to write, ending in .safetensors.")
    ] = Path("data/trained.safetensors"),
    catalogue: PicturesOption = None,
    photos: Annotated[
        str | None, typer.Option(help="Photo set to train on too; see fashify photos.")
    ] = None,
    photo_labels: AnswersOption = None,
    people: Annotated[
        str, typer.Option(help="Whose photos: train, the others judge; or all.")
    ] = "train",
    size: Annotated[str, typer.Option(help="Input of the network, height x width.")] = "160x120",
    epochs: Annotated[int, typer.Option(help="Passes over the training split.", min=1)] = 24,
    batch: Annotated[
        int, typer.Option(help="Products a step; 512 on a GPU, some 64 on a processor.", min=4)
    ] = 512,
    freeze: Annotated[
        int, typer.Option(help="First layers left as they are, such as 60 of 146.", min=0)
    ] = 0,
    start: Annotated[
        Path | None, typer.Option(help="Weights of fashify train to begin with; else ImageNet's.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Throw a stopped run away.")] = False,
    stop_after: Annotated[
        int | None, typer.Option(help="Stop after so many steps; the same command goes on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a whole network on a labelled catalogue and people's photos; a stopped run goes on.

    Keras' backend may be tensorflow, jax or torch (KERAS_BACKEND). The file is then used with:
    fashify build --backbone fashify-lite --weights FILE
    """
    from fashify.catalogue import reopen_catalogue
    from fashify.catalogue.photos import load_photos
    from fashify.learning import collect_material
    from fashify.learning.recipe import TrainingPlan
    from fashify.learning.train import train_network
    from fashify.store import FeatureStore

    plan = TrainingPlan(
        input_size=_read_size(size), epochs=epochs, products=batch, frozen=freeze, seed=seed
    )
    asked = None if photos is None else load_photos(photos, labels=photo_labels)
    if out.suffix != ".safetensors":
        raise ConfigError("--out ending in .safetensors", out.name, "rename it")
    opened = FeatureStore.load(store_path(store))
    facts = opened.meta["catalogue"]
    products = reopen_catalogue(facts, catalogue)
    done = train_network(
        products,
        opened.item_ids,
        collect_material(opened),
        out,
        photos=asked,
        plan=plan,
        start=start,
        people=people,
        restart=restart,
        stop_after=stop_after,
        progress=not as_json,
    )
    use = f"fashify build --backbone fashify-lite --weights {out}"
    text = f"stopped after {stop_after} steps; the same command goes on"
    answer = {"weights": None if done is None else str(done), "backbone": "fashify-lite"}
    emit(answer, as_json, [text if done is None else f"trained: {done}; use it with {use}"])


def _read_size(text: str) -> tuple[int, int]:
    """``160x120`` as (height, width)."""
    sides = text.lower().replace(" ", "").split("x")
    if len(sides) != 2 or not all(side.isdecimal() for side in sides):
        raise ConfigError("--size HEIGHTxWIDTH in pixels", repr(text), "write 160x120")
    return int(sides[0]), int(sides[1])


def learn(
    store: StoreOption = None,
    head: Annotated[
        str,
        typer.Option(help="auto, none (nothing trained), raw, pca, lda, softmax or proxy-anchor."),
    ] = "auto",
    index: Annotated[str, typer.Option(help="Search backend, see fashify info.")] = "exact",
    seed: Annotated[int, typer.Option(help="Of everything drawn at random.")] = 0,
    photos: CalibrationOption = None,
    photo_labels: AnswersOption = None,
    text: Annotated[
        bool, typer.Option("--text", help="Instead train a text tower on the products' names.")
    ] = False,
    tower: Annotated[
        Path | None,
        typer.Option(help="With --text: your own FILE.onnx, tokenizer.json beside it, instead."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a head on a store's own features and labels, and serve the store through it."""
    from fashify.learning import learn_head

    if text:
        _learn_words(store, seed, tower, as_json)
        return
    if tower is not None:
        raise typer.BadParameter("--tower goes with --text")
    asked = load_calibration(photos, photo_labels)
    taught = learn_head(store_path(store), method=head, index=index, seed=seed, photos=asked)
    emit(describe_head(taught), as_json, [f"{len(taught):,} products; {format_head(taught)}"])


def _learn_words(store: Path | None, seed: int, file: Path | None, as_json: bool) -> None:
    from fashify.learning.tower import learn_words, name_tower

    if file is not None:
        named = name_tower(store_path(store), file)
        text = f"texts are read by {named.facts['file']}, {named.facts['dim']} numbers"
        emit(named.facts, as_json, [text])
        return
    tower = learn_words(store_path(store), seed=seed, progress=not as_json)
    answer = {"words": len(tower.words), **tower.facts}
    emit(answer, as_json, [f"{len(tower.words):,} words learned from {tower.facts['products']}"])
