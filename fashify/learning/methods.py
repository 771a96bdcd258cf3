"""From material to a head: which parts, by which method, with which weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fashify.errors import NoLabelsError, QueryError, join_names
from fashify.heads.head import Head, Part
from fashify.heads.shipped import METHOD, own_head, own_projections
from fashify.learning.linear import fit_lda_part, fit_pca_part
from fashify.learning.material import COLOUR_LEVEL, Material
from fashify.learning.network import Recipe, train_part
from fashify.learning.weights import ChosenWeights, choose_weights

#: Lengths of the embeddings. With the posteriors of Kaggle's 119 article types that can be
#: learned, 5 genders and 46 colours a served vector stays below 512 numbers.
SHAPE_DIM, CATEGORY_DIM, COLOUR_PART_DIM = 128, 160, 32

#: Share of a part's vector that the posterior of a level gets, chosen on validation queries.
CATEGORY_SHARES = {"article_type": 0.55, "gender": 0.2}
COLOUR_SHARES = {COLOUR_LEVEL: 0.75}

#: How much of the classes' frequencies is taken back from a posterior, chosen likewise. Colours
#: and genders are better found with theirs.
ADJUSTED = {"article_type": 0.5}

#: Weight of each level's task in the category part.
TASKS = {
    "article_type": 1.0,
    "sub_category": 1.0,
    "master_category": 0.5,
    "gender": 1.0,
    "usage": 1.0,
    "season": 1.0,
}

#: The level that discriminants and proxies are made for when only one can be.
MAIN_LEVEL = "article_type"

#: Products to train on below which a linear head may be the better one.
FEW = 5_000

#: Of ``_choose_improvement``: softmax, of the colour part alone.
COLOUR_ALONE = "softmax, colour alone"

#: Methods that train nothing.
UNTRAINED = ("raw", "none", "pca")

#: Validation products from which on trained parts may take the place of a network's own.
LEAST_TO_TELL = 50

#: Share of a catalogue's labels that a network was taught by name, from which on it knows them.
TAUGHT = 0.98

#: How much of colour's weight goes to the category part, tried for parts that replace own ones.
MOVED = (0.0, 0.03, 0.06)

#: Length to which embeddings are shortened beside an instance part, at 512 numbers in all.
SHORT_DIM = 96

Trained = tuple[Part, dict[str, Any]]


def train_head(
    material: Material, backbone: Mapping[str, Any], *, method: str = "auto", seed: int = 0
) -> Head | None:
    """Trains the parts and chooses their weights on the validation split.

    Args:
        material: inputs, labels and split.
        backbone: the manifest's facts of the backbone the features come from.
        method: of ``METHODS``; ``none`` trains nothing: the parts that the network brings along
            are served, its raw features where it brings none, as with ``raw`` always. ``auto`` is
            ``none`` where there are no labels to learn from. Else, where the network brings parts
            along, these, or parts trained by ``softmax``, of fewer than ``FEW`` products by
            ``lda``, in their place where validation products are better found and composed views
            of them no worse; of ``FEW`` and more only if the network itself was not taught their
            labels. Of a network without parts ``softmax``; of fewer than ``FEW``
            products ``lda`` is made too, and the one with the better validation products kept.
        seed: of everything drawn at random.

    Returns:
        the head; ``None`` where raw features are served.

    Raises:
        QueryError: an unknown method, or labels that cannot teach it.
    """
    check_method(method)
    if method == "raw":
        return None
    own = own_head(backbone)
    if method == "none" or (method == "auto" and not _can_teach(material)):
        return own
    methods: tuple[str, ...] = (method,)
    if method == "auto":
        few = len(material.rows("train")) < FEW and set(material.find_teachable()) - {COLOUR_LEVEL}
        methods = ("softmax", "lda") if few else ("softmax",)
    if own is None:
        shape = _shape_part(material)
        made = [_train_candidate(material, backbone, shape, one, seed) for one in methods]
        return max(made, key=lambda one: one[1].worth)[0]
    if method != "auto":
        return _train_candidate(material, backbone, _instance(own), method, seed)[0]
    return _improve(own, material, backbone, seed)


def _improve(own: Head, material: Material, backbone: Mapping[str, Any], seed: int) -> Head:
    """A network's own parts, or trained ones in their place where these are better everywhere.

    Tried are another colour part, and another category part too, under the own parts' weights and
    with less for colour: trained parts are sharper, and took rare types' precision for colour's.
    Neither products' types nor photos may be answered worse than by the parts they replace; of
    those that are not, the best on both kinds is kept.
    """
    replaced = _weigh_own(own, material, seed)
    method = _choose_improvement(material, backbone)
    if method is None or material.views is None:
        return replaced[0]
    category, _, instance = ((part, {"method": METHOD}) for part in own.parts)
    extended = material.with_views()
    limits = {"replaced": replaced[1], "grid": list(_move_weight(own.weights))}
    trained = [
        (_shorten(part, extended, SHORT_DIM), facts)
        for part, facts in (
            [_train_colour(extended, seed)]
            if method == COLOUR_ALONE
            else METHODS[method](extended, seed)
        )
    ]
    made = [replaced]
    colour = [one for one in trained if one[0].name == "colour"]
    for parts in ([category, *colour, instance], [*trained, instance]):
        if len(parts) == len(own.parts):
            made.append(_weigh(parts, material, backbone, method, seed, **limits))
    return max(made, key=lambda one: one[1].worth)[0]


def _move_weight(weights: Mapping[str, float]) -> Iterator[tuple[float, ...]]:
    """Weights of category, colour and instance; then less of colour, more of category."""
    category, colour, instance = weights.values()
    for moved in MOVED:
        yield round(category + moved, 2), round(colour - moved, 2), instance


def _choose_improvement(material: Material, backbone: Mapping[str, Any]) -> str | None:
    """The method that may better a network's own parts; ``None`` where none may.

    Of too few products it cannot be told. Of many whose labels the network was itself taught only
    the colour part is trained: on the Kaggle catalogue a category part was never kept, and took
    most of the time.
    """
    if len(material.rows("validation")) < LEAST_TO_TELL:
        return None
    teachable = set(material.find_teachable())
    if len(material.rows("train")) < FEW:
        return "lda" if teachable - {COLOUR_LEVEL} else None
    if not _is_taught(material, backbone):
        return "softmax"
    return COLOUR_ALONE if COLOUR_LEVEL in teachable else None


def _is_taught(material: Material, backbone: Mapping[str, Any]) -> bool:
    """Whether a network was trained on nearly all types and colours that a catalogue has."""
    known, rows = own_projections(backbone), material.rows("train")
    for level in {MAIN_LEVEL, COLOUR_LEVEL} & set(material.find_teachable()):
        labels = material.labels[level][rows]
        labels = labels[labels != ""]
        classes = () if known is None else known.classes.get(level, ())
        if np.isin(labels.astype(str), classes).mean() < TAUGHT:
            return False
    return True


def _instance(own: Head) -> Trained:
    """The part of a network's own that finds this very product, as it is."""
    part = next(part for part in own.parts if part.name == "instance")
    return part, {"method": METHOD}


def _weigh_own(own: Head, material: Material, seed: int) -> tuple[Head, ChosenWeights]:
    """The network's own parts under their own weights, and how they answer."""
    chosen = choose_weights(own.parts, material, seed=seed, grid=[tuple(own.weights.values())])
    provenance = own.provenance | _describe_measures(chosen)
    return Head(own.parts, chosen.weights, own.backbone, provenance), chosen


def _describe_measures(chosen: ChosenWeights) -> dict[str, Any]:
    return {
        "validation_precision_at_5": chosen.measured,
        "composed_precision_at_5": chosen.composed,
    }


def _shorten(part: Part, material: Material, dim: int) -> Part:
    """The part with its embedding's ``dim`` longest directions on the training split."""
    whole = replace(part, posteriors=(), basis=None)
    if whole.dim <= dim:
        return part
    rows = material.rows("train")
    embedded = whole({name: material.take((name,), rows) for name in part.takes}).astype(np.float64)
    _, vectors = np.linalg.eigh(embedded.T @ embedded)
    return replace(part, basis=vectors[:, ::-1][:, :dim].astype(np.float32))


def check_method(method: str) -> None:
    """Refuses a head that there is no method for, before anything is prepared for it."""
    if method not in (*METHODS, "auto"):
        raise QueryError(
            f"a head of auto, {join_names(METHODS)}", repr(method), "choose one of these"
        )


def is_trained(method: str, material: Material, backbone: Mapping[str, Any]) -> bool:
    """Whether ``train_head`` would learn anything from the training split's pictures."""
    if method == "auto" and own_head(backbone) is not None:
        return _choose_improvement(material, backbone) is not None
    return method not in UNTRAINED


def _train_candidate(
    material: Material,
    backbone: Mapping[str, Any],
    given: Trained,
    method: str,
    seed: int,
) -> tuple[Head, ChosenWeights]:
    """A head of parts that are given and parts trained now, and how its weights were chosen."""
    extended = material.with_views()
    trained = METHODS[method](extended, seed)
    if given[0].name == "instance":
        short = [(_shorten(part, extended, SHORT_DIM), facts) for part, facts in trained]
        trained = [*short, given]
    else:
        trained = [given, *trained]
    return _weigh(trained, material, backbone, method, seed)


def _weigh(
    trained: list[Trained],
    material: Material,
    backbone: Mapping[str, Any],
    method: str,
    seed: int,
    **limits: Any,
) -> tuple[Head, ChosenWeights]:
    """Parts as a head, its weights chosen within limits of ``choose_weights``."""
    parts = [part for part, _ in trained]
    chosen = choose_weights(parts, material, seed=seed, **limits)
    views = 0 if material.views is None else int((material.views.split == "train").sum())
    provenance = {
        "method": method,
        "seed": seed,
        "split": f"70 % train, 15 % validation, 15 % test, by group ({material.basis})",
        "n_train": len(material.rows("train")),
        "n_views": views,
        "parts": {part.name: facts for part, facts in trained},
        **_describe_measures(chosen),
    }
    identity = {name: backbone.get(name) for name in ("name", "weights_hash", "dim")}
    return Head(tuple(parts), chosen.weights, identity, provenance), chosen


def _can_teach(material: Material) -> bool:
    taught = set(material.find_teachable()) & {*TASKS, COLOUR_LEVEL}
    return bool(taught) and len(material.rows("validation")) > 0


def _shape_part(material: Material) -> Trained:
    return fit_pca_part("shape", material, ("deep",), SHAPE_DIM), {"method": "PCA, half whitened"}


def _list_inputs(material: Material) -> tuple[str, ...]:
    return tuple(name for name in ("deep", "colour") if name in material.inputs)


def _pca(material: Material, seed: int) -> list[Trained]:
    if "colour" not in material.inputs:
        return []
    part = fit_pca_part("colour", material, ("colour",), COLOUR_PART_DIM, whiten=0.0)
    return [(part, {"method": "PCA"})]


def _lda(material: Material, seed: int) -> list[Trained]:
    level = MAIN_LEVEL if MAIN_LEVEL in material.find_teachable() else _find_first_task(material)
    part = fit_lda_part("category", material, _list_inputs(material), level)
    colour = _pca(material, seed)
    if COLOUR_LEVEL in material.find_teachable():
        found = fit_lda_part("colour", material, _list_inputs(material), COLOUR_LEVEL)
        colour = [(found, {"method": "LDA", "levels": {COLOUR_LEVEL: 1.0}})]
    return [(part, {"method": "LDA", "levels": {level: 1.0}}), *colour]


def _softmax(material: Material, seed: int) -> list[Trained]:
    return _train_parts(material, seed, "softmax")


def _proxy_anchor(material: Material, seed: int) -> list[Trained]:
    return _train_parts(material, seed, "proxy-anchor")


def _train_parts(material: Material, seed: int, loss: str) -> list[Trained]:
    """A category part for every level there is but colour, and a colour part for that."""
    taught, takes = material.find_teachable(), _list_inputs(material)
    tasks = {level: weight for level, weight in TASKS.items() if level in taught}
    found = []
    if tasks:
        shares = CATEGORY_SHARES if loss == "softmax" else {}
        recipe = Recipe(loss=loss, dim=CATEGORY_DIM, shares=shares, adjusted=ADJUSTED)
        found.append(train_part("category", material, takes, tasks, recipe=recipe, seed=seed))
    if COLOUR_LEVEL not in taught:
        return found + _pca(material, seed)
    return [*found, _train_colour(material, seed, loss)]


def _train_colour(material: Material, seed: int, loss: str = "softmax") -> Trained:
    shares = COLOUR_SHARES if loss == "softmax" else {}
    recipe = Recipe(loss=loss, dim=COLOUR_PART_DIM, hidden=512, shares=shares)
    tasks, takes = {COLOUR_LEVEL: 1.0}, _list_inputs(material)
    return train_part("colour", material, takes, tasks, recipe=recipe, seed=seed)


def _find_first_task(material: Material) -> str:
    for level in material.find_teachable():
        if level != COLOUR_LEVEL:
            return level
    raise NoLabelsError(
        "a level with two classes of two items",
        "none, so a head has nothing to learn from",
        "add a column such as article_type to the table, or use fashify build --head pca",
    )


METHODS: dict[str, Callable[[Material, int], list[Trained]]] = {
    "raw": lambda material, seed: [],
    "none": lambda material, seed: [],
    "pca": _pca,
    "lda": _lda,
    "softmax": _softmax,
    "proxy-anchor": _proxy_anchor,
}
