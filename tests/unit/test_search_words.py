"""Queries of several parts: text, item, liked and disliked, variants shown as one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify import FeatureStore, Retriever, make_index
from fashify.errors import NoLabelsError, NoWordsError, QueryError
from fashify.evaluation.recolour import (
    ColourChange,
    describe_recolour,
    draw_changes,
    evaluate_recolour,
)
from fashify.evaluation.texts import judge_hand_queries, load_hand_queries
from fashify.learning.tower import TowerRecipe, make_lesson, train_tower
from fashify.retrieval.variants import drop_colours, variant_ids
from fashify.retrieval.wording import Wording

TYPES = {"Shirts": 0, "Dresses": 1, "Jeans": 2}
COLOURS = {"Black": 3, "White": 4, "Navy Blue": 5}
PATTERNS = ("striped", "floral")


def _gallery() -> pd.DataFrame:
    """Three makers of three types in three colours; a name says all of it."""
    rows = [
        (f"{maker} {colour} {kind}", kind, colour, "Women" if kind == "Dresses" else "Men")
        for maker in ("Alfa", "Bravo", "Chic")
        for kind in TYPES
        for colour in COLOURS
    ]
    table = pd.DataFrame(rows, columns=["name", "article_type", "base_colour", "gender"])
    return table.assign(item_id=[str(100 + row) for row in range(len(rows))])


def _features(items: pd.DataFrame) -> np.ndarray:
    """Type, colour and, weakly, the maker are seen."""
    features = np.zeros((len(items), 9), np.float32)
    rows = np.arange(len(items))
    features[rows, items["article_type"].map(TYPES)] = 1.0
    features[rows, items["base_colour"].map(COLOURS)] = 0.6
    features[rows, 6 + items["name"].str[0].map({"A": 0, "B": 1, "C": 2})] = 0.3
    return features


def _retriever(items: pd.DataFrame, features: np.ndarray) -> Retriever:
    meta = {"backbone": {"name": "none", "dim": features.shape[1]}}
    store = FeatureStore(features, items["item_id"], meta, items=items)
    # Groups of a store in memory: no picture is another's copy.
    store.__dict__["groups"] = np.arange(len(items))
    return Retriever(store, make_index("exact").fit(features, items["item_id"].to_numpy()))


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    items = _gallery()
    return _retriever(items, _features(items))


def test_text_alone(retriever: Retriever) -> None:
    found = retriever.by_text("black dress", 3)
    assert {(m.article_type, m.base_colour) for m in found} == {("Dresses", "Black")}
    assert [m.rank for m in found] == [1, 2, 3]
    assert all(0 <= m.distance <= 1 for m in found)
    assert set(found[0].parts) == {"words"}


def test_maker_in_the_text(retriever: Retriever) -> None:
    assert retriever.by_text("bravo navy blue jeans", 1)[0].name == "Bravo Navy Blue Jeans"
    assert retriever.by_text("bravoo nayv blue jean", 1)[0].name == "Bravo Navy Blue Jeans"


def test_other_languages(retriever: Retriever) -> None:
    for text in ("weisses Kleid", "robe blanche", "vestido blanco", "白色连衣裙", "白いワンピース"):
        found = retriever.by_text(text, 3)
        assert {(m.article_type, m.base_colour) for m in found} == {("Dresses", "White")}


def test_negatives(retriever: Retriever) -> None:
    found = retriever.by_text("shirt -black, not white", 9)
    assert {m.base_colour for m in found} == {"Navy Blue"}
    assert "Black" not in {m.base_colour for m in retriever.search(item_id="100", text="not black")}


def test_like_this_but_in_white(retriever: Retriever) -> None:
    """The maker's same garment in the colour named comes first; the item itself is left out."""
    assert retriever.store.items["name"][0] == "Alfa Black Shirts"
    found = retriever.search(item_id="100", text="but in white", k=3)
    assert [m.base_colour for m in found] == ["White"] * 3
    assert found[0].name == "Alfa White Shirts"
    assert {m.article_type for m in found} == {"Shirts"}
    assert "100" not in {m.item_id for m in found}


@pytest.fixture(scope="module")
def patterned() -> Retriever:
    """Red and blue shirts and dresses, striped or floral, with nothing but what is seen."""
    kinds = [(a, b, c) for a in PATTERNS for b in ("red", "blue") for c in ("shirt", "dress")] * 24
    items = pd.DataFrame({"name": [f"{' '.join(kind)} {n}" for n, kind in enumerate(kinds)]})
    features = np.random.default_rng(0).normal(0, 0.05, (len(kinds), 6)).astype(np.float32)
    at = {word: n for n, word in enumerate((*PATTERNS, "red", "blue", "shirt", "dress"))}
    for row, kind in enumerate(kinds):
        features[row, [at[word] for word in kind]] += 1.0
    recipe = TowerRecipe(width=16, hidden=16, dim=16, batch=64, epochs=40, drop=0.1, rate=1e-2)
    tower = train_tower(make_lesson(features, items), recipe=recipe, progress=False)
    found = _retriever(pd.DataFrame({"item_id": [str(n) for n in range(len(kinds))]}), features)
    found.__dict__["wording"] = Wording(found.store, tower)
    found.__dict__["kinds"] = np.array(kinds)
    return found


def kinds_of(retriever: Retriever, matches: list) -> np.ndarray:
    """(k, 3) pattern, colour and type of matches."""
    return retriever.__dict__["kinds"][[match.position for match in matches]]


@pytest.mark.parametrize("item", [0, 5])
def test_a_pattern_replaces_that_of_the_item(patterned: Retriever, item: int) -> None:
    """Beside a striped red shirt "floral" gives floral red shirts, by pictures alone."""
    pattern, colour, kind = patterned.__dict__["kinds"][item]
    other = PATTERNS[pattern == PATTERNS[0]]
    found = kinds_of(patterned, patterned.search(item_id=str(item), text=f"but {other}", k=5))
    assert (found[:, 0] == other).all()
    assert (found[:, 1] == colour).mean() >= 0.8
    assert (found[:, 2] == kind).mean() >= 0.8
    plain = kinds_of(patterned, patterned.by_item(str(item), 5))
    assert (plain[:, 0] == pattern).all()


@pytest.mark.parametrize("text", ["not striped", "-striped", "shirt, not striped"])
def test_a_pattern_not_wanted(patterned: Retriever, text: str) -> None:
    found = kinds_of(patterned, patterned.search(item_id="0", text=text, k=5))
    assert (found[:, 0] == "floral").all()


@pytest.mark.parametrize(
    ("text", "level", "label"),
    [("but in navy blue", "base_colour", "Navy Blue"), ("but jeans", "article_type", "Jeans"),
     ("for women", "gender", "Women")],
)  # fmt: skip
def test_what_a_text_replaces(text: str, level: str, label: str) -> None:
    """Colour, type and gender: the label named takes the place of the item's own."""
    items = _gallery()
    items.loc[items["name"].str.startswith("Chic"), "gender"] = "Women"
    assert items[level][0] != label
    found = _retriever(items, _features(items)).search(item_id="100", text=text, k=2)
    assert {match.facts[level] for match in found} == {label}


@pytest.mark.parametrize(
    ("text", "level", "label"),
    [("not black", "base_colour", "Black"), ("not shirts", "article_type", "Shirts"),
     ("-men", "gender", "Men")],
)  # fmt: skip
def test_what_a_text_excludes(retriever: Retriever, text: str, level: str, label: str) -> None:
    assert retriever.store.items[level][0] == label
    found = retriever.search(item_id="100", text=text, k=9)
    assert label not in {match.facts[level] for match in found}


def test_filter_and_text(retriever: Retriever) -> None:
    found = retriever.by_text("black", 9, where="article_type = Jeans")
    assert {m.article_type for m in found} == {"Jeans"}


def test_weights(retriever: Retriever) -> None:
    """With the text's weight at 0 the item alone decides."""
    found = retriever.search(item_id="100", text="white dress", k=1, weights={"words": 0})
    assert found[0].article_type == "Shirts"
    with pytest.raises(QueryError, match="words"):
        retriever.by_text("white", weights={"smell": 1})
    with pytest.raises(QueryError, match="above 0"):
        retriever.by_text("white", weights={"words": 0})


def test_liked_alone(retriever: Retriever) -> None:
    found = retriever.search(liked=["100", "109"], k=4)
    assert not {"100", "109"} & {m.item_id for m in found}
    assert {m.article_type for m in found} == {"Shirts"}
    less = retriever.search(liked=["100"], disliked=["101"], k=26)
    assert less[-1].article_type != "Shirts"


def test_variety(retriever: Retriever) -> None:
    plain = retriever.by_text("shirt", 4)
    varied = retriever.by_text("shirt", 4, variety=0.9)
    assert {m.article_type for m in plain} == {"Shirts"}
    assert plain[0].item_id == varied[0].item_id
    assert len({m.base_colour for m in varied}) >= 2


def test_variants_as_one(retriever: Retriever) -> None:
    found = retriever.by_text("shirt", 3, collapse="variants")
    assert len(found) == 3
    assert all(len(m.variants) == 2 for m in found)
    names = dict(zip(retriever.store.item_ids, retriever.store.items["name"], strict=True))
    for match in found:
        assert {drop_colours(names[one]) for one in match.variants} == {drop_colours(match.name)}
    assert found[0].to_dict()["variants"] == list(found[0].variants)


@pytest.mark.parametrize("asked", [{"text": "black"}, {"item_id": "100"}])
def test_as_many_sets_of_variants_as_there_are(retriever: Retriever, asked: dict) -> None:
    """Nine sets of three: all nine are found, however far down the last one is."""
    found = retriever.search(**asked, k=9, collapse="variants")
    assert len({retriever.variants[m.position] for m in found}) == len(found) == 9
    assert [m.rank for m in found] == list(range(1, 10))
    narrowed = retriever.search(**asked, k=9, collapse="variants", where="article_type = Jeans")
    assert {m.article_type for m in narrowed} == {"Jeans"}
    assert len(narrowed) == 3


def test_copies_are_variants(retriever: Retriever) -> None:
    items = pd.DataFrame({"item_id": ["a", "b", "c"], "name": ["Red Top", "Fine Blouse", ""]})
    items["article_type"] = "Tops"
    gallery = _retriever(items, np.eye(3, dtype=np.float32))
    gallery.store.__dict__["groups"] = np.array([0, 0, 1])
    first, second, third = variant_ids(gallery.store)
    assert first == second != third


def test_gallery_without_words() -> None:
    """Pictures of an unknown backbone and nothing else: a text cannot be answered, and why."""
    items = pd.DataFrame({"item_id": ["a", "b"]})
    bare = _retriever(items, np.eye(2, dtype=np.float32))
    with pytest.raises(NoWordsError, match="names, labels or a text tower"):
        bare.by_text("red dress")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one word"), ("   ", "at least one word"), ("👗", "at least one word"),
        ("x" * 10_000, "at most"), ("zzxq", "'zzxq', which nothing here answers"),
        ("q", "nothing here"),
        ("красное платье", "nothing here answers"), ("black -black", "wanted and not wanted"),
        ("not blue", "what is wanted"), ("the", "nothing here"),
    ],
)  # fmt: skip
def test_texts_that_cannot_be_answered(retriever: Retriever, text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said) as caught:
        retriever.by_text(text)
    assert "Fix: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["black 👗", "'; DROP TABLE terms; -- black", 'name:black* NEAR("a" "b")', "black (",
     "black AND", "men women black", "BLACK!!!", "black zzxq"],
)  # fmt: skip
def test_signs_are_no_syntax(retriever: Retriever, text: str) -> None:
    assert retriever.by_text(text, 3)[0].base_colour == "Black"


@pytest.mark.parametrize(
    "options",
    [{}, {"text": "black", "k": 0}, {"text": "black", "variety": 2}, {"text": 5},
     {"text": "black", "collapse": "all"}, {"item_id": "none", "text": "black"}],
)  # fmt: skip
def test_refused_requests(retriever: Retriever, options: dict) -> None:
    with pytest.raises(QueryError, match="Fix: "):
        retriever.search(**options)


def test_more_than_there_are(retriever: Retriever) -> None:
    assert len(retriever.by_text("black", 1_000)) == 27
    assert len(retriever.search(item_id="100", text="black", k=1_000)) == 26


def test_recolour_by_hand(retriever: Retriever) -> None:
    """With labels all five answers are shirts in white where there are three; a sibling is one."""
    changes = [ColourChange(0, "White")]
    found = evaluate_recolour(retriever, changes, labels=True, progress=False)
    value = found.set_index(["method", "measure"])["value"]
    assert value["search", "both"] == 3 / 5
    assert value["search", "sibling"] == 1
    assert value["chance", "colour"] == pytest.approx(9 / 27)
    assert value["chance", "both"] == pytest.approx(3 / 27)


def test_changes_are_of_another_colour(retriever: Retriever) -> None:
    """Three products of a colour, type and gender are too few to be asked for, five are enough."""
    assert draw_changes(retriever, np.ones(27, bool), 9) == []
    assert "could be asked" in describe_recolour(
        evaluate_recolour(retriever, [], progress=False), ""
    )
    bare = _retriever(_gallery().assign(base_colour=""), _features(_gallery()))
    with pytest.raises(NoLabelsError, match="base_colour"):
        draw_changes(bare, np.ones(27, bool), 9)
    items = pd.concat([_gallery()] * 2, ignore_index=True)
    items["item_id"] = [str(row) for row in range(len(items))]
    more = _retriever(items, _features(items))
    changes = draw_changes(more, np.arange(54) < 9, 9)
    assert len(changes) == 9
    assert all(change.colour != items["base_colour"][change.position] for change in changes)


def test_queries_written_by_hand(retriever: Retriever) -> None:
    queries = load_hand_queries()
    assert len(queries) == 40
    asked = pd.DataFrame({"query": ["black gown", "zzxq"], "base_colour": ["Black", ""]})
    found = judge_hand_queries(retriever, asked.assign(article_type="Dresses"), k=3)
    assert found["precision"].tolist() == [1, 0]
    assert found["matches"].iloc[1] == []
