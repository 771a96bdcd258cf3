"""Trains a text tower on a catalogue's own names and labels against frozen features.

NumPy and SciPy alone: a step touches few rows of the table of word vectors, and their gradient
is a sparse product, so that a tower takes minutes on two cores. Loss: InfoNCE both ways between
texts and pictures (Radford et al., *Learning transferable visual models from natural language
supervision*, ICML 2021), every picture of the batch that a text fits being a positive one, as in
SupCon (Khosla et al., NeurIPS 2020).
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import erf
from tqdm import tqdm

from fashify.errors import QueryError
from fashify.io.storage import is_url
from fashify.store import FeatureStore
from fashify.store.bucket import push_store
from fashify.store.store import find_store_folder
from fashify.text.files import find_tower, save_tower
from fashify.text.onnx_tower import OnnxTower
from fashify.text.tower import Tower, quantise_rows, root
from fashify.text.words import BUCKETS, pieces, stems

logger = logging.getLogger(__name__)

#: From the slope of the loss by what a side gave to that by each of its parameters.
Backward = Callable[[np.ndarray], dict[str, np.ndarray]]

#: Combinations of levels that a text may name instead of a product's name.
COMBINATIONS = (
    ("article_type",),
    ("base_colour",),
    ("gender",),
    ("usage",),
    ("base_colour", "article_type"),
    ("gender", "article_type"),
    ("usage", "article_type"),
    ("base_colour", "gender", "article_type"),
)

#: Named products below which no words are learned.
FEWEST = 100

#: Names asked at most to judge a tower.
MOST = 1_000

#: A tower that knows so large a share of the names' words needs no other.
KNOWN = 0.97

#: Adam's decay rates and the least divisor.
_BETAS, _TINY = (0.9, 0.98), 1e-8


@dataclass(frozen=True)
class TowerRecipe:
    """How a tower is trained; lengths, rates and shares.

    Attributes:
        width: of a bucket's vector.
        hidden: units of the hidden layer.
        dim: of the common space.
        epochs: passes over the products.
        batch: products per step.
        rate: peak learning rate; cosine, after a tenth of the steps of warm-up.
        decay: of weights, decoupled (AdamW).
        names: share of texts that are the product's name; the rest are of ``COMBINATIONS``.
        looks: units of the picture's hidden layer; 0 for none.
        drop: share of a picture's numbers and of the hidden units left out in a step.
        forget: share of a text's pieces left out in a step.
        tau: inverse temperature of the loss.
    """

    width: int = 128
    hidden: int = 768
    dim: int = 256
    epochs: int = 30
    batch: int = 2048
    rate: float = 3e-3
    decay: float = 1e-2
    names: float = 0.6
    looks: int = 0
    drop: float = 0.4
    forget: float = 0.0
    tau: float = 20.0


@dataclass(frozen=True)
class TowerLesson:
    """What a tower learns from.

    Attributes:
        features: (n, d) float32, roots of the backbone's, which is frozen.
        texts: for each kind of text (n,) numbers into ``phrases``, -1 where a product has none;
            the first kind is the name.
        phrases: the texts themselves.
        weights: (n,) how often a product is drawn, 1 by default.
    """

    features: np.ndarray
    texts: np.ndarray
    phrases: tuple[str, ...]

    def of(self, rows: np.ndarray) -> TowerLesson:
        """The same of some products."""
        return replace(self, features=self.features[rows], texts=self.texts[:, rows])


def make_lesson(features: np.ndarray, items: Any) -> TowerLesson:
    """The lesson of a gallery.

    Args:
        features: (n, d) of its pictures.
        items: its table.
    """
    n = len(items)
    phrases: dict[str, int] = {}
    columns = [items["name"].astype(str)] if "name" in items else [None]
    for levels in COMBINATIONS:
        present = [items[level].astype(str) for level in levels if level in items]
        columns.append(_join_columns(present) if len(present) == len(levels) else None)
    texts = np.full((len(columns), n), -1, np.int64)
    for kind, column in enumerate(columns):
        if column is None:
            continue
        values = column.str.strip().to_list()
        texts[kind] = [
            phrases.setdefault(value, len(phrases)) if value and value != "NA" else -1
            for value in values
        ]
    return TowerLesson(root(features), texts, tuple(phrases))


def _join_columns(columns: Sequence[Any]) -> Any:
    joined = columns[0]
    for column in columns[1:]:
        joined = joined + " " + column
    return joined


def learn_words(
    store: str | Path | FeatureStore,
    *,
    recipe: TowerRecipe | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Tower:
    """Trains a tower on a store's own names and labels, and keeps it in the store.

    Test products are left out, so that they can judge it.

    Args:
        store: the store, its folder or its url.
        recipe: how; for fewer products smaller steps by default.

    Raises:
        QueryError: fewer than ``FEWEST`` products with a name.
    """
    found = store
    if not isinstance(found, FeatureStore):
        found = FeatureStore.load(find_store_folder(found))
    lesson = make_lesson(found.features[found.first_views], found.items)
    rows = np.flatnonzero((found.split != "test") & (lesson.texts[0] >= 0))
    if len(rows) < FEWEST:
        raise QueryError(
            f"at least {FEWEST} named products outside the test split, to learn words from",
            f"{len(rows)}",
            "search by the words of the table alone, or use the backbone fashify-lite",
        )
    facts = _describe(found, rows, "test split left out", seed)
    recipe = recipe or _fit_recipe(len(rows))
    tower = train_tower(lesson.of(rows), recipe=recipe, seed=seed, facts=facts, progress=progress)
    if found.path is not None:
        _keep_tower(found.path, tower, store)
    return tower


def improve_words(store: FeatureStore, *, seed: int = 0, progress: bool = True) -> Tower | None:
    """Trains a tower of a store's own names, and keeps it where it is better than the one at hand.

    It learns from training products alone; what share of the validation products' names finds
    its product among the first ten, by picture, says which is better. Where the tower at hand
    knows nearly all of the names' words already none is trained.

    Returns:
        the tower, or None where none was trained or it was no better.
    """
    # Texts alone at first: most often that is all, and pictures take hundreds of megabytes.
    lesson = make_lesson(np.empty((len(store), 0), np.float32), store.items)
    named, split = lesson.texts[0] >= 0, store.split
    rows, judged = (np.flatnonzero(named & (split == part)) for part in ("train", "validation"))
    before = find_tower(store.path, store.meta["backbone"])
    if len(rows) < FEWEST or not len(judged) or (before and _share_known(before, lesson) > KNOWN):
        return None
    start = time.perf_counter()
    features = store.features[store.first_views]
    lesson = replace(lesson, features=root(features))
    tower = train_tower(
        lesson.of(rows),
        recipe=_fit_recipe(len(rows)),
        seed=seed,
        facts=_describe(store, rows, "training split", seed),
        progress=progress,
    )
    share = find_names(tower, features, lesson, judged)
    known = 0.0 if before is None else find_names(before, features, lesson, judged)
    seconds = time.perf_counter() - start
    logger.info("names found: %.3f by own words, %.3f before; %.0f s", share, known, seconds)
    if share <= known or store.path is None:
        return None
    save_tower(store.path, tower)
    return tower


def find_names(
    tower: Tower | OnnxTower, features: np.ndarray, lesson: TowerLesson, rows: np.ndarray
) -> float:
    """What share of some products' names finds one of that name among the first ten pictures.

    Args:
        features: (n, d) of all products, as the backbone gave them.
        lesson: of all products.
        rows: (m,) the products; ``MOST`` names of theirs are asked at most.
    """
    names, pictures = lesson.texts[0], tower.pictures(np.asarray(features))
    asked = np.unique(names[rows])[:: max(1, len(np.unique(names[rows])) // MOST)]
    found = []
    for number in asked:
        scores = pictures @ tower(lesson.phrases[number])
        best = scores[names == number].max()
        found.append((scores > best).sum() < 10)
    return float(np.mean(found))


def _share_known(tower: Tower | OnnxTower, lesson: TowerLesson) -> float:
    """What share of the words of all names a tower knows."""
    words = Counter[str]()
    for number in lesson.texts[0][lesson.texts[0] >= 0]:
        words.update(stems(lesson.phrases[number]))
    return sum(n for word, n in words.items() if tower.knows(word)) / max(1, words.total())


def _fit_recipe(n: int) -> TowerRecipe:
    """Smaller steps for fewer products."""
    return TowerRecipe(batch=min(TowerRecipe.batch, max(64, n // 16)))


def _describe(store: FeatureStore, rows: np.ndarray, part: str, seed: int) -> dict[str, Any]:
    backbone = store.meta["backbone"]
    return {
        "backbone": {name: backbone.get(name) for name in ("name", "weights_hash")},
        "products": f"{len(rows):,} of the store's own, {part}",
        "seed": seed,
    }


def _keep_tower(folder: Path, tower: Tower | OnnxTower, store: object) -> None:
    """Puts a tower into a store, and into the bucket that it lies in."""
    save_tower(folder, tower)
    if isinstance(store, str | Path) and is_url(store):
        push_store(folder, str(store))


def name_tower(store: str | Path, file: str | Path) -> OnnxTower:
    """Puts a user's own text tower in the place of a learned one.

    Args:
        store: the store's folder or url, built with the image tower that belongs to it.
        file: ``FILE.onnx``, its ``tokenizer.json`` beside it; see ``fashify.text.onnx_tower``.

    Raises:
        BackboneError: a file that is no text tower.
        StoreMismatchError: vectors of another length than the store's features.
    """
    folder = find_store_folder(store)
    found = FeatureStore.load(folder)
    tower = OnnxTower(file)
    tower.pictures(found.features[:1])
    backbone = found.meta["backbone"]
    tower.facts["backbone"] = {name: backbone.get(name) for name in ("name", "weights_hash")}
    _keep_tower(folder, tower, store)
    return tower


class _Parameter:
    """An array with AdamW's moments; of a table of vectors only the rows that were touched move."""

    def __init__(self, value: np.ndarray, decay: float) -> None:
        self.value, self.decay = value.astype(np.float32), decay
        self.first, self.second = np.zeros_like(self.value), np.zeros_like(self.value)

    def step(self, gradient: np.ndarray, rate: float, t: int, rows: np.ndarray | None) -> None:
        at = slice(None) if rows is None else rows
        first = _BETAS[0] * self.first[at] + (1 - _BETAS[0]) * gradient
        second = _BETAS[1] * self.second[at] + (1 - _BETAS[1]) * gradient * gradient
        self.first[at], self.second[at] = first, second
        size = rate * np.sqrt(1 - _BETAS[1] ** t) / (1 - _BETAS[0] ** t)
        value = self.value[at] * np.float32(1 - rate * self.decay)
        self.value[at] = value - np.float32(size) * first / (np.sqrt(second) + _TINY)


class TowerTrainer:
    """The two sides, their gradients by hand, and AdamW."""

    def __init__(self, d: int, recipe: TowerRecipe, seed: int) -> None:
        self.recipe, self.rng, self.t = recipe, np.random.default_rng(seed), 0
        r, decay = recipe, recipe.decay
        self.p = {
            "rows": _Parameter(self._draw_mask((BUCKETS, r.width), 0.03), 0.0),
            "norm": _Parameter(np.stack([np.ones(r.width), np.zeros(r.width)]), 0.0),
        }
        shapes = {
            "straight": (r.width, r.dim),
            "hidden": (r.width, r.hidden),
            "out": (r.hidden, r.dim),
            "picture": (d, r.dim),
        }
        if r.looks:
            shapes |= {"looks": (d, r.looks), "seen": (r.looks, r.dim)}
        for name, (inside, outside) in shapes.items():
            self.p[name] = _Parameter(self._draw_mask((inside, outside), inside**-0.5), decay)
            self.p[f"{name}.bias"] = _Parameter(np.zeros(outside), 0.0)

    def _draw_mask(self, shape: tuple[int, int], spread: float) -> np.ndarray:
        return self.rng.standard_normal(shape, np.float32) * np.float32(spread)

    def loss(
        self, bags: csr_matrix, pictures: np.ndarray, fits: np.ndarray, named: np.ndarray
    ) -> tuple[float, dict[str, np.ndarray]]:
        """The loss of a batch and the gradient of every parameter.

        Args:
            bags: (b, BUCKETS) how often each text has each piece.
            pictures: (b, d).
            fits: (b, b) bool, text by picture.
            named: (b,) bool, texts that are names: only these are looked for by pictures too.
        """
        text, back_text = self._text(bags)
        picture, back_picture = self._picture(pictures)
        tau = np.float32(self.recipe.tau)
        scores = tau * text @ picture.T
        loss, slope = _info_nce(scores, fits)
        again, other = _info_nce(scores[named].T, fits[named].T)
        slope[named] += other.T
        slope *= np.float32(0.5) * tau
        gradients = back_text(slope @ picture) | back_picture(slope.T @ text)
        return float(0.5 * (loss + again)), gradients

    def _text(self, bags: csr_matrix) -> tuple[np.ndarray, Backward]:
        v = {name: p.value for name, p in self.p.items()}
        sums = bags @ v["rows"]
        centred = sums - sums.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(1e-5))
        normal = centred / spread
        x = normal * v["norm"][0] + v["norm"][1]
        before = x @ v["hidden"] + v["hidden.bias"]
        bell, keep = _bell(before), self._keep(before.shape)
        active = before * bell * keep
        y = x @ v["straight"] + v["straight.bias"] + active @ v["out"] + v["out.bias"]
        unit, back_unit = _unit(y)

        def back(slope: np.ndarray) -> dict[str, np.ndarray]:
            dy = back_unit(slope)
            da = dy @ v["out"].T * keep
            db = da * (bell + before * _density(before))
            dx = dy @ v["straight"].T + db @ v["hidden"].T
            dn = dx * v["norm"][0]
            inner = dn - dn.mean(axis=1, keepdims=True)
            ds = (inner - normal * (dn * normal).mean(axis=1, keepdims=True)) / spread
            bias = dy.sum(axis=0)
            return {
                "rows": bags.T @ ds,
                "norm": np.stack([(dx * normal).sum(axis=0), dx.sum(axis=0)]),
                "straight": x.T @ dy,
                "straight.bias": bias,
                "hidden": x.T @ db,
                "hidden.bias": db.sum(axis=0),
                "out": active.T @ dy,
                "out.bias": bias,
            }

        return unit, back

    def _picture(self, pictures: np.ndarray) -> tuple[np.ndarray, Backward]:
        v = {name: p.value for name, p in self.p.items()}
        x = pictures * self._keep(pictures.shape)
        y = x @ v["picture"] + v["picture.bias"]
        if self.recipe.looks:
            before = x @ v["looks"] + v["looks.bias"]
            bell, keep = _bell(before), self._keep(before.shape)
            active = before * bell * keep
            y = y + active @ v["seen"] + v["seen.bias"]
        unit, back_unit = _unit(y)

        def back(slope: np.ndarray) -> dict[str, np.ndarray]:
            dy = back_unit(slope)
            bias = dy.sum(axis=0)
            found = {"picture": x.T @ dy, "picture.bias": bias}
            if self.recipe.looks:
                da = dy @ v["seen"].T * keep
                db = da * (bell + before * _density(before))
                found |= {"looks": x.T @ db, "looks.bias": db.sum(axis=0)}
                found |= {"seen": active.T @ dy, "seen.bias": bias}
            return found

        return unit, back

    def _keep(self, shape: tuple[int, ...]) -> np.ndarray:
        drop = self.recipe.drop
        if not drop:
            return np.ones(shape, np.float32)
        kept = self.rng.random(shape, np.float32) >= drop
        return kept * np.float32(1 / (1 - drop))

    def step(self, bags: csr_matrix, *batch: np.ndarray, rate: float) -> float:
        """One step of AdamW; the loss before it."""
        touched = np.unique(bags.indices)
        loss, gradients = self.loss(bags, *batch)
        self.t += 1
        for name, gradient in gradients.items():
            rows = touched if name == "rows" else None
            gradient = gradient[touched] if rows is not None else gradient
            self.p[name].step(gradient, rate, self.t, rows)
        return loss

    def tower(self, used: np.ndarray, words: Sequence[str], facts: dict[str, Any]) -> Tower:
        """The tower as it is now.

        Args:
            used: buckets that any text was hashed into; only these are kept.
        """
        v = {name: p.value for name, p in self.p.items()}
        rows, scales = quantise_rows(v["rows"][used])
        layers = {name: (v[name], v[f"{name}.bias"]) for name in v if f"{name}.bias" in v}
        used = used.astype(np.int32)
        return Tower(used, rows, scales, v["norm"], layers, tuple(words), facts)


def train_tower(
    lesson: TowerLesson,
    *,
    recipe: TowerRecipe = TowerRecipe(),
    seed: int = 0,
    facts: dict[str, Any] | None = None,
    progress: bool = True,
) -> Tower:
    """Trains a tower; the backbone's features stay as they are.

    Args:
        lesson: what to learn from, products that may be read only.
        recipe: how.
        seed: of everything drawn at random.
        facts: to be kept in the tower.
    """
    trainer = TowerTrainer(lesson.features.shape[1], recipe, seed)
    bags = bag_of_pieces(lesson.phrases)
    steps = max(30, len(lesson.features) // recipe.batch * recipe.epochs)
    scale = 1 / max(float(lesson.features.std()), 1e-9)
    for step, (rows, texts, fits, named) in enumerate(
        tqdm(_batches(lesson, recipe, trainer.rng, steps), total=steps, disable=not progress)
    ):
        pictures = lesson.features[rows] * np.float32(scale)
        rate = recipe.rate * _schedule(step / steps)
        loss = trainer.step(
            _forget(bags[texts], recipe, trainer.rng), pictures, fits, named, rate=rate
        )
        if step % 200 == 0:
            logger.info("step %d of %d: loss %.3f", step, steps, loss)
    for name in {"picture", "looks"} & set(trainer.p):
        trainer.p[name].value = trainer.p[name].value * np.float32(scale)
    used = np.unique(bags.indices)
    return trainer.tower(used, _count_words(lesson), dict(facts or {}))


def _count_words(lesson: TowerLesson) -> list[str]:
    """Stems that two products' texts have or more, most frequent first."""
    counts: Counter[str] = Counter()
    for kind in lesson.texts:
        numbers, times = np.unique(kind[kind >= 0], return_counts=True)
        for number, n in zip(numbers.tolist(), times.tolist(), strict=True):
            counts.update(dict.fromkeys(stems(lesson.phrases[number]), n))
    return [word for word, n in counts.most_common() if n > 1]


def _schedule(done: float, warm: float = 0.1) -> float:
    if done < warm:
        return max(done, 1e-3) / warm
    return max(0.5 * (1 + np.cos(np.pi * (done - warm) / (1 - warm))), 1e-3)


def bag_of_pieces(texts: Sequence[str]) -> csr_matrix:
    """(n, BUCKETS) float32: how often each text has each piece."""
    found = [pieces(text) for text in texts]
    ends = np.cumsum([0, *(len(one) for one in found)])
    flat = np.concatenate([np.array(one, np.int32) for one in found] or [np.zeros(0, np.int32)])
    bags = csr_matrix((np.ones(len(flat), np.float32), flat, ends), (len(found), BUCKETS))
    bags.sum_duplicates()
    return bags


def _forget(bags: csr_matrix, recipe: TowerRecipe, rng: np.random.Generator) -> csr_matrix:
    """Texts with a share of their pieces left out."""
    if recipe.forget:
        bags.data = bags.data * (rng.random(len(bags.data), np.float32) >= recipe.forget)
    return bags


def _batches(
    lesson: TowerLesson, recipe: TowerRecipe, rng: np.random.Generator, steps: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Rows, their texts, which text fits which row, and which texts are names."""
    n, kinds = len(lesson.features), len(lesson.texts)
    order, at = rng.permutation(n), 0
    batch = min(recipe.batch, n)
    for _ in range(steps):
        if at + batch > n:
            order, at = rng.permutation(n), 0
        rows = order[at : at + batch]
        at += batch
        named = rng.random(len(rows)) < recipe.names
        kind = np.where(named, 0, rng.integers(1, kinds, len(rows)))
        texts = lesson.texts[kind, rows]
        kept = texts >= 0
        rows, kind, texts, named = rows[kept], kind[kept], texts[kept], named[kept]
        fits = lesson.texts[kind[:, None], rows] == texts[:, None]
        yield rows, texts, fits, named


def _info_nce(scores: np.ndarray, fits: np.ndarray) -> tuple[np.float32, np.ndarray]:
    """Minus the log of the share of all that fit, a mean over the rows that any fits; its slope."""
    some = fits.any(axis=1)
    slope = np.zeros_like(scores)
    if not some.any():
        return np.float32(0), slope
    scores, fits = scores[some], fits[some]
    whole = _log_sum(scores)
    masked = np.where(fits, scores, np.float32(-1e4))
    right = _log_sum(masked)
    slope[some] = (np.exp(scores - whole) - np.exp(masked - right)) / len(scores)
    return (whole - right).mean(), slope


def _log_sum(scores: np.ndarray) -> np.ndarray:
    top = scores.max(axis=1, keepdims=True)
    return top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True))


def _bell(x: np.ndarray) -> np.ndarray:
    """The normal distribution; x times it is GELU (Hendrycks and Gimpel, 2016)."""
    return 0.5 * (1 + erf(x / np.float32(np.sqrt(2))))


def _density(x: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * x * x) * np.float32(1 / np.sqrt(2 * np.pi))


def _unit(y: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    length = np.maximum(np.linalg.norm(y, axis=1, keepdims=True), np.float32(1e-6))
    unit = y / length

    def back(slope: np.ndarray) -> np.ndarray:
        return (slope - unit * (slope * unit).sum(axis=1, keepdims=True)) / length

    return unit, back
