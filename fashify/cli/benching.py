"""``fashify bench``: how fast this machine embeds and searches; the full set is in benchmarks/."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fashify.cli import bench_search
from fashify.cli.console import Commands, JsonOption, emit, table

app = typer.Typer(cls=Commands, help="Measure speed on this machine.", no_args_is_help=True)
app.command(name="search")(bench_search.search)


@app.command()
def extraction(
    catalogue: Annotated[
        str, typer.Option(help="Pictures to embed: as for build, a catalogue.")
    ] = "sample",
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="Network, see fashify info; or FILE.onnx. Several take turns."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="imagenet, random or a file; default: the network's own.")
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Compare only this one, e.g. 'openvino int8'; may be given again."),
    ] = None,
    images: Annotated[int, typer.Option(help="How many pictures are drawn.", min=16)] = 256,
    rounds: Annotated[int, typer.Option(help="Turns of each contender.", min=1)] = 5,
    processes: Annotated[
        bool,
        typer.Option(help="A process for each contender, to know its memory; without, quicker."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Every engine against one predict per picture: speed, memory, fidelity, taking turns."""
    from fashify.bench.contenders import ENGINES
    from fashify.bench.extraction import compare_engines

    measured = compare_engines(
        catalogue,
        backbone=backbone or "auto",
        weights=weights,
        engines=engine or ENGINES,
        images=images,
        rounds=rounds,
        processes=processes,
        progress=not as_json,
    )
    emit(measured, as_json, _describe_engines(measured))


#: Columns of the table: key of a record, and what stands above it.
_COLUMNS = {
    "name": "",
    "forward": "network img/s",
    "ratio_forward": "ratio",
    "of_matmul_limit": "of limit",
    "from_files": "from files img/s",
    "ratio_from_files": "ratio",
    "from_files_of_forward": "of network",
    "peak_mb": "peak MiB",
    "least_cosine": "least cosine",
    "top5_agreement": "top-5",
}


def _describe_engines(measured: dict[str, Any]) -> list[str]:
    """The answer for people: what was measured on what, then a row per contender."""
    machine = measured["processor"]
    columns = [key for key in _COLUMNS if measured["contenders"][0][key] is not None]
    rows = [[record[key] for key in columns] for record in measured["contenders"]]
    return [
        f"{machine['name']}, {machine['cores']} cores; it has {_join(machine['instructions'])}, "
        f"and lacks {_join(machine['lacking'])}",
        f"{measured['images']} pictures of {measured['catalogue']}, median of "
        f"{measured['rounds']} rounds; matrix product {measured['matmul_gflops']} GFLOP/s",
        *(
            f"{one['backbone']} ({one['weights']}): {one['gflops_per_image']} GFLOP a picture, "
            f"limit {one['matmul_limit']} img/s; auto takes {one['fastest_faithful']}"
            for one in measured["networks"]
        ),
        "",
        *table(rows, [_COLUMNS[key] for key in columns]),
        *(f"left out: {one['name']}: {one['reason']}" for one in measured["left_out"]),
    ]


def _join(names: list[str]) -> str:
    return " ".join(names) or "none of those that matter"
