"""``fashify photos``, and what ``fashify evaluate --photos`` does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashify.cli.console import JsonOption, emit, store_path, table

if TYPE_CHECKING:
    from fashify.evaluation.photos import PhotoReport, PhotoSet

PhotosOption = Annotated[
    str | None,
    typer.Option(help="Photo set to ask with: folder or zip, sample, or clothing (fetched)."),
]
PeopleOption = Annotated[
    str,
    typer.Option(help="Of a photo set: validation (people 0, 5, 10 ...), train (others) or all."),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(help="Table label, article_types of a photo set that has none of its own."),
]

CalibrationOption = Annotated[
    str | None,
    typer.Option(
        "--photos",
        help="Photo set whose training people tell what a photo's distance says; default: "
        "composed photos of the catalogue's products.",
    ),
]


def photos(
    source: Annotated[
        str, typer.Argument(help="clothing: fetch the public set; or a set to look into.")
    ] = "clothing",
    photo_labels: AnswersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch the public Clothing dataset (phone photos, CC0 1.0), or say what a photo set holds."""
    found = load_photos_named(source, "all", photo_labels)
    counts = found.table["label"].value_counts()
    rows = [
        (label, count, "; ".join(found.answers[label]) or "nothing", label in found.counted)
        for label, count in counts.items()
    ]
    answer = {"photos": len(found), "people": found.people, "answers": found.basis}
    answer |= {"source": found.storage.url, "labels": counts.to_dict()}
    lines = [
        f"{found.storage.url}: {len(found):,} photos of {found.people} people",
        f"answers: {found.basis}",
        "",
        *table(rows, ("label", "photos", "answered by", "counted")),
    ]
    emit(answer, as_json, lines)


def load_photos_named(source: str, people: str, labels: Path | None) -> PhotoSet:
    """The photos of the people asked for."""
    from fashify.catalogue.photos import load_photos

    return load_photos(source, labels=labels).part(people)


def load_calibration(source: str | None, labels: Path | None) -> PhotoSet | None:
    """The photos of a set's training people, of all where the set has no others."""
    from fashify.catalogue.photos import load_photos
    from fashify.errors import CatalogueError

    if source is None:
        return None
    found = load_photos(source, labels=labels)
    try:
        return found.part("train")
    except CatalogueError:
        return found


def judge_photos(
    store: Path | None,
    asked: PhotoSet,
    *,
    k: int,
    raw: bool,
    intervals: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Prints how a store answers the photos, raw features and what it serves side by side."""
    from fashify.evaluation.photos import evaluate_photos
    from fashify.retrieval.retriever import Retriever

    retriever = Retriever.open(store_path(store))
    opened = retriever.store
    kinds = ["served"] if opened.head is None or not raw else ["raw", "served"]
    reports = {
        kind: evaluate_photos(
            opened,
            asked,
            k=k,
            vectors=kind,
            retriever=retriever,
            intervals=intervals,
            seed=seed,
            progress=not as_json,
        )
        for kind in kinds
    }
    answer: dict[str, Any] = {"store": str(opened.path)}
    answer["vectors"] = {kind: report.to_dict() for kind, report in reports.items()}
    emit(answer, as_json, _lines(reports))


def _lines(reports: dict[str, PhotoReport]) -> list[str]:
    last = list(reports.values())[-1]
    rows = [
        (kind, one.n_judged, one.mean_text("micro"), one.mean_text("macro"))
        + (one.mean_text("micro", "hit_1"), f"{one.macro['chance']:.3f}")
        for kind, one in reports.items()
    ]
    header = (f"P@{last.k} micro", f"P@{last.k} macro", "first right", "chance macro")
    by_label = [
        (row.label, row.n, row.people, *(_by_label(one, row.label) for one in reports.values()))
        + (f"{row.chance:.3f}", "" if row.counted else "not in the means")
        for row in last.table.itertuples()
    ]
    wrong = [
        (row.label, row.article_type, row.count, f"{row.share:.3f}")
        for row in last.confusions(10).itertuples()
    ]
    worst = [
        (row.image, row.label, row.person, f"{row.precision:.1f}")
        for row in last.worst(5).itertuples()
    ]
    return [
        last.summary,
        "",
        *table(rows, ("vectors", "photos", *header)),
        "",
        *table(by_label, ("label", "photos", "people", *reports, "chance", "")),
        "",
        *table(wrong, ("photo of", "wrongly shown", "count", "share")),
        "",
        *table(worst, ("worst", "label", "person", f"P@{last.k}")),
    ]


def _by_label(report: PhotoReport, label: str) -> str:
    found = report.table.set_index("label").loc[label]
    return f"{found['precision']:.3f}"
