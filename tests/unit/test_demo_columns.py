"""A catalogue's own columns on the page: cards, menus of values, range sliders, the address."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pandas as pd
import pytest
from fakes import GridBackbone, GridEngine

from fashify.demo import Actions, DemoService, View, results
from fashify.demo.address import write_address
from fashify.demo.details import Detail, choose_columns, describe_value
from fashify.demo.explore import TILE, Explorer
from fashify.demo.state import FILTER_LEVELS, NOTHING
from fashify.errors import ConfigError
from fashify.features import Embedder, extract_features
from fashify.index import make_index
from fashify.index.filters.columns import Kind
from fashify.index.filters.facets import Range, count_values, measure_ranges
from fashify.io.images import load_image
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore

OWN = {
    "price": [9.9, 19.9, 29.9, 39.9, None, 59.9, 69.9, 120.0],
    "brand": ["Acme", "Acme", "<b>Zen</b>", "<b>Zen</b>", "Acme", "", "Acme", "Acme"],
    "link": [*(f"https://shop.example.test/{n}?a=1&b='2'" for n in range(7)), ""],
    "sku": range(100, 108),
    "sale": pd.array([True, False, None, True, False, True, True, True], dtype="boolean"),
    "sizes": [["S", "M"], ["M"], None, [], ["L"], ["S"], ["S"], ["M", "L"]],
    "notes": [f"a note of its own, number {n}" for n in range(8)],
}


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    """The toy catalogue with columns of its own."""
    from toy import write_toy

    from fashify.catalogue import load_catalogue

    folder = tmp_path_factory.mktemp("own")
    catalogue = load_catalogue(write_toy(folder / "toy"))
    raw = extract_features(catalogue, GridBackbone(), folder / "s", engine=GridEngine())
    store = FeatureStore(raw.features, raw.item_ids, raw.meta, items=raw.items.assign(**OWN))
    index = make_index("exact").fit(store.vectors, store.item_ids)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    return Retriever(store, index, catalogue=catalogue, embedder=embedder)


@pytest.fixture(scope="module")
def service(retriever: Retriever) -> DemoService:
    return DemoService(retriever)


def searched(service: DemoService, *events: dict, item: str = "1") -> View:
    """Every product on a card of its own: the toy's differ in colour alone, or are copies."""
    view = Actions(service).act(View(k=8, selection=NOTHING), {"do": "similar", "item": item})
    for event in events:
        view = Actions(service).act(view, event)
        assert not view.notice
    return view


def test_cards_show_price_brand_and_link(service: DemoService) -> None:
    """Chosen by what they hold and are called; a value is text, never markup."""
    assert service.own.shown == ["price", "brand", "link"]
    page = results.panel(service, searched(service))
    assert '<dd title="29.90">29.90</dd>' in page
    assert "&lt;b&gt;Zen&lt;/b&gt;" in page
    assert "<b>Zen" not in page
    link = re.findall(r'<a href="(https://shop[^"]*)" target="_blank" rel="([^"]*)">', page)
    assert len(link) == 6
    assert {rel for _, rel in link} == {"noopener noreferrer"}
    assert "https://shop.example.test/1?a=1&amp;b=&#39;2&#39;" in [href for href, _ in link]


def test_show_decides(retriever: Retriever) -> None:
    """By name, in any case and in that order; nothing with "none"; others are named."""
    assert DemoService(retriever, show="SALE, sizes,year").own.shown == ["sale", "sizes", "year"]
    page = results.panel(shown := DemoService(retriever, show="sale,sizes"), searched(shown))
    assert "<dt>sizes</dt>" in page
    assert "<dt>sale</dt>" in page
    none = DemoService(retriever, show="none")
    assert "fx-details" not in results.panel(none, searched(none))
    with pytest.raises(ConfigError, match=r"colour.*choose from: .*brand.*price"):
        DemoService(retriever, show="price,colour")


@pytest.mark.parametrize(
    ("name", "value", "kind", "expected"),
    [
        ("price", 1299.0, Kind("price", "EUR"), Detail("price", "1,299 EUR", plain=True)),
        ("price", 5, Kind("number"), Detail("price", "5.00", plain=True)),
        ("stock", 12000, Kind("number"), Detail("stock", "12,000")),
        ("sale", False, Kind("boolean"), Detail("sale", "no")),
        ("tags", "a|b", Kind("list", "|"), Detail("tags", "a, b")),
        ("link", "http://a.b/c", Kind("link"), Detail("link", "To the product", "http://a.b/c")),
        ("link", "javascript:x()", Kind("link"), Detail("link", "javascript:x()")),
        ("link", "data:text/html,x", Kind("link"), Detail("link", "data:text/html,x")),
        ("link", 'https://a.b/"x', Kind("link"), Detail("link", 'https://a.b/"x')),
        ("price", None, Kind("price"), None),
        ("brand", "", Kind("text"), None),
    ],
)
def test_values_as_people_read_them(name, value, kind, expected) -> None:
    assert describe_value(name, value, kind) == expected


def test_a_link_to_pictures_is_not_the_products() -> None:
    types = {"image": Kind("link"), "url": Kind("link"), "Preis": Kind("number")}
    facts = {"image": ["https://a.b/c.JPG?v=1"], "url": ["https://a.b/c"], "Preis": [1.0]}
    assert choose_columns(types, facts) == ["Preis", "url"]


def test_columns_of_few_values_have_menus(service: DemoService) -> None:
    """Brands, sizes, yes and no; not what differs for every product."""
    counts = service.facets(searched(service).selection)
    assert counts["brand"] == {"Acme": 5, "<b>Zen</b>": 2}
    assert counts["sale"] == {"yes": 5, "no": 2}
    assert counts["sizes"] == {"M": 3, "S": 3, "L": 2}
    assert not {"notes", "sku", "link", "price"} & set(counts)


def test_facet_keeps_other_values(service: DemoService) -> None:
    """A chosen value narrows and the others stay to choose from."""
    chip = {"do": "filter", "level": "sizes", "value": "M"}
    view = searched(service, chip, item="4")
    assert {match.item_id for match in view.answer.matches} == {"1", "2", "8"}
    assert service.facets(view.selection)["sizes"] == {"M": 3, "S": 3, "L": 2}
    assert service.facets(view.selection)["brand"] == {"Acme": 3}
    view = searched(service, chip, {"do": "filter", "level": "sale", "value": "yes"}, item="4")
    assert {match.item_id for match in view.answer.matches} == {"1", "8"}


def test_numbers_have_sliders(service: DemoService) -> None:
    """Ends are held inside, a product without the number passes only a free slider."""
    assert service.own.ranges == {"price": Range(8, 120, 2)}
    low, high = ({"do": "range", "column": "price", "end": end} for end in ("low", "high"))
    view = searched(service, low | {"value": "20"})
    assert view.selection.ranges == (("price", 20, 120),)
    view = searched(service, low | {"value": "20"}, high | {"value": "60"})
    assert {match.item_id for match in view.answer.matches} == {"3", "4", "6"}
    page = results.panel(service, view)
    assert 'value="60" data-live="range" data-column="price" data-end="high"' in page
    assert "Clear filters" in page
    free = searched(service, low | {"value": "20"}, low | {"value": "0"})
    assert free.selection.ranges == ()
    assert len(free.answer.matches) == 7


def test_the_address_holds_them(service: DemoService) -> None:
    """What was chosen can be shared and opened again, whatever the values are."""
    view = searched(
        service,
        {"do": "filter", "level": "brand", "value": "<b>Zen</b>"},
        {"do": "range", "column": "price", "end": "high", "value": "40"},
    )
    again = Actions(service).act(View(), {"do": "address", "query": write_address(view)})
    assert not again.notice
    assert again.selection == view.selection


@pytest.mark.parametrize(
    "event",
    [
        {"do": "filter", "level": "brand", "value": "Nobody"},
        {"do": "filter", "level": "notes", "value": "a note of its own, number 1"},
        {"do": "range", "column": "sku", "end": "low", "value": "1"},
        {"do": "range", "column": "price", "end": "low", "value": "nan"},
        {"do": "range", "column": ["price"]},
        {"do": "address", "query": "?range=price:a..b"},
        {"do": "address", "query": "?own=brand"},
    ],
)
def test_what_the_page_does_not_offer_is_a_notice(event: dict, service: DemoService) -> None:
    view = Actions(service).act(searched(service), event)
    assert view.notice.startswith("We need")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0.1, 0.9], Range(0.1, 0.9, 0.01)),
        ([1, 3], Range(1, 3, 1)),
        ([0, 1_000_000], Range(0, 1_000_000, 10_000)),
        ([-5.5, 5.5], Range(-5.6, 5.6, 0.2)),
    ],
)
def test_range_steps_round(numbers, expected) -> None:
    """Steps are round and whole for whole numbers."""
    table = pd.DataFrame({"n": numbers})
    assert measure_ranges(table, {"n": Kind("number")}, ["n"])["n"] == expected


def test_one_number_for_all_is_no_range() -> None:
    table = pd.DataFrame({"n": [5.0, 5.0, np.nan], "none": [np.nan] * 3})
    types = dict.fromkeys(table, Kind("number"))
    assert measure_ranges(table, types, table) == {}
    assert count_values(table, types, table) == {}


def test_the_only_product_has_no_other(retriever: Retriever) -> None:
    """A catalogue of one product can be opened and searched; the page says why it is empty."""
    raw = retriever.store
    one = FeatureStore(raw.features[:1], raw.item_ids[:1], raw.meta, items=raw.items[:1])
    alone = Retriever(
        one,
        make_index("exact").fit(one.vectors, one.item_ids),
        catalogue=retriever.catalogue,
        embedder=retriever.embedder,
    )
    service = DemoService(alone)
    page = results.panel(service, searched(service))
    assert "There is no other product in this catalogue" in page
    assert 'max="1"' in page


def test_fewer_products_than_k(service: DemoService) -> None:
    """Fewer products than asked for are all there are."""
    assert "7 products most like" in (page := results.panel(service, searched(service)))
    assert "all there are" in page
    assert service.max_results == 8


def test_without_labels_the_map_is_of_pictures(retriever: Retriever, tmp_path, monkeypatch) -> None:
    """Grey dots would say nothing; with labels the dots stay."""
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path))
    assert json.loads(Explorer(DemoService(retriever)).map_json())["sheet"] is None
    raw = retriever.store
    bare = raw.items.assign(**dict.fromkeys(FILTER_LEVELS, ""))
    store = FeatureStore(raw.features, raw.item_ids, raw.meta, items=bare)
    service = DemoService(Retriever(store, retriever.index, catalogue=retriever.catalogue))
    sheet = json.loads(Explorer(service).map_json())["sheet"]
    assert (sheet["side"], sheet["columns"], sheet["every"]) == (TILE, 2, 1)
    picture = load_image(base64.b64decode(sheet["url"].split(",")[1]))
    assert picture.shape == (4 * TILE, 2 * TILE, 3)
    red, blue = picture[TILE // 2, TILE // 2], picture[TILE // 2, TILE + TILE // 2]
    assert red[0] > 200 > red[2]
    assert blue[2] > 200 > blue[0]
    assert "each product is shown by its picture" in Explorer(service).panel()


def test_too_few_products_for_a_map_is_said(retriever: Retriever, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path))
    raw = retriever.store
    one = FeatureStore(raw.features[:1], raw.item_ids[:1], raw.meta, items=raw.items[:1])
    index = make_index("exact").fit(one.vectors, one.item_ids)
    service = DemoService(Retriever(one, index, catalogue=retriever.catalogue))
    assert "A map needs a few products more" in Explorer(service).panel()
