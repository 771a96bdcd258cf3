"""Words, measured: speed, the figures of text queries, and the tower that ships.

Run, with FEATURES a NumPy file of ``item_ids`` and ``features`` by fashify-lite, and CATALOGUE
and SPLIT (columns item_id, split) those of the Kaggle catalogue:

    python benchmarks/words.py speed FEATURES CATALOGUE
    python benchmarks/words.py million
    python benchmarks/words.py train FEATURES CATALOGUE SPLIT
    python benchmarks/words.py figures FEATURES CATALOGUE SPLIT NAMES
    python benchmarks/words.py crossfit FEATURES CATALOGUE SPLIT NAMES

``train`` writes fashify/data/fashify-lite-words.safetensors from the training and validation
products alone, so that figures of test products are honest. In ``crossfit`` five towers are each
trained without a fifth of the names (colour words left out of account); the backbone itself has
read the names of the training products, so that its figure flatters.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fashify import FeatureStore, Retriever, load_backbone, load_catalogue, make_index
from fashify.evaluation.recolour import draw_changes, evaluate_recolour
from fashify.evaluation.texts import evaluate_texts
from fashify.heads.shipped import own_head
from fashify.learning.tower import TowerRecipe, make_lesson, train_tower
from fashify.retrieval.variants import name_stems
from fashify.retrieval.wording import Wording
from fashify.text.files import SHIPPED
from fashify.text.index import WordIndex

#: Products of the Kaggle catalogue that are no part of the published gallery.
NOT_PUBLISHED = ("30991", "30992", "42863", "42878", "43119", "45687", "45698")

TEXTS = ("red floral dress", "black shirts for men", "puma shoes", "addidas tshrit", "office")
TYPED = ("b", "bl", "black s", "black shi", "women hand", "red dre")


def read_store(features: str, catalogue: str) -> FeatureStore:
    """A store in memory, served through the head that fashify-lite brings along."""
    found = np.load(features)
    ids = found["item_ids"].astype(str)
    items = load_catalogue(catalogue).table.set_index("item_id").loc[ids].reset_index()
    backbone = load_backbone("fashify-lite").spec.to_dict()
    head = own_head(backbone)
    rows = found["features"].astype(np.float32)
    return FeatureStore(rows, ids, {"backbone": backbone}, items=items, head=head)


def read_split(store: FeatureStore, split: str) -> np.ndarray:
    """(n,) train, validation or test."""
    table = pd.read_csv(split, dtype=str).set_index("item_id")["split"]
    return table.reindex(store.item_ids.astype(str)).to_numpy(dtype=object)


def speed(features: str, catalogue: str) -> None:
    """Milliseconds of a text query and of suggestions, the median of 20 rounds."""
    store = read_store(features, catalogue)
    retriever = Retriever(store, make_index("exact").fit(store.vectors, store.item_ids))
    for name, texts, ask in (
        ("search", TEXTS, retriever.by_text),
        ("suggest", TYPED, retriever.wording.index.suggest),
        ("tower", TEXTS, retriever.wording.tower),
    ):
        for text in texts:
            ask(text)
            taken = []
            for _ in range(20):
                start = time.perf_counter()
                ask(text)
                taken.append(time.perf_counter() - start)
            best, middle = 1e3 * min(taken), 1e3 * float(np.median(taken))
            print(f"{name} {text!r}: median {middle:.2f} ms, best {best:.2f} ms")


def million() -> None:
    """Seconds to index 1,000,000 different names, and milliseconds of a query among them."""
    rng = np.random.default_rng(0)
    makers = np.array([f"maker{number}" for number in range(5_000)])
    words = np.array([*"red blue black green white men women shirt dress shoes bag".split()])
    columns = [rng.choice(makers, 1_000_000), *(rng.choice(words, 1_000_000) for _ in range(4))]
    numbers = np.arange(1_000_000).astype(str)
    names = [" ".join(row) for row in zip(*columns, numbers, strict=True)]
    items = pd.DataFrame({"item_id": numbers, "name": names})
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        index = WordIndex.build(items, Path(folder) / "words.sqlite")
        print(
            f"indexed: {time.perf_counter() - start:.0f} s, {time.process_time() - cpu:.0f} s CPU"
        )
        size = (Path(folder) / "words.sqlite").stat().st_size / 1e6
        start = time.perf_counter()
        index.scores(["red", "dress", "maker7"])
        print(f"{size:.0f} MB; a query {1e3 * (time.perf_counter() - start):.1f} ms")


def train(features: str, catalogue: str, split: str) -> None:
    """Writes the tower that ships."""
    store = read_store(features, catalogue)
    part = read_split(store, split)
    rows = np.flatnonzero((part == "train") | (part == "validation"))
    lesson = make_lesson(store.features, store.items).of(rows)
    backbone = store.meta["backbone"]
    facts = {
        "backbone": {name: backbone[name] for name in ("name", "weights_hash")},
        "products": f"{len(rows):,} of the Kaggle catalogue, training and validation split",
    }
    tower = train_tower(lesson, facts=facts, progress=True)
    target = Path(__file__).parents[1] / "fashify" / SHIPPED
    target.write_bytes(tower.to_bytes())
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


def figures(features: str, catalogue: str, split: str, names: str) -> None:
    """All the figures of text queries but the cross-fit ones."""
    store = read_store(features, catalogue)
    test = read_split(store, split) == "test"
    wording = Wording(store)
    published = ~np.isin(store.item_ids.astype(str), NOT_PUBLISHED)
    for title, options in {
        "names": {"queries": names, "gallery": published, "held_out": test},
        "labels and attributes, products of the test split": {"gallery": test},
        "labels and attributes, all products": {},
    }.items():
        found = evaluate_texts(store, wording=wording, progress=False, **options)
        print(title, found.table.round(3).to_string(index=False), sep="\n", flush=True)
    retriever = Retriever(store, make_index("exact").fit(store.vectors, store.item_ids))
    changes = draw_changes(retriever, test, 300)
    for labels in (False, True):
        table = evaluate_recolour(retriever, changes, labels=labels, progress=False)
        print(
            f"but in COLOUR, labels read: {labels}", table.round(3).to_string(index=False), sep="\n"
        )


def crossfit(features: str, catalogue: str, split: str, names: str) -> None:
    """Every published name, each by a tower that never read it nor one that differs in colours."""
    store = read_store(features, catalogue)
    stems = pd.factorize(name_stems(store.items))[0]
    fold = np.random.default_rng(0).permutation(stems.max() + 1)[stems] % 5
    lesson = make_lesson(store.features, store.items)
    table = pd.read_csv(names, dtype={"query": str, "item_ids": str})
    place = {item_id: row for row, item_id in enumerate(store.item_ids.astype(str))}
    of_query = table["item_ids"].map(lambda ids: fold[place[ids.split()[0]]])
    published = ~np.isin(store.item_ids.astype(str), NOT_PUBLISHED)
    found = []
    for number in range(5):
        recipe = TowerRecipe(epochs=20)
        tower = train_tower(lesson.of(np.flatnonzero(fold != number)), recipe=recipe, seed=number)
        judged = evaluate_texts(
            store, table[of_query == number], wording=Wording(store, tower), gallery=published,
            methods=("picture", "tower"), progress=False,
        )  # fmt: skip
        found.append(judged.queries)
        measures = pd.concat(found).groupby("method")[["recall@1", "recall@10", "mrr"]]
        print(number, measures.mean().round(3).to_string(), sep="\n", flush=True)


if __name__ == "__main__":
    commands = {one.__name__: one for one in (speed, million, train, figures, crossfit)}
    commands[sys.argv[1]](*sys.argv[2:])
