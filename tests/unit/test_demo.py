"""The demo's logic without a browser: actions, cards, uploads, palette."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashify.demo import (
    Actions,
    DemoService,
    View,
    cards,
    explore,
    judged,
    panels,
    results,
    uploads,
)
from fashify.demo.actions import read_event
from fashify.demo.address import write_address
from fashify.demo.state import NOTHING, UNCHANGED, Answer, Query, Selection
from fashify.demo.theme import DARK, LIGHT, page_head
from fashify.errors import ImageReadError, QueryError
from fashify.heads.strength import WORDS
from fashify.io.images import encode_jpeg
from fashify.retrieval.feedback import move_query
from fashify.retrieval.match import Match


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
    """One match; a change named like a field of it is one, any other is a fact."""
    own = {"rank": 1, "item_id": "7", "distance": 0.25, "position": 3}
    facts = {"name": "Red Shirt", "article_type": "Shirts", "base_colour": "Red", "year": 2012}
    for name, value in changes.items():
        (own if name in Match.__dataclass_fields__ else facts)[name] = value
    return Match(facts=facts, **own)


def test_an_upload_is_decoded_shrunk_and_deleted(upload_folder: Path) -> None:
    picture = uploads.read_upload(upload_folder / "photo.jpg")
    assert picture.shape == (1024, 512, 3)
    assert not upload_folder.exists()


def test_a_bad_upload_is_deleted_too(upload_folder: Path) -> None:
    (upload_folder / "photo.jpg").write_text("no picture")
    with pytest.raises(ImageReadError):
        uploads.read_upload(upload_folder / "photo.jpg")
    assert not upload_folder.exists()


def _film(extra: Image.Image) -> bytes:
    first, data = Image.linear_gradient("L"), io.BytesIO()
    first.save(data, "GIF", save_all=True, append_images=[extra.resize(first.size)])
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_film(Image.new("L", (9, 9), 200)), "first picture"),
        (encode_jpeg(np.full((90, 90, 3), 250, np.uint8)), "one even colour"),
        (encode_jpeg(np.indices((90, 90)).sum(0)[..., None].repeat(3, 2).astype(np.uint8)), ""),
    ],
    ids=["animation", "even", "good"],
)
def test_what_answers_little_is_remarked_on(data: bytes, said: str) -> None:
    remark = uploads.describe_preparation(data, uploads.read_picture(data))
    assert said in remark
    assert bool(remark) == bool(said)


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
    assert uploads.format_error(error) == wanted


def test_a_photo_is_answered(actions: Actions, upload_folder: Path) -> None:
    event = {"do": "photo", "path": str(upload_folder / "photo.jpg")}
    view = actions.act(View(), event)
    assert "one even colour" in view.notice
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
        {"do": "count", "value": "many"},
        {"do": "count", "value": "inf"},
        {"do": "count"},
        {"do": "filter", "level": "price", "value": "1"},
        {"do": "filter", "level": "gender", "value": "Martians"},
        {"do": "filter", "level": ["gender"], "value": {}},
        {"do": "like", "item": "nobody"},
        {"do": "back", "n": "0"},
        {"do": "address", "query": "?item=nobody"},
        {"do": "vary", "value": "lots"},
        {"do": "weigh", "part": "shape", "value": "5"},
        {"do": "address", "query": "?variety=x"},
        {"do": "address", "query": "?weigh=nothing"},
        {"do": "rotate"},
        {"do": "crop", "region": "0,0,1,1"},
    ],
)
def test_nonsense_becomes_a_notice(event: dict, actions: Actions) -> None:
    before = actions.act(View(), {"do": "example", "n": "0"})
    after = actions.act(before, event)
    assert after.notice.endswith(".")
    assert after.answer == before.answer


@pytest.mark.parametrize("sent", [None, "x", 5, [], [{"do": "surprise"}]])
def test_what_is_no_event_says_nothing(sent: object) -> None:
    assert read_event(sent) == {}
    assert read_event({"do": "surprise"}) == {"do": "surprise"}


def test_an_unforeseen_error_is_logged_not_shown(service, monkeypatch, caplog) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(service, "search", broken)
    view = Actions(service).act(View(), {"do": "surprise"})
    assert view.notice == "Something went wrong on our side. Please try again."
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(("asked", "given"), [("1", 1), (7, 7), ("20", 20), (99, 20), (0, 1)])
def test_count_is_held_within_its_range(asked, given, actions: Actions) -> None:
    assert actions.act(View(), {"do": "count", "value": asked}).k == given


def test_examples_are_the_same_every_time(service: DemoService, sample_store: Path) -> None:
    again = DemoService(service.retriever)
    titles = [example.query.title for example in service.examples]
    assert titles == [example.query.title for example in again.examples]
    kinds = [example.query.kind for example in service.examples]
    assert kinds.count("photo") == 9
    assert titles[-1] == "a hard one, two products in one photo"
    assert kinds.count("item") >= 5


def card(found: Match, selection: Selection = NOTHING) -> str:
    return cards.card(found, "data:,picture", selection)


def test_a_card_escapes_what_the_catalogue_says() -> None:
    html = card(match(name='<b onload="x">', item_id='"><script>'))
    assert "<b onload" not in html
    assert "<script>" not in html


def test_a_card_shows_the_facts() -> None:
    html = card(match(strength="close"))
    assert "distance 0.250" in html
    assert "<b>close</b>" in html
    assert "beside the average product" in html
    assert html.count('<i class="on">') == 3
    assert " %" not in html, "a distance is no percentage"
    assert 'alt="Red Shirt, red shirts"' in html
    assert "<li>Shirts</li><li>Red</li>" in html
    assert 'src="data:,picture"' in html


def test_a_nameless_item_is_called_by_its_id() -> None:
    assert "Item 7" in card(match(name=""))


def test_a_card_shows_what_was_liked() -> None:
    pressed = '"like" data-item="7" aria-pressed="true"'
    assert pressed not in card(match())
    assert pressed in card(match(), NOTHING.set_vote("7", liked=True))


def test_results_count_in_words(service: DemoService) -> None:
    chosen = NOTHING.toggle("gender", "Men")
    view = View(Query("item", "Blue <Bag>", "7"), Answer((), 12.4), selection=chosen)
    html = results.panel(service, view)
    assert "0 products most like" in html
    assert "Blue &lt;Bag&gt;" in html
    assert "found in 12 ms" in html
    assert "No product passes these filters" in html


def test_nothing_similar_is_said() -> None:
    far = match(strength="nothing similar")
    assert "Nothing here is really similar" in results.doubt(Answer((far,), 1.0))
    assert results.doubt(Answer((match(strength="close"),), 1.0)) == ""


def test_downloads_hold_the_matches() -> None:
    answer = Answer((match(name='Shirt, "best"', path="images/7.jpg"),), 1.0)
    (row,) = csv.DictReader(io.StringIO(results.as_csv(answer)))
    assert (row["name"], row["distance"], row["path"]) == ('Shirt, "best"', "0.25", "images/7.jpg")
    assert json.loads(results.as_json(answer))[0]["item_id"] == "7"


def test_filters_hold_and_are_lifted(actions: Actions, service: DemoService) -> None:
    view = actions.act(View(), {"do": "example", "n": "0"})
    counts = service.facets(view.selection)["gender"]
    gender = min(counts, key=counts.get)
    view = actions.act(view, {"do": "filter", "level": "gender", "value": gender})
    assert {found.gender for found in view.answer.matches} == {gender}
    assert service.facets(view.selection)["gender"] == counts
    assert sum(service.facets(view.selection)["article_type"].values()) == counts[gender]
    view = actions.act(view, {"do": "reset"})
    assert view.selection == UNCHANGED


def test_a_second_value_widens_the_filter(actions: Actions, service: DemoService) -> None:
    view = actions.act(View(), {"do": "example", "n": "0"})
    first, second = list(service.facets(NOTHING)["gender"])[:2]
    for value in (first, second):
        view = actions.act(view, {"do": "filter", "level": "gender", "value": value})
    assert dict(view.selection.filters) == {"gender": (first, second)}
    view = actions.act(view, {"do": "filter", "level": "gender", "value": first})
    assert dict(view.selection.filters) == {"gender": (second,)}


def test_a_disliked_item_goes_and_a_liked_one_comes_nearer(actions: Actions) -> None:
    view = actions.act(View(), {"do": "example", "n": "0"})
    nearest, last = view.answer.matches[0], view.answer.matches[-1]
    view = actions.act(view, {"do": "dislike", "item": nearest.item_id})
    assert nearest.item_id not in [found.item_id for found in view.answer.matches]
    view = actions.act(view, {"do": "like", "item": last.item_id})
    assert view.answer.matches[0].item_id == last.item_id
    assert view.answer.matches[0].distance < last.distance


def test_going_back_along_the_trail(actions: Actions) -> None:
    first = actions.act(View(), {"do": "example", "n": "0"})
    second = actions.act(first, {"do": "similar", "item": first.answer.matches[0].item_id})
    assert [query.title for query in second.trail] == [first.query.title]
    again = actions.act(second, {"do": "back", "n": "0"})
    assert again.query.title == first.query.title
    assert again.trail == ()
    assert again.answer.matches == first.answer.matches


def test_the_trail_is_bounded(actions: Actions) -> None:
    view = View()
    for _ in range(10):
        view = actions.act(view, {"do": "surprise"})
    assert len(view.trail) == 6


def test_an_address_opens_the_same_search(actions: Actions, service: DemoService) -> None:
    view = actions.act(View(), {"do": "example", "n": "1"})
    value = view.answer.matches[0].base_colour
    view = actions.act(view, {"do": "filter", "level": "base_colour", "value": value})
    view = actions.act(view, {"do": "count", "value": "3"})
    opened = actions.act(View(), {"do": "address", "query": write_address(view)})
    assert [found.item_id for found in opened.answer.matches] == [
        found.item_id for found in view.answer.matches
    ]
    assert (opened.k, opened.selection) == (3, view.selection)


def test_a_photo_has_no_address(actions: Actions, upload_folder: Path) -> None:
    event = {"do": "photo", "path": str(upload_folder / "photo.jpg")}
    assert write_address(actions.act(View(), event)) == "?"


def test_a_calibrated_strength_is_shown_with_its_share() -> None:
    html = card(match(probability=0.87, strength="close"))
    assert "<b>close</b>" in html
    assert '<span class="fx-share">87 % same type</span>' in html
    assert "87 % are of the type" in html


@pytest.mark.parametrize("kind", ["item", "photo"])
def test_page_and_python_say_the_same(service: DemoService, kind: str) -> None:
    """One scale: what the page shows of a match is what ``Retriever`` answered."""
    example = next(one for one in service.examples if one.query.kind == kind)
    answer = service.search(example.query, 3)
    if kind == "item":
        matches = service.retriever.by_item(example.query.item_id, 3)
    else:
        matches = service.retriever.by_image(example.query.picture, 3)
    said = [(one.item_id, one.strength, one.probability) for one in matches]
    assert [(one.item_id, one.strength, one.probability) for one in answer.matches] == said
    assert all(strength in WORDS for _, strength, _ in said)


def test_rocchio_by_hand() -> None:
    query, east, north = np.array([2.0, 0.0]), np.array([[3.0, 0.0]]), np.array([[0.0, 5.0]])
    none = np.empty((0, 2))
    assert move_query(query, none, none) == pytest.approx([2.0, 0.0])
    wanted = 2 * np.array([1.0, 0.75]) / np.hypot(1.0, 0.75)
    assert move_query(query, north, none) == pytest.approx(wanted)
    wanted = 2 * np.array([1.75, -0.15]) / np.hypot(1.75, 0.15)
    assert move_query(query, east, north) == pytest.approx(wanted)


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


@pytest.fixture
def photo_view(actions: Actions, upload_folder: Path) -> View:
    return actions.act(View(), {"do": "photo", "path": str(upload_folder / "photo.jpg")})


def test_turning_and_cutting_a_photo(actions: Actions, photo_view: View) -> None:
    turned = actions.act(photo_view, {"do": "rotate"})
    assert turned.query.picture.shape == (512, 1024, 3)
    part = actions.act(turned, {"do": "crop", "region": "0,0.5,0.5,1"})
    assert part.query.picture.shape == (256, 512, 3)
    again = actions.act(part, {"do": "crop", "region": "0,0,0.5,0.5"})
    whole = actions.act(again, {"do": "whole"})
    assert (whole.query.picture == turned.query.picture).all()
    assert whole.answer.matches == turned.answer.matches
    assert not whole.trail


def test_finding_the_product_suggests_a_region(actions: Actions, photo_view: View) -> None:
    found = actions.act(photo_view, {"do": "find"})
    assert found.region is not None
    assert found.answer == photo_view.answer
    assert 'class="fx-box" style' in panels.query_panel(found)


@pytest.mark.parametrize("region", ["", "1,2", "a,b,c,d", "0,0,0,0", "nan,0,1,1", None, "0,0,9,9"])
def test_regions_from_the_page_are_checked(region, actions: Actions, photo_view: View) -> None:
    assert actions.act(photo_view, {"do": "crop", "region": region}).notice


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


def test_why_shows_both_pictures_and_the_cosine(actions: Actions, service: DemoService) -> None:
    view = actions.act(View(), {"do": "example", "n": "0"})
    nearest = view.answer.matches[0]
    view = actions.act(view, {"do": "explain", "item": nearest.item_id})
    html = results.panel(service, view)
    assert html.count("the places that make the likeness coloured") == 2
    assert f"<b>{1 - nearest.distance:.3f}</b>" in html
    assert actions.act(view, {"do": "close"}).explained == ""


def test_why_needs_a_search_and_a_product(actions: Actions) -> None:
    assert "search first" in actions.act(View(), {"do": "explain", "item": "1"}).notice.lower()
    view = actions.act(View(), {"do": "example", "n": "0"})
    assert actions.act(view, {"do": "explain", "item": "nobody"}).notice


def test_the_map_is_kept_from_run_to_run(service: DemoService, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path))
    rows, places = explore.place_items(service)
    assert places.shape == (len(rows), 2)
    (kept,) = (tmp_path / "maps").iterdir()
    monkeypatch.setattr(explore, "project", None)
    again = explore.place_items(service)
    assert (again[1] == places).all()
    kept.write_bytes(b"broken")
    with pytest.raises(TypeError):
        explore.place_items(service)


def test_labels_become_numbers_by_frequency() -> None:
    labels = np.array(["a", "b", "b", "", "c"], dtype=object)
    assert explore.encode_labels(labels) == {"names": ["b", "a", "c"], "codes": [1, 0, 0, -1, 2]}


def test_the_newest_whole_run_of_each_notebook(tmp_path: Path) -> None:
    for number, (day, status) in enumerate([("01", "done"), ("02", "done"), ("03", "failed")]):
        folder = tmp_path / "01_eda" / str(number)
        folder.mkdir(parents=True)
        facts = {"notebook": "01_eda", "started": f"2026-01-{day}", "status": status}
        (folder / "run.json").write_text(json.dumps(facts))
    ((folder, run),) = judged.find_latest_runs(tmp_path)
    assert (folder.name, run["started"]) == ("1", "2026-01-02")
    assert judged.find_latest_runs(tmp_path / "none") == []
