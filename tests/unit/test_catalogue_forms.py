"""Each form a catalogue comes in becomes its products, or one line that says how to mend it."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from forms import (
    IDS,
    PRODUCTS,
    csv_text,
    draw_all,
    picture,
    product_rows,
    write,
    write_excel,
    write_json,
)

from fashify.catalogue import Catalogue, load_catalogue, write_settings
from fashify.errors import CatalogueError

PLAIN = [f"images/{item_id}.jpg" for item_id in IDS]


def labelled(catalogue: Catalogue) -> list[tuple[str, str, str]]:
    columns = ["item_id", "name", "article_type"]
    return [tuple(row) for row in catalogue.table[columns].to_numpy().tolist()]


def paths(catalogue: Catalogue) -> list[str]:
    return catalogue.table["path"].tolist()


def is_right(catalogue: Catalogue, pictures: list[str] = PLAIN) -> None:
    assert labelled(catalogue) == PRODUCTS
    assert paths(catalogue) == pictures
    assert catalogue.reading.warnings() == []


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Pictures called by their ids, and no table yet."""
    return draw_all(tmp_path, PLAIN)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_csv_in_every_dialect(shop, delimiter, encoding):
    write(shop, "products.csv", csv_text(product_rows(), delimiter), encoding)
    is_right(load_catalogue(shop))


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("cp1252", "Größe für Mädchen"),
        ("cp1251", "Рубашка синяя в полоску"),
        ("cp932", "青いワンピースとシャツ"),
        ("gb18030", "红色连衣裙和衬衫"),
    ],
)
def test_encodings_by_measure(shop, encoding, title):
    rows = [("id", "title"), *((item_id, f"{title} {item_id}") for item_id in IDS)]
    write(shop, "products.csv", csv_text(rows), encoding)
    catalogue = load_catalogue(shop)
    assert catalogue.table["name"].tolist() == [f"{title} {item_id}" for item_id in IDS]
    assert "measure" in catalogue.reading.tables[0].form


def test_excels_separator_line_and_two_columns(shop):
    rows = [row[:2] for row in product_rows()]
    write(shop, "artikel.csv", "sep=;\n" + csv_text(rows, ";"))
    assert load_catalogue(shop).table["name"].tolist() == [row[1] for row in rows[1:]]


def test_a_list_of_ids_alone(shop):
    write(shop, "ids.csv", "id\n" + "\n".join(IDS) + "\n")
    assert load_catalogue(shop).item_ids.tolist() == IDS


def test_titles_above_the_header(shop):
    write(shop, "p.csv", "Export of today;;\n;;\n" + csv_text(product_rows(), ";"))
    is_right(load_catalogue(shop))


def test_a_list_without_a_header(shop):
    write(shop, "list.csv", csv_text([(f"{i}.jpg", kind) for i, _, kind in PRODUCTS]))
    catalogue = load_catalogue(shop)
    assert (catalogue.item_ids.tolist(), paths(catalogue)) == (IDS, PLAIN)
    assert any("no header line" in note for note in catalogue.reading.notes)


def test_long_cell_is_one(shop):
    """A description of a thousand lines is one cell."""
    html = "\n".join(f"<li>point, {number}</li>" for number in range(1000))
    rows = [("id", "title", "description", "category")]
    rows += [(item_id, title, html, kind) for item_id, title, kind in PRODUCTS]
    write(shop, "items.csv", csv_text(rows))
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    assert catalogue.table["description"].tolist() == [html] * 4
    assert catalogue.mended.empty


def test_excel_with_numbers_zeros_and_dates(tmp_path):
    draw_all(tmp_path, ["images/0108775015.jpg", "images/0108775044.jpg"])
    path = write_excel(
        tmp_path / "products.xlsx",
        {
            "About": [["Export of the shop"]],
            "Products": [
                ["id", "title", "price", "since"],
                [108775015, "Dress", 19.9, pd.Timestamp("2024-05-01").to_pydatetime()],
                [108775044, "Bag", 9, pd.Timestamp("2024-06-01").to_pydatetime()],
            ],
        },
    )
    catalogue = load_catalogue(path.parent)
    assert paths(catalogue) == ["images/0108775015.jpg", "images/0108775044.jpg"]
    assert catalogue.table["price"].tolist() == [19.9, 9.0]
    assert catalogue.table["since"].tolist() == ["2024-05-01", "2024-06-01"]
    assert [join.rule for join in catalogue.reading.joins] == ["leading zeros"]


def test_a_file_that_is_no_excel_is_refused(shop):
    write(shop, "products.xlsx", b"PK..not really")
    with pytest.raises(CatalogueError, match=r"Excel workbook in products.xlsx"):
        load_catalogue(shop)
    assert len(load_catalogue(shop, table="none")) == 4


def test_parquet(shop):
    pd.DataFrame(PRODUCTS, columns=["id", "title", "category"]).astype({"id": int}).to_parquet(
        shop / "products.parquet"
    )
    is_right(load_catalogue(shop))


@pytest.mark.parametrize("wrapped", [False, True])
def test_json(shop, wrapped):
    products = [{"id": int(i), "title": t, "category": c} for i, t, c in PRODUCTS]
    write_json(shop, "products.json", {"products": products} if wrapped else products)
    is_right(load_catalogue(shop))


def test_kaggles_json_file_a_product(shop):
    for item_id, title, kind in PRODUCTS:
        product = {"productDisplayName": title, "articleType": {"id": 7, "typeName": kind}}
        write_json(shop, f"styles/{item_id}.json", {"meta": {"code": 200}, "data": product})
    assert sorted(labelled(load_catalogue(shop))) == sorted(PRODUCTS)


def test_hugging_face_imagefolder(tmp_path):
    draw_all(tmp_path, ["train/a.jpg", "train/b.jpg", "test/a.jpg"])
    write(tmp_path, "train/metadata.jsonl", '{"file_name": "a.jpg", "text": "x"}\n{"file_name": "b.jpg", "text": "y"}\n')  # fmt: skip
    write(tmp_path, "test/metadata.jsonl", '{"file_name": "a.jpg", "text": "z"}\n')
    table = load_catalogue(tmp_path).table.sort_values("path")
    assert table["path"].tolist() == ["test/a.jpg", "train/a.jpg", "train/b.jpg"]
    assert table["text"].tolist() == ["z", "x", "y"]
    assert table["split"].tolist() == ["test", "train", "train"]
    assert table["item_id"].is_unique


@pytest.mark.parametrize("top", ["shop/", "a/b/shop/"])
def test_the_top_folder_of_a_zip(shop, tmp_path_factory, top):
    write(shop, "products.csv", csv_text(product_rows()))
    archive = tmp_path_factory.mktemp("zip") / "shop.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(p for p in shop.rglob("*") if p.is_file()):
            file.write(path, top + path.relative_to(shop).as_posix())
    is_right(load_catalogue(archive), [top + path for path in PLAIN])


def test_a_zip_with_backslashes(shop, tmp_path_factory):
    write(shop, "products.csv", csv_text(product_rows()))
    archive = tmp_path_factory.mktemp("zip") / "shop.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(p for p in shop.rglob("*") if p.is_file()):
            inner = zipfile.ZipInfo("shop\\" + str(path.relative_to(shop)).replace("/", "\\"))
            inner.filename = inner.orig_filename
            file.writestr(inner, path.read_bytes())
    assert b"images\\40979.jpg" in archive.read_bytes()
    is_right(load_catalogue(archive), [f"shop/{path}" for path in PLAIN])


def test_a_tar(shop, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path_factory.mktemp("cache")))
    write(shop, "products.csv", csv_text(product_rows()))
    archive = tmp_path_factory.mktemp("tar") / "shop.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(shop, "shop")
    for _ in range(2):
        is_right(load_catalogue(archive), [f"shop/{path}" for path in PLAIN])


def test_an_encrypted_zip_is_called_so(tmp_path):
    archive = tmp_path / "locked.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.jpg", b"x" * 100)
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    archive.write_bytes(data)
    with pytest.raises(CatalogueError, match=r"1 are encrypted.*unpack it with its password"):
        load_catalogue(archive)


def test_other_files_given_as_a_catalogue(shop, tmp_path_factory):
    with pytest.raises(CatalogueError, match=r"one picture, 40979.jpg. Fix: name its folder"):
        load_catalogue(shop / PLAIN[0])
    other = tmp_path_factory.mktemp("other")
    with pytest.raises(CatalogueError, match="a 7z archive"):
        load_catalogue(write(other, "shop.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40)))
    write(shop, "q.csv", "id,title\n40979,other\n")
    is_right(load_catalogue(write(shop, "p.csv", csv_text(product_rows()))))


@pytest.mark.parametrize("name", ["metadata/products.csv", "data/tables/p.tsv"])
def test_a_table_in_a_folder_beside_the_pictures(shop, name):
    write(shop, name, csv_text(product_rows(), "\t" if name.endswith("tsv") else ","))
    is_right(load_catalogue(shop))


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("images/{}.jpg", "path"),
        ("./images/{}.jpg", "path, other separators"),
        ("images\\{}.jpg", "path, other separators"),
        ("{}.jpg", "file name"),
        ("/home/someone/shop/images/{}.jpg", "file name"),
        ("C:\\Users\\x\\{}.jpg", "file name"),
        ("https://cdn.example.test/a/{}.jpg?v=12", "file name"),
        ("{}.png", "file name without its ending"),
        ("IMAGES/{}.JPG", "file name without its ending"),
        ("0{}.jpg", "leading zeros"),
    ],
)
def test_a_cell_finds_its_picture(shop, cell, rule):
    rows = [(cell.format(i), t, c) for i, t, c in PRODUCTS]
    write(shop, "items.csv", csv_text([("image", "title", "category"), *rows]))
    catalogue = load_catalogue(shop)
    assert paths(catalogue) == PLAIN
    assert [(join.rule, join.rows) for join in catalogue.reading.joins] == [(rule, 4)]
    assert catalogue.reading.warnings() == []


def test_letter_case(tmp_path):
    draw_all(tmp_path, ["Red.jpg", "BLUE.JPG", "blue2.jpg"])
    write(tmp_path, "items.csv", "image,title\nred.JPG,a\nblue.jpg,b\nBlue2.png,c\n")
    catalogue = load_catalogue(tmp_path)
    assert paths(catalogue) == ["Red.jpg", "BLUE.JPG", "blue2.jpg"]
    assert [join.rule for join in catalogue.reading.joins] == [
        "letter case",
        "letter case, without its ending",
    ]


def test_unicode_forms_and_percent_signs(tmp_path):
    draw_all(tmp_path, ["Größe.jpg", "a b.jpg", "c%20d.jpg"])
    rows = [("id", "image"), ("1", "Gro\u0308ße.jpg"), ("2", "a%20b.jpg"), ("3", "c d.jpg")]
    write(tmp_path, "items.csv", csv_text(rows))
    assert paths(load_catalogue(tmp_path)) == ["Größe.jpg", "a b.jpg", "c%20d.jpg"]


def test_endings_that_differ(tmp_path):
    names = ["1.JPG", "2.jpeg", "3.Jpg", "4.jpg"]
    draw_all(tmp_path, names)
    write(tmp_path, "items.csv", csv_text([("image",), *((f"{n}.jpg",) for n in range(1, 5))]))
    assert paths(load_catalogue(tmp_path)) == names


def test_wrong_endings(tmp_path):
    """Pictures without an ending and with a wrong one."""
    draw_all(tmp_path, ["1", "2.dat"])
    draw_all(tmp_path, ["3.jpg"], "PNG")
    write(tmp_path, "items.csv", "id,title\n1,a\n2,b\n3,c\n")
    catalogue = load_catalogue(tmp_path)
    assert paths(catalogue) == ["1", "2.dat", "3.jpg"]
    assert len(catalogue.problems) == 0


def test_empty_image_cells_fall_back_to_the_id(shop):
    rows = [(i, f"images/{i}.jpg" if at % 2 else "", t) for at, (i, t, _) in enumerate(PRODUCTS)]
    write(shop, "items.csv", csv_text([("id", "image", "title"), *rows]))
    catalogue = load_catalogue(shop)
    assert paths(catalogue) == PLAIN
    assert [(join.column, join.rows) for join in catalogue.reading.joins] == [
        ("image", 2),
        ("id", 2),
    ]


def test_ids_are_no_file_names(tmp_path):
    """Myntra table with ids that are no file names."""
    names = [f"images/{title.replace(' ', '_')}_{at}.jpg" for at, (_, title, _) in enumerate(PRODUCTS)]  # fmt: skip
    draw_all(tmp_path, names)
    rows = [("id", "name", "img", "asin", "price", "image_filename")]
    for at, name in enumerate(names):
        url = f"https://assets.example.test/f_webp,w_210/assets/{at}-1.jpg"
        rows.append((str(at + 1), PRODUCTS[at][1], url, "-", str(499 + at), name[7:]))
    write(tmp_path, "products.csv", csv_text(rows))
    catalogue = load_catalogue(tmp_path)
    assert (catalogue.item_ids.tolist(), paths(catalogue)) == (["1", "2", "3", "4"], names)
    assert catalogue.table["price"].tolist() == [499.0, 500.0, 501.0, 502.0]


def test_image_column_recognised(shop):
    """A column of any name that names the pictures."""
    rows = [("shot", "title"), *((f"{i}.jpg", t) for i, t, _ in PRODUCTS)]
    write(shop, "items.csv", csv_text(rows))
    catalogue = load_catalogue(shop)
    assert (catalogue.item_ids.tolist(), paths(catalogue)) == (IDS, PLAIN)


def test_same_name_in_folders(tmp_path):
    """The same file name in every brands folder."""
    names = [f"{brand}/{n}.jpg" for brand in ("acme", "zenith") for n in (1, 2)]
    draw_all(tmp_path, names)
    rows = [("brand", "image"), *((n.split("/")[0].title(), n.split("/")[1]) for n in names)]
    write(tmp_path, "items.csv", csv_text(rows))
    catalogue = load_catalogue(tmp_path)
    assert paths(catalogue) == names
    assert catalogue.item_ids.tolist() == ["acme/1", "acme/2", "zenith/1", "zenith/2"]


def test_ambiguous_pictures_named(shop):
    """What several pictures fit is named and not guessed."""
    (shop / "more").mkdir()
    picture(5).save(shop / "more" / "40979.jpg")
    write(shop, "items.csv", csv_text(product_rows()))
    catalogue = load_catalogue(shop)
    assert paths(catalogue) == ["", *PLAIN[1:]]
    assert catalogue.reading.ambiguous.count == 1
    assert "images/40979.jpg or more/40979.jpg" in str(catalogue.reading.ambiguous)


def test_hm_with_customers_and_transactions(tmp_path):
    ids = ["0108775015", "0108775044", "0110065001"]
    draw_all(tmp_path, [f"images/{i[:3]}/{i}.jpg" for i in ids])
    rows = [("article_id", "product_code", "prod_name", "product_type_name", "colour_group_name")]
    rows += [(i, i[:7], f"Name {i}", "Dresses", "Black") for i in ids]
    write(tmp_path, "articles.csv", csv_text(rows))
    write(tmp_path, "customers.csv", "customer_id,FN\na,1\n")
    sales = "".join(f"2018-09-20,a,{i},0.05\n" for i in ids * 3)
    write(tmp_path, "transactions_train.csv", "t_dat,customer_id,article_id,price\n" + sales)
    catalogue = load_catalogue(tmp_path)
    assert catalogue.item_ids.tolist() == ids
    assert catalogue.labels("article_type").tolist() == ["Dresses"] * 3
    assert catalogue.table["product_code"].tolist() == ["0108775", "0108775", "0110065"]
    used = [(table.name, table.used) for table in catalogue.reading.tables]
    assert used[0] == ("articles.csv", True)
    assert {name for name, chosen in used if not chosen} == {"customers.csv", "transactions_train.csv"}  # fmt: skip
    with pytest.raises(CatalogueError, match=r"sales.csv.*Fix: name one of these"):
        load_catalogue(tmp_path, table="sales.csv")


def test_two_tables_joined(tmp_path):
    """Products in one table and their pictures in another."""
    draw_all(tmp_path, ["images/a1.jpg", "images/a2.jpg", "images/b1.jpg"])
    write(tmp_path, "products.csv", "product_id,title,category\n1,x,Bags\n2,y,Heels\n")
    write(tmp_path, "images.csv", "product_id,file\n1,a1.jpg\n1,a2.jpg\n2,b1.jpg\n")
    catalogue = load_catalogue(tmp_path)
    assert labelled(catalogue) == [("1", "x", "Bags"), ("2", "y", "Heels")]
    assert catalogue.views.to_numpy().tolist() == [
        ["1", "images/a1.jpg"],
        ["1", "images/a2.jpg"],
        ["2", "images/b1.jpg"],
    ]


def test_kaggle_large_layout(tmp_path):
    """Kaggle large with images CSV records and a second copy."""
    for top in ("fashion-dataset/", "fashion-dataset/fashion-dataset/"):
        draw_all(tmp_path, [top + path for path in PLAIN])
        rows = [(i, "Women", "Apparel", "Dress", c, "Red", "", "", "NA", t) for i, t, c in PRODUCTS]
        header = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"  # fmt: skip
        write(tmp_path, top + "styles.csv", csv_text([header.split(","), *rows]))
        links = [("filename", "link"), *((f"{i}.jpg", "http://x.test/x.jpg") for i in IDS)]
        write(tmp_path, top + "images.csv", csv_text(links))
        for item_id in IDS:
            write_json(tmp_path, f"{top}styles/{item_id}.json", {"data": {"price": 895}})
    catalogue = load_catalogue(tmp_path)
    is_right(catalogue, ["fashion-dataset/" + path for path in PLAIN])
    assert catalogue.kind == "kaggle"
    assert any("second copy" in count.what for count in catalogue.reading.left_out)


def views_of(catalogue: Catalogue) -> dict[str, list[str]]:
    return catalogue.views.groupby("item_id", sort=False)["path"].agg(list).to_dict()


SEVERAL = {
    "1": ["images/1_1.jpg", "images/1_2.jpg", "images/1_3.jpg"],
    "2": ["images/2_1.jpg", "images/2_2.jpg"],
}


@pytest.mark.parametrize(
    ("table", "files"),
    [
        ("id,title\n1,a\n2,b\n", SEVERAL),
        ("product_id,image,title\n1,1_1.jpg,a\n1,1_2.jpg,a\n1,1_3.jpg,\n2,2_1.jpg,b\n2,2_2.jpg,b\n", SEVERAL),
        ('id,title,images\n1,a,"1_1.jpg,1_2.jpg,1_3.jpg"\n2,b,2_1.jpg|2_2.jpg\n', SEVERAL),
        ('id,title,images\n1,a,"[""1_1.jpg"", ""1_2.jpg"", ""1_3.jpg""]"\n2,b,"[\'2_1.jpg\', \'2_2.jpg\']"\n', SEVERAL),
        ('id,title,image_link\n1,a,"https://x.test/1_1.jpg, https://x.test/1_2.jpg,https://x.test/1_3.jpg"\n2,b,https://x.test/2_1.jpg\n', SEVERAL),
        ("id,title,image_1,image_2,image_3\n1,a,1_1.jpg,1_2.jpg,1_3.jpg\n2,b,2_1.jpg,2_2.jpg,\n", SEVERAL),
        ("id,image,title\n1,1_1.jpg,a\n2,2_1.jpg,b\n", SEVERAL),
        ("sku,title\n1,a\n2,b\n", {"1": ["1/front.jpg", "1/back.jpg"], "2": ["2/front.jpg", "2/back.jpg"]}),
        ("sku,title\n1,a\n2,b\n", {"1": ["front/1.jpg", "back/1.jpg"], "2": ["front/2.jpg", "back/2.jpg"]}),
        ("sku,title\n1,a\n2,b\n", {"1": ["1.jpg", "1 (2).jpg"], "2": ["2.jpg", "2-back.jpg"]}),
    ],
)  # fmt: skip
def test_several_views(tmp_path, table, files):
    """Several pictures are one product with views."""
    draw_all(tmp_path, [path for inner in files.values() for path in inner])
    write(tmp_path, "items.csv", table)
    catalogue = load_catalogue(tmp_path)
    assert views_of(catalogue) == files
    assert paths(catalogue) == [inner[0] for inner in files.values()]
    assert catalogue.table["name"].tolist() == ["a", "b"]
    assert len(catalogue.images("1")) == len(files["1"])
    assert views_of(catalogue.take([1])) == {"2": files["2"]}


def test_clashing_ids_refused(shop):
    """Rows of one id that are different products are refused."""
    write(shop, "items.csv", "id,title,image\n1,a,40979.jpg\n1,b,23345.jpg\n2,c,12790.jpg\n")
    with pytest.raises(CatalogueError, match="'1' on lines 2, 3"):
        load_catalogue(shop)


def test_other_id_stands_in(shop):
    """A later unique id stands in for one that clashes."""
    text = "product_id,sku,title\n7,40979,a\n7,23345,b\n8,12790,c\n8,22463,d\n"
    write(shop, "items.csv", text)
    assert load_catalogue(shop).item_ids.tolist() == IDS


def test_shopify_variants_and_further_images(tmp_path):
    draw_all(tmp_path, ["images/p0.jpg", "images/p0b.jpg", "images/p1.jpg"])
    rows = [
        ("Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Option1 Name", "Option1 Value", "Variant SKU", "Variant Price", "Image Src", "Google Shopping / Gender"),
        ("item-0", "Dress", "<p>Soft,\n warm</p>", "Acme", "Dresses", "a, b", "Size", "S", "S0-S", "10.00", "https://c.test/p0.jpg?v=1", "female"),
        ("item-0", "", "", "", "", "", "", "M", "S0-M", "10.00", "https://c.test/p0b.jpg?v=1", ""),
        ("item-0", "", "", "", "", "", "", "L", "S0-L", "12.00", "", ""),
        ("item-1", "Bag", "<p>x</p>", "Acme", "Bags", "a, c", "Size", "One", "S1", "9.00", "https://c.test/p1.jpg?v=1", "female"),
    ]  # fmt: skip
    write(tmp_path, "products_export_1.csv", csv_text(rows))
    catalogue = load_catalogue(tmp_path)
    assert labelled(catalogue) == [("item-0", "Dress", "Dresses"), ("item-1", "Bag", "Bags")]
    assert views_of(catalogue)["item-0"] == ["images/p0.jpg", "images/p0b.jpg"]
    facts = catalogue.facts("item-0")
    assert (facts["variant_price"], facts["option1_value"]) == (10.0, "S | M | L")
    assert (facts["gender"], facts["tags"]) == ("female", "a, b")


def test_woocommerce_with_variations(tmp_path):
    draw_all(tmp_path, ["images/p0.jpg", "images/p1.jpg", "images/p1-150x150.jpg"])
    rows = [
        ("ID", "Type", "SKU", "Name", "Regular price", "Categories", "Images", "Parent"),
        ("11", "variable", "A", "Dress", "", "Clothing > Dresses, Sale", "https://w.test/p0.jpg", ""),
        ("12", "variation", "A-S", "Dress - S", "19.9", "", "", "A"),
        ("13", "variation", "A-M", "Dress - M", "19.9", "", "", "id:11"),
        ("14", "simple", "B", "Bag", "9", "Clothing > Bags", "https://w.test/p1.jpg", ""),
    ]  # fmt: skip
    write(tmp_path, "wc-product-export.csv", csv_text(rows))
    catalogue = load_catalogue(tmp_path)
    assert labelled(catalogue) == [("11", "Dress", "Dresses"), ("14", "Bag", "Bags")]
    assert catalogue.facts("11")["regular_price"] == 19.9
    assert catalogue.facts("11")["categories"] == "Clothing > Dresses, Sale"


@pytest.mark.parametrize("form", ["csv", "tsv", "xml"])
def test_google_merchant_feeds(tmp_path, form):
    draw_all(tmp_path, [f"images/{i}_main.jpg" for i in IDS])
    names = ["id", "title", "link", "image_link", "price", "color", "gender", "product_type"]
    rows = [
        (f"SKU-{i}", t, f"https://s.test/{i}", f"https://c.test/f/{i}_main.jpg?v=1", "49.00 EUR",
         "Black", "female", f"Apparel > {c}")
        for i, t, c in PRODUCTS
    ]  # fmt: skip
    if form == "xml":
        items = "".join(
            "<item>" + "".join(f"<g:{n}>{v.replace('>', '&gt;')}</g:{n}>" for n, v in zip(names, row, strict=True)) + "</item>"
            for row in rows
        )  # fmt: skip
        text = f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>{items}</channel></rss>'
    else:
        header = [f"g:{name}" for name in names] if form == "tsv" else names
        text = csv_text([header, *rows], "\t" if form == "tsv" else ",")
    write(tmp_path, f"feed.{form}", text)
    catalogue = load_catalogue(tmp_path)
    assert labelled(catalogue) == [(f"SKU-{i}", t, c) for i, t, c in PRODUCTS]
    assert catalogue.table["price"].tolist() == [49.0] * 4
    assert catalogue.column_types["price"].unit == "EUR"
    assert catalogue.column_types["link"].kind == "link"
    assert set(catalogue.labels("base_colour")) == {"Black"}


def test_deepfashion_in_shop(tmp_path):
    names = [
        "img/WOMEN/Dresses/id_00000002/02_1_front.jpg",
        "img/WOMEN/Dresses/id_00000002/02_2_side.jpg",
        "img/MEN/Denim/id_00000080/01_1_front.jpg",
    ]
    draw_all(tmp_path, names)
    found = load_catalogue(tmp_path)
    assert sorted(views_of(found).values()) == [names[2:], names[:2]]
    lines = [f"{name}      {name.split('/')[3]} train" for name in names]
    text = "\n".join(["3", "image_name item_id evaluation_status", *lines, ""])
    write(tmp_path, "Eval/list_eval_partition.txt", text)
    write(tmp_path, "Anno/list_item_inshop.txt", "2\nid_00000002\nid_00000080\n")
    for catalogue in (found, load_catalogue(tmp_path)):
        facts = catalogue.facts("id_00000002")
        assert (facts["article_type"], facts["gender"]) == ("Dresses", "WOMEN")


GERMAN = ("Artikelnummer", "Bezeichnung", "Kategorie", "Unterkategorie", "Farbe", "Geschlecht")
LANGUAGES = [
    GERMAN,
    ("référence", "nom du produit", "catégorie", "sous-catégorie", "couleur", "sexe"),
    ("código", "nombre", "categoría", "subcategoría", "color", "género"),
    ("codice articolo", "nome", "categoria", "sottocategoria", "colore", "genere"),
    ("商品编号", "商品名称", "类别", "子类别", "颜色", "性别"),
    ("商品番号", "商品名", "カテゴリ", "サブカテゴリ", "色", "性別"),
    ("उत्पाद आईडी", "उत्पाद का नाम", "श्रेणी", "उपश्रेणी", "रंग", "लिंग"),
    ("product_id", "product name", "product_type", "SubCategory", "colour name", "sex"),
    ("Style ID", "Product Title", "Category", "sub-category", "Primary Color", "Gender"),
]


@pytest.mark.parametrize("header", LANGUAGES, ids=lambda header: header[1])
def test_columns_in_languages(shop, header):
    """Columns in several languages are shown as guesses."""
    rows = [header, *((i, t, c, "Sub", "Red", "Women") for i, t, c in PRODUCTS)]
    write(shop, "p.csv", csv_text(rows))
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    assert (
        catalogue.table[["sub_category", "base_colour", "gender"]].to_numpy().tolist()
        == [["Sub", "Red", "Women"]] * 4
    )
    guessed = {c.source for c in catalogue.reading.tables[0].columns if c.guess}
    assert header[1] in guessed
    assert any("guess" in line and header[1] in line for line in catalogue.reading.lines())


def test_columns_can_be_named_and_kept(shop):
    rows = [("id", "Sorte", "Wort"), *((i, c, t) for i, t, c in PRODUCTS)]
    write(shop, "p.csv", csv_text(rows))
    assert labelled(load_catalogue(shop))[0] == ("40979", "", "")
    columns = {"article_type": "sorte", "name": "Wort"}
    is_right(load_catalogue(shop, columns=columns))
    write_settings(shop, None, columns)
    kept = load_catalogue(shop)
    is_right(kept)
    assert any("catalogue.toml" in note for note in kept.reading.notes)
    assert labelled(load_catalogue(shop, columns={"name": ""}))[0] == ("40979", "", "Dresses")
    for wrong, match in (({"name": "Gone"}, "'Gone'"), ({"brand": "Wort"}, "a column of ours")):
        with pytest.raises(CatalogueError, match=match):
            load_catalogue(shop, columns=wrong)


def test_labels_are_never_from_another_column(shop):
    rows = [("id", "name", "type", "sub_category"), *((i, t, "simple", "x") for i, t, _ in PRODUCTS)]  # fmt: skip
    write(shop, "p.csv", csv_text(rows))
    catalogue = load_catalogue(shop)
    assert set(catalogue.labels("article_type")) == {""}
    assert set(catalogue.table["type"]) == {"simple"}


def test_id_and_sku_and_two_of_everything(shop):
    rows = [("id", "sku", "name", "title", "category", "type", "color", "colour", "image", "file")]
    rows += [(i, f"AB-{i}", t, "t", c, "simple", "Red", "Red", f"{i}.jpg", "x") for i, t, c in PRODUCTS]  # fmt: skip
    write(shop, "p.csv", csv_text(rows))
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    own = catalogue.facts("40979")
    assert (own["sku"], own["title"], own["type"], own["file"]) == ("AB-40979", "t", "simple", "x")


def test_own_columns_that_are_called_like_ours(shop):
    header = ("id", "path", "has_image", "version", "row", "Größe", "材质", "%")
    rows = [(i, f"{i}.jpg", "yes", "2", "7", "M", "棉", "x") for i in IDS]
    write(shop, "p.csv", csv_text([header, *rows]))
    catalogue = load_catalogue(shop)
    facts = catalogue.facts("40979")
    assert (facts["path"], facts["has_image"]) == ("images/40979.jpg", True)
    assert (facts["own_has_image"], facts["version"], facts["row"]) == (True, 2, 7)
    assert (facts["größe"], facts["材质"], facts["column_8"]) == ("M", "棉", "x")
    assert "column 'has_image' is kept as own_has_image" in catalogue.reading.notes


def test_thumbnails_and_a_logo_are_no_products(shop):
    draw_all(shop, [f"thumbnails/{i}.jpg" for i in IDS])
    draw_all(shop, ["logo.png"], "PNG")
    write(shop, "items.csv", csv_text(product_rows()))
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    assert {count.count for count in catalogue.reading.left_out} == {4, 1}


def test_smaller_copies_in_a_folder_of_any_name(tmp_path):
    for at, item_id in enumerate(IDS):
        for folder, size in (("hd", (96, 128)), ("web", (48, 64))):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture(at, size).save(tmp_path / folder / f"{item_id}.png")
    catalogue = load_catalogue(tmp_path)
    assert paths(catalogue) == [f"hd/{item_id}.png" for item_id in sorted(IDS)]


@pytest.mark.parametrize(
    ("names", "products", "types", "split"),
    [
        ([f"images/0{s}/010877500{s}{n}.jpg" for s in (1, 2) for n in (1, 2)], 4, {""}, None),
        ([f"{k}/{f}.jpg" for k in ("SKU01", "SKU02") for f in ("front", "back")], 2, {""}, None),
        ([f"{k}/{n}.jpg" for k in ("12790", "23345") for n in (1, 2, 3)], 2, {""}, None),
        ([f"{k}/{k}_{n}.jpg" for k in ("a-1", "a-2") for n in (1, 2)], 2, {""}, None),
        ([f"{s}/{k}/{s}{k}.jpg" for s in ("train", "val") for k in ("Bags", "Heels")], 4, {"Bags", "Heels"}, {"train", "val"}),
        ([f"{g}/{k}/{g}{k}.jpg" for g in ("Men", "Women") for k in ("Bags", "Heels")], 4, {"Bags", "Heels"}, None),
        ([f"images/{k}/{k}{n}.jpg" for k in ("Bags", "Heels") for n in "xyz"], 6, {"Bags", "Heels"}, None),
        ([f"{i}_{n}.jpg" for i in ("12790", "23345") for n in (1, 2, 3)], 2, {""}, None),
        ([f"IMG_{n}.jpg" for n in range(4)], 4, {""}, None),
        ([f"shirt_{n}.jpg" for n in range(4)], 4, {""}, None),
        ([f"dress {n}-{w}.jpg" for n in "ab" for w in ("front", "back")], 2, {""}, None),
    ],
)  # fmt: skip
def test_folders_without_a_table(tmp_path, names, products, types, split):
    draw_all(tmp_path, names)
    catalogue = load_catalogue(tmp_path)
    assert len(catalogue) == products
    assert set(catalogue.labels("article_type")) == types
    assert sorted(catalogue.views["path"]) == sorted(names)
    assert ("split" in catalogue.table) == (split is not None)
    if split:
        assert set(catalogue.table["split"]) == split
    if names[0].startswith("Men"):
        assert set(catalogue.labels("gender")) == {"Men", "Women"}


def test_links_followed(tmp_path):
    """Links within the root are followed and out of it on request."""
    draw_all(tmp_path / "elsewhere", [f"{i}.jpg" for i in IDS])
    shop = tmp_path / "shop"
    write(shop, "items.csv", csv_text(product_rows()))
    os.symlink("../elsewhere", shop / "images")
    with pytest.raises(CatalogueError, match=r"images, a link out of it.*--follow-links"):
        load_catalogue(shop)
    catalogue = load_catalogue(shop, follow_links=True)
    is_right(catalogue)
    assert catalogue.image("40979").shape == (64, 48, 3)
    assert catalogue.options == {"follow_links": True}
    os.symlink("shop", tmp_path / "again")
    write(tmp_path, "loop/x.txt", "x")
    os.symlink("..", tmp_path / "loop" / "up")
    whole = load_catalogue(tmp_path)
    assert len(whole) == 4
    assert all(path.startswith("elsewhere/") for path in paths(whole))


def test_pictures_of_a_phone(tmp_path):
    import pillow_heif

    pillow_heif.register_heif_opener()
    draw_all(tmp_path, ["IMG_1.HEIC", "IMG_2.heif"], "HEIF")
    draw_all(tmp_path, ["dress.avif"], "AVIF")
    draw_all(tmp_path, ["a1b2c3"])
    import pillow_jxl  # noqa: F401

    draw_all(tmp_path, ["shirt.jxl"], "JXL")
    write(tmp_path, "IMG_9.HEIC", b"\x00\x00\x00\x18ftypheic" + bytes(40))
    write(tmp_path, "clip.mov", b"\x00\x00\x00\x14ftypqt  " + bytes(40))
    catalogue = load_catalogue(tmp_path)
    assert catalogue.item_ids.tolist() == ["IMG_1", "IMG_2", "IMG_9", "a1b2c3", "dress", "shirt"]
    assert catalogue.image("IMG_1").shape == catalogue.image("shirt").shape == (64, 48, 3)
    assert catalogue.problems["item_id"].tolist() == ["IMG_9"]
    assert "HEIC" in catalogue.problems["reason"].iloc[0]
    assert [str(count) for count in catalogue.reading.left_out] == ["1 films (clip.mov)"]


def test_unjoined_refused(shop):
    """A table and pictures that do not join are refused with a mend."""
    write(shop, "items.csv", "id,title\n1,a\n2,b\n3,c\n")
    with pytest.raises(CatalogueError, match=r"0 of 3 products.*--columns image=.*--table none"):
        load_catalogue(shop)
    with pytest.raises(CatalogueError):
        load_catalogue(shop, allow_unmatched=True)
    write(shop, "items.csv", "id,title\n40979,a\n23345,b\n3,c\n4,d\n")
    with pytest.raises(CatalogueError, match=r"2 of 4 products.*3: images/3.jpg.*--allow-unm"):
        load_catalogue(shop)
    taken = load_catalogue(shop, allow_unmatched=True)
    assert paths(taken) == ["images/40979.jpg", "images/23345.jpg", "", ""]
    assert taken.reading.without_picture.count == taken.reading.without_row.count == 2
    assert len(taken.reading.warnings()) == 2


def test_unreadable_tables_named(shop):
    """Tables that cannot be read are not passed over."""
    write(shop, "products.xls", b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(CatalogueError, match=r"products.xls. Fix: save it as"):
        load_catalogue(shop)
    write(shop, "products.csv", csv_text(product_rows()))
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    assert "products.xls" in str(catalogue.reading.left_out[0])


def test_pictures_inside_a_parquet_are_named(shop):
    table = pd.DataFrame({"image": [{"bytes": b"x", "path": "a.jpg"}], "label": ["Bags"]})
    table.to_parquet(shop / "train.parquet")
    with pytest.raises(CatalogueError, match=r"inside column 'image' of train.parquet"):
        load_catalogue(shop)


def test_the_reading_says_all_of_it_as_json(shop):
    import json

    write(shop, "items.csv", csv_text([*product_rows(), ("5", "lost", "Bags")]))
    write(shop, "notes.md", "x")
    reading = load_catalogue(shop).reading
    told = json.loads(json.dumps(reading.to_dict()))
    assert told["rows"] == told["products"] == 5
    assert told["with_picture"] == 4
    assert told["without_picture"]["examples"] == ["5: images/5.jpg"]
    assert told["left_out"][0]["examples"] == ["notes.md"]
    assert told["tables"][0]["columns"][1]["became"] == "name"
    lines = "\n".join(reading.lines())
    assert "column 'title' is name (guess, English)" in lines
    assert "joined by id, file name without its ending: 4 rows" in lines
    assert "warning: 1 products without a picture (5: images/5.jpg)" in lines


def test_unnamed_column_kept(shop):
    """A column without a name is kept and empty ones go."""
    rows = [(item_id, title, "", "x", "") for item_id, title, _ in PRODUCTS]
    write(shop, "p.csv", csv_text([("id", "title", "", "", ""), *rows], ";"))
    catalogue = load_catalogue(shop)
    assert catalogue.table["name"].tolist() == [title for _, title, _ in PRODUCTS]
    assert catalogue.table["column_4"].tolist() == ["x"] * 4
    assert "column_3" not in catalogue.table
    assert catalogue.mended.empty


def test_text_beside_pictures(shop):
    """What lies beside pictures and is no table."""
    write(shop, "products.csv", csv_text(product_rows()))
    write(shop, "~$products.xlsx", b"\x00" * 165)
    write(shop, "images/40979.txt", "a red dress, on white")
    write(shop, "images/40979.xml", "<annotation><object><name>x</name></object></annotation>")
    write(shop, "images.zip", b"PK\x03\x04")
    catalogue = load_catalogue(shop)
    is_right(catalogue)
    assert [table.name for table in catalogue.reading.tables] == ["products.csv"]
    reasons = {count.what for count in catalogue.reading.left_out}
    assert {"texts beside single pictures", "hidden files of a system"} <= reasons
    assert any("unpack them" in reason for reason in reasons)


def test_a_packed_table(shop):
    import gzip

    write(shop, "products.csv.gz", gzip.compress(csv_text(product_rows()).encode()))
    is_right(load_catalogue(shop))
    write(shop, "products.csv.gz", b"\x1f\x8b\x08broken")
    with pytest.raises(CatalogueError, match=r"a whole gzip file, products.csv.gz"):
        load_catalogue(shop)


@pytest.mark.parametrize("escaped", [False, True])
def test_every_mended_row_is_named(shop, escaped):
    bad = '22463,"A \\"good\\" shirt, new",Shirts\n' if escaped else '22463,"Big" shirt,Shirts\n'
    text = csv_text(product_rows()[:-1]) + bad
    write(shop, "p.csv", text)
    catalogue = load_catalogue(shop)
    assert catalogue.mended[["item_id", "line"]].to_numpy().tolist() == [["22463", 5]]
    assert catalogue.facts("22463")["article_type"] == "Shirts"
    assert "line 5" in str(catalogue.reading.mended)
