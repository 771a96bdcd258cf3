"""The API's paths: each reads its query, asks the service in a thread, and answers."""

from __future__ import annotations

from dataclasses import astuple
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile

from fashify.demo.service import DemoService
from fashify.demo.state import NOTHING
from fashify.demo.state import Query as ServiceQuery
from fashify.demo.uploads import read_picture
from fashify.errors import FashifyError, QueryError
from fashify.index.filters.filter import facet_counts
from fashify.io.images import encode_jpeg, thumbnail
from fashify.server.asking import (
    answer_match,
    answer_product,
    check_item,
    read_image,
    search,
    write_json,
)
from fashify.server.holding import StoreHolder
from fashify.server.problems import MEDIA_TYPE, ProblemError
from fashify.server.schemas import (
    MAX_MATCHES,
    WHERE_HELP,
    Explained,
    ExplainQuery,
    Facets,
    GarmentAnswer,
    ProblemDocument,
    Product,
    SearchAnswer,
    SearchQuery,
    ValueRange,
)

#: Longer side of a served picture, in pixels, at most and unless asked for.
MAX_SIDE, SIDE = 1024, 320

_PROBLEM = {"model": ProblemDocument, "content": {MEDIA_TYPE: {}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {**_PROBLEM, "description": "What was expected, what came, how to mend it."},
    "5XX": {**_PROBLEM, "description": "The server cannot answer now."},
}

K = Annotated[int, Query(ge=1, le=MAX_MATCHES, description="How many matches.")]
Where = Annotated[str | None, Query(description=WHERE_HELP, max_length=10_000)]


async def service_in_use(request: Request) -> DemoService:
    """The store that answers this request, to its end."""
    # Asynchronous, like the next: others cost a change of threads each.
    holder: StoreHolder = request.app.state.holder
    return holder.service


async def find_base(request: Request) -> str:
    """The path of the API as the client sees it, behind a proxy or below a prefix."""
    return str(request.scope.get("root_path", "")).rstrip("/")


Service = Annotated[DemoService, Depends(service_in_use)]
Base = Annotated[str, Depends(find_base)]

router = APIRouter(responses=PROBLEMS)


@router.post(
    "/search",
    response_model=SearchAnswer,
    summary="Search by picture, text, product, or several of them",
)
def search_parts(asked: SearchQuery, service: Service, base: Base) -> Response:
    """The products that answer best. The picture is a data: URL, or a URL where allowed."""
    return search(service, asked, read_image(service, asked.image), base)


@router.get("/search", response_model=SearchAnswer, summary="Search by text or product")
def search_words(
    service: Service,
    base: Base,
    text: Annotated[str | None, Query(max_length=1000)] = None,
    item_id: str | None = None,
    k: K = 5,
    where: Where = None,
) -> Response:
    """As the other, for a plain address."""
    asked = SearchQuery(text=text, item_id=item_id, k=k, where=where)
    return search(service, asked, None, base)


@router.post("/search/image", response_model=SearchAnswer, summary="Search by an uploaded picture")
def search_upload(
    service: Service,
    base: Base,
    image: Annotated[UploadFile, File(description="The picture, multipart/form-data.")],
    text: Annotated[str | None, Form(max_length=1000)] = None,
    k: Annotated[int, Form(ge=1, le=MAX_MATCHES)] = 5,
    where: Annotated[str | None, Form(description=WHERE_HELP, max_length=10_000)] = None,
) -> Response:
    """The products most like the picture; with a text, in what the text does not name."""
    picture = read_picture(image.file.read())
    return search(service, SearchQuery(text=text, k=k, where=where), picture, base)


@router.post(
    "/search/garments",
    response_model=list[GarmentAnswer],
    summary="Search by each garment of an uploaded picture",
)
def search_garments(
    service: Service,
    base: Base,
    image: Annotated[UploadFile, File(description="The picture, multipart/form-data.")],
    k: Annotated[int, Form(ge=1, le=MAX_MATCHES)] = 5,
    where: Annotated[str | None, Form(description=WHERE_HELP, max_length=10_000)] = None,
) -> Response:
    """A row of matches for each of two garments side by side, or of one alone a single row."""
    picture, most = read_picture(image.file.read()), min(k, len(service.store))
    found = service.retriever.by_garments(picture, most, where=where)
    rows = [
        {
            "box": astuple(reading.box),
            "turn": reading.turn,
            "matches": [answer_match(match, base) for match in matches],
        }
        for reading, matches in found
    ]
    return write_json(rows)


@router.get("/products/{item_id:path}/picture", response_class=Response, summary="Its picture")
def picture(
    item_id: str,
    service: Service,
    side: Annotated[int, Query(ge=16, le=MAX_SIDE, description="Longer side in pixels.")] = SIDE,
    view: Annotated[str, Query(description="Which picture of several, as a match says.")] = "",
) -> Response:
    """A product's picture as JPEG, no larger than it is in the catalogue."""
    check_item(service, item_id)
    try:
        pixels = service.retriever.picture(item_id, view)
    except FashifyError as error:
        raise ProblemError(404, error.expected, error.received, error.fix) from error
    data = encode_jpeg(thumbnail(pixels, side))
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})


@router.get(
    "/products/{item_id:path}/similar", response_model=SearchAnswer, summary="Products like it"
)
def similar(item_id: str, service: Service, base: Base, k: K = 5, where: Where = None) -> Response:
    """The products most like one of the catalogue, that one left out."""
    return search(service, SearchQuery(item_id=item_id, k=k, where=where), None, base)


@router.get("/products/{item_id:path}", summary="One product")
def product(item_id: str, service: Service, base: Base) -> Product:
    """Everything the catalogue says of a product."""
    return answer_product(service, item_id, base)


@router.get("/facets", summary="What a search can be narrowed by")
def facets(service: Service, where: Where = None) -> Facets:
    """How many products have each value, of all or of those that pass a filter."""
    kept = service.retriever.mask(where) if where else None
    counts = facet_counts(service.items, kept)
    own = service.own.count_values(NOTHING) if kept is None else service.own.count_among(kept)
    values = {name: {v: n for v, n in found.items() if v} for name, found in counts.items()}
    ranges = {
        name: ValueRange(low=one.low, high=one.high, step=one.step, unit=one.unit)
        for name, one in service.own.ranges.items()
    }
    columns = {name: one.kind for name, one in service.retriever.column_types.items()}
    return Facets(
        values={name: found for name, found in (values | own).items() if found},
        ranges=ranges,
        columns={name: kind for name, kind in columns.items() if name not in ("path", "has_image")},
    )


@router.get("/suggestions", summary="Texts that begin so and that products answer")
def suggestions(
    service: Service,
    text: Annotated[str, Query(max_length=200)],
    limit: Annotated[int, Query(ge=1, le=20)] = 8,
) -> list[str]:
    """For a search box: completions of the last word, the most answered first."""
    return service.retriever.wording.index.suggest(text, limit)


@router.post("/explain", summary="Where a likeness lies")
def explain(asked: ExplainQuery, service: Service) -> Explained:
    """The places of both pictures that make their likeness."""
    shown = read_image(service, asked.image)
    if (shown is None) == (asked.item_id is None):
        raise QueryError("either an image or an item_id", "both or none", "send one of them")
    check_item(service, asked.match)
    query = _query(service, shown, asked.item_id)
    found = service.explain(query, asked.match)
    return Explained(cosine=found.cosine, query=found.query.tolist(), match=found.match.tolist())


def _query(service: DemoService, picture: np.ndarray | None, item_id: str | None) -> ServiceQuery:
    if picture is not None:
        return ServiceQuery("photo", "a picture", picture=picture)
    check_item(service, str(item_id))
    return service.item_query(str(item_id))
