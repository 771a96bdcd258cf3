"""``fashify search``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path, table
from fashify.errors import QueryError

if TYPE_CHECKING:
    from fashify.retrieval.match import Match
    from fashify.retrieval.photo_way import PhotoReading


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
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="How much parts count, such as instance=1 for this very product, or "
            "category=0.6,colour=0.4; parts not named do not count."
        ),
    ] = None,
    garments: Annotated[
        bool, typer.Option("--garments", help="A row of matches for each garment of the picture.")
    ] = False,
    as_it_is: Annotated[
        bool,
        typer.Option("--as-it-is", help="Neither cut the picture out of a frame nor turn it."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the products most like a picture, or that answer a text, or both.

    A picture is cut out of its frame or screenshot, and turned upright where that finds products
    that are clearly nearer.
    """
    from fashify.io.images import load_image
    from fashify.retrieval.retriever import Retriever

    if image is None and text is None and item is None:
        raise typer.BadParameter("name a picture, --text or --item")
    picture, wanted = None if image is None else load_image(image), parse_weights(weights)
    retriever = Retriever.open(store_path(store))
    if garments:
        if picture is None or text is not None or item is not None:
            raise typer.BadParameter("--garments takes a picture alone")
        _emit_garments(retriever.by_garments(picture, k, where=where, weights=wanted), as_json)
        return
    reading = None if picture is None else retriever.read_photo(picture, as_it_is=as_it_is)
    options = {"where": where, "collapse": collapse, "weights": wanted}
    matches = retriever.search(reading, text, item, k, **options)
    said = [] if text is None else describe_meaning(retriever.wording.understand(text))
    said += [] if reading is None else describe_reading(reading)
    emit([match.to_dict() for match in matches], as_json, [*said, *_tabulate(matches)])


def _emit_garments(found: list[tuple[PhotoReading, list[Match]]], as_json: bool) -> None:
    lines = [line for n, one in enumerate(found, 1) for line in format_garment(n, *one)]
    emit([describe_garment(*one) for one in found], as_json, lines)


def parse_weights(given: list[str] | None) -> dict[str, float] | None:
    """``["instance=1,colour=0.5"]`` as weights of parts; None where nothing was given.

    Raises:
        QueryError: no number for a part.
    """
    if not given:
        return None
    found: dict[str, float] = {}
    for pair in ",".join(given).split(","):
        name, _, number = pair.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise QueryError(
                "weights such as instance=1,colour=0.5", repr(pair), "write PART=NUMBER"
            ) from None
    return found


def describe_reading(reading: PhotoReading) -> list[str]:
    """A line of what was done to the picture, where anything was."""
    box, done = reading.box, []
    if (box.top, box.left, box.bottom, box.right) != (0, 0, 1, 1):
        done.append(
            f"cut to {box.top:.0%} - {box.bottom:.0%} of its height and "
            f"{box.left:.0%} - {box.right:.0%} of its width"
        )
    if reading.turn:
        done.append(f"turned by {reading.turn} degrees anticlockwise")
    return [f"the picture was {' and '.join(done)}"] if done else []


def describe_garment(reading: PhotoReading, matches: list[Match]) -> dict[str, Any]:
    """One garment's region, turn and matches as JSON-ready values."""
    found = [match.to_dict() for match in matches]
    return {"box": asdict(reading.box), "turn": reading.turn, "matches": found}


def format_garment(number: int, reading: PhotoReading, matches: list[Match]) -> list[str]:
    """One garment's lines."""
    return [f"garment {number}", *describe_reading(reading), *_tabulate(matches), ""]


def _tabulate(matches: list[Match]) -> list[str]:
    facts = ("item_id", "name", "article_type", "base_colour")
    rows = [
        (m.rank, f"{m.distance:.4f}", _strength(m), *(getattr(m, name) for name in facts))
        for m in matches
    ]
    return table(rows, ("rank", "distance", "strength", *facts))


def _strength(match: Match) -> str:
    """How near a match is in words, and its probability where there is one."""
    if match.probability is None:
        return match.strength
    return f"{match.strength} ({100 * match.probability:.0f} %)"


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
