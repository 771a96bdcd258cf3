"""Filters: parsed without eval, exact on text, numbers and missing values."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashify.errors import QueryError
from fashify.index.filters.filter import Filter, facet_counts

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
        ("year > soon", "a number at character 8"),
        ("gender > 3", "text column 'gender'"),
        ("gender", "one of = != < <= > >= in at character 7"),
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


def test_milvus_expression():
    text = 'gender in (women, Men) and not year < 2012 or article_type = "Bath and Body"'
    assert Filter.parse(text).resolved(TABLE).to_milvus() == (
        '((gender in ["Women", "Men"]) and (not (year < 2012 and year != -1)))'
        ' or (article_type in ["Bath and Body"])'
    )
    assert Filter.parse('base_colour = "\\"]"').to_milvus() == 'base_colour in ["\\"]"]'
    assert Filter.parse(None).to_milvus() == ""


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
