"""Words, spelling, the word index, what is understood of a text, and the tower's arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fashify.errors import QueryError, StoreCorruptError
from fashify.text.index import WordIndex
from fashify.text.meaning import Labels, understand
from fashify.text.tower import Tower, quantise_rows
from fashify.text.words import BUCKETS, MAX_TEXT, normalise, pieces, stems

ROWS = [
    ("1", "Puma Men Black Running Shoes", "Men", "Sports Shoes", "Black", "Sports"),
    ("2", "Adidas Women Red Floral Dress", "Women", "Dresses", "Red", "Casual"),
    ("3", "Nike Men Blue Striped T-shirt", "Men", "Tshirts", "Blue", "Casual"),
    ("4", "Nike Women Navy Blue Jeans", "Women", "Jeans", "Navy Blue", "Casual"),
    ("5", "Gini and Jony Girls White Dress", "Girls", "Dresses", "White", "Casual"),
    ("6", "Arrow Men White Formal Shirt", "Men", "Shirts", "White", "Formal"),
]
COLUMNS = ["item_id", "name", "gender", "article_type", "base_colour", "usage"]


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS)


@pytest.fixture(scope="module")
def index(items: pd.DataFrame) -> WordIndex:
    return WordIndex.build(items)


def test_normalise() -> None:
    assert normalise("  Men’s  ÉTÉ T-Shirt\n") == "men ete tshirt"
    assert stems("Dresses, WATCHES & ladies' t shirts") == ["dress", "watch", "lady", "tshirt"]
    assert stems("काली साड़ी") == ["काली", "साड़ी"]


def test_pieces_follow_the_recipe() -> None:
    """One word of two letters: itself, then the n-grams of <ab> of 3 and 4 letters."""
    assert len(pieces("ab")) == 1 + 2 + 1
    assert len(pieces("ab cd")) == 2 * 4 + 1
    assert all(0 <= number < BUCKETS for number in pieces("Red floral dress"))
    assert pieces("红色") == []


def test_bm25_by_hand() -> None:
    """Two products of one word: idf ln(1 + 1.5 / 1.5), frequency 1, so the score is the bound's."""
    found = WordIndex.build(pd.DataFrame({"item_id": ["a", "b"], "name": ["red", "blue"]}))
    positions, scores = found.postings("red")
    assert positions.tolist() == [0]
    assert scores[0] == pytest.approx(np.log(2) * 2.2 / 2.2)
    assert found.scores(["red"]) == pytest.approx([1 / 2.2, 0])
    assert found.scores(["red", "nothing"])[0] < found.scores(["red"])[0]


def test_ranking(index: WordIndex) -> None:
    assert np.argmax(index.scores(stems("nike jeans"))) == 3
    assert np.argmax(index.scores(stems("white dress for girls"))) == 4
    assert not index.scores(["zzxq"]).any()


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("tshrit", "tshirt"),
        ("addidas", "adidas"),
        ("drses", "dress"),
        ("zzxqy", None),
        ("pu", None),
    ],
)
def test_spelling(index: WordIndex, slip: str, meant: str | None) -> None:
    assert index.spell(slip) == meant


def test_suggestions(index: WordIndex) -> None:
    assert index.suggest("dr")[0] == "dress"
    assert index.suggest("girls dr") == ["girls dress"]
    assert set(index.suggest("men s")) == {"men shirt", "men shoes", "men sports", "men striped"}
    assert index.suggest("") == index.suggest("zzz") == index.suggest("%_'") == []


def test_index_file(items: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "words.sqlite"
    built = WordIndex.build(items, path)
    again = WordIndex.load(path)
    assert np.array_equal(built.scores(["dress"]), again.scores(["dress"]))
    other = tmp_path / "other.sqlite"
    WordIndex.build(items, other)
    assert other.read_bytes() == path.read_bytes()
    path.write_bytes(b"no database at all")
    with pytest.raises(StoreCorruptError):
        WordIndex.load(path)
    with pytest.raises(StoreCorruptError):
        WordIndex.load(tmp_path / "none.sqlite")


def test_index_of_nothing() -> None:
    """No names, no labels, no products: no words, and no error."""
    found = WordIndex.build(pd.DataFrame({"item_id": ["a", "b"]}))
    assert not found.scores(["red"]).any()
    assert found.suggest("r") == []
    assert WordIndex.build(pd.DataFrame({"item_id": [], "name": []})).scores(["red"]).shape == (0,)


def _said(text: str, items: pd.DataFrame, index: WordIndex) -> dict[str, list[str]]:
    found = understand(text, Labels(items), knows=index.knows, spell=index.spell)
    kinds: dict[str, list[str]] = {}
    for term in found.terms:
        kinds.setdefault("-" * term.excluded + term.kind, []).extend(term.labels or (term.name,))
    return kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("black puma shoes", {"colour": ["Black"], "word": ["puma"], "type": ["Sports Shoes"]}),
        ("navy blue jeans", {"colour": ["Navy Blue"], "type": ["Jeans"]}),
        ("blue jeans", {"colour": ["Blue"], "type": ["Jeans"]}),
        ("dress, not white or red", {"type": ["Dresses"], "-colour": ["White", "Red"]}),
        ("t-shirt -blue", {"type": ["Tshirts"], "-colour": ["Blue"]}),
        ("a crimson gown for her", {"colour": ["Red"], "type": ["Dresses"], "gender": ["Women"]}),
        ("Kleid ohne Streifen", {"type": ["Dresses"], "-pattern": ["striped"]}),
        ("robe rouge pour femme", {"colour": ["Red"], "type": ["Dresses"], "gender": ["Women"]}),
        ("camisa blanca de hombre", {"colour": ["White"], "type": ["Shirts"], "gender": ["Men"]}),
        ("vestito rosso", {"colour": ["Red"], "type": ["Dresses"]}),
        ("काला जूता", {"colour": ["Black"], "type": ["Sports Shoes"]}),
        ("白色连衣裙", {"colour": ["White"], "type": ["Dresses"]}),
        ("赤いワンピース", {"colour": ["Red"], "type": ["Dresses"]}),
        ("blakc tshrit", {"colour": ["Black"], "type": ["Tshirts"]}),
    ],
)  # fmt: skip
def test_meaning(
    text: str, kinds: dict[str, list[str]], items: pd.DataFrame, index: WordIndex
) -> None:
    assert _said(text, items, index) == kinds


def test_meaning_of_labels_in_another_language() -> None:
    """A German shop's own labels are found by English words, and by its own."""
    labels = Labels(
        pd.DataFrame({"base_colour": ["Schwarz", "Rot"], "article_type": ["Kleider", "Hemden"]})
    )
    for text in ("black dress", "schwarzes Kleid"):
        assert [term.labels for term in understand(text, labels).terms] == [
            ("Schwarz",),
            ("Kleider",),
        ]


def test_corrections_are_told(items: pd.DataFrame, index: WordIndex) -> None:
    found = understand("addidas zzxqy", Labels(items), knows=index.knows, spell=index.spell)
    assert found.corrections == {"addidas": "adidas"}
    assert found.unknown == ("zzxqy",)


@pytest.mark.parametrize(
    "text", ["", "   ", "!!!", "-", "👗👠", None, 7, "a" * 10_000, "black, not black", "red -red"]
)
def test_refused_texts(text: object, items: pd.DataFrame) -> None:
    with pytest.raises(QueryError, match="Fix: "):
        understand(text, Labels(items))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["x", "dress 👗", "'; DROP TABLE terms; --", 'name:red* NEAR("a" "b")', "красное платье",
     "a" * MAX_TEXT, "\x00red\ud800", "- -not", "not", "or"],
)  # fmt: skip
def test_odd_texts(text: str, items: pd.DataFrame, index: WordIndex) -> None:
    """Signs of any language are words or nothing; none is syntax."""
    found = understand(text, Labels(items), knows=index.knows, spell=index.spell)
    assert index.scores(stems(found.english)).shape == (6,)
    assert index.knows("dress")
    index.suggest(text)


def _tower() -> Tower:
    rng = np.random.default_rng(0)
    rows, scales = quantise_rows(rng.normal(size=(BUCKETS, 8)).astype(np.float32))
    sizes = {"straight": (8, 4), "hidden": (8, 6), "out": (6, 4), "picture": (5, 4)}
    layers = {
        name: (
            rng.normal(size=size).astype(np.float32),
            rng.normal(size=size[1]).astype(np.float32),
        )
        for name, size in sizes.items()
    }
    norm = np.stack([np.ones(8, np.float32), np.zeros(8, np.float32)])
    return Tower(np.arange(BUCKETS, dtype=np.int32), rows, scales, norm, layers, ("red", "dress"))


def test_tower() -> None:
    """Unit length, one text at a time as all together, and the file keeps it but for int8."""
    tower = _tower()
    texts = ["red dress", "blue jeans", "红色"]
    vectors = tower.embed(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0], abs=1e-6)
    assert tower("red dress") == pytest.approx(vectors[0], abs=1e-6)
    again = Tower.from_bytes(tower.to_bytes())
    assert (again.embed(texts) * vectors).sum(axis=1)[:2] == pytest.approx([1, 1], abs=2e-3)
    assert again.knows("dress")
    assert not again.knows("jean")
    pictures = again.pictures(np.ones((3, 5), np.float32))
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(np.ones(3))
    assert again.to_bytes() == Tower.from_bytes(again.to_bytes()).to_bytes()


def test_damaged_tower() -> None:
    data = _tower().to_bytes()
    for broken in (b"", data[:100], b"{}" + data, data[:-10]):
        with pytest.raises(StoreCorruptError):
            Tower.from_bytes(broken)
