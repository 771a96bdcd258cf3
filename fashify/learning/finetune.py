"""Fine-tuning the last blocks of EfficientNet-Lite0 on a catalogue, on a processor, in minutes.

Everything before the first tuned block stays as it is, so what it gives is computed once, for
the pictures and for an altered view of them, and kept on disk; each epoch then costs the last
blocks alone. The blocks as they were stay beside the tuned ones, see ``backbones.tuned``.

Interrupted runs go on: the maps by the picture, the training by the epoch.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fashify.backbones import load_backbone
from fashify.backbones.tuned import NetworkFile, write_network
from fashify.catalogue import Catalogue
from fashify.errors import NoLabelsError
from fashify.learning.losses import normalised_softmax
from fashify.learning.maps import FrozenPart, view_maps
from fashify.learning.material import COLOUR_LEVEL, Material

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What is tuned and how long.

    Attributes:
        input_size: (height, width) the tuned network takes, pixels; None: as the original.
        first_block: this and all later blocks of the network are tuned.
        views: altered views of each training picture, beside the picture itself.
        epochs: passes over the training split, each picture in one view drawn anew.
        rate: the learning rate's peak; it rises for a tenth of the first epoch, then falls
            along a cosine.
    """

    input_size: tuple[int, int] | None = None
    first_block: int = 11
    views: int = 1
    epochs: int = 6
    batch: int = 96
    rate: float = 6e-4
    decay: float = 2e-2


#: Weight of each level's task.
TASKS = {
    "article_type": 1.0,
    "sub_category": 0.3,
    "gender": 0.7,
    "usage": 0.3,
    "season": 0.2,
    COLOUR_LEVEL: 1.0,
}


def finetune(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    material: Material,
    out: str | Path,
    *,
    base: str = "efficientnet-lite0",
    plan: Plan | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Path:
    """Tunes a network on the training split and writes it as a weights file.

    The file is used as any other: ``load_backbone(base, weights=out)`` or
    ``fashify build --backbone efficientnet-lite0 --weights FILE``.

    Args:
        catalogue: where the pictures are.
        item_ids: (n,) products, in the order of ``material``.
        material: labels and split; colour features help the colour task.
        out: the file to write, ending in ``.safetensors``; work in progress is kept in a
            folder beside it until it is done.
        base: an EfficientNet-Lite.
        plan: what and how long.
        seed: of views, order and initial weights.
        progress: show bars.

    Returns:
        ``out``.

    Raises:
        BackboneError: a network without such blocks.
        QueryError: no level with two classes to learn from.
    """
    plan, out = plan or Plan(), Path(out)
    tasks = {level: material.codes(level) for level in TASKS if level in material.labels}
    tasks = {level: found for level, found in tasks.items() if found[1] >= 2}
    if not tasks:
        raise NoLabelsError(
            "a level with two classes of two items", "none", "label the catalogue first"
        )
    work = out.with_name(f".{out.stem}.tuning")
    work.mkdir(parents=True, exist_ok=True)
    # Some processors get oneDNN's convolutions only when asked for before TensorFlow is there;
    # on one with AVX2 alone the last blocks train 1.4 to 2.3 times as fast with them.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    backbone = load_backbone(base)
    input_size = plan.input_size or backbone.spec.input_size
    plan = replace(plan, input_size=input_size)
    frozen = FrozenPart(backbone, input_size, plan.first_block)
    _same_work(work, asdict(plan) | {"seed": seed, "base": backbone.spec.weights_hash})
    rows = material.rows("train")
    whole = view_maps(frozen, catalogue, item_ids, work, view=0, seed=seed, progress=progress)
    views = [
        view_maps(frozen, catalogue, item_ids[rows], work, view=view, seed=seed, progress=progress)
        for view in range(1, plan.views + 1)
    ]
    lesson = Lesson(whole, views, material, {level: codes for level, (codes, _) in tasks.items()})
    sizes = {level: n for level, (_, n) in tasks.items()}
    losses = _train(frozen, lesson, sizes, plan, work, seed, progress)
    provenance = {
        "base": backbone.spec.name,
        "plan": asdict(plan),
        "seed": seed,
        "n_train": len(rows),
        "validation_losses": losses,
    }
    about = NetworkFile(backbone.spec.name, input_size, plan.first_block, provenance)
    write_network(out, about, frozen.network)
    _remove(work)
    return out


@dataclass
class Lesson:
    """Maps and labels, handed out in batches.

    Attributes:
        whole: (n, h * w * c) float16, maps of the pictures themselves.
        views: each (n_train, h * w * c), maps of altered views of the training split.
        codes: level -> (n,) class, -1 for none.
    """

    whole: np.ndarray
    views: list[np.ndarray]
    material: Material
    codes: Mapping[str, np.ndarray]

    @cached_property
    def train(self) -> np.ndarray:
        """Positions of the training split."""
        return self.material.rows("train")

    def batch(self, places: np.ndarray, view: int) -> tuple[dict, dict]:
        """Inputs and codes of the training split's items at ``places`` in one view."""
        rows = self.train[places]
        maps = self.views[view - 1][places] if view else self.whole[rows]
        return self.inputs(rows, maps), self.targets(rows)

    def inputs(self, rows: np.ndarray, maps: np.ndarray) -> dict[str, np.ndarray]:
        """What the network takes."""
        found = {"map": np.asarray(maps, np.float32)}
        if "colour" in self.material.inputs:
            found["colour"] = self.material.inputs["colour"][rows]
        return found

    def targets(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """level -> codes."""
        return {level: codes[rows] for level, codes in self.codes.items()}


def _train(
    frozen: FrozenPart,
    lesson: Lesson,
    sizes: Mapping[str, int],
    plan: Plan,
    work: Path,
    seed: int,
    progress: bool,
) -> list[float]:
    """Trains the tail in place; validation losses, one an epoch."""
    import keras

    keras.utils.set_random_seed(seed)
    network = _network(frozen, lesson, sizes)
    steps = max(1, len(lesson.train) // plan.batch)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps * plan.epochs, warmup_target=plan.rate, warmup_steps=max(1, steps // 10)
    )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=plan.decay, clipnorm=5.0),
        loss={level: normalised_softmax for level in sizes},
        loss_weights={level: TASKS[level] for level in sizes},
    )
    log = keras.callbacks.CSVLogger(str(work / "losses.csv"), append=True)
    backup = keras.callbacks.BackupAndRestore(str(work / "backup"), delete_checkpoint=False)
    network.fit(
        _batches(network, lesson, plan, seed, steps),
        validation_data=_held_out(lesson, plan),
        epochs=plan.epochs,
        callbacks=[backup, log],
        verbose=2 if progress else 0,
    )
    rows = (work / "losses.csv").read_text("utf-8").splitlines()
    column = rows[0].split(",").index("val_loss")
    return [round(float(row.split(",")[column]), 4) for row in rows[1:]]


def _network(frozen: FrozenPart, lesson: Lesson, sizes: Mapping[str, int]) -> Any:
    """The tail, pooled, with one proxy a class for every task."""
    import keras

    layers = keras.layers
    maps = keras.Input((frozen.length,), name="map")
    pooled = layers.GlobalAveragePooling2D()(frozen.tail(maps))
    dropped = layers.Dropout(0.2)(pooled)
    inputs, seen = {"map": maps}, dropped
    if "colour" in lesson.material.inputs:
        inputs["colour"] = keras.Input((lesson.material.inputs["colour"].shape[1],), name="colour")
        seen = layers.Concatenate()(
            [dropped, layers.Dense(128, activation="relu")(layers.Rescaling(8.0)(inputs["colour"]))]
        )
    category = layers.UnitNormalization()(layers.Dense(256)(dropped))
    colour = layers.UnitNormalization()(layers.Dense(64)(seen))
    proxies = {
        level: layers.Dense(
            n, use_bias=False, kernel_constraint=keras.constraints.UnitNorm(axis=0), name=level
        )(colour if level == COLOUR_LEVEL else category)
        for level, n in sizes.items()
    }
    return keras.Model(inputs, proxies)


def _batches(network: Any, lesson: Lesson, plan: Plan, seed: int, steps: int) -> Any:
    """The training split in an order and views that depend on seed and epoch alone."""
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return steps

        def on_epoch_begin(self) -> None:
            # Told by the optimizer's own count, so that a run that goes on sees what it missed.
            epoch = int(network.optimizer.iterations) // steps
            rng = np.random.default_rng((seed, epoch))
            self.order = rng.permutation(len(lesson.train))
            self.view = rng.integers(0, plan.views + 1, steps)

        def __getitem__(self, step: int) -> tuple[dict, dict]:
            if not hasattr(self, "order"):
                self.on_epoch_begin()
            places = np.sort(self.order[step * plan.batch : (step + 1) * plan.batch])
            return lesson.batch(places, int(self.view[step]))

    return Batches()


def _held_out(lesson: Lesson, plan: Plan) -> Any:
    """The validation split's own pictures."""
    import keras

    rows = lesson.material.rows("validation")

    class HeldOut(keras.utils.PyDataset):
        def __len__(self) -> int:
            return -(-len(rows) // plan.batch)

        def __getitem__(self, step: int) -> tuple[dict, dict]:
            part = rows[step * plan.batch : (step + 1) * plan.batch]
            return lesson.inputs(part, lesson.whole[part]), lesson.targets(part)

    return HeldOut() if len(rows) else None


def _same_work(work: Path, facts: dict[str, Any]) -> None:
    """Work of another plan is no use: it is thrown away."""
    told = json.dumps(facts, sort_keys=True)
    note = work / "plan.json"
    if note.is_file() and note.read_text("utf-8") == told:
        logger.info("going on with %s", work)
        return
    _remove(work)
    work.mkdir(parents=True)
    note.write_text(told, "utf-8")


def _remove(work: Path) -> None:
    import shutil

    shutil.rmtree(work, ignore_errors=True)
