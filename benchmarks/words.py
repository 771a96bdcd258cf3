"""Words, measured: speed, the figures of text queries, and the tower that ships.

STORE is one of the Kaggle catalogue by fashify-lite, NAMES the table of names with known answers:

    python benchmarks/words.py speed STORE
    python benchmarks/words.py million
    python benchmarks/words.py train STORE
    python benchmarks/words.py figures STORE NAMES [TOWER]
    python benchmarks/words.py crossfit STORE NAMES

``train`` writes fashify/data/fashify-lite-words.safetensors for the store's network from its
training and validation products alone, so that figures of test products are honest; ``figures``
judges the shipped tower or the one in the file TOWER. In ``crossfit`` five towers are each trained
without a fifth of the names (colour words left out of account); the network itself has read the
names of the training products, so that its figure flatters.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fashify import FeatureStore, Retriever
from fashify.evaluation.recolour import draw_changes, evaluate_recolour
from fashify.evaluation.text_gains import compare_texts
from fashify.evaluation.texts import evaluate_texts
from fashify.learning.tower import TowerRecipe, make_lesson, train_tower
from fashify.retrieval.variants import name_stems
from fashify.retrieval.wording import Wording
from fashify.text.files import SHIPPED
from fashify.text.index import WordIndex
from fashify.text.tower import Tower

#: Products of the Kaggle catalogue that are no part of the published gallery.
NOT_PUBLISHED = ("30991", "30992", "42863", "42878", "43119", "45687", "45698")

TEXTS = ("red floral dress", "black shirts for men", "puma shoes", "addidas tshrit", "office")
TYPED = ("b", "bl", "black s", "black shi", "women hand", "red dre")


def speed(store: str) -> None:
    """Milliseconds of a text query and of suggestions, the median of 20 rounds."""
    retriever = Retriever.open(store)
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


def train(folder: str) -> None:
    """Writes the tower that ships."""
    store = FeatureStore.load(folder)
    rows = np.flatnonzero(store.split != "test")
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


def figures(folder: str, names: str, tower: str = "") -> None:
    """All the figures of text queries but the cross-fit ones."""
    retriever = Retriever.open(folder)
    store, test = retriever.store, retriever.store.split == "test"
    if tower:
        named = Tower.from_bytes(Path(tower).read_bytes())
        retriever.__dict__["wording"] = Wording(store, named)
    wording = retriever.wording
    published = ~np.isin(store.item_ids.astype(str), NOT_PUBLISHED)
    for title, options in {
        "names": {"queries": names, "gallery": published, "held_out": test},
        "labels and attributes, products of the test split": {"gallery": test},
        "labels and attributes, all products": {},
    }.items():
        found = evaluate_texts(store, wording=wording, progress=False, **options)
        print(title, found.table.round(3).to_string(index=False), sep="\n", flush=True)
        gains = compare_texts(found, "fashionsiglip")
        if len(gains):
            print("beside fashionsiglip", gains.round(4).to_string(index=False), sep="\n")
    changes = draw_changes(retriever, test, 300)
    for labels in (False, True):
        table = evaluate_recolour(retriever, changes, labels=labels, progress=False)
        print(
            f"but in COLOUR, labels read: {labels}", table.round(3).to_string(index=False), sep="\n"
        )


def crossfit(folder: str, names: str) -> None:
    """Every published name, each by a tower that never read it nor one that differs in colours."""
    store = FeatureStore.load(folder)
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
