"""Filters: parsed without eval, exact on text, numbers and missing values."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashify.errors import QueryError
from fashify.index.filters.columns import Kind, infer_kind
from fashify.index.filters.filter import Filter, facet_counts
from fashify.index.milvus.expressions import expression_of

TABLE = pd.DataFrame(
    {
        "item_id": [str(number) for number in range(6)],
        "gender": ["Men", "Women", "Women", "Unisex", "Men", "Girls"],
        "article_type": ["Shirts", "Tshirts", "Bath and Body", "Track Pants", "Shirts", "Tops"],
        "base_colour": ["Navy Blue", "Black", "NA", "", "Black", "Red"],
        "season": ["Summer", "summer", "Winter", "", "Fall", "Fall"],
        "year": pd.array([2010, 2012, 2015, None, 2012, 2011], dtype="Int64"),
        "has_image": [True, True, True, False, True, True],
    }
)


def rows(where) -> list[int]:
    return np.flatnonzero(Filter.parse(where).mask(TABLE)).tolist()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, [0, 1, 2, 3, 4, 5]),
        ("", [0, 1, 2, 3, 4, 5]),
        ("gender=Women", [1, 2]),
        ("gender = women", [1, 2]),
        ("gender != Women", [0, 3, 4, 5]),
        ("article_type=Track Pants", [3]),
        ('article_type = "Bath and Body"', [2]),
        ("article_type in (Shirts, Tshirts) and year>=2012 and not base_colour=Black", []),
        ("article_type in (Shirts, Tshirts) and year>=2012", [1, 4]),
        ("gender = Men or gender = Girls and year < 2011", [0, 4]),
        ("(gender = Men or gender = Girls) and year <= 2011", [0, 5]),
        ("not (gender = Men or gender = Girls)", [1, 2, 3]),
        ("not not gender = Men", [0, 4]),
        ("gender not in (Men, Women)", [3, 5]),
        ("year in 2011..2012", [1, 4, 5]),
        ("year in (2010, 2015)", [0, 2]),
        ("year = 2012", [1, 4]),
        ("not year >= 2012", [0, 3, 5]),
        ("base_colour = NA", [2]),
        ('base_colour = ""', [3]),
        ("season = Summer", [0]),
        ("has_image = false", [3]),
        ({"gender": "Women", "year": {">=": 2013}}, [2]),
        ({"gender": ["Women", "Unisex"]}, [1, 2, 3]),
        ({"year": 2012}, [1, 4]),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_rows_that_pass(where, expected):
    assert rows(where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("colour = Red", "column 'colour'.*choose from:.*base_colour"),
        ("gender = Woman", "'Woman'.*choose from: Girls, Men, Unisex, Women"),
        ("season = SUMMER", "'SUMMER'.*choose from: Fall, Summer, Winter, summer"),
        ("year = 1999", "'1999'.*2010"),
        ("year = soon", "'soon'"),
        ("year > soon", "a number for 'year'"),
        ("gender > 3", "text column 'gender'"),
        ("gender", "one of = != < <= > >= in contains at character 7"),
        ("gender =", "a value at character 9"),
        ("gender = Men and", "a column name"),
        ("(gender = Men", r"'\)'"),
        ("gender = Men)", "'and', 'or' or the end"),
        ("gender in Men", r"\(value, value\) or low..high"),
        ("gender in (Men", r"',' or '\)'"),
        ("gender not Men", "'in'"),
        ('gender = "Men', "a quote that is closed"),
        ("__import__('os')", "one of ="),
        ("(" * 60 + "gender = Men", "levels of nesting"),
        ("x" * 20_000, "up to 10000 characters"),
        (7, "as text"),
        ({"year": {"above": 3}}, "bounds of 'year'"),
    ],
)
def test_refused_by_name(where, message):
    with pytest.raises(QueryError, match=message):
        rows(where)


@given(st.text(alphabet="()=<>!,'\" andorintyegx20.", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_filter_or_a_query_error(text):
    with contextlib.suppress(QueryError):
        rows(text)


@pytest.mark.parametrize(
    "where",
    ["gender = Men or year in 2011..2012", "not (gender = Women and base_colour != Black)", ""],
)
def test_its_own_text_means_the_same(where):
    assert rows(str(Filter.parse(where))) == rows(where)


def test_values_travel_beside_a_milvus_expression():
    text = 'gender in (women, Men) and not year < 2012 or article_type = "Bath and Body"'
    found = expression_of(Filter.parse(text).resolve(TABLE).root)
    assert found.template == (
        "((gender in {value0}) and (not (year < {value1} and year != {value2})))"
        " or (article_type in {value3})"
    )
    assert list(found.values.values()) == [["Women", "Men"], 2012, -1, ["Bath and Body"]]
    assert expression_of(Filter.parse(None).root).template == ""


OWN = pd.DataFrame(
    {
        "Price": [9.9, 19.5, 20.0, None, 120.0],
        "list price": [10, 20, 30, 40, 50],
        "brand": ["Acme", "acme", "O'Neill", 'the "Best"', ""],
        "since": ["2023-12-31", "2024-01-01", "2024-05-31", "", "2025-02-28"],
        "day": pd.to_datetime(["2023-12-31", "2024-01-01", "2024-05-31", None, "2025-02-28"]),
        "sale": pd.array([True, False, None, True, False], dtype="boolean"),
        "tags": ["red|linen", "Red", "", "wool", "linen|wool"],
        "sizes": [["S", "M"], ["M"], None, [], np.array(["L"])],
        "link": ["https://a.example/1", "https://b.example/2", "", "", "https://a.example/3"],
        "größe": ["XS", "S", "M", "L", "XL"],
    }
)
TYPES = {"Price": Kind("price", "EUR"), "tags": Kind("list", "|"), "link": Kind("link")}


def own_rows(where) -> list[int]:
    return np.flatnonzero(Filter.parse(where).mask(OWN, TYPES)).tolist()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("price < 20 and brand = Acme", [0]),
        ("PRICE <= 20", [0, 1, 2]),
        ("price < 20 EUR", [0, 1]),
        ("price >= EUR 20", [2, 4]),
        ("price = 19.50", [1]),
        ("not price > 0", [3]),
        ("price in 10..20", [1, 2]),
        ('"list price" > 20 and "list price" < 50', [2, 3]),
        ("`List Price` in (10, 50)", [0, 4]),
        ('brand = "O\'Neill"', [2]),
        ("brand = 'the \"Best\"'", [3]),
        ("brand contains ACM", [0, 1]),
        ("brand not contains acm", [2, 3, 4]),
        ("brand contains nothing", []),
        ("since >= 2024 and since < 2025", [1, 2]),
        ("since > 2024", [4]),
        ("since <= 2024-01", [0, 1]),
        ("since = 2024-05", [2]),
        ("since in (2023, 2025)", [0, 4]),
        ("since in 2024-01-01..2024-12-31", [1, 2]),
        ("day > 2024-01-01", [2, 4]),
        ("day = 2024", [1, 2]),
        ("sale = yes", [0, 3]),
        ("sale != true", [1, 2, 4]),
        ("tags = red", [0]),
        ("tags contains RED", [0, 1]),
        ("tags contains wool or tags = Red", [1, 3, 4]),
        ("sizes = M", [0, 1]),
        ("sizes in (S, L)", [0, 4]),
        ("link contains a.example", [0, 4]),
        ("größe = xl", [4]),
        ({"price": {"<": 20}, "brand": "Acme"}, [0]),
        ({"sale": True}, [0, 3]),
        ({"brand": []}, []),
    ],
)
def test_own_columns(where, expected):
    """Numbers, prices, dates, truth values, lists, links and text of a user's own table."""
    assert own_rows(where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("prise < 20", "column 'prise'.*choose from: Price, brand, .*list price"),
        ("price < cheap", "a number for 'Price', in EUR.*'cheap'.*Price < 20"),
        ("price < 20 USD", "'20 USD'"),
        ("brand < 3", "text column 'brand'"),
        ("sale = perhaps", "true or false for 'sale'"),
        ("since > lately", "a date for 'since' such as 2024-05-31"),
        ("since = 2024-02-30", "a date"),
        ("price contains 1", "contains on a column of text or lists"),
        ("tags = RED", "choose from: Red, linen, red, wool"),
        ("sizes contains XXL", "choose from: L, M, S"),
        ("list price < 20", 'at character 6.*"list price" < 20'),
        ("`brand = Acme", "a quote that is closed"),
    ],
)
def test_own_columns_refused_by_name(where, message):
    with pytest.raises(QueryError, match=message):
        own_rows(where)


def test_names_that_differ_in_case_alone():
    """Two columns, and a name that is neither's exact spelling."""
    both = pd.DataFrame({"Size": ["S"], "size": ["M"]})
    assert Filter.parse("size = M").mask(both).tolist() == [True]
    with pytest.raises(QueryError, match="which Size, size both are"):
        Filter.parse("SIZE = M").mask(both)


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_name_and_value_can_be_written(name, value):
    """Whatever a column is called and holds, the filter's own text asks for it."""
    table = pd.DataFrame({name: [value, value + "x"]}, dtype=object)
    wanted = Filter.parse({name: [value]})
    if Kind("text") == infer_kind(table[name]):
        assert Filter.parse(str(wanted)).mask(table).tolist() == [True, False]


def test_columns_asked_for():
    assert Filter.parse("gender=Men and not (year>1 or usage=a)").columns == {
        "gender",
        "year",
        "usage",
    }


def test_facet_counts():
    facets = facet_counts(TABLE, "gender in (Men, Women)")
    assert facets["gender"] == {"Men": 2, "Women": 2}
    assert facets["article_type"] == {"Shirts": 2, "Bath and Body": 1, "Tshirts": 1}
    assert "usage" not in facets
    assert facet_counts(TABLE, np.arange(6) == 3)["season"] == {"": 1}
    assert sum(facet_counts(TABLE)["gender"].values()) == 6
