"""The Python client against a real server: every call, every kind of error."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import Served, build_toy_store, free_port, open_toy

from fashify.client import SearchClient
from fashify.errors import ImageReadError, QueryError, ServiceError
from fashify.server import Access, make_app


@pytest.fixture(scope="module")
def toy_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_toy_store(tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module")
def url(toy_store: Path):
    access = Access(keys=frozenset({"a-secret-key"}))
    served = Served(make_app(open_toy(toy_store), page=False, access=access))
    yield str(served.client.base_url)
    served.close()


@pytest.fixture(scope="module")
def client(url: str):
    with SearchClient(url, key="a-secret-key") as opened:
        yield opened


@pytest.fixture
def photo(toy_store: Path) -> Path:
    return toy_store.parent / "toy" / "images" / "4.jpg"


def test_search_by_picture(client, photo) -> None:
    """As a file, as its name, as bytes, and with options that a form cannot hold."""
    for image in (photo, str(photo), photo.read_bytes()):
        found = client.search(image, k=3)
        assert [match.rank for match in found] == [1, 2, 3]
        assert found[0].item_id == "4"
        assert found[0].facts["price"] == 40
    varied = client.search(photo, k=2, variety=0.5, where={"price": {"<": 45}})
    assert varied[0].item_id == "4"
    assert client.search(photo, text="in blue", k=1)[0].item_id == "5"


def test_search_by_text_and_product(client) -> None:
    assert client.search(text="green heels", k=2)[0].item_id == "7"
    ids = [match.item_id for match in client.find_similar("1", k=7, where="price < 45")]
    assert set(ids) == {"2", "3", "4"}
    assert [match.item_id for match in client.search(item_id="1", k=7, where="price < 45")] == ids


def test_products_and_what_surrounds_them(client, photo) -> None:
    assert client.read_product("8")["name"] == "Acme Black Watches"
    assert client.read_picture("8", side=40)[:3] == b"\xff\xd8\xff"
    assert client.read_facets("article_type = Heels")["values"]["base_colour"]["Red"] == 1
    assert client.suggest("hee") == ["heels"]
    explained = client.explain("5", item_id="4")
    again = client.explain("5", image=photo)
    assert again["cosine"] == pytest.approx(explained["cosine"], abs=0.01)


def test_a_match_says_where_its_picture_is(client, url) -> None:
    match = client.search(item_id="1", k=1)[0]
    assert match.picture == f"{url.rstrip('/')}/v1/products/{match.item_id}/picture"


def test_errors_in_the_words_of_the_service(client, url, tmp_path) -> None:
    with pytest.raises(QueryError, match="of the 8 products"):
        client.find_similar("none")
    with pytest.raises(QueryError, match="column"):
        client.search(text="shirt", where="prise < 3")
    with pytest.raises(QueryError, match=r"body\.k"):
        client.search(text="shirt", k=101)
    with pytest.raises(QueryError, match="image"):
        client.search(b"no picture")
    with pytest.raises(ImageReadError, match="a file that can be read"):
        client.search(tmp_path / "none.jpg")
    with SearchClient(url) as stranger, pytest.raises(ServiceError, match="an API key"):
        stranger.search(text="shirt")


def test_nobody_answers() -> None:
    nobody = SearchClient(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceError, match="start it with fashify serve"):
        nobody.search(text="shirt")
