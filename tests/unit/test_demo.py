"""The demo's logic without a browser: actions, cards, uploads, palette."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashify.demo import Actions, DemoService, View, cards, panels, uploads
from fashify.demo.state import Answer, Query
from fashify.demo.theme import DARK, LIGHT, page_head
from fashify.errors import ImageReadError, QueryError
from fashify.retrieval import Match


@pytest.fixture(scope="module")
def service(sample_store: Path) -> DemoService:
    """The service over the sample store."""
    return DemoService.open(sample_store)


@pytest.fixture
def actions(service: DemoService) -> Actions:
    return Actions(service)


@pytest.fixture
def upload_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private upload folder with one picture in it, as Gradio leaves it."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    folder = tmp_path / "0a1b"
    folder.mkdir()
    Image.new("RGB", (1500, 3000), "teal").save(folder / "photo.jpg")
    return folder


def match(**changes) -> Match:
    facts = dict.fromkeys("gender master_category sub_category season usage path".split(), "") | {
        "name": "Red Shirt",
        "article_type": "Shirts",
        "base_colour": "Red",
        "year": 2012,
    }
    return Match(**({"rank": 1, "item_id": "7", "distance": 0.25, "position": 3} | facts | changes))


def test_an_upload_is_decoded_shrunk_and_deleted(upload_folder: Path) -> None:
    picture = uploads.read_upload(upload_folder / "photo.jpg")
    assert picture.shape == (1024, 512, 3)
    assert not upload_folder.exists()


def test_a_bad_upload_is_deleted_too(upload_folder: Path) -> None:
    (upload_folder / "photo.jpg").write_text("no picture")
    with pytest.raises(ImageReadError):
        uploads.read_upload(upload_folder / "photo.jpg")
    assert not upload_folder.exists()


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/hostname", "0a1b", "", "0a1b/none.jpg"])
def test_only_uploads_are_read(path: str, upload_folder: Path) -> None:
    secret = upload_folder.parent.parent / "secret.jpg"
    shutil.copy(upload_folder / "photo.jpg", secret)
    with pytest.raises(ImageReadError, match="a path that is none"):
        uploads.read_upload(upload_folder.parent / path)
    assert secret.exists()


def test_a_link_out_of_the_folder_is_not_followed(upload_folder: Path) -> None:
    outside = upload_folder.parent.parent / "outside.jpg"
    shutil.copy(upload_folder / "photo.jpg", outside)
    link = upload_folder / "link.jpg"
    link.symlink_to(outside)
    with pytest.raises(ImageReadError):
        uploads.read_upload(link)
    assert outside.exists()


def test_errors_become_sentences() -> None:
    error = QueryError("k from 1 to 20", "k = 0", "choose k in that range")
    wanted = "We need k from 1 to 20 and were given k = 0. Choose k in that range."
    assert uploads.friendly(error) == wanted


def test_a_photo_is_answered(actions: Actions, upload_folder: Path) -> None:
    event = {"do": "photo", "path": str(upload_folder / "photo.jpg")}
    view = actions.act(View(), event)
    assert view.notice == ""
    assert len(view.answer.matches) == 5
    assert view.answer.milliseconds > 0


def test_similar_leaves_the_item_out(actions: Actions, service: DemoService) -> None:
    item_id = str(service.retriever.store.item_ids[0])
    view = actions.act(View(k=20), {"do": "similar", "item": item_id})
    assert item_id not in [found.item_id for found in view.answer.matches]
    assert len(view.answer.matches) == 20


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"do": "__init__"},
        {"do": "photo"},
        {"do": "photo", "path": {"a": 1}},
        {"do": "example", "n": "-1"},
        {"do": "example", "n": "999"},
        {"do": "similar", "item": "nobody"},
        {"do": "similar", "item": ["a"]},
        {"do": "count", "k": "many"},
        {"do": "count", "k": None},
    ],
)
def test_nonsense_becomes_a_notice(event: dict, actions: Actions) -> None:
    before = actions.act(View(), {"do": "example", "n": "0"})
    after = actions.act(before, event)
    assert after.notice.endswith(".")
    assert after.answer == before.answer


def test_an_unforeseen_error_is_logged_not_shown(service, monkeypatch, caplog) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(service, "search", broken)
    view = Actions(service).act(View(), {"do": "surprise"})
    assert view.notice == "Something went wrong on our side. Please try again."
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(("asked", "given"), [("1", 1), (7, 7), ("20", 20), (99, 20), (0, 1)])
def test_count_is_held_within_its_range(asked, given, actions: Actions) -> None:
    assert actions.act(View(), {"do": "count", "k": asked}).k == given


def test_examples_are_the_same_every_time(service: DemoService, sample_store: Path) -> None:
    again = DemoService(service.retriever)
    titles = [example.query.title for example in service.examples]
    assert titles == [example.query.title for example in again.examples]
    kinds = [example.query.kind for example in service.examples]
    assert kinds.count("photo") == 8
    assert kinds.count("item") >= 5


def test_a_card_escapes_what_the_catalogue_says() -> None:
    html = cards.card(match(name='<b onload="x">', item_id='"><script>'), "data:,")
    assert "<b onload" not in html
    assert "<script>" not in html


def test_a_card_shows_the_facts() -> None:
    html = cards.card(match(), "data:,picture")
    assert "distance <b>0.250</b>" in html
    assert 'alt="Red Shirt, red shirts"' in html
    assert "<li>Shirts</li><li>Red</li>" in html
    assert 'src="data:,picture"' in html


def test_a_nameless_item_is_called_by_its_id() -> None:
    assert "Item 7" in cards.card(match(name=""), "data:,")


def test_results_count_in_words() -> None:
    answer = Answer((match(),), 12.4)
    html = cards.results(Query("item", "Blue <Bag>"), answer, lambda item_id: "data:,")
    assert "1 product most like" in html
    assert "Blue &lt;Bag&gt;" in html
    assert "found in 12 ms" in html


def test_notices_are_escaped() -> None:
    assert panels.notice("") == ""
    assert "&lt;i&gt;" in panels.notice("<i>")


def test_a_page_names_nothing_outside(service: DemoService) -> None:
    page = page_head() + "".join(panels.page(service, View()))
    assert not re.search(r"(?:https?:)?//\w", page)


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "paper"),
        ("ink", "card"),
        ("ink", "accent_soft"),
        ("soft", "paper"),
        ("soft", "card"),
        ("accent", "card"),
        ("accent", "paper"),
        ("accent_ink", "accent"),
        ("good", "card"),
        ("warn", "card"),
    ],
)
def test_contrast_is_aa(palette: dict[str, str], text: str, ground: str) -> None:
    """WCAG 2.1, success criterion 1.4.3: 4.5 to 1 for text."""
    light, dark = sorted((_luminance(palette[text]), _luminance(palette[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
