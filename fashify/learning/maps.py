"""What the frozen part of a network gives for a catalogue and for altered views of it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from tqdm import tqdm

from fashify.backbones import Backbone
from fashify.backbones.preprocessing import preprocess
from fashify.backbones.tuned import BRANCH, build_branched, entry
from fashify.catalogue import Catalogue
from fashify.engines import make_engine
from fashify.errors import FashifyError
from fashify.io.images import WHITE, resize

logger = logging.getLogger(__name__)

BATCH = 64


class FrozenPart:
    """A network with a branch to be tuned, and what comes before it.

    Args:
        backbone: an EfficientNet-Lite.
        input_size: (height, width) in pixels.
        first_block: the first block of the branch.

    Attributes:
        network: the whole, with both branches.
        length: numbers in one map.

    Raises:
        BackboneError: the network has no such block.
    """

    def __init__(self, backbone: Backbone, input_size: tuple[int, int], first_block: int) -> None:
        import keras

        self.network, self.input_size = build_branched(backbone.network, first_block), input_size
        before = keras.Model(backbone.network.inputs, entry(backbone.network, first_block))
        inputs = keras.Input((*input_size, 3))
        map_ = before(preprocess(inputs, backbone.spec.preprocessing))
        self._shape = map_.shape[1:]
        self.length = int(np.prod(self._shape))
        flat = keras.Model(inputs, keras.layers.Reshape((self.length,))(map_))
        spec = replace(
            backbone.spec,
            dim=self.length,
            input_size=input_size,
            pooling=f"none, before block {first_block}",
        )
        self._engine = make_engine("auto", flat, spec=spec)
        self._branch = self.network.get_layer(BRANCH)
        for layer in self._branch.layers:
            # Means and variances of ImageNet suit better than those of small batches.
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)

    def tail(self, flat: Any) -> Any:
        """The tuned blocks on maps laid flat."""
        import keras

        return self._branch(keras.layers.Reshape(self._shape)(flat), training=False)

    def run(self, images: np.ndarray) -> np.ndarray:
        """(b, H, W, 3) uint8 to (b, length) float16."""
        return self._engine.run(images).astype(np.float16)


def view_maps(
    frozen: FrozenPart,
    catalogue: Catalogue,
    item_ids: np.ndarray,
    work: Path,
    *,
    view: int,
    seed: int,
    progress: bool,
) -> np.ndarray:
    """(n, length) float16 maps of one view of each picture, on disk; goes on where it stopped.

    View 0 is the picture itself. A picture that cannot be read gives zeros, which teach nothing.
    """
    path, note = work / f"view{view}.npy", work / f"view{view}.done"
    done = int(note.read_text()) if note.is_file() and path.is_file() else 0
    shape = (len(item_ids), frozen.length)
    maps = np.lib.format.open_memmap(path, "r+" if done else "w+", np.float16, shape)
    pictures = _views(catalogue, item_ids[done:], frozen.input_size, view, seed)
    bar = tqdm(total=len(item_ids), initial=done, desc=f"view {view}", unit="img", delay=1)
    bar.disable = bar.disable or not progress
    for start in range(done, len(item_ids), BATCH):
        batch = np.stack([next(pictures) for _ in item_ids[start : start + BATCH]])
        maps[start : start + len(batch)] = frozen.run(batch)
        bar.update(len(batch))
        if start // BATCH % 16 == 15:
            maps.flush()
            note.write_text(str(start + len(batch)))
    maps.flush()
    note.write_text(str(len(item_ids)))
    bar.close()
    return np.load(path, mmap_mode="r")


def _views(
    catalogue: Catalogue, item_ids: np.ndarray, size: tuple[int, int], view: int, seed: int
) -> Iterator[np.ndarray]:
    one = partial(_view, catalogue, size=size, view=view, seed=seed)
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(item_ids), 16 * BATCH):
            yield from pool.map(one, item_ids[start : start + 16 * BATCH])


def _view(
    catalogue: Catalogue, item_id: str, *, size: tuple[int, int], view: int, seed: int
) -> np.ndarray:
    try:
        image = catalogue.image(item_id)
    except FashifyError as error:
        logger.warning("%s teaches nothing: %s", item_id, error)
        return np.full((*size, 3), 255, np.uint8)
    if view:
        key = [seed, view, *str(item_id).encode()]
        image = altered(image, np.random.default_rng(key))
    return resize(image, size)


def altered(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture as another photographer might have given it: mirrored, framed, lit, blurred.

    Colours are hardly touched, for they are learned too.

    Args:
        image: (h, w, 3) uint8.
        rng: where chance comes from.
    """
    picture = Image.fromarray(image)
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if rng.random() < 0.8:
        picture = _reframed(picture, rng)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
    if rng.random() < 0.5:
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.85, 1.12))
    if rng.random() < 0.3:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(40, 90)))
        picture = Image.open(buffer).convert("RGB")
    return np.array(picture)


def _reframed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Nearer or farther, and a little to the side, on white."""
    width, height = picture.size
    scale = rng.uniform(0.82, 1.12)
    x, y = rng.uniform(0.45, 0.55) * width, rng.uniform(0.45, 0.55) * height
    reach = width / scale / 2, height / scale / 2
    box = (x - reach[0], y - reach[1], x + reach[0], y + reach[1])
    extent = Image.Transform.EXTENT
    return picture.transform(picture.size, extent, box, Image.Resampling.BICUBIC, fillcolor=WHITE)
