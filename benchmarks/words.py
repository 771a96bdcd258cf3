"""Words, measured: speed, the figures of text queries, and the tower that ships.

STORE is one of the Kaggle catalogue by fashify-lite, NAMES the table of names with known answers:

    python benchmarks/words.py speed STORE
    python benchmarks/words.py million
    python benchmarks/words.py train STORE
    python benchmarks/words.py figures STORE NAMES [TOWER]
    python benchmarks/words.py crossfit STORE NAMES
    python benchmarks/words.py table STORE NAMES

``train`` writes fashify/data/fashify-lite-words.safetensors for the store's network from its
training and validation products alone, so that figures of test products are honest; ``figures``
judges the shipped tower or the one in the file TOWER. In ``crossfit`` five towers are each trained
without a fifth of the names (colour words left out of account); the network itself has read the
names of the training products, so that its figure flatters. ``table`` writes our figures beside
published ones into docs/words.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from results import replace_table

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

#: Protocol, what is asked, and what was published: R@1, R@10 and MRR of names, P@1 and P@10 of
#: labels, a mean over labels, where a document is 0.9 picture and 0.1 name.
PUBLISHED = (
    (
        "names",
        "names",
        {
            "Marqo-FashionSigLIP": (0.179, 0.489, 0.293),
            "SigLIP-B16": (0.169, 0.468, 0.272),
            "Marqo-FashionCLIP": (0.159, 0.446, 0.265),
            "FashionCLIP 2.0": (0.122, 0.404, 0.217),
        },
    ),
    ("names, held out", "names of test products alone", {}),
    (
        "labels: article_type",
        "article types",
        {"Marqo-FashionSigLIP": (0.704, 0.629), "Marqo-FashionCLIP": (0.725, 0.613)},
    ),
    (
        "labels: base_colour",
        "colours",
        {"Marqo-FashionSigLIP": (0.587, 0.502), "Marqo-FashionCLIP": (0.500, 0.496)},
    ),
    (
        "attributes",
        "colour, type and gender",
        {"CLIP B/32 by catalogiq, 300 of them": (None, 0.451)},
    ),
)

#: What stands in the table of ours, by method.
OURS = {
    "fashionsiglip": "Marqo-FashionSigLIP, by its ranks of these names",
    "picture": "**pictures alone**",
    "mixed": "**0.9 picture, 0.1 name**",
    "names": "BM25 over names",
    "joined": "**the search: words and pictures**",
    "chance": "chance",
}

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


def table(folder: str, names: str) -> None:
    """Writes the table of docs/words.md: our figures beside the published ones."""
    store = FeatureStore.load(folder)
    published = ~np.isin(store.item_ids.astype(str), NOT_PUBLISHED)
    options = {"gallery": published, "wording": Wording(store), "progress": False}
    methods, test = ("picture", "names", "joined"), store.split == "test"
    found = [
        evaluate_texts(store, names, held_out=test, methods=methods, **options),
        evaluate_texts(store, methods=(*methods, "mixed"), **options),
    ]
    rows = pd.concat([one.table for one in found])
    lines = ["| asked | answered by | R@1 or P@1 | R@10 or P@10 | MRR |", "|---|---|---|---|---|"]
    for protocol, title, theirs in PUBLISHED:
        mine = rows[rows["protocol"] == protocol]
        own = {name: group["value"].tolist() for name, group in mine.groupby("method")}
        if protocol == "names":
            # The tower has read the names of training products: it is judged on the others alone,
            # and the published ranks of all are the first row.
            del own["picture"], own["fashionsiglip"]
        figures = theirs | {OURS[name]: own[name] for name in OURS if name in own}
        asked = f"{title} ({mine['n'].max():,})"
        for name, values in figures.items():
            cells = ["" if value is None else f"{value:.3f}" for value in values]
            cells += [""] * (3 - len(cells))
            lines.append(f"| {' | '.join((asked, name, *cells))} |")
            asked = ""
    page = Path(__file__).parents[1] / "docs" / "words.md"
    text = replace_table(page.read_text(encoding="utf-8"), "published", lines)
    page.write_text(text, encoding="utf-8")


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
    commands = {one.__name__: one for one in (speed, million, train, figures, table, crossfit)}
    commands[sys.argv[1]](*sys.argv[2:])
