"""``fashify search``."""

from __future__ import annotations

from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path, table


def search(
    image: Annotated[str, typer.Argument(help="Picture to search with.")],
    store: StoreOption = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many matches.")] = 5,
    where: Annotated[
        str | None, typer.Option(help='Filter, for example "gender = Women and base_colour = Red".')
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the products most like a picture."""
    from fashify.io.images import load_image
    from fashify.retrieval.retriever import Retriever

    picture = load_image(image)
    matches = Retriever.open(store_path(store)).by_image(picture, k, where=where)
    columns = ("rank", "distance", "item_id", "name", "article_type", "base_colour")
    rows = [
        (m.rank, f"{m.distance:.4f}", m.item_id, m.name, m.article_type, m.base_colour)
        for m in matches
    ]
    emit([match.to_dict() for match in matches], as_json, table(rows, columns))
