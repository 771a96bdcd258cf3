"""Every row survives, every problem is named, nothing is joined to the wrong picture."""

from __future__ import annotations

import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from toy import HEADER, draw, write_toy

from fashify.catalogue import COLUMNS, load_catalogue
from fashify.catalogue.readers.csv import read_csv
from fashify.config import LEVELS
from fashify.errors import CatalogueError, ImageReadError


def zipped(folder, path, prefixes=("",)):
    with zipfile.ZipFile(path, "w") as archive:
        for prefix in prefixes:
            for file in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_kaggle_folder(toy_catalogue):
    table = toy_catalogue.table
    assert list(table.columns) == list(COLUMNS)
    assert list(table["item_id"]) == [str(n) for n in range(1, 10)]
    assert table["usage"].tolist()[:8] == ["NA"] * 8
    assert table["year"].isna().tolist() == [False] * 8 + [True]
    assert table["season"].iloc[8] == ""
    assert toy_catalogue.image("1").shape == (80, 60, 3)


def test_the_malformed_row_keeps_its_name(toy_catalogue):
    assert toy_catalogue.facts("2")["name"] == "Acme Blue Shirts, with a comma"
    assert toy_catalogue.mended.values.tolist() == [
        ["2", 3, "11 fields, the surplus joined into the last"]
    ]


def test_problems_name_images(toy):
    """Problems name missing and unreadable images."""
    (toy / "images" / "3.jpg").write_text("I am text")
    problems = load_catalogue(toy).problems
    assert problems["item_id"].tolist() == ["9", "3"]
    assert problems["path"].tolist() == ["images/9.jpg", "images/3.jpg"]
    assert problems["reason"].iloc[0] == "no image file"
    assert problems["reason"].iloc[1].startswith("Expected an image")


@pytest.mark.parametrize("prefixes", [("",), ("set/",), ("", "myntradataset/")])
def test_zip_equals_folder(toy, tmp_path, prefixes):
    """Zip is the same catalogue and a second copy is not counted."""
    folder = load_catalogue(toy)
    archive = load_catalogue(zipped(toy, tmp_path / "toy.zip", prefixes))
    assert archive.kind == "kaggle"
    assert archive.table.drop(columns="path").equals(folder.table.drop(columns="path"))
    assert not archive.table["path"].str.contains("myntradataset").any()
    assert np.array_equal(archive.image("5"), folder.image("5"))


def test_plain_folder_without_csv(tmp_path):
    for name in ("a.jpg", "b.jpeg", "c.png"):
        draw(tmp_path / name, "red", "box")
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.jpg").write_bytes(b"")
    catalogue = load_catalogue(tmp_path)
    assert catalogue.kind == "folder"
    assert catalogue.item_ids.tolist() == ["a", "b", "c"]
    assert (catalogue.table[list(LEVELS)] == "").all(axis=None)
    assert len(catalogue.problems) == 0


def test_folders_of_classes_become_article_types(tmp_path):
    for kind in ("Shirts", "Heels"):
        (tmp_path / kind).mkdir()
        draw(tmp_path / kind / "1.jpg", "red", "box")
        draw(tmp_path / kind / f"{kind}.jpg", "red", "box")
    catalogue = load_catalogue(tmp_path)
    assert sorted(catalogue.item_ids) == ["Heels", "Heels/1", "Shirts", "Shirts/1"]
    assert catalogue.labels("article_type").tolist() == ["Heels"] * 2 + ["Shirts"] * 2


def test_plain_folder_with_a_csv_of_its_own(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("x1", "x2", "extra"):
        draw(tmp_path / "photos" / f"{name}.jpg", "red", "box")
    (tmp_path / "products.csv").write_text(
        "Image,Category,Colour,Title,Price\nx1.jpg,Bags,Red,Red bag,10\n"
        "photos/x2.jpg,Bags,Blue,Blue bag,12\ngone.jpg,Bags,Grey,Lost bag,9\n"
    )
    catalogue = load_catalogue(tmp_path)
    assert catalogue.item_ids.tolist() == ["x1", "photos/x2", "gone"]
    assert catalogue.facts("x1")["price"] == 10
    assert catalogue.facts("photos/x2")["path"] == "photos/x2.jpg"
    assert catalogue.labels("article_type").tolist() == ["Bags", "Bags", "Bags"]
    assert catalogue.row_problems["path"].tolist() == ["gone.jpg"]
    assert catalogue.reading.without_row.examples == ("photos/extra.jpg",)


def write(folder, text, encoding="utf-8"):
    folder.mkdir(exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    draw(folder / "images" / "1.jpg", "red", "box")
    (folder / "styles.csv").write_bytes(text.encode(encoding))
    return folder


ROW = "1,Men,Apparel,Topwear,Shirts,Red,Fall,2012,Casual,"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (ROW + '"Quoted, with comma"', "Quoted, with comma"),
        (ROW + "Unquoted, with comma", "Unquoted, with comma"),
        (ROW + 'Watch 2" wide', 'Watch 2" wide'),
        (ROW + '"Two\nlines"', "Two\nlines"),
        (ROW + "=SUM(A1)", "=SUM(A1)"),
        (ROW + "Größe S", "Größe S"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_names_survive_encodings(tmp_path, row, name, encoding, newline):
    """Names survive quotes commas encodings and line ends."""
    last = "2,Men,Apparel,Topwear,Shirts,Red,Fall,2012,Casual,Plain"
    text = newline.join([HEADER, row.replace("\n", newline), "", last, ""])
    catalogue = load_catalogue(write(tmp_path / "c", text, encoding))
    assert catalogue.table["name"].tolist() == [name.replace("\n", newline), "Plain"]


def test_short_rows_and_float_ids_are_mended(tmp_path):
    catalogue = load_catalogue(write(tmp_path / "c", f"{HEADER}\n1.0,Men,Apparel\n"))
    assert catalogue.item_ids.tolist() == ["1"]
    assert catalogue.table["has_image"].tolist() == [True]
    assert catalogue.mended["what"].tolist() == ["3 fields of 10, the rest left empty"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "empty"),
        (HEADER + "\n", "without rows"),
        (f"{HEADER}\n{ROW}a\n{ROW}b\n", "'1' on lines 2, 3"),
        ("\x00\x01\x02" * 10, "binary"),
    ],
)
def test_unusable_tables_get_one_clear_line(tmp_path, text, match):
    with pytest.raises(CatalogueError, match=match) as caught:
        load_catalogue(write(tmp_path / "c", text))
    assert "\n" not in str(caught.value)


def test_kaggles_layout_can_be_insisted_on(tmp_path):
    text = HEADER.replace("articleType,", "") + "\n1,2\n"
    with pytest.raises(CatalogueError, match="without articleType"):
        load_catalogue(write(tmp_path / "c", text), kind="kaggle")


def test_duplicate_column_kept(tmp_path):
    """Of two columns of one name the second is kept and named."""
    text = HEADER.replace("usage", "season") + f"\n{ROW}a\n"
    catalogue = load_catalogue(write(tmp_path / "c", text))
    assert catalogue.facts("1")["season"] == "Fall"
    assert catalogue.facts("1")["own_season"] == "Casual"
    assert "column 'season' is kept as own_season" in catalogue.reading.notes


def test_csv_without_an_id_column(tmp_path):
    draw(tmp_path / "a.jpg", "red", "box")
    (tmp_path / "t.csv").write_text("colour,price\nred,1\n")
    with pytest.raises(CatalogueError, match="a column id, item_id or image"):
        load_catalogue(tmp_path)


def test_missing_empty_and_unknown(tmp_path, toy_catalogue, toy):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    for source, match in (("nowhere", "nothing at"), ("empty", "none"), ("text.zip", "zip")):
        with pytest.raises(CatalogueError, match=match):
            load_catalogue(tmp_path / source)
    with pytest.raises(CatalogueError, match="kind"):
        load_catalogue(toy, kind="json")
    with pytest.raises(CatalogueError, match="article_type"):
        toy_catalogue.labels("colour")
    with pytest.raises(CatalogueError, match="'77'"):
        toy_catalogue.image("77")
    with pytest.raises(ImageReadError, match="item 9"):
        toy_catalogue.image("9")


def test_folder_as_plain_images(toy):
    """A folder can be read as plain images on request."""
    catalogue = load_catalogue(toy, kind="folder")
    assert catalogue.kind == "folder"
    assert set(catalogue.item_ids) == {str(n) for n in range(1, 10)}


def test_names_cannot_leave_the_folder(toy_catalogue, tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    with pytest.raises(OSError, match="below"):
        toy_catalogue.storage.read("../secret.txt")


def test_sample_and_split_deterministic(toy_catalogue):
    """Sample and split are deterministic and disjoint."""
    assert toy_catalogue.sample(3, seed=1).item_ids.tolist() == (
        toy_catalogue.sample(3, seed=1).item_ids.tolist()
    )
    assert len(toy_catalogue.sample(99)) == 9
    per = toy_catalogue.sample(1, per="article_type")
    assert sorted(per.labels("article_type")) == ["Heels", "Shirts", "Watches"]
    first, second = toy_catalogue.split(0.5, seed=3)
    assert sorted([*first.item_ids, *second.item_ids]) == [str(n) for n in range(1, 10)]
    for fraction in (0, 1, 1.5):
        with pytest.raises(CatalogueError):
            toy_catalogue.split(fraction)


@pytest.mark.parametrize("seed", range(5))
def test_copies_stay_on_one_side_of_a_split(toy_catalogue, seed):
    groups = toy_catalogue.groups
    assert groups[0] == groups[5]
    assert len(set(groups)) == 8
    first, _ = toy_catalogue.split(0.5, seed=seed)
    assert {"1", "6"} <= set(first.item_ids) or not {"1", "6"} & set(first.item_ids)


def test_fingerprint_follows_the_facts(tmp_path):
    one = load_catalogue(write_toy(tmp_path / "one"))
    two = load_catalogue(write_toy(tmp_path / "two"))
    assert one.fingerprint == two.fingerprint
    assert one.take([0, 1]).fingerprint != one.fingerprint


def test_csv_lines_are_those_of_the_file():
    table = read_csv(b'id,name\n\n1,"a\nb"\n2,c\n', "t.csv")[0]
    assert table.lines.tolist() == [3, 5]


def test_the_real_catalogue(kaggle_zip):
    catalogue = load_catalogue(kaggle_zip)
    assert len(catalogue) == 44_446
    assert int(catalogue.table["has_image"].sum()) == 44_441
    assert set(catalogue.row_problems["item_id"]) == {"12347", "39401", "39403", "39410", "39425"}
    assert len(catalogue.mended) == 22
    assert (catalogue.labels("usage") == "NA").sum() > 300
    assert (catalogue.labels("usage") == "").sum() == 1
    assert (catalogue.table[list(LEVELS)] != "").any().all()
    assert catalogue.facts("44065")["name"].endswith(", Assorted")


def test_kaggle_offline_fails_fast(monkeypatch):
    """Kaggle offline fails fast and says what to do."""
    monkeypatch.setenv("KAGGLE_API_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(CatalogueError, match=r"download .* by hand"):
        load_catalogue("kaggle")


def test_kaggle_online_downloads_into_the_cache(monkeypatch, toy):
    """kagglehub's own download is stood in for: the set cannot be had in a test."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setattr("kagglehub.dataset_download", lambda handle: str(toy))
        assert len(load_catalogue("kaggle")) == 9


def test_kaggle_is_asked_through_the_proxy(monkeypatch):
    """By the check beforehand and by kagglehub, which this proxy then refuses."""
    asked = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", "https://kaggle.invalid")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        with pytest.raises(CatalogueError, match=r"an error \(.*download .* by hand"):
            load_catalogue("kaggle")
        proxy.shutdown()
    assert asked
    assert all(place.endswith(":443") for place in asked)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_a_row(tmp_path, mark):
    catalogue = load_catalogue(write(tmp_path / "c", f"{HEADER}\n{ROW}Two{mark}words\n"))
    assert catalogue.table["name"].tolist() == [f"Two{mark}words"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_blank_line_before_header(tmp_path, encoding):
    """A blank line before the header changes nothing."""
    catalogue = load_catalogue(write(tmp_path / "c", f'\n{HEADER}\n{ROW}"Two\nlines"\n', encoding))
    assert catalogue.table["name"].tolist() == ["Two\nlines"]


def test_a_line_of_a_name_may_look_like_a_number(tmp_path):
    row = '1,"Men\n12, 13",Apparel,Topwear,Shirts,Red,Fall,2012,Casual,"Set of\n2, blue"'
    catalogue = load_catalogue(write(tmp_path / "c", f"{HEADER}\n{row}\n"))
    assert catalogue.table[["gender", "name"]].values.tolist() == [
        ["Men\n12, 13", "Set of\n2, blue"]
    ]


def test_stray_quotes_keep_rows():
    """Stray quotes in two rows do not make them one."""
    table = read_csv(b'image,title\na.jpg,Watch 2" wide\nb.jpg,Belt 3" long\n', "t.csv")[0]
    assert [row["title"] for row in table.rows] == ['Watch 2" wide', 'Belt 3" long']


def test_stray_quote_keeps_cells():
    """Quoted commas beside a stray quote stay in their cell."""
    table = read_csv(b'id,kind,title\n1,"a, b",Watch 2" wide\n', "t.csv")[0]
    assert table.rows == [{"id": "1", "kind": "a, b", "title": 'Watch 2" wide'}]


def test_long_cell_kept(tmp_path):
    """A cell longer than the CSV module takes is kept."""
    long = "x" * 200_000
    catalogue = load_catalogue(write(tmp_path / "c", f'{HEADER}\n{ROW}"{long}"\n'))
    assert catalogue.table["name"].str.strip('"').tolist() == [long]


@pytest.mark.parametrize("year", ["1e400", "99999999999999999999", "9300000000000000000", "soon"])
def test_what_is_no_year_is_no_year(tmp_path, year):
    catalogue = load_catalogue(write(tmp_path / "c", f"{HEADER}\n{ROW.replace('2012', year)}a\n"))
    assert catalogue.table["year"].isna().tolist() == [True]


def test_duplicate_own_columns_kept(tmp_path):
    """Own columns of one name are both kept and empty image cells are none."""
    draw(tmp_path / "a.jpg", "red", "box")
    (tmp_path / "t.csv").write_text("image,price,Price\na.jpg,1,2\n")
    catalogue = load_catalogue(tmp_path)
    assert catalogue.table[["price", "price_2"]].values.tolist() == [[1.0, 2.0]]
    assert "column 'Price' is kept as price_2" in catalogue.reading.notes
    (tmp_path / "t.csv").write_text("image,price\na.jpg,1\n,2\n")
    catalogue = load_catalogue(tmp_path)
    assert catalogue.item_ids.tolist() == ["a", "line-3"]
    assert catalogue.table["has_image"].tolist() == [True, False]


def test_empty_table_remembered(tmp_path):
    """A table without rows is no reason to forget it."""
    draw(tmp_path / "a.jpg", "red", "box")
    (tmp_path / "t.csv").write_text("image\n\n\n")
    with pytest.raises(CatalogueError, match="without rows"):
        load_catalogue(tmp_path)
    assert load_catalogue(tmp_path, table="none").item_ids.tolist() == ["a"]
