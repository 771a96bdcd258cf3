"""A user's own columns get the type that all their cells agree with, and lose nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify.catalogue.columns import split_list, type_column


def typed(cells, name="x", source=None):
    found = type_column(pd.Series(cells, dtype=object), name, source or name)
    return found.type.kind, found.type.unit, found.values.tolist(), found.lossy


@pytest.mark.parametrize(
    ("name", "cells", "kind", "unit", "values"),
    [
        ("price", ["49.00 EUR", "50 EUR"], "price", "EUR", [49.0, 50.0]),
        ("preis", ["19,90", "1.299,00"], "price", "", [19.9, 1299.0]),
        ("x", ["₹1,299.00", "₹ 999"], "price", "INR", [1299.0, 999.0]),
        ("x", ["Rs. 1,299", "Rs. 999"], "price", "INR", [1299.0, 999.0]),
        ("prix", ["1 299,00 €"], "price", "EUR", [1299.0]),
        ("stars", ["4", "5"], "number", "", [4, 5]),
        ("stars", ["4.1", "5"], "number", "", [4.1, 5.0]),
        ("code", ["0108775", "12"], "text", "", ["0108775", "12"]),
        ("ean", ["4006381333931112", "1"], "text", "", ["4006381333931112", "1"]),
        ("day", ["2024-05-01", "2024-1-2"], "date", "", ["2024-05-01", "2024-01-02"]),
        ("day", ["1.5.2024"], "date", "", ["2024-05-01"]),
        ("day", ["13/4/2024", "1/2/2024"], "date", "", ["2024-04-13", "2024-02-01"]),
        ("day", ["3/4/2024"], "text", "", ["3/4/2024"]),
        ("day", ["2024-02-31"], "text", "", ["2024-02-31"]),
        ("stock", ["yes", "No"], "boolean", "", [True, False]),
        ("stock", ["ja", "nein"], "boolean", "", [True, False]),
        ("page", ["https://a.test/1"], "link", "", ["https://a.test/1"]),
        ("page", ["javascript:alert(1)"], "text", "", ["javascript:alert(1)"]),
        ("tags", ["a|b", "c"], "list", "|", ["a|b", "c"]),
        ("tags", ["a, b", "c, d"], "list", ",", ["a, b", "c, d"]),
        ("tags", ['["a", "b"]'], "list", "json", ['["a", "b"]']),
        ("brand", ["Acme", "Zen"] * 4, "category", "", ["Acme", "Zen"] * 4),
        ("note", ["Soft, light jersey of wool and silk"], "text", "", None),
        ("none", ["", ""], "text", "", ["", ""]),
        ("dash", ["-", "-"], "text", "", ["-", "-"]),
    ],
)
def test_types_from_cells(name, cells, kind, unit, values):
    assert typed(cells, name) == (kind, unit, values or cells, False)


def test_invalid_value_is_missing():
    """What is no value is missing and the text is kept beside."""
    kind, _, values, lossy = typed(["9.90", "n/a", ""], "price")
    assert (kind, values[0], lossy) == ("price", 9.9, True)
    assert np.isnan(values[1:]).all()


def test_two_currencies_say_more_than_numbers():
    assert typed(["€ 5", "$ 6"]) == ("price", "", [5.0, 6.0], True)


def test_the_currency_may_stand_in_the_header():
    assert typed(["5"], "price_inr", "Price (INR)")[:2] == ("price", "INR")


def test_one_cell_that_is_no_number_makes_text():
    cells = [str(number) for number in range(500)] + ["many"]
    assert typed(cells)[0] == "text"


def test_lists_come_apart():
    assert split_list("Red | Blue", "|") == ["Red", "Blue"]
    assert split_list('["a", "b"]', "json") == ["a", "b"]
    assert split_list("['a', 'b']", "json") == ["a", "b"]
