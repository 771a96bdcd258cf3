"""``fashify bench``: how fast this machine embeds and searches; the full set is in benchmarks/."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from fashify.cli import bench_search
from fashify.cli.console import Commands, JsonOption, emit, table
from fashify.config import SEED

app = typer.Typer(cls=Commands, help="Measure speed on this machine.", no_args_is_help=True)
app.command(name="search")(bench_search.search)


@app.command()
def extraction(
    backbone: Annotated[str, typer.Option(help="Network, see fashify info.")] = "auto",
    weights: Annotated[str, typer.Option(help="imagenet, random or a file.")] = "imagenet",
    engine: Annotated[str, typer.Option(help="Inference engine.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or int8.")] = "auto",
    batch_size: Annotated[int, typer.Option(help="Pictures a call.", min=1)] = 32,
    images: Annotated[int, typer.Option(help="How many pictures to time.", min=1)] = 256,
    as_json: JsonOption = False,
) -> None:
    """Images a second through a backbone, preparation included, after a warm-up."""
    import numpy as np

    from fashify.backbones import load_backbone
    from fashify.features import Embedder

    embedder = Embedder(
        load_backbone(backbone, weights=weights),
        engine=engine,
        precision=precision,
        batch_size=batch_size,
    )
    drawn = np.random.default_rng(SEED).integers(0, 256, (batch_size, 320, 240, 3), np.uint8)
    pictures = [drawn[n % batch_size] for n in range(images)]
    embedder.embed_images(pictures[:batch_size])
    seconds = _timed(lambda: embedder.embed_images(pictures))
    answer = {
        "backbone": embedder.spec.name,
        "engine": dict(embedder.engine.fingerprint),
        "batch_size": batch_size,
        "images": images,
        "seconds": round(seconds, 4),
        "images_per_second": round(images / seconds, 1),
    }
    emit(answer, as_json, _lines(answer))


def _timed(action: Any) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _lines(answer: dict[str, Any]) -> list[str]:
    return table([(name, value) for name, value in answer.items()], ("measure", "value"))
