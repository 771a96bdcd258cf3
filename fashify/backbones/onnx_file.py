"""A network a user has, from an ONNX file: for instance the image tower of a CLIP, SigLIP or DINO.

Beside ``FILE.onnx`` lies ``FILE.json``, which says what the file does not::

    {"name": "fashion-siglip", "input_size": [224, 224], "mean": [127.5, 127.5, 127.5],
     "spread": [127.5, 127.5, 127.5], "pooling": "none", "output": "image_embeds"}

``input_size`` is (height, width); ``mean`` and ``spread`` are of RGB 0..255: the network is given
``(pixel - mean) / spread``; ``pooling`` is ``none`` for an output (b, dim), ``avg`` for the mean
over all places of a map (b, dim, h, w) or all tokens (b, n, dim), ``first`` for the first token;
``output`` names one of several outputs and may be left out.

The network runs by OpenVINO; its identity, the sha256 of file and record, is the store's.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fashify.backbones.backbone import Backbone, check_batch
from fashify.backbones.quiet import import_openvino
from fashify.backbones.spec import BackboneSpec
from fashify.errors import BackboneError

SUFFIX = ".onnx"

POOLINGS = ("none", "avg", "first")

_FIELDS = ("name", "input_size", "mean", "spread", "pooling")


@dataclass(frozen=True)
class OnnxRecord:
    """What the record beside a file says.

    Attributes:
        name: of the network, as the store's manifest has it.
        input_size: (height, width), pixels.
        mean, spread: three numbers each, of RGB 0..255.
        pooling: of ``POOLINGS``.
        output: name of the output, or ``None`` for the only one.
    """

    name: str
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    pooling: str
    output: str | None = None

    @property
    def preprocessing(self) -> str:
        """The preprocessing in words that two equal ones share."""
        mean, spread = (" ".join(f"{v:g}" for v in values) for values in (self.mean, self.spread))
        return f"minus {mean} over {spread}"


class OnnxNetwork:
    """An ONNX file with its record, as an engine takes it.

    Args:
        path: the file.
        record: what stands beside it.
    """

    def __init__(self, path: Path, record: OnnxRecord) -> None:
        self.path, self.record = path, record

    def to_openvino(self) -> Any:
        """The network from (1, H, W, 3) uint8 RGB to (1, dim), in OpenVINO's form.

        Raises:
            BackboneError: not an ONNX network, or not one the record fits.
        """
        ov = import_openvino()

        try:
            model = ov.Core().read_model(self.path)
        except RuntimeError as error:
            raise _misfit(self.path, "an ONNX network", str(error).splitlines()[0]) from error
        try:
            return self._with_ends(model)
        except RuntimeError as error:
            what = f"a network for {_size(self.record)} pictures, as {_record_path(self.path).name}"
            raise _misfit(self.path, what, str(error).splitlines()[-1]) from error

    def _with_ends(self, model: Any) -> Any:
        """Bytes to numbers before the network, one vector after it."""
        ov = import_openvino()
        from openvino.preprocess import PrePostProcessor

        if len(model.inputs) != 1 or model.input().partial_shape.rank.get_length() != 4:
            raise _misfit(self.path, "one input (b, 3, H, W)", f"{list(model.inputs)}")
        model = ov.Model([self._pool_output(model)], model.get_parameters(), "network")
        model.reshape([1, 3, *self.record.input_size])
        steps = PrePostProcessor(model)
        image = steps.input()
        image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        image.model().set_layout(ov.Layout("NCHW"))
        image.preprocess().convert_element_type(ov.Type.f32)
        image.preprocess().mean(list(self.record.mean)).scale(list(self.record.spread))
        return steps.build()

    def _pool_output(self, model: Any) -> Any:
        """The output asked for as (b, dim)."""
        from openvino import opset13 as ops

        found = self._output(model)
        rank, pooling = found.partial_shape.rank.get_length(), self.record.pooling
        if pooling == "none" and rank == 2:
            return found
        if pooling == "avg" and rank in (3, 4):
            axes = np.array([1] if rank == 3 else [2, 3])
            return ops.reduce_mean(found, axes).output(0)
        if pooling == "first" and rank == 3:
            return ops.gather(found, np.array(0), np.array(1)).output(0)
        raise _misfit(
            self.path,
            f"an output of a shape for the pooling {pooling!r}",
            f"{found.partial_shape}",
        )

    def _output(self, model: Any) -> Any:
        named = {name: port for port in model.outputs for name in port.get_names()}
        wanted = self.record.output
        if wanted is None and len(model.outputs) == 1:
            return model.outputs[0].get_node().input_value(0)
        if wanted not in named:
            raise _misfit(self.path, f"an output of {', '.join(sorted(named))}", f"{wanted!r}")
        return named[wanted].get_node().input_value(0)


class OnnxBackbone(Backbone):
    """A backbone whose network is an ONNX file, run by OpenVINO."""

    def __init__(self, spec: BackboneSpec, network: OnnxNetwork, compiled: Any) -> None:
        self.spec, self.network, self.keras_model = spec, network, network
        self._compiled = compiled

    def embed(self, batch: np.ndarray) -> np.ndarray:
        """As ``Backbone.embed``; a float batch is rounded to whole numbers."""
        checked = np.round(check_batch(batch, self.spec)).astype(np.uint8)
        features = np.empty((len(checked), self.spec.dim), np.float32)
        for row in range(len(checked)):
            features[row] = self._compiled(checked[row : row + 1])[0]
        return features

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """Refused: what lies before the pooling of such a network is not known.

        Raises:
            BackboneError: always.
        """
        raise BackboneError(
            "a network whose map is known, to find the product in a picture",
            f"{self.spec.name} from a file",
            "draw the region by hand, or use a store of fashify-lite",
        )


def load_onnx(file: str | Path, *, reason: str = "asked for") -> OnnxBackbone:
    """A network from ``FILE.onnx`` and the record beside it.

    Raises:
        BackboneError: no such file, no record, or one that does not fit.
        MissingExtraError: OpenVINO is not installed.
    """
    path = Path(file).expanduser()
    record = read_record(path)
    network = OnnxNetwork(path, record)
    compiled = _compile(network)
    dim = compiled.output(0).partial_shape[1]
    if dim.is_dynamic or dim.get_length() < 1:
        raise _misfit(path, "an output of known length", str(compiled.output(0).partial_shape))
    spec = BackboneSpec(
        name=record.name,
        dim=int(dim.get_length()),
        input_size=record.input_size,
        preprocessing=record.preprocessing,
        pooling=record.pooling if record.output is None else f"{record.pooling} {record.output}",
        weights=f"file:{path.resolve()}",
        weights_hash=_identity(path),
        reason=reason,
    )
    return OnnxBackbone(spec, network, compiled)


def read_record(path: Path) -> OnnxRecord:
    """The record beside a network's file; errors as ``load_onnx``."""
    if not path.is_file():
        raise BackboneError("a network's file", f"{path}, which is no file", "check the path")
    beside = _record_path(path)
    example = '{"name": "my-network", "input_size": [224, 224], "mean": [127.5, 127.5, 127.5], '
    example += '"spread": [127.5, 127.5, 127.5], "pooling": "none"}'
    if not beside.is_file():
        raise BackboneError(
            f"a record {beside.name} beside {path.name}", "none", f"write one such as {example}"
        )
    try:
        about = json.loads(beside.read_text())
        return _check_record(about)
    except (OSError, TypeError, ValueError, KeyError) as error:
        reason = f"without {error}" if isinstance(error, KeyError) else str(error)
        raise BackboneError(
            f"a record with {', '.join(_FIELDS)}", f"{beside.name}: {reason}", f"see {example}"
        ) from error


def _check_record(about: dict[str, Any]) -> OnnxRecord:
    name, pooling, output = str(about["name"]), about["pooling"], about.get("output")
    size = tuple(int(side) for side in about["input_size"])
    mean, spread = (tuple(float(v) for v in about[key]) for key in ("mean", "spread"))
    if len(size) != 2 or not all(1 <= side <= 4096 for side in size):
        raise ValueError(f"input_size {about['input_size']}, not [height, width]")
    finite = all(map(math.isfinite, (*mean, *spread)))
    if len(mean) != 3 or len(spread) != 3 or not finite or min(spread) <= 0:
        raise ValueError("mean and spread are three numbers each, those of spread above 0")
    if pooling not in POOLINGS:
        raise ValueError(f"pooling {pooling!r}, none of {', '.join(POOLINGS)}")
    return OnnxRecord(name, (size[0], size[1]), mean, spread, pooling, output)


def _compile(network: OnnxNetwork) -> Any:
    ov = import_openvino()

    hint = ov.properties.hint
    settings = {hint.inference_precision: ov.Type.f32}
    return ov.Core().compile_model(network.to_openvino(), "CPU", settings)


def _identity(path: Path) -> str:
    """sha256 over the file, what it keeps outside itself, and the record."""
    digest = hashlib.sha256()
    for part in (path, *sorted(path.parent.glob(f"{path.name}[._]?*")), _record_path(path)):
        with open(part, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _size(record: OnnxRecord) -> str:
    return f"{record.input_size[0]} x {record.input_size[1]}"


def _misfit(path: Path, expected: str, received: str) -> BackboneError:
    return BackboneError(expected, f"{path.name}: {received}", f"mend {_record_path(path).name}")
