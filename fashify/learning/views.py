"""Views of products and photos to train on: clean, composed into a photo, and a photo's own.

A *composed view* is a product cut out by its mask and set on a drawn texture or a crop of a photo,
with a soft shadow and a phone's light: products as a shop shows them become what a user brings.

Chance is drawn in NumPy (``draw_*``, the same for every backend and repeatable), pixels are
changed in ``keras.ops`` (``*_view``, on whatever device the backend has). Pictures are RGB,
0 to 255, float32 in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fashify.features.framing import product_mask
from fashify.learning.placement import Placement, draw_maps, sample

Size = tuple[int, int]
Draws = dict[str, np.ndarray]

#: Where a product lies in a clean view and in a composed one, a photo in its view, and the crop of
#: a photo or texture that a product is set on.
CLEAN = Placement((0.85, 1.12), turn=4, shift=0.04)
COMPOSED = Placement((0.58, 1.08), turn=14, shift=0.08)
PHOTO = Placement((0.75, 1.6), turn=15, shift=0.12)
BACKDROP = Placement((1.2, 3.5), turn=40, shift=0.4)

#: Cells across the smooth noises that are added up to a texture.
SCALES = (2, 4, 9, 20, 45)

#: Pictures that ``compose`` takes at once.
_BATCH = 64

#: A smaller share of the picture is no product but a few specks on white.
_LEAST_COVER = 0.01


def product_masks(images: np.ndarray) -> np.ndarray:
    """Masks of the products: all but the white that reaches the picture's edge.

    A picture that is white nearly everywhere is taken whole: there is no product to cut out.

    Args:
        images: (n, h, w, 3) uint8.

    Returns:
        (n, h, w) uint8, 255 on the product.
    """
    masks = np.stack([product_mask(image) for image in images])
    masks[(masks > 0).mean(axis=(1, 2)) < _LEAST_COVER] = 255
    return masks


def compose(
    images: np.ndarray,
    rng: np.random.Generator,
    backgrounds: Sequence[np.ndarray] | np.ndarray | None = None,
) -> np.ndarray:
    """Products set on backdrops: each picture as a phone might have taken it.

    Args:
        images: (n, h, w, 3) uint8, products on white.
        rng: source of chance; the same state gives the same pictures.
        backgrounds: (m, h', w', 3) uint8 photos whose crops half of the products are set on;
            without them all are set on drawn textures.

    Returns:
        (n, h, w, 3) uint8.

    >>> import numpy as np
    >>> shirt = np.full((1, 80, 60, 3), 255, np.uint8)
    >>> shirt[:, 20:60, 15:45] = (200, 30, 40)
    >>> photo = compose(shirt, np.random.default_rng(0))
    >>> photo.shape, bool((photo[0, 0] == 255).all())
    ((1, 80, 60, 3), False)
    """
    from fashify.backbones.quiet import import_tensorflow

    import_tensorflow()
    from keras import ops

    made = [np.zeros((0, *images.shape[1:]), np.uint8)]
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        draws = draw_composed(rng, len(batch), batch.shape[1:3], backgrounds)
        # Tensors, for PyTorch multiplies no array with one.
        tensors = {name: ops.convert_to_tensor(values) for name, values in draws.items()}
        masks = ops.convert_to_tensor(product_masks(batch).astype(np.float32) / 255)
        view = compose_views(ops.convert_to_tensor(batch.astype(np.float32)), masks, tensors)
        made.append(ops.convert_to_numpy(view).round().astype(np.uint8))
    return np.concatenate(made)


def draw_clean(rng: np.random.Generator, n: int, size: Size) -> Draws:
    """What ``clean_view`` takes for n pictures."""
    return {"map": draw_maps(rng, n, CLEAN, size)} | _draw_lens(rng, n, blur=0.2, light=0.25)


def clean_view(pictures: Any, draws: Draws, size: Size) -> Any:
    """A product on white, hardly moved, in hardly another light.

    Args:
        pictures: (n, h, w, 3) float32, 0 to 255.
        draws: of ``draw_clean``.
        size: (height, width) of the views.

    Returns:
        (n, height, width, 3) float32, 0 to 255.
    """
    view = 255.0 - sample(255.0 - pictures, draws["map"], size)
    return _through_lens(view, draws)


def draw_photo(rng: np.random.Generator, n: int, size: Size) -> Draws:
    """What ``photo_view`` takes for n photos."""
    return {"map": draw_maps(rng, n, PHOTO, size)} | _draw_lens(rng, n, blur=0.4, light=1.0)


def photo_view(photos: Any, draws: Draws, size: Size) -> Any:
    """A photo nearer or farther, turned, in another light; shapes as ``clean_view``."""
    return _through_lens(sample(photos, draws["map"], size, outside="edge"), draws)


def draw_composed(
    rng: np.random.Generator,
    n: int,
    size: Size,
    backgrounds: Sequence[np.ndarray] | np.ndarray | None = None,
) -> Draws:
    """What ``compose_views`` takes for n pictures, the photos they are set on among it."""
    draws = {
        "map": draw_maps(rng, n, COMPOSED, size),
        "worn": (rng.random((n, 1, 1, 1)) < 0.7).astype(np.float32),
        "shadow_map": _draw_shifts(rng, n),
        "shadow": rng.uniform(0, 0.5, (n, 1, 1, 1)).astype(np.float32),
        "backdrop_map": draw_maps(rng, n, BACKDROP, size),
        "white": (rng.random((n, 1, 1, 1)) < 0.15).astype(np.float32),
        "white_tone": rng.uniform(235, 255, (n, 1, 1, 1)).astype(np.float32),
    }
    draws |= _draw_texture(rng, n) | _draw_lens(rng, n, blur=0.4, light=1.0)
    if backgrounds is not None and len(backgrounds):
        chosen = rng.integers(0, len(backgrounds), n)
        draws["photo"] = np.stack([backgrounds[place] for place in chosen])
        draws["on_photo"] = (rng.random((n, 1, 1, 1)) < 0.5).astype(np.float32)
    return draws


def compose_views(pictures: Any, masks: Any, draws: Draws, size: Size | None = None) -> Any:
    """Products cut out and set on a texture or a crop of a photo, with a soft shadow.

    Args:
        pictures: (n, h, w, 3) float32, 0 to 255.
        masks: (n, h, w) float32, 1 on the product.
        draws: of ``draw_composed``.
        size: (height, width) of the views; the pictures' own where not given.

    Returns:
        (n, height, width, 3) float32, 0 to 255.
    """
    from keras import ops

    size = size or (int(pictures.shape[1]), int(pictures.shape[2]))
    mask = ops.expand_dims(ops.cast(masks, "float32"), -1)
    # Worn down by a pixel, so that no rim of the shop's white comes along.
    worn = -ops.max_pool(-mask, 3, strides=1, padding="same")
    mask = draws["worn"] * worn + (1 - draws["worn"]) * mask
    both = ops.concatenate([ops.cast(pictures, "float32"), mask], axis=-1)
    both = sample(both, draws["map"], size)
    cover = both[..., 3:]
    cover = 0.5 * cover + 0.5 * ops.cast(cover > 0.5, "float32")
    backdrop = _backdrop(draws, size)
    backdrop = backdrop * (1 - draws["shadow"] * _shadow(cover, draws, size))
    return _through_lens(both[..., :3] * cover + backdrop * (1 - cover), draws)


def draw_erased(rng: np.random.Generator, n: int, size: Size, share: float = 0.25) -> Draws:
    """What ``erase`` takes: a rectangle of another colour in ``share`` of n pictures."""
    length = rng.uniform(0.08, 0.3, (n, 2))
    start = rng.random((n, 2)) * (1 - length)
    length[rng.random(n) >= share] = 0
    box = np.concatenate([start, start + length], axis=1) * (*size, *size)
    tone = rng.uniform(0, 255, (n, 1, 1, 3))
    return {"box": box.astype(np.float32), "tone": tone.astype(np.float32)}


def erase(pictures: Any, draws: Draws) -> Any:
    """Pictures (n, height, width, 3) with a rectangle painted over where one was drawn."""
    from keras import ops

    height, width = pictures.shape[1:3]
    y = ops.convert_to_tensor(np.arange(height, dtype=np.float32)[None, :, None])
    x = ops.convert_to_tensor(np.arange(width, dtype=np.float32)[None, None, :])
    top, left, bottom, right = (draws["box"][:, side][:, None, None] for side in range(4))
    inside = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    return ops.where(ops.expand_dims(inside, -1), draws["tone"], pictures)


def _backdrop(draws: Draws, size: Size) -> Any:
    """(n, height, width, 3): crops of photos, textures and near white."""
    from keras import ops

    found = _texture(draws, size)
    if "photo" in draws:
        photo = ops.cast(draws["photo"], "float32")
        photo = sample(photo, draws["backdrop_map"], size, outside="mirror")
        found = draws["on_photo"] * photo + (1 - draws["on_photo"]) * found
    return draws["white"] * draws["white_tone"] + (1 - draws["white"]) * found


def _draw_shifts(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n, 2, 3) maps that move a shadow down and to either side by some hundredths."""
    maps = np.tile(np.eye(2, 3, dtype=np.float32), (n, 1, 1))
    maps[:, :, 2] = -2 * rng.uniform((-0.05, 0.015), (0.05, 0.06), (n, 2))
    return maps


def _shadow(cover: Any, draws: Draws, size: Size) -> Any:
    """(n, height, width, 1): the cover moved a little and made soft."""
    from keras import ops

    moved = sample(cover, draws["shadow_map"], size)
    # A box filter by running sums: pooling takes its time by the window.
    window = 2 * (size[1] // 24) + 1
    for axis in (1, 2):
        pads, after, before = [(0, 0)] * 4, [slice(None)] * 4, [slice(None)] * 4
        pads[axis] = (window // 2 + 1, window // 2)
        after[axis], before[axis] = slice(window, None), slice(None, -window)
        total = ops.cumsum(ops.pad(moved, pads), axis=axis)
        moved = (total[tuple(after)] - total[tuple(before)]) / window
    return moved


def _draw_texture(rng: np.random.Generator, n: int) -> Draws:
    """A base colour, smooth noise at five scales, and stripes for two in five."""
    base = rng.uniform(30, 230, (n, 1, 1, 3))
    grey = base.mean(axis=3, keepdims=True)
    found = {"base": grey + (base - grey) * rng.uniform(0, 0.8, (n, 1, 1, 1))}
    for scale in SCALES:
        # Fewer cells across and more along, as in an upright picture.
        high, wide = max(2, round(scale * 1.15)), max(2, round(scale * 0.87))
        noise = rng.standard_normal((n, high, wide, 1), np.float32)
        noise = noise + 0.35 * rng.standard_normal((n, high, wide, 3), np.float32)
        strength = rng.random((n, 1, 1, 1)) ** 2 * 45 * (1 - 0.55 * scale / 45)
        found[f"noise_{scale}"] = noise * strength
    found["stripe_turn"] = rng.uniform(0, np.pi, (n, 1, 1))
    found["stripe_rate"] = rng.uniform(2, 22, (n, 1, 1))
    found["stripe_start"] = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    found["stripe"] = rng.uniform(0, 40, (n, 1, 1)) * (rng.random((n, 1, 1)) < 0.4)
    return {name: values.astype(np.float32) for name, values in found.items()}


def _texture(draws: Draws, size: Size) -> Any:
    """(n, height, width, 3), 0 to 255."""
    from keras import ops

    found = draws["base"]
    for scale in SCALES:
        noise = ops.convert_to_tensor(draws[f"noise_{scale}"])
        found = found + ops.image.resize(noise, size, interpolation="bicubic")
    x, y = _axes(size)
    turn = draws["stripe_turn"]
    along = x * ops.cos(turn) + y * ops.sin(turn)
    wave = ops.tanh(3 * ops.sin(draws["stripe_rate"] * along + draws["stripe_start"]))
    return ops.clip(found + ops.expand_dims(wave * draws["stripe"], -1), 0, 255)


def _draw_lens(rng: np.random.Generator, n: int, *, blur: float, light: float) -> Draws:
    """Blur in a share ``blur`` of n pictures; gain, tint, contrast, gamma and a ramp of light."""
    one = (n, 1, 1, 1)
    turn = rng.uniform(0, 2 * np.pi, n)
    found = {
        "soft": rng.random(one) * (rng.random(one) < blur),
        "contrast": rng.uniform(1 - 0.3 * light, 1 + 0.2 * light, one),
        "gamma": np.exp(rng.normal(0, 0.15 * light, one)),
        "gain": rng.uniform(1 - 0.45 * light, 1 + 0.25 * light, one)
        * (1 + rng.normal(0, 0.06 * light, (n, 1, 1, 3))),
        "ramp": 0.25 * light * rng.random((n, 1)) * np.stack([np.cos(turn), np.sin(turn)], axis=1),
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


def _through_lens(pictures: Any, draws: Draws) -> Any:
    """Blurred, then relit: contrast, gamma, gain and white balance, a ramp of light."""
    from keras import ops

    kernel = np.array([1, 4, 6, 4, 1], np.float32) / 16
    kernel = np.repeat((kernel[:, None] * kernel)[:, :, None, None], 3, axis=2)
    padded = ops.pad(pictures, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    blurred = ops.depthwise_conv(padded, ops.convert_to_tensor(kernel), padding="valid")
    view = pictures + draws["soft"] * (blurred - pictures)
    middle = ops.mean(view, axis=(1, 2, 3), keepdims=True)
    view = ops.clip((view - middle) * draws["contrast"] + middle, 0, 255)
    view = 255.0 * ops.power(view / 255.0, draws["gamma"])
    x, y = _axes(pictures.shape[1:3])
    ramp = draws["ramp"][:, 0][:, None, None] * x + draws["ramp"][:, 1][:, None, None] * y
    return ops.clip(view * draws["gain"] * ops.expand_dims(1 + ramp, -1), 0, 255)


def _axes(size: Any) -> tuple[Any, Any]:
    """x (1, 1, width) and y (1, height, 1), each from -1 to 1."""
    from keras import ops

    x = np.linspace(-1, 1, int(size[1]), dtype=np.float32)[None, None, :]
    y = np.linspace(-1, 1, int(size[0]), dtype=np.float32)[None, :, None]
    # PyTorch multiplies no array with a tensor.
    return ops.convert_to_tensor(x), ops.convert_to_tensor(y)
