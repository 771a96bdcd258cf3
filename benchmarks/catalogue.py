"""What reading a catalogue costs, and that no table loses, invents or swaps a picture.

python benchmarks/catalogue.py million          a table of 1,000,000 rows with their pictures
python benchmarks/catalogue.py tables           3,000 drawn tables through write, read and join
python benchmarks/catalogue.py kaggle ZIP       the public catalogue, three times
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fashify.catalogue import Catalogue, load_catalogue
from fashify.errors import CatalogueError

#: Letters of drawn ids: what file systems, spreadsheets and addresses each treat in their own way.
LETTERS = "0127aAbBzZ-_ .,'é\u00e4ß红ど%&+"

#: How a table may name the picture ``images/<id>.jpg``.
STYLES: dict[str, Callable[[str], str]] = {
    "id": lambda item_id: "",
    "name": lambda item_id: f"{item_id}.jpg",
    "path": lambda item_id: f"images/{item_id}.jpg",
    "windows": lambda item_id: f"images\\{item_id}.jpg",
    "absolute": lambda item_id: f"/srv/shop/images/{item_id}.jpg",
    "address": lambda item_id: f"https://cdn.example.test/f/{quote(item_id)}.jpg?v=1",
    "ending": lambda item_id: f"{item_id}.png",
    "case": lambda item_id: f"{item_id}.JPG".upper(),
    "form": lambda item_id: unicodedata.normalize("NFD", f"{item_id}.jpg"),
    "zeros": lambda item_id: f"{item_id.lstrip('0') or '0'}.jpg",
}

FORMATS = ("csv", "tsv", "semicolon", "json", "jsonl", "parquet", "xlsx")


#: Where temporary catalogues are made: in memory where there is such a place.
MEMORY = Path("/dev/shm")


def make_folder() -> tempfile.TemporaryDirectory[str]:
    """An empty folder that goes by itself."""
    return tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)


def write_table(folder: Path, rows: pd.DataFrame, form: str, encoding: str = "utf-8") -> None:
    """Writes text cells in one of ``FORMATS``."""
    if form in ("csv", "tsv", "semicolon"):
        mark = {"csv": ",", "tsv": "\t", "semicolon": ";"}[form]
        name = "t.tsv" if form == "tsv" else "t.csv"
        text = rows.to_csv(index=False, sep=mark)
        (folder / name).write_bytes(text.encode(encoding))
    elif form == "parquet":
        rows.to_parquet(folder / "t.parquet")
    elif form == "xlsx":
        rows.to_excel(folder / "t.xlsx", index=False)
    else:
        text = rows.to_json(orient="records", lines=form == "jsonl", force_ascii=False)
        (folder / f"t.{form}").write_text(text, encoding="utf-8")


item_ids = st.text(LETTERS, min_size=1, max_size=8).filter(
    lambda text: text == text.strip(" .") and text not in ("", ".", "..")
)
titles = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    lambda text: " ".join(text.split()).lstrip("= ")
)


def check_table(folder: Path, data: st.DataObject) -> str:
    """Draws products and a table, reads it, and compares with what was meant.

    Returns:
        "read" or "refused".

    Raises:
        AssertionError: a row lost or invented, a picture swapped, a title changed.
    """
    ids = data.draw(st.lists(item_ids, min_size=1, max_size=6, unique=True))
    style = data.draw(st.sampled_from(sorted(STYLES)))
    form = data.draw(st.sampled_from(FORMATS))
    missing = data.draw(st.sets(st.sampled_from(ids), max_size=1)) if len(ids) > 1 else set()
    rows = pd.DataFrame(
        {
            "id": ids,
            "title": [data.draw(titles) for _ in ids],
            "image": [STYLES[style](item_id) for item_id in ids],
        },
        dtype=object,
    )
    if style == "id":
        rows = rows.drop(columns="image")
    (folder / "images").mkdir(parents=True)
    for item_id in ids:
        if item_id not in missing:
            (folder / "images" / f"{item_id}.jpg").write_bytes(b"")
    write_table(folder, rows, form)
    catalogue, refusal = _read(folder)
    if catalogue is None:
        assert _may_refuse(ids, style), refusal
        return "refused"
    _compare(catalogue.table, rows, missing, exact=style in ("name", "path"))
    return "read"


def _read(folder: Path) -> tuple[Catalogue | None, str]:
    """The catalogue, or what Fashify says against it."""
    try:
        return load_catalogue(folder, allow_unmatched=True), ""
    except CatalogueError as error:
        return None, str(error)


def _may_refuse(ids: list[str], style: str) -> bool:
    """Only where names that the table spells differently are not told apart any more."""
    return style not in ("name", "path") or len(ids) == 1


def _compare(table: pd.DataFrame, rows: pd.DataFrame, missing: set[str], *, exact: bool) -> None:
    assert table["item_id"].tolist() == rows["id"].tolist()
    assert table["name"].tolist() == rows["title"].str.strip().tolist()
    for item_id, path in zip(table["item_id"], table["path"], strict=True):
        mine = f"images/{item_id}.jpg"
        assert path in ("", mine), (item_id, path)
        assert not exact or path or item_id in missing, item_id


def run_tables(count: int, seed_number: int = 0) -> dict[str, int]:
    """So many drawn tables; the first that is wrong ends it with its smallest example."""
    outcomes = {"read": 0, "refused": 0}

    @seed(seed_number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        with make_folder() as folder:
            outcomes[check_table(Path(folder), data)] += 1

    check()
    return {"tables": sum(outcomes.values()), **outcomes}


def run_million(rows: int) -> dict[str, Any]:
    """A table of so many rows, each with an (empty) picture of its own in folders of a thousand."""
    with make_folder() as name:
        folder = Path(name)
        for number in range(0, rows, 1000):
            shard = folder / "images" / f"{number // 1000:04}"
            shard.mkdir(parents=True)
            for item in range(number, min(number + 1000, rows)):
                os.mknod(shard / f"0{item:09}.jpg")
        text = io.StringIO()
        text.write("article_id,prod_name,product_type_name,colour_group_name,price,detail_desc\n")
        for item in range(rows):
            # The leading zero is lost, as pandas loses it.
            text.write(f'{item:09},Shirt {item},Shirts,Blue,{item % 90}.90,"Soft, light {item}"\n')
        (folder / "articles.csv").write_text(text.getvalue())
        del text
        start, cpu = time.perf_counter(), time.process_time()
        catalogue = load_catalogue(folder)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
        table = catalogue.table
        expected = "images/" + table["item_id"].str[:-3].str[-4:].str.zfill(4)
        return {
            "rows": len(table),
            "joined": int(table["has_image"].sum()),
            "wrong": int((table["path"] != expected + "/0" + table["item_id"] + ".jpg").sum()),
            "seconds": round(seconds, 1),
            "cpu_seconds": round(cpu_seconds, 1),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "joins": [f"{join.rule}: {join.rows}" for join in catalogue.reading.joins],
        }


def run_kaggle(path: str) -> dict[str, Any]:
    """Processor seconds of reading the public catalogue, the least of three."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        catalogue = load_catalogue(path)
        seconds.append(time.process_time() - start)
    reading = catalogue.reading
    return {
        "cpu_seconds": round(min(seconds), 2),
        "rows": reading.rows,
        "mended": reading.mended.count,
        "without_picture": reading.without_picture.count,
        "fingerprint": catalogue.fingerprint[:12],
    }


def main() -> None:
    """One measurement, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("million", "tables", "kaggle"))
    parser.add_argument("zip", nargs="?")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--count", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    given_arguments = parser.parse_args()
    if given_arguments.what == "million":
        found = run_million(given_arguments.rows)
    elif given_arguments.what == "tables":
        found = run_tables(given_arguments.count, given_arguments.seed)
    else:
        found = run_kaggle(given_arguments.zip)
    json.dump(found, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
