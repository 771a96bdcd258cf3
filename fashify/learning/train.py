"""``train_network``: a whole network from ImageNet weights, on products and people's photos."""

from __future__ import annotations

import json
import logging
import shutil
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fashify.backbones.network_file import SUFFIX, parse_network
from fashify.catalogue import Catalogue
from fashify.catalogue.photos import PhotoSet
from fashify.errors import BackboneError, ConfigError
from fashify.learning.checkpoint import Progress, load_state, open_run, save_run
from fashify.learning.held_out import HeldOut, embed_products, judge, select_held_out
from fashify.learning.lesson import Lesson, make_lesson
from fashify.learning.material import Material
from fashify.learning.recipe import TYPE_LEVEL, TrainingPlan

logger = logging.getLogger(__name__)

#: A run is saved when an epoch ends, unless it was this short a time ago, seconds;
SAVE_SECONDS = 30.0

#: within an epoch when this long has gone by.
SAVE_WITHIN_SECONDS = 600.0

#: A run is judged when an epoch ends, unless it was this short a time ago, seconds; and at its end.
JUDGE_SECONDS = 30.0

#: Batches made ahead of the step that takes them.
_AHEAD = 3


def train_network(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    material: Material,
    out: str | Path,
    *,
    photos: PhotoSet | None = None,
    plan: TrainingPlan | None = None,
    start: str | Path | None = None,
    people: str = "train",
    restart: bool = False,
    stop_after: int | None = None,
    progress: bool = True,
) -> Path | None:
    """Trains EfficientNet-Lite0 whole and writes it as a weights file of ``fashify-lite``.

    The file is used with ``load_backbone("fashify-lite", weights=out)``; the projections lie
    beside it. A run that was stopped goes on at the very step. The backend is Keras' own
    (``KERAS_BACKEND``): TensorFlow, JAX or PyTorch.

    Args:
        catalogue: where the pictures are.
        item_ids: (n,) products, in the order of ``material``.
        material: labels, split and groups; only its training split is trained on.
        out: the file to write, ending in ``.safetensors``; work in progress lies beside it.
        photos: people's photos; None to train on the catalogue alone.
        plan: how; the default is for a GPU.
        start: weights to begin with, of ``fashify train``; ImageNet's by default.
        people: whose photos are trained on: "train", and the others judge; or "all".
        restart: throw away a stopped run.
        stop_after: stop, to go on later, when so many steps are done.
        progress: show bars.

    Returns:
        ``out``, or None where it was stopped before the end.

    Raises:
        BackboneError: ``start`` is a file of another network.
        ConfigError: a stopped run of another plan, or a wrong ending.
        QueryError: no level with two classes to learn from.

    Hours on a whole catalogue, so that this one is not run:

    >>> from fashify import FeatureStore, load_catalogue, train_network
    >>> from fashify.learning import collect_material
    >>> store = FeatureStore.load("data/sample-store")
    >>> material = collect_material(store)
    >>> products = load_catalogue("sample")
    >>> out = "data/trained.safetensors"
    >>> train_network(products, store.item_ids, material, out)  # doctest: +SKIP
    """
    out, plan = Path(out).expanduser(), plan or TrainingPlan()
    if out.suffix != SUFFIX:
        raise ConfigError(f"a file ending in {SUFFIX}", out.name, "rename it")
    _check_people(people)
    first = _first_weights(start)
    work = out.with_name(f".{out.stem}.training")
    if restart:
        shutil.rmtree(work, ignore_errors=True)
    taught = None if photos is None else photos.part(people)
    facts = _facts(catalogue, item_ids, material, taught, plan, start, _start_backend())
    done = open_run(work, facts)
    size = choose_size(catalogue, item_ids, plan)
    lesson = make_lesson(catalogue, item_ids, material, taught, plan, size=size, progress=progress)
    held_out = select_held_out(catalogue, item_ids, material, photos, lesson, people, size)
    run = _Run(lesson, held_out, work, facts, done, progress)
    model = run.train(first, stop_after)
    if model is None:
        return None
    from fashify.learning.trained import code_version, write_trained

    provenance = facts | {
        "code": code_version(),
        "views": done.step * lesson.n_views,
        "seconds": round(done.seconds),
        "losses": done.losses,
        "validation": done.validation,
    }
    embeddings = embed_products(model, lesson.pictures)
    write_trained(out, model, lesson.classes, provenance, embeddings)
    shutil.rmtree(work, ignore_errors=True)
    return out


def choose_size(catalogue: Catalogue, item_ids: np.ndarray, plan: TrainingPlan) -> tuple[int, int]:
    """The size pictures are kept at: the network's, or the catalogue's own if that is smaller.

    Half the network's size or less in both directions counts as smaller; the first 32 pictures
    tell.
    """
    height, width = plan.input_size
    shapes = [catalogue.image(str(item_id)).shape for item_id in item_ids[:32]]
    largest = max(max(shape[0] / height, shape[1] / width) for shape in shapes)
    return (height // 2, width // 2) if largest <= 0.55 else (height, width)


class _Run:
    """The loop over steps: batches made ahead, the state saved, each epoch judged."""

    def __init__(
        self,
        lesson: Lesson,
        held_out: HeldOut,
        work: Path,
        facts: dict[str, Any],
        done: Progress,
        progress: bool,
    ) -> None:
        self.lesson, self.held_out, self.work = lesson, held_out, work
        self.facts, self.done, self.progress = facts, done, progress
        self.judged = time.monotonic()

    def train(self, first: Any, stop_after: int | None) -> Any:
        """The model with the mean of its weights; None when stopped before the end."""
        total = self.lesson.steps * self.lesson.plan.epochs
        model = self._model(first, total)
        stop = total if stop_after is None else min(total, stop_after)
        begun = saved = time.monotonic()
        bar = tqdm(
            total=total,
            initial=self.done.step,
            desc="training",
            unit="step",
            disable=not self.progress,
        )
        with bar:
            for batch in self._batches(self.done.step, stop):
                losses = model.train_on_batch(batch, return_dict=True)
                self.done.add(losses)
                self.done.step += 1
                bar.set_postfix(loss=f"{losses['loss']:.3f}", refresh=False)
                bar.update()
                now = time.monotonic()
                ended = self.done.step % self.lesson.steps == 0
                if ended:
                    self._end_epoch(model, bar.write, self.done.step == total)
                wait = SAVE_SECONDS if ended else SAVE_WITHIN_SECONDS
                if self.done.step == stop or now - saved > wait:
                    self.done.seconds += time.monotonic() - begun
                    begun = saved = time.monotonic()
                    save_run(self.work, self.facts, self.done, _state(model))
        if stop < total:
            return None
        _use_means(model)
        return model

    def _model(self, first: Any, total: int) -> Any:
        """Built, compiled, and brought to where the stopped run was."""
        import keras

        from fashify.learning.optimizer import GroupedAdamW
        from fashify.learning.photo_network import make_model, on_gpu

        plan = self.lesson.plan
        keras.utils.set_random_seed(plan.seed)
        sizes = {level: len(names) for level, names in self.lesson.classes.items()}
        model = make_model(plan, sizes, first)
        # An epoch of warm-up, but no more than a quarter of a short run.
        warm_up = max(1, min(self.lesson.steps, total // 4))
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total - warm_up), warmup_target=1.0, warmup_steps=warm_up
        )
        optimizer = GroupedAdamW(
            schedule, _groups(model, self.lesson), clip=plan.clip, average=plan.average
        )
        compiled = keras.backend.backend() == "jax" or (
            keras.backend.backend() == "tensorflow" and on_gpu()
        )
        model.compile(optimizer=optimizer, jit_compile=compiled)
        model.track(self._loss_names())
        optimizer.build(model.trainable_variables)
        if self.done.step:
            _restore(model, load_state(self.work))
        return model

    def _loss_names(self) -> list[str]:
        batch = self.lesson.batch(0)
        other = {"photo": "photos" in batch, "instance": len(batch["masks"]) > 0}
        other["names"] = "tokens" in batch
        if TYPE_LEVEL not in self.lesson.codes:
            other["photo"] = False
        return [*self.lesson.codes, *(name for name, used in other.items() if used)]

    def _batches(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Some batches ahead, so that a GPU does not wait for the next."""
        with ThreadPoolExecutor(_AHEAD) as pool:
            first = range(start, stop)[:_AHEAD]
            ahead = deque(pool.submit(self.lesson.batch, step) for step in first)
            for step in range(start, stop):
                batch = ahead.popleft().result()
                if step + _AHEAD < stop:
                    ahead.append(pool.submit(self.lesson.batch, step + _AHEAD))
                yield batch

    def _end_epoch(self, model: Any, write: Callable, is_last: bool) -> None:
        means = self.done.end_epoch(self.lesson.steps)
        epoch, judged = len(self.done.losses), ""
        if is_last or time.monotonic() - self.judged > JUDGE_SECONDS:
            self.done.validation.append({"epoch": epoch} | self._judge(model))
            self.judged = time.monotonic()
            judged = f" validation {json.dumps(self.done.validation[-1])}"
        if self.progress:
            write(f"epoch {epoch}: {json.dumps(means)}{judged}")
        logger.info("epoch %d: %s%s", epoch, means, judged)

    def _judge(self, model: Any) -> dict[str, float]:
        """Figures of the mean of weights."""
        own = [_copy(variable) for variable in model.trainable_variables]
        _use_means(model)
        found = judge(model, self.held_out)
        for variable, value in zip(model.trainable_variables, own, strict=True):
            variable.assign(value)
        return found


def _groups(model: Any, lesson: Lesson) -> list[Any]:
    """Rate and decay of each variable that is trained."""
    from fashify.learning.optimizer import Group

    plan = lesson.plan
    # Of fewer products per step the gradients are noisier: rates go with the root.
    factor = (lesson.n_products / 512) ** 0.5
    own = {variable.path for variable in model.network.trainable_variables}
    network, heads = (rate * factor for rate in plan.rates)
    groups = []
    for variable in model.trainable_variables:
        inside = variable.path in own
        decay = plan.decays[0 if inside else 1] if len(variable.shape) > 1 else 0.0
        groups.append(Group(network if inside else heads, decay))
    return groups


def _state(model: Any) -> dict[str, np.ndarray]:
    """Everything that a step changes, by place."""
    both = [*model.variables, *model.optimizer.variables]
    return {f"{n:04d}": _copy(variable) for n, variable in enumerate(both)}


def _copy(variable: Any) -> np.ndarray:
    from keras import ops

    return np.array(ops.convert_to_numpy(variable))


def _restore(model: Any, state: dict[str, np.ndarray]) -> None:
    for n, variable in enumerate([*model.variables, *model.optimizer.variables]):
        variable.assign(state[f"{n:04d}"])


def _use_means(model: Any) -> None:
    pairs = zip(model.trainable_variables, model.optimizer.means, strict=True)
    for variable, mean in pairs:
        variable.assign(mean)


def _first_weights(start: str | Path | None) -> dict[str, np.ndarray] | None:
    if start is None:
        return None
    path = Path(start).expanduser()
    if not path.is_file():
        raise BackboneError("a weights file to start from", f"no file {path}", "check the path")
    return parse_network(path.read_bytes(), path.name).tensors


def _facts(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    material: Material,
    photos: PhotoSet | None,
    plan: TrainingPlan,
    start: str | Path | None,
    backend: str,
) -> dict[str, Any]:
    """What a run is of: it must be the same when it goes on, and is kept as provenance."""
    rows = material.rows("train")
    told = {
        "made_by": "fashify train",
        "start": "EfficientNet-Lite0, ImageNet weights" if start is None else Path(start).name,
        "plan": plan.to_dict(),
        "catalogue": str(catalogue.source),
        "n_train": len(rows),
        "split": f"by group ({material.basis})",
        "products": f"{zlib.crc32(' '.join(map(str, item_ids[rows])).encode()):08x}",
        "backend": backend,
    }
    if photos is not None:
        told |= {"photos": photos.source, "n_photos": len(photos), "people": photos.people}
    return told


def _start_backend() -> str:
    """Keras' backend by name, TensorFlow's start-up notes dropped."""
    from fashify.backbones.quiet import import_tensorflow

    import_tensorflow()
    import keras

    return keras.backend.backend()


def _check_people(people: str) -> None:
    if people not in ("train", "all"):
        raise ConfigError("people train or all", repr(people), "use one of these")
