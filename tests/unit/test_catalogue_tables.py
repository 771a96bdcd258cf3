"""Drawn tables through write, read and join; and the shared samples of what people have."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalogue import run_million, run_tables

from fashify.catalogue import Catalogue, load_catalogue
from fashify.errors import CatalogueError

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

#: Case -> products, those with a picture, pictures, article types; or what the refusal says.
EXPECTED: dict[str, tuple[int, int, int, int] | str] = {
    "absolute-paths": (6, 6, 6, 3),
    "apostrophe-ids": (4, 4, 4, 0),
    "apostrophe-labels": (4, 4, 4, 4),
    "csv-in-subfolder": (6, 6, 6, 3),
    "doublequote-ids": (4, 4, 4, 0),
    "encrypted-zip/locked.zip": "2 are encrypted",
    "ending-differs": (6, 6, 6, 3),
    "excel": "an Excel workbook in products.xlsx",
    "folder-per-product": (3, 3, 9, 0),
    "four-products": (4, 4, 4, 0),
    "heic-in-folder": (8, 8, 8, 0),
    "hm-layout": (6, 6, 6, 3),
    "hm-layout-id": (6, 6, 6, 3),
    "hm-layout-three-tables": (6, 6, 6, 3),
    "id-and-sku": (6, 6, 6, 3),
    "image-cell-empty": (6, 6, 6, 0),
    "image-urls": (6, 6, 6, 3),
    "images-and-thumbs": (4, 4, 4, 2),
    "kaggle-images-other-name": (4, 4, 4, 2),
    "kaggle-large": (6, 6, 6, 3),
    "long-html-description": (3, 3, 3, 2),
    "long-texts": (4, 4, 4, 1),
    "myntra-image-filename": (6, 6, 6, 0),
    "non-latin-labels": (6, 6, 6, 6),
    "one-product": (1, 1, 1, 0),
    "parquet": (6, 6, 6, 3),
    "price-and-link": (6, 6, 6, 3),
    "same-name-in-brand-folders": (6, 6, 6, 0),
    "semicolon-csv": (6, 6, 6, 3),
    "semicolon-two-columns": (6, 6, 6, 0),
    "several-images-a-product": (3, 3, 9, 2),
    "several-rows-a-product": (3, 3, 6, 2),
    "sharded-folders": (9, 9, 9, 0),
    "shopify": (3, 3, 3, 2),
    "subcategory-spellings": (4, 4, 4, 2),
    "symlinked-pictures/shop": "a link",
    "train-test-folders": (8, 8, 8, 4),
    "tsv": (6, 6, 6, 3),
    "unlabelled": (120, 120, 120, 0),
    "wide-gamut-photos": (4, 4, 4, 0),
    "windows-paths": (6, 6, 6, 3),
    "woocommerce": (3, 3, 3, 1),
    "zip-top-folder/shop.zip": (6, 6, 6, 3),
}


def count(catalogue: Catalogue) -> tuple[int, int, int, int]:
    table = catalogue.table
    types = table.loc[table["article_type"] != "", "article_type"].nunique()
    return len(table), int(table["has_image"].sum()), len(catalogue.views), types


@pytest.mark.parametrize("case", EXPECTED)
def test_shared_cases(case):
    if not (CASES / case).exists():
        pytest.skip(f"the shared case {case} is not beside this checkout")
    right = EXPECTED[case]
    if isinstance(right, str):
        with pytest.raises(CatalogueError, match=right):
            load_catalogue(CASES / case)
    else:
        catalogue = load_catalogue(CASES / case)
        assert count(catalogue) == right
        assert catalogue.reading.warnings() == []


def test_every_shared_case_is_expected():
    if not CASES.is_dir():
        pytest.skip("the shared cases are not beside this checkout")
    found = {path.name for path in CASES.iterdir() if path.is_dir()} - {"own-gradio-app"}
    assert found == {case.partition("/")[0] for case in EXPECTED}


def test_drawn_tables_join():
    """Drawn tables lose invent and swap nothing."""
    assert run_tables(40)["tables"] >= 40


def test_a_long_table_joins_as_a_whole():
    found = run_million(3000)
    assert (found["rows"], found["joined"], found["wrong"]) == (3000, 3000, 0)
