"""``fashify search``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path, table


def search(
    image: Annotated[str | None, typer.Argument(help="Picture to search with.")] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text", "-t", help='In words: "red floral dress", or beside a picture "in black".'
        ),
    ] = None,
    store: StoreOption = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many matches.")] = 5,
    where: Annotated[
        str | None, typer.Option(help='Filter, for example "gender = Women and base_colour = Red".')
    ] = None,
    item: Annotated[
        str | None, typer.Option("--item", help="item_id of a product to search with.")
    ] = None,
    collapse: Annotated[
        str | None,
        typer.Option(help='"variants": products that differ in colour alone are shown as one.'),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the products most like a picture, or that answer a text, or both."""
    from fashify.io.images import load_image
    from fashify.retrieval.retriever import Retriever

    if image is None and text is None and item is None:
        raise typer.BadParameter("name a picture, --text or --item")
    picture = None if image is None else load_image(image)
    retriever = Retriever.open(store_path(store))
    matches = retriever.search(picture, text, item, k, where=where, collapse=collapse)
    columns = ("rank", "distance", "item_id", "name", "article_type", "base_colour")
    rows = [
        (m.rank, f"{m.distance:.4f}", m.item_id, m.name, m.article_type, m.base_colour)
        for m in matches
    ]
    said = [] if text is None else describe_meaning(retriever.wording.understand(text))
    emit([match.to_dict() for match in matches], as_json, [*said, *table(rows, columns)])


def describe_meaning(meaning: Any) -> list[str]:
    """A line of what was understood of a text, and a line for what was not."""
    terms = ", ".join(
        f"{'not ' if term.excluded else ''}{term.name} ({term.kind})"
        for term in meaning.terms
        if term.said not in meaning.unknown
    )
    lines = [f"understood: {terms}"]
    if meaning.corrections:
        pairs = ", ".join(f"{said} as {taken}" for said, taken in meaning.corrections.items())
        lines.append(f"read {pairs}")
    if meaning.unknown:
        lines.append(f"nothing here answers: {', '.join(meaning.unknown)}")
    return [*lines, ""]
