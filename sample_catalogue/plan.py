"""Which products the sample holds: rows, designs, second photos and exact copies.

The k-th product of a type has its own seed, so it is the same in a small and in a large sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashify.errors import ConfigError

from .canvas import Shot
from .names import product_name
from .taxonomy import ARTICLES, LONE, Article, choices

#: The columns of styles.csv, in Kaggle's order.
COLUMNS = (
    "id", "gender", "masterCategory", "subCategory", "articleType", "baseColour", "season",
    "year", "usage", "productDisplayName",
)  # fmt: skip
SMALLEST, LARGEST = 8, 5000
_PER_TYPE = 1000
_MIRRORED = {"Footwear"}


@dataclass(frozen=True)
class Product:
    """One row of the sample with what is needed to draw its picture.

    ``design`` seeds the drawing and ``shot`` the framing: a second photo of a product shares
    the design, an exact copy shares both.
    """

    row: dict
    facts: dict
    design: tuple[int, int, int]
    shot: Shot
    exposure: float

    @property
    def item_id(self) -> str:
        """The id in the catalogue."""
        return self.row["id"]


def planned(n: int, seed: int) -> list[Product]:
    """The n products of the sample, in the order of styles.csv.

    Raises:
        ConfigError: n or seed out of range.
    """
    _check(n, seed)
    ids = np.random.default_rng([seed, 1]).permutation(50_000) + 10_000
    products = [
        _product(seed, index, k, int(ids[index * _PER_TYPE + k]))
        for index, count in enumerate(_counts(n))
        for k in range(count)
    ]
    order = np.random.default_rng([seed, 2]).permutation(len(products))
    return [products[i] for i in order]


def _check(n: int, seed: int) -> None:
    whole = isinstance(n, (int, np.integer)) and not isinstance(n, bool)
    if not whole or not SMALLEST <= n <= LARGEST:
        raise ConfigError(
            f"a whole number n of products from {SMALLEST} to {LARGEST}", repr(n),
            "pass n within that range, such as n=600",
        )  # fmt: skip
    check_seed(seed)


def check_seed(seed: int) -> None:
    """Raises ``ConfigError`` unless it is a whole number of 0 or more."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or seed < 0:
        raise ConfigError("a seed that is a whole number of 0 or more", repr(seed), "pass seed=0")


def _counts(n: int) -> list[int]:
    """How many of each type: by share, the lone type once, rounded to add up to n."""
    shares = np.array([article.share for article in ARTICLES])
    exact = shares / shares.sum() * (n - 1)
    counts = np.floor(exact).astype(int)
    # Every type twice where there is room: one item alone could have no relevant neighbour.
    if n >= 4 * len(ARTICLES):
        counts = np.maximum(counts, np.where(shares > 0, 2, 0))
    lone = [article.name for article in ARTICLES].index(LONE)
    counts[lone] = 1
    missing = n - int(counts.sum())
    for i in np.argsort(counts - exact, kind="stable")[: max(missing, 0)]:
        counts[i] += i != lone
    counts[0] += n - int(counts.sum())
    return counts.tolist()


def _product(seed: int, index: int, k: int, item_id: int) -> Product:
    article = ARTICLES[index]
    kind = _kind(seed, index, k)
    design = (seed, index, k - 1 if kind in ("photo", "copy") else k)
    facts, row = _facts(article, design)
    shot_of = k - 1 if kind == "copy" else k
    rng = np.random.default_rng([seed, index, shot_of, 3])
    again = kind == "photo"
    shot, exposure = _shot(rng, article, again)
    if kind == "copy" and k % 2:
        row = {**row, "season": "Fall" if row["season"] != "Fall" else "Summer"}
    return Product({"id": str(item_id), **row}, facts, design, shot, exposure)


def _kind(seed: int, index: int, k: int) -> str:
    """``new``, a second ``photo`` of product k - 1, or an exact ``copy`` of it."""

    def drawn(i: int) -> str:
        if index == 0 and i in (1, 3):
            return ("photo", "copy")[i // 2]
        value = np.random.default_rng([seed, index, i, 4]).random()
        return "photo" if value < 0.07 else "copy" if value < 0.085 else "new"

    # Only a new design is photographed twice; the chain is followed back to one.
    if k == 0 or drawn(k) == "new" or _kind(seed, index, k - 1) != "new":
        return "new"
    return drawn(k)


def _shot(rng: np.random.Generator, article: Article, again: bool) -> tuple[Shot, float]:
    wide = 2.5 if again else 1.0
    shot = Shot(
        zoom=float(rng.uniform(0.84, 1.04) if again else rng.uniform(0.95, 1.05)),
        dx=float(rng.normal(0, 1.5 * wide)),
        dy=float(rng.normal(0, 2.0 * wide)),
        angle=float(rng.normal(0, 0.5 * wide)),
        mirror=bool(again and article.master in _MIRRORED and rng.random() < 0.5),
    )
    return shot, float(rng.uniform(0.97, 1.02) if not again else rng.uniform(0.93, 1.06))


def _facts(article: Article, design: tuple[int, int, int]) -> tuple[dict, dict]:
    rng = np.random.default_rng([*design, 5])

    def choose(text: str) -> str:
        names, shares = choices(text)
        return names[rng.choice(len(names), p=shares)]

    facts = {
        "article_type": article.name,
        "gender": choose(article.genders),
        "colour": choose(article.colours),
        "pattern": choose(article.patterns),
        "usage": choose(article.usages),
    }
    name = product_name(rng, facts, article.brands, article.nouns)
    years, shares = (
        ("2010", "2011", "2012", "2013", "2015", "2016", "2017"),
        (2, 30, 36, 3, 7, 15, 7),
    )
    row = {
        "gender": facts["gender"],
        "masterCategory": article.master,
        "subCategory": article.sub,
        "articleType": article.name,
        "baseColour": facts["colour"],
        "season": choose(article.seasons),
        "year": years[rng.choice(len(years), p=np.array(shares) / sum(shares))],
        "usage": facts["usage"],
        "productDisplayName": name,
    }
    return facts, {**row, **_gaps(rng, article, design[2])}


def _gaps(rng: np.random.Generator, article: Article, k: int) -> dict:
    """The blanks and NA cells a real table has."""
    value = rng.random()
    if article.master == "Personal Care" and value < 0.25:
        return {"usage": "NA"}
    first = article.name == ARTICLES[0].name
    if value < 0.004 or (first and k == 4):
        return {"season": ""}
    if value < 0.007 or (first and k == 5):
        return {"year": "", "usage": ""}
    return {}
