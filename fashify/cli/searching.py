"""``fashify search`` and ``fashify evaluate``."""

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
    from fashify.images import load_image
    from fashify.retrieval import Retriever

    picture = load_image(image)
    matches = Retriever.open(store_path(store)).by_image(picture, k, where=where)
    columns = ("rank", "distance", "item_id", "name", "article_type", "base_colour")
    rows = [
        (m.rank, f"{m.distance:.4f}", m.item_id, m.name, m.article_type, m.base_colour)
        for m in matches
    ]
    emit([match.to_dict() for match in matches], as_json, table(rows, columns))


def evaluate(
    store: StoreOption = None,
    k: Annotated[int, typer.Option("-k", "--k", help="Places a precision looks at.")] = 5,
    level: Annotated[str, typer.Option(help="Category level to judge by.")] = "article_type",
    index: Annotated[str, typer.Option(help="Search backend to judge.")] = "exact",
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    queries: Annotated[
        int | None, typer.Option(help="How many items to search with; default: see --help.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw of queries.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Judge a store's neighbours: do they share the query's category?

    A gallery of up to 10,000 items is searched with every one of them, a larger one with
    4,000 drawn at random, unless --queries says otherwise.
    """
    from fashify.evaluation import evaluate as judge
    from fashify.store import FeatureStore

    report = judge(
        FeatureStore.load(store_path(store)),
        index=index,
        metric=metric,
        k=k,
        level=level,
        n_queries=queries,
        seed=seed,
        progress=not as_json,
    )
    header = (level, "n", f"precision@{k}")
    rows = [
        (row.category, row.n, f"{row.precision:.3f}") for row in report.table.head(12).itertuples()
    ]
    emit(report.to_dict(), as_json, [report.summary, "", *table(rows, header)])
