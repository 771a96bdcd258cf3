"""What a sample of the catalogue's pictures decides before all are embedded."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import numpy as np

from fashify.backbones import BackboneSpec
from fashify.catalogue import Catalogue
from fashify.errors import FashifyError
from fashify.features.embedder import Frame, prepare
from fashify.features.pipeline import prepare_images
from fashify.features.plan import Task
from fashify.io.images import image_size, load_image

#: Pictures whose size is looked at for the gallery's frame, and the share that must agree.
FRAME_IMAGES, FRAME_SHARE = 128, 0.5

#: Pictures an int8 engine is calibrated on.
CALIBRATION_IMAGES = 256


def select_with_picture(catalogue: Catalogue, n: int) -> Catalogue:
    """``n`` products that have a picture, drawn evenly with the default seed; all where fewer."""
    return catalogue.take(np.flatnonzero(catalogue.table["has_image"])).sample(n)


def find_common_frame(catalogue: Catalogue) -> Frame | None:
    """The height and width most of the gallery's pictures have, if most have the same."""
    part = select_with_picture(catalogue, FRAME_IMAGES)
    sizes: Counter[Frame] = Counter()
    for item_id in part.table["item_id"]:
        with suppress(FashifyError):
            height, width, _ = image_size(part.image_bytes(item_id))
            sizes[height, width] += 1
    if not sizes or sizes.most_common(1)[0][1] < FRAME_SHARE * sizes.total():
        return None
    return sizes.most_common(1)[0][0]


def prepare_sample(
    catalogue: Catalogue, spec: BackboneSpec, frame: Frame | None, n: int = CALIBRATION_IMAGES
) -> np.ndarray:
    """``(m, H, W, 3)`` uint8: readable ones of ``n`` pictures, as the network takes them."""
    part = select_with_picture(catalogue, n)
    tasks = [Task(path, path) for path in part.table["path"]]

    def read(data: bytes) -> np.ndarray:
        return prepare(load_image(data), spec, frame)

    images = prepare_images(part.storage, tasks, read, ahead=32)
    return np.stack([image for image in images if not isinstance(image, Exception)])
