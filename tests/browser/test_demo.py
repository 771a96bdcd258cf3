"""What a visitor does on the demo page, in a real browser, judged by what is to be seen."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

expect = pytest.importorskip("playwright.sync_api").expect


def upload(page, path: Path) -> None:
    page.locator(".fx-file").set_input_files(path)


def answered(page, count: int = 5):
    """The cards, once there are ``count`` of them."""
    cards = page.locator(".fx-card")
    expect(cards).to_have_count(count)
    return cards


def notice(page) -> str:
    """The text of the page's message, once there is one."""
    shown = page.locator(".fx-notice")
    expect(shown).to_be_visible()
    return shown.inner_text()


def test_the_page_says_what_it_searches(open_page, service, size) -> None:
    page = open_page(size)
    facts = service.facts
    masthead = page.locator(".fx-store")
    expect(masthead).to_contain_text(f"{facts.n_items:,} products")
    expect(masthead).to_contain_text(facts.backbone)
    expect(page.locator(".fx-why")).to_contain_text(facts.why)


def test_uploaded_photo_gives_five_products(open_page, photos, size, screenshots) -> None:
    page = open_page(size)
    upload(page, photos[0])
    cards = answered(page)
    for rank in range(5):
        card = cards.nth(rank)
        expect(card.locator(".fx-rank")).to_have_text(str(rank + 1))
        expect(card.locator("h3")).not_to_be_empty()
        expect(card.locator(".fx-labels li").first).to_be_visible()
        expect(card.locator(".fx-distance")).to_have_text(re.compile(r"distance \d\.\d{3}"))
        expect(card.locator(".fx-near b")).to_have_text(re.compile("close|similar"))
        drawn = card.locator(".fx-picture img").evaluate(
            "async (e) => (await e.decode(), e.naturalWidth > 0)"
        )
        assert drawn
    expect(page.locator(".fx-photo img")).to_be_visible()
    expect(page.locator(".fx-time")).to_have_text(re.compile(r"found in \d+ ms"))
    page.wait_for_timeout(400)
    page.screenshot(path=screenshots / f"results-{size[0]}.png", full_page=True)


def test_distances_grow_with_rank(open_page, photos) -> None:
    page = open_page()
    upload(page, photos[1])
    shown = answered(page).locator(".fx-distance").all_inner_texts()
    distances = [float(text.removeprefix("distance ")) for text in shown]
    assert distances == sorted(distances)


def test_the_page_never_scrolls_sideways(open_page, photos, size) -> None:
    page = open_page(size)
    upload(page, photos[2])
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_votes_beside_small_pictures(open_page, photos) -> None:
    """Votes lie beside small pictures not on them."""
    page = open_page((390, 844))
    upload(page, photos[2])
    for card in answered(page).all():
        # To the picture, not to the padding around it.
        top = card.locator(".fx-picture img").evaluate(
            "e => e.getBoundingClientRect().top + parseFloat(getComputedStyle(e).paddingTop)"
        )
        for one in card.locator(".fx-judge button, .fx-rank").all():
            area = one.bounding_box()
            assert area["y"] + area["height"] <= top


def test_an_example_is_one_click(open_page, service, size) -> None:
    page = open_page(size)
    page.locator(".fx-strip button").first.click()
    answered(page)
    title = service.examples[0].query.title
    expect(page.locator(".fx-results h2")).to_contain_text(title)


def test_every_photo_example_answers(open_page, service) -> None:
    page = open_page()
    for number, example in enumerate(service.examples):
        if example.query.kind != "photo":
            continue
        page.locator(".fx-strip button").nth(number).click()
        expect(page.locator(".fx-results h2")).to_contain_text(example.query.title)
        answered(page)


def test_an_item_is_not_its_own_neighbour(open_page, service) -> None:
    page = open_page()
    page.locator(".fx-strip button").first.click()
    cards = answered(page)
    found = [cards.nth(n).get_attribute("data-item") for n in range(5)]
    assert service.examples[0].query.item_id not in found


def test_more_like_this(open_page) -> None:
    page = open_page()
    page.locator(".fx-strip button").first.click()
    name = answered(page).nth(1).locator("h3").inner_text()
    page.locator(".fx-card").nth(1).locator(".fx-more[data-do=similar]").click()
    expect(page.locator(".fx-results h2")).to_contain_text(name)
    answered(page)


def test_surprise_me(open_page) -> None:
    page = open_page()
    page.get_by_role("button", name="Surprise me").click()
    answered(page)


def test_a_photo_can_be_pasted(open_page, photos) -> None:
    page = open_page()
    encoded = list(photos[0].read_bytes())
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "pasted.jpg", { type: "image/jpeg" });
            carried.items.add(file);
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried }));
        }""",
        encoded,
    )
    answered(page)


def test_a_photo_can_be_dropped(open_page, photos) -> None:
    page = open_page()
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "dropped.jpg"));
            const drop = new DragEvent("drop", { dataTransfer: carried, bubbles: true });
            document.querySelector(".fx-drop").dispatchEvent(drop);
        }""",
        list(photos[3].read_bytes()),
    )
    answered(page)


def test_a_photo_can_be_taken(open_page) -> None:
    page = open_page()
    page.get_by_role("button", name="Camera").click()
    video = page.locator(".fx-camera video")
    expect(video).to_be_visible()
    page.wait_for_function("document.querySelector('.fx-camera video').videoWidth > 0")
    page.get_by_role("button", name="Take the photo").click()
    answered(page)
    expect(video).to_have_count(0)


def _text_file(folder: Path) -> Path:
    path = folder / "letter.jpg"
    path.write_text("Dear shop, ...")
    return path


def _empty_file(folder: Path) -> Path:
    path = folder / "empty.jpg"
    path.touch()
    return path


def _cut_short(folder: Path) -> Path:
    path = folder / "cut.png"
    Image.new("RGB", (400, 400), "navy").save(path)
    path.write_bytes(path.read_bytes()[:200])
    return path


def _vast_header(folder: Path) -> Path:
    """A small file that promises 30,000 x 30,000 pixels."""
    path = folder / "vast.png"
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)), (b"IDAT", bytes(9))]
    chunks = [struct.pack(">I", len(body)) + name + body for name, body in parts]
    sums = [struct.pack(">I", zlib.crc32(name + body)) for name, body in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(bytes.__add__, chunks, sums)))
    return path


def _drawing(folder: Path) -> Path:
    path = folder / "drawing.svg"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    return path


def _postscript(folder: Path) -> Path:
    path = folder / "page.eps"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    return path


def _heic(folder: Path) -> Path:
    path = folder / "phone.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(400))
    return path


def _fifty_megabytes(folder: Path) -> Path:
    path = folder / "heavy.jpg"
    path.write_bytes(bytes(50_000_000))
    return path


@pytest.mark.parametrize(
    "make",
    [
        _text_file,
        _empty_file,
        _cut_short,
        _vast_header,
        _drawing,
        _postscript,
        _heic,
        _fifty_megabytes,
    ],
)
def test_bad_file_gives_sentence(make, open_page, photos, tmp_path, screenshots) -> None:
    """A bad file gives a sentence and the page lives."""
    page = open_page()
    upload(page, make(tmp_path))
    text = notice(page)
    assert text.endswith(".")
    assert "Traceback" not in page.content()
    page.screenshot(path=screenshots / f"bad{make.__name__}.png")
    upload(page, photos[0])
    answered(page)
    expect(page.locator(".fx-notice")).to_have_count(0)


def _animation(folder: Path, photo: Path) -> Path:
    frames = [Image.open(photo), Image.new("RGB", Image.open(photo).size, "red")]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
    return folder / "animated.gif"


def _white_square(folder: Path, photo: Path) -> Path:
    Image.new("RGB", (300, 300), "white").save(folder / "white.png")
    return folder / "white.png"


@pytest.mark.parametrize(
    ("make", "said"), [(_animation, "first picture"), (_white_square, "one even colour")]
)
def test_odd_pictures_give_sentence(
    make, said: str, open_page, photos, tmp_path, screenshots
) -> None:
    """Odd but whole pictures are answered with a sentence."""
    page = open_page()
    upload(page, make(tmp_path, photos[0]))
    answered(page)
    assert said in notice(page)
    page.screenshot(path=screenshots / f"odd{make.__name__}.png")
    upload(page, photos[0])
    expect(page.locator(".fx-notice")).to_have_count(0)
    answered(page)


def test_uploads_are_not_kept(open_page, photos) -> None:
    from fashify.demo.uploads import upload_folder

    page = open_page()
    before = set(upload_folder().rglob("*.jpg"))
    upload(page, photos[4])
    answered(page)
    assert set(upload_folder().rglob("*.jpg")) == before


def test_visitors_do_not_see_each_other(open_page, photos) -> None:
    first, second = open_page(), open_page()
    upload(first, photos[0])
    answered(first)
    expect(second.locator(".fx-card")).to_have_count(0)
    expect(second.locator(".fx-photo")).to_have_count(0)


def test_light_and_dark(open_page, screenshots) -> None:
    backgrounds = {False: "rgb(255, 255, 255)", True: "rgb(31, 27, 34)"}
    for dark, background in backgrounds.items():
        page = open_page(dark=dark)
        page.locator(".fx-strip button").first.click()
        answered(page)
        card = page.locator(".fx-card").first
        expect(card).to_have_css("background-color", background)
        page.wait_for_timeout(400)
        page.screenshot(path=screenshots / f"{'dark' if dark else 'light'}.png", full_page=True)
    page.locator("[data-theme-toggle]").click()
    expect(card).to_have_css("background-color", backgrounds[False])


def test_the_keyboard_is_enough(open_page) -> None:
    page = open_page()
    page.locator(".fx-strip button").first.focus()
    page.keyboard.press("Enter")
    name = answered(page).first.locator("h3").inner_text()
    page.locator(".fx-more").first.focus()
    page.keyboard.press("Space")
    expect(page.locator(".fx-results h2")).to_contain_text(name)
    answered(page)


def test_pictures_and_controls_have_names(open_page) -> None:
    page = open_page()
    page.locator(".fx-strip button").first.click()
    answered(page)
    unnamed = page.evaluate(
        """() => [
            ...[...document.querySelectorAll("img")].filter((e) => !e.alt),
            ...[...document.querySelectorAll("button, input")].filter(
                (e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length
                    || e.querySelector("img[alt]"))),
        ].map((e) => e.outerHTML.slice(0, 90))"""
    )
    assert unnamed == []


def test_programs_can_call_it(demo_url: str, photos, service) -> None:
    from gradio_client import Client, handle_file

    client = Client(demo_url, verbose=False)
    found = client.predict(image=handle_file(photos[0]), k=3, api_name="/search")
    direct = service.retriever.by_image(photos[0], 3)
    assert [row["item_id"] for row in found] == [match.item_id for match in direct]
    assert {"rank", "distance", "picture", "facts"} <= set(found[0])
    assert {"name", "article_type", "base_colour"} <= set(found[0]["facts"])
    similar = client.predict(item_id=found[0]["item_id"], api_name="/similar")
    assert found[0]["item_id"] not in [row["item_id"] for row in similar]


def test_programs_are_told_in_one_sentence(demo_url: str, service, tmp_path) -> None:
    from gradio_client import Client, handle_file

    client = Client(demo_url, verbose=False)
    for make in (_text_file, _empty_file, _cut_short, _vast_header, _drawing, _postscript, _heic):
        path = make(tmp_path)
        with pytest.raises(Exception, match=rf"Expected .* Received {re.escape(path.name)}.* Fix"):
            client.predict(image=handle_file(path), api_name="/search")
    with pytest.raises(Exception, match=r"413|exceeds"):
        client.predict(image=handle_file(_fifty_megabytes(tmp_path)), api_name="/search")
    item, nobody = service.examples[0].query.item_id, "gender = Men and gender = Boys"
    assert client.predict(item_id=item, where=nobody, api_name="/similar") == []
    with pytest.raises(Exception, match="k from 1 to 20"):
        client.predict(item_id=service.examples[0].query.item_id, k=0, api_name="/similar")
    with pytest.raises(Exception, match="'nobody'"):
        client.predict(item_id="nobody", api_name="/similar")


@pytest.mark.parametrize("path", ["https://shop.example/a.jpg", "HTTP://127.0.0.1:9/a.jpg"])
def test_no_address_is_fetched_for_a_program(path: str, demo_url: str, monkeypatch) -> None:
    import httpx

    fetched = []
    monkeypatch.setattr(
        "gradio.processing_utils.async_ssrf_protected_download",
        lambda *args, **kwargs: fetched.append(args),
    )
    body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, 5, ""]}
    event = httpx.post(f"{demo_url}gradio_api/call/search", json=body).json()["event_id"]
    answer = httpx.get(f"{demo_url}gradio_api/call/search/{event}", timeout=20).text
    assert "event: error" in answer
    assert "event: complete" not in answer
    assert fetched == []


def test_no_file_of_the_server_can_be_had(demo_url: str) -> None:
    import httpx

    body = {"data": [{"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}, 5, ""]}
    event = httpx.post(f"{demo_url}gradio_api/call/search", json=body).json()["event_id"]
    answer = httpx.get(f"{demo_url}gradio_api/call/search/{event}", timeout=20).text
    assert "a path that is none" in answer or "event: error" in answer
    assert httpx.get(f"{demo_url}gradio_api/file=/etc/hostname").status_code == 403
