"""Parts trained in Keras on stored features: one hidden layer, several label tasks at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.errors import QueryError
from fashify.heads.head import BLOCK, Part, Posterior
from fashify.learning.losses import LOSSES, SCALE
from fashify.learning.material import Material

if TYPE_CHECKING:
    import keras


#: Of a level with more classes no posterior is served: the vectors would get too long.
MOST_CLASSES = 160

#: Factor on the logits of a posterior, chosen on the validation split of the Kaggle catalogue.
SHARPNESS = 1.4


@dataclass(frozen=True)
class Recipe:
    """How a part is trained; chosen on the validation split of the Kaggle catalogue.

    Attributes:
        loss: of ``fashify.learning.losses.LOSSES``.
        dim, hidden: lengths of the embedding and of the hidden layer.
        dropout: share of the hidden layer left out at a step.
        input_dropouts: shares of the inputs left out; each is tried, and the one with the least
            validation loss kept. A network trained on these pictures knows them by heart;
            with few inputs left out a head believes it, and is wrong about others. Of features that
            never saw a label, many left out only slow the training.
        epochs: at most; training stops when the validation loss has not fallen for
            ``patience`` epochs, and the best epoch's weights are kept.
        rate: the learning rate's peak; it falls along a cosine.
        shares: level -> share of the part's vector its posterior gets; only the softmax loss
            gives one.
        adjusted: level -> how much of its classes' shares of the training split is taken back
            from the posterior, 0 to 1; a level not named keeps them.
    """

    loss: str = "softmax"
    dim: int = 256
    hidden: int = 1024
    dropout: float = 0.4
    input_dropouts: tuple[float, ...] = (0.1, 0.6)
    epochs: int = 12
    patience: int = 2
    batch: int = 512
    rate: float = 1.5e-3
    decay: float = 1e-2
    shares: Mapping[str, float] = field(default_factory=dict)
    adjusted: Mapping[str, float] = field(default_factory=dict)


def train_part(
    name: str,
    material: Material,
    takes: tuple[str, ...],
    levels: Mapping[str, float],
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
) -> tuple[Part, dict[str, Any]]:
    """One part, trained on the training split and stopped by the validation split.

    Args:
        name: of the part.
        material: n items.
        takes: inputs, see ``fashify.heads.head.INPUTS``.
        levels: level -> weight of its task.
        recipe: how; the default is ``Recipe()``.
        seed: of initial weights, dropout and order.

    Returns:
        the part, and what its provenance shall tell: epochs run, losses.

    Raises:
        QueryError: no level with two classes, or no validation item.
    """
    from fashify.backbones.quiet import import_tensorflow

    import_tensorflow()

    recipe = recipe or Recipe()
    tasks = {level: material.codes(level) for level in levels}
    tasks = {level: found for level, found in tasks.items() if found[1] >= 2}
    train, validation = material.rows("train"), material.rows("validation")
    if not tasks or not len(validation):
        raise QueryError(
            "a level with two classes of two items, and items to validate on",
            f"{len(train)} to train and {len(validation)} to validate on",
            "use more products, or fashify build --head none",
        )
    y = {level: codes for level, (codes, _) in tasks.items()}
    data = {
        "x": material.take(takes, train),
        "y": _rows(y, train),
        "validation_data": (material.take(takes, validation), _rows(y, validation)),
    }
    sizes = {level: n for level, (_, n) in tasks.items()}
    tried = [
        _fit_network(data, sizes, levels, recipe, share, seed) for share in recipe.input_dropouts
    ]
    network, dense, losses, share = min(tried, key=lambda one: min(one[2]))
    layers = _export_layers(network.get_layer("standard"), dense)
    counts = {level: np.bincount(codes[train][codes[train] >= 0]) for level, codes in y.items()}
    posteriors = tuple(_posteriors(network, recipe, counts))
    facts = {"levels": dict(levels), "validation_losses": losses, "input_dropout": share}
    return Part(name, takes, layers, posteriors), facts


def _fit_network(
    data: Mapping[str, Any],
    sizes: Mapping[str, int],
    levels: Mapping[str, float],
    recipe: Recipe,
    input_dropout: float,
    seed: int,
) -> tuple[keras.Model, list[keras.layers.Dense], list[float], float]:
    """A network trained with one input dropout, and its validation losses."""
    import keras

    keras.utils.set_random_seed(seed)
    network, dense = _network(data["x"], sizes, recipe, input_dropout)
    _compile(network, levels, len(data["x"]), recipe)
    stop = keras.callbacks.EarlyStopping(patience=recipe.patience, restore_best_weights=True)
    history = network.fit(
        **data, batch_size=recipe.batch, epochs=recipe.epochs, callbacks=[stop], verbose=0
    ).history
    return network, dense, [round(float(loss), 4) for loss in history["val_loss"]], input_dropout


def _posteriors(
    network: keras.Model, recipe: Recipe, counts: Mapping[str, np.ndarray]
) -> Iterator[Posterior]:
    """Those of the levels that get a share and can be served at moderate length."""
    for level, share in recipe.shares.items():
        if level in counts and len(counts[level]) <= MOST_CLASSES:
            (kernel,) = network.get_layer(level).get_weights()
            yield sharpen_posterior(
                level, share, kernel, counts[level], recipe.adjusted.get(level, 0.0)
            )


def sharpen_posterior(
    level: str, share: float, proxies: np.ndarray, counts: np.ndarray, adjusted: float
) -> Posterior:
    """The posterior of a level as it serves retrieval best.

    A classifier taught with thousands of T-shirts and nine pairs of booties takes the rare for
    the frequent: of its logits a part of the log prior is taken back (Menon et al., *Long-tail
    learning via logit adjustment*, ICLR 2021, section 4.1). What is left is sharpened, so that
    two products of one type, of which the network is not equally sure, come closer together.

    Args:
        level, share: see ``Posterior``.
        proxies: (length of the embedding, classes) float32 at unit length.
        counts: (classes,) items of each class in the training split, none 0.
        adjusted: how much of the prior is taken back, 0 to 1.
    """
    log_prior = np.log(counts / counts.sum())
    bias = np.float32(-SHARPNESS * adjusted) * log_prior.astype(np.float32)
    return Posterior(level, share, np.float32(SHARPNESS * SCALE) * proxies, bias)


def _rows(codes: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {level: values[rows] for level, values in codes.items()}


def _network(
    x: np.ndarray, n_classes: Mapping[str, int], recipe: Recipe, input_dropout: float
) -> tuple[keras.Model, list[keras.layers.Dense]]:
    """Standardise, hide, embed at unit length, compare with one proxy per class."""
    import keras

    layers = keras.layers
    inputs = keras.Input((x.shape[1],))
    mean, spread = _measure_spread(x)
    h = layers.Normalization(mean=mean, variance=spread, name="standard")(inputs)
    dense = [layers.Dense(recipe.hidden, activation="relu"), layers.Dense(recipe.dim)]
    h = layers.Dropout(recipe.dropout)(dense[0](layers.Dropout(input_dropout)(h)))
    embedded = layers.UnitNormalization()(dense[1](h))
    proxies = {
        level: layers.Dense(
            n, use_bias=False, kernel_constraint=keras.constraints.UnitNorm(axis=0), name=level
        )(embedded)
        for level, n in n_classes.items()
    }
    return keras.Model(inputs, proxies), dense


def _measure_spread(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (d,) of the columns of (n, d), block by block: x is large."""
    mean, total = x.mean(axis=0), np.zeros(x.shape[1])
    for start in range(0, len(x), BLOCK):
        total += np.square(x[start : start + BLOCK] - mean).sum(axis=0, dtype=np.float64)
    return mean, np.maximum(total / len(x), 1e-10).astype(np.float32)


def _compile(network: keras.Model, levels: Mapping[str, float], n: int, recipe: Recipe) -> None:
    import keras

    steps = max(1, recipe.epochs * -(-n // recipe.batch))
    rate = keras.optimizers.schedules.CosineDecay(recipe.rate, steps)
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=recipe.decay),
        loss={level: LOSSES[recipe.loss] for level in network.output},
        loss_weights={level: levels[level] for level in network.output},
    )


def _export_layers(
    standard: keras.layers.Normalization, dense: list[keras.layers.Dense]
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The layers as arrays, the standardisation folded into the first."""
    (first, bias), last = (layer.get_weights() for layer in dense)
    mean, spread = np.ravel(standard.mean), np.sqrt(np.ravel(standard.variance))
    kernel = first / spread[:, None]
    return (kernel, bias - mean @ kernel), tuple(last)
