"""``fashify bench search``: what each index costs and finds on a store's own vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path

if TYPE_CHECKING:
    from fashify.bench.search import Result


def search(
    store: StoreOption = None,
    part: Annotated[
        list[str] | None,
        typer.Option(help="store, growth or fashion-mnist; more than once for several."),
    ] = None,
    index: Annotated[
        list[str] | None,
        typer.Option(help="Search backend; more than once for several. Default: all installed."),
    ] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(help="Gallery size of the growth part; default: 10,000 to 1,000,000.", min=10),
    ] = None,
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    k: Annotated[int, typer.Option("-k", "--k", help="Neighbours a query.", min=1)] = 5,
    queries: Annotated[int, typer.Option(help="How many are asked.", min=1)] = 512,
    uri: Annotated[
        str | None, typer.Option(help="A Milvus server to measure; default: one in a file.")
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for the curves as PNG.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Sweep every index: recall against queries a second, and what each costs.

    Three parts, all of them unless --part says otherwise. store: the store's own vectors, two
    minutes for 44,000 products. growth: 10,000 to 1,000,000 vectors, real ones and then jittered
    copies, ten minutes. fashion-mnist: 60,000 pictures as in the public ann-benchmarks, where
    Debian's package dataset-fashion-mnist is installed, three minutes; it needs no store.
    """
    from fashify.bench import search as bench
    from fashify.store import FeatureStore

    asked = part or [one for one in bench.PARTS if _is_possible(one)]
    opened = FeatureStore.load(store_path(store)) if bench.needs_store(asked) else None
    result = bench.run(
        opened,
        parts=asked,
        metric=metric,
        k=k,
        backends=index or bench.BACKENDS,
        n_queries=queries,
        growth=size or bench.GROWTH,
        uri=uri,
        progress=True,
    )
    if part is None and len(asked) < len(bench.PARTS):
        note = "fashion-mnist left out: apt install dataset-fashion-mnist"
        result["skipped"] = [*result.get("skipped", []), note]
    drawn = [] if figures is None else _draw_figures(result, figures)
    emit(result, as_json, [result.to_text(), *drawn])


def _is_possible(part: str) -> bool:
    from fashify.bench.search import FASHION_MNIST

    return part != "fashion-mnist" or FASHION_MNIST.is_dir()


def _draw_figures(result: Result, folder: Path) -> list[str]:
    """The curves of every part that was measured, as files; their paths."""
    from fashify import plots
    from fashify.bench import search as bench

    pictures = {}
    for part in ("store", "fashion_mnist"):
        if part in result:
            trials, plain = bench.frame(result[part]), bench.reference_frame(result[part])
            pictures[f"{part}-recall-speed"] = plots.recall_speed(trials, reference=plain)
            pictures[f"{part}-costs"] = plots.index_costs(trials)
    if "growth" in result:
        pictures["growth"] = plots.growth(bench.curve(result["growth"]))
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png" for name in pictures]
    for path, picture in zip(paths, pictures.values(), strict=True):
        path.write_bytes(picture.png())
    return [str(path) for path in paths]
