"""``fashify evaluate`` and ``fashify compare``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path, table
from fashify.cli.judging_photos import (
    AnswersOption,
    PeopleOption,
    PhotosOption,
    judge_photos,
    load_photos_named,
)
from fashify.cli.judging_texts import TextsOption, judge_texts

#: Levels judged where none is named, of those the catalogue has labels for.
LEVELS = ("article_type", "sub_category", "base_colour", "gender", "usage")

LevelOption = Annotated[
    list[str] | None,
    typer.Option(help=f"Level to judge by, may be repeated; default: {', '.join(LEVELS)}."),
]
KOption = Annotated[int, typer.Option("-k", "--k", help="Places a precision looks at.")]
SplitOption = Annotated[
    str, typer.Option(help="Products asked: test, validation, train or all; the gallery is whole.")
]
QueriesOption = Annotated[
    int | None, typer.Option(help="How many of them, drawn by --seed; default: every one.")
]
SeedOption = Annotated[int, typer.Option(help="Of the draw of queries and of the intervals.")]


def evaluate(
    store: StoreOption = None,
    k: KOption = 5,
    level: LevelOption = None,
    split: SplitOption = "test",
    queries: TextsOption = None,
    index: Annotated[str, typer.Option(help="Search backend to judge.")] = "exact",
    metric: Annotated[str, typer.Option(help="cosine or euclidean.")] = "cosine",
    raw: Annotated[
        bool,
        typer.Option("--raw/--no-raw", help="Judge raw features beside a head's."),
    ] = True,
    photos: PhotosOption = None,
    people: PeopleOption = "all",
    photo_labels: AnswersOption = None,
    intervals: Annotated[
        bool, typer.Option("--intervals/--no-intervals", help="Of photos: 95 % by people.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option(help="Also write every query's result, for fashify compare.")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Judge a store's neighbours: do they share the query's category?

    Each figure comes with its 95 % interval, and twice: as found, and with the query's copies
    and variants left out of its answer. With --photos people's photos are the queries,
    with --queries FILE the texts of a table.
    """
    from fashify.evaluation import EvaluationRun, compare_runs
    from fashify.store import FeatureStore

    if queries is not None and not queries.isdigit():
        judge_texts(store, queries, split=split, as_json=as_json)
        return
    if photos is not None:
        asked = load_photos_named(photos, people, photo_labels)
        judge_photos(store, asked, k=k, raw=raw, intervals=intervals, seed=seed, as_json=as_json)
        return
    opened = FeatureStore.load(store_path(store))
    kinds = _list_vectors(opened, all_of_them=raw)
    drawn = None if queries is None else int(queries)
    options = {"k": k, "split": split, "n_queries": drawn, "index": index, "metric": metric}
    found = {
        name: _judge(opened, level, vectors=vectors, seed=seed, **options)
        for name, vectors in kinds.items()
    }
    runs = {name: EvaluationRun.from_reports(reports, name) for name, reports in found.items()}
    plain, *others = runs
    gains = {
        f"{name} against {plain}": compare_runs(runs[plain], runs[name], seed=seed)
        for name in others
    }
    if out is not None:
        list(runs.values())[-1].save(out)
    answer = {
        "store": str(opened.path),
        "groups": opened.group_basis,
        "vectors": {
            name: {one: report.to_dict() for one, report in reports.items()}
            for name, reports in found.items()
        },
        "gains": {name: gain.to_dict("records") for name, gain in gains.items()},
    }
    emit(answer, as_json, _describe_evaluation(found, gains, opened.group_basis, named=level))


def compare(
    first: Annotated[str, typer.Argument(help="Store, or what evaluate --out wrote.")],
    second: Annotated[str, typer.Argument(help="Another one of the same catalogue.")],
    k: KOption = 5,
    level: LevelOption = None,
    split: SplitOption = "test",
    queries: QueriesOption = None,
    measure: Annotated[
        str, typer.Option(help="precision, hit_rate, map, map_at_r or ndcg.")
    ] = "precision",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Is the second better than the first? The same queries, compared in pairs.

    Gives the gain with its 95 % interval and a two-sided p-value, both by groups of copies and
    variants. A store is judged here, by what its index serves; a file is taken as it is.
    """
    from fashify.evaluation import EvaluationRun, compare_runs
    from fashify.store import FeatureStore

    options = {"k": k, "split": split, "n_queries": queries, "seed": seed}
    runs = []
    for name in (first, second):
        if name.endswith(".npz"):
            runs.append(EvaluationRun.load(name))
            continue
        opened = FeatureStore.load(store_path(Path(name)))
        runs.append(EvaluationRun.from_reports(_judge(opened, level, **options), name))
    found = compare_runs(*runs, measure=measure, seed=seed)
    answer = {"first": first, "second": second, "measure": measure, "k": runs[0].facts["k"]}
    heading = f"{measure}@{answer['k']}" if measure in ("precision", "hit_rate") else measure
    lines = [f"{heading}: {second} against {first}", "", *_tabulate_gains(found)]
    emit(answer | {"levels": found.to_dict("records")}, as_json, lines)


def _judge(store: Any, levels: list[str] | None, **options: Any) -> Mapping[str, Any]:
    from fashify.evaluation import evaluate_levels

    found = evaluate_levels(store, levels=levels or None, **options)
    return found if levels else {level: found[level] for level in LEVELS if level in found}


def _list_vectors(store: Any, *, all_of_them: bool) -> dict[str, str]:
    """The vectors judged, by the names that ``evaluate_levels`` gives them."""
    if store.head is None:
        return {"raw": "raw" if all_of_them else "served"}
    return ({"raw": "raw"} if all_of_them else {}) | {"head": "served"}


def _describe_evaluation(
    found: Mapping[str, Mapping], gains: Mapping, basis: str, named: list[str] | None
) -> Iterator[str]:
    """The lines of an evaluation: as found, excluding its group, and each against raw."""
    first = next(iter(next(iter(found.values())).values()))
    asked = "all products" if first.facts["split"] == "all" else f"{first.facts['split']} split"
    yield (
        f"{asked}: {first.n_asked:,} queries against {first.n_gallery:,} products in "
        f"{first.facts['n_groups']:,} groups ({basis})"
    )
    yield "95 % intervals in brackets, by groups; macro over categories of more than k products"
    yield from (
        "",
        *_tabulate_reports(found, excluding_group=False),
        "",
        "copies and variants left out:",
        "",
    )
    yield from _tabulate_reports(found, excluding_group=True)
    yield from ("", *_tabulate_standard(found))
    for name, gain in gains.items():
        yield from ("", f"{name}:", "", *_tabulate_gains(gain))
    if named and len(named) == 1:
        report = list(found.values())[-1][named[0]]
        rows = [(row.category, row.n, f"{row.precision:.3f}") for row in report.table.itertuples()]
        header = (named[0], "n", f"precision@{report.k}")
        yield from ("", report.summary, "", *table(rows[:12], header))


def _tabulate_reports(found: Mapping[str, Mapping], *, excluding_group: bool) -> list[str]:
    first = next(iter(found.values()))
    reports = [
        (level, name, reports[level].excluding_group if excluding_group else reports[level])
        for level in first
        for name, reports in found.items()
    ]
    rows = [
        (level, name, f"{one.n_judged:,}", one.format_mean("micro"), one.format_mean("macro"))
        + (one.n_counted, *(f"{one.micro[m]:.3f}" for m in ("chance", "map_at_r", "ndcg")))
        for level, name, one in reports
        if one is not None
    ]
    any_ = next(iter(first.values()))
    header = ("level", "vectors", "queries", f"P@{any_.k} micro", f"P@{any_.k} macro")
    return table(rows, (*header, "categories", "chance", "MAP@R", f"nDCG@{any_.depth}"))


def _tabulate_standard(found: Mapping[str, Mapping]) -> list[str]:
    """What other projects publish, of the first level: one row a measure."""
    level = next(iter(next(iter(found.values()))))
    tables = [reports[level].standard for reports in found.values()]
    rows = [
        (first.measure, f"{first.n_queries:,}")
        + tuple(f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]" for row in (first, *others))
        for first, *others in zip(*(one.itertuples() for one in tables), strict=True)
    ]
    return table(rows, (f"as others measure, {level}", "queries", *found))


def _tabulate_gains(found: Any) -> list[str]:
    rows = [
        (row.level, row.view, row.mean, f"{row.queries:,}", f"{row.first:.3f}")
        + (f"{row.second:.3f}", f"{row.gain:+.3f} [{row.low:+.3f}, {row.high:+.3f}]")
        + (f"{row.p:.4f}",)
        for row in found.itertuples()
    ]
    return table(rows, ("level", "view", "mean", "queries", "first", "second", "gain", "p"))
