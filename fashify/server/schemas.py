"""What the API takes and gives, as its description shows it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Most matches of one search.
MAX_MATCHES = 100

Where = str | dict[str, Any] | None

IMAGE_HELP = "A data: URL, or an http(s) URL where allowed."
WHERE_HELP = 'A filter over the catalogue\'s columns, such as "price < 20 and brand = Acme".'


COLLAPSE_HELP = 'With "variants" products differing in colour alone, or copies, are one match.'


class SearchQuery(BaseModel):
    """A query of one part or several: what a text names replaces that part of the image."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "red dress for women", "k": 5},
                {"item_id": "15970", "k": 3, "where": "base_colour = Black"},
                {"image": "data:image/jpeg;base64,...", "text": "in black"},
            ]
        },
    )

    image: str | None = Field(default=None, description=IMAGE_HELP)
    text: str | None = Field(default=None, max_length=1000, description="What is wanted, in words.")
    item_id: str | None = Field(default=None, description="A product of the catalogue.")
    k: int = Field(default=5, ge=1, le=MAX_MATCHES, description="How many matches.")
    where: Where = Field(default=None, description=WHERE_HELP)
    weights: dict[str, float] | None = Field(default=None, description="How much each part counts.")
    liked: list[str] = Field(default=[], max_length=50, description="Products to be nearer to.")
    disliked: list[str] = Field(default=[], max_length=50, description="Products to avoid.")
    as_it_is: bool = Field(
        default=False, description="Neither cut the image out of a frame or screen nor turn it."
    )
    variety: float = Field(default=0, ge=0, le=1, description="0 for the nearest, 1 for variety.")
    collapse: Literal["variants"] | None = Field(default=None, description=COLLAPSE_HELP)


class ExplainQuery(BaseModel):
    """A picture, or a product, and the match whose likeness is to be explained."""

    model_config = ConfigDict(extra="forbid")

    image: str | None = Field(default=None, description=IMAGE_HELP)
    item_id: str | None = Field(default=None, description="A product of the catalogue.")
    match: str = Field(description="The product it is compared with.")


class MatchAnswer(BaseModel):
    """One match, with all that the catalogue says of its product."""

    rank: int
    item_id: str
    distance: float = Field(description="Smaller is closer.")
    picture: str = Field(description="Where its picture is served.")
    facts: dict[str, Any] = Field(description="Every column of the catalogue.")
    parts: dict[str, float] = Field(description="The distance by shape, colour ...")
    probability: float | None = Field(description="That it is of the type that was looked for.")
    strength: str = Field(description="That in words.")
    variants: list[str] = Field(default=[], description="Products that are one with it.")


class SearchAnswer(BaseModel):
    """The matches, the best first."""

    matches: list[MatchAnswer]
    n_products: int = Field(description="In the catalogue; k is cut to it.")
    milliseconds: float


class GarmentAnswer(BaseModel):
    """One garment of a picture and the products most like it."""

    box: list[float] = Field(description="Its top, left, bottom and right, 0 to 1.")
    turn: int = Field(description="Degrees it was turned anticlockwise.")
    matches: list[MatchAnswer]


class Product(BaseModel):
    """One product of the catalogue."""

    item_id: str
    picture: str
    facts: dict[str, Any]


class Explained(BaseModel):
    """Where a likeness lies: each map is rows of places, and each sums to ``cosine``."""

    cosine: float
    query: list[list[float]]
    match: list[list[float]]


class ValueRange(BaseModel):
    """The ends of a column of numbers."""

    low: float
    high: float
    step: float
    unit: str = ""


class Facets(BaseModel):
    """What a search can be narrowed by."""

    values: dict[str, dict[str, int]] = Field(description="{column: {value: products}}")
    ranges: dict[str, ValueRange] = Field(description="Columns of numbers.")
    columns: dict[str, str] = Field(description="Every column and what it holds.")


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    expected: str
    received: str
    fix: str
