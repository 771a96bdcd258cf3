"""``make_engine``: the engine asked for, or the fastest that stays faithful."""

from __future__ import annotations

import json
import logging
import time
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashify.backbones.backbone import Backbone
from fashify.backbones.onnx_file import OnnxBackbone, OnnxNetwork
from fashify.config import settings
from fashify.engines.base import Engine, ModelSpec
from fashify.engines.cache import ModelCache
from fashify.engines.convert import as_model, cache_key
from fashify.engines.fidelity import FIDELITY, draw_probe_images, find_least_cosine
from fashify.engines.openvino_engine import PRECISIONS as OPENVINO_PRECISIONS
from fashify.engines.openvino_engine import OpenVINOEngine, supports_bf16
from fashify.engines.processor import has_bf16, has_openvino, processor
from fashify.engines.tensorflow_engine import TensorFlowEngine
from fashify.errors import EngineError, FashifyWarning, join_names

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

_NAMES = ("openvino", "tensorflow")
_TRIALS = 3


def list_engines() -> list[str]:
    """Engines installed here, beside ``"auto"``.

    >>> from fashify import list_engines
    >>> "tensorflow" in list_engines()
    True
    """
    return [name for name in _NAMES if name != "openvino" or has_openvino()]


def make_engine(
    name: str,
    model: keras.Model | Backbone,
    *,
    spec: ModelSpec,
    precision: str = "auto",
    cache_dir: str | Path | None = None,
    calibration: np.ndarray | str | None = None,
    threads: int | None = None,
) -> Engine:
    """An engine that runs ``model``.

    Args:
        name: one of ``list_engines()``, or ``auto``: the fastest whose features keep a
            cosine of 0.999 or more to the fp32 reference, both measured when this machine first
            meets the network and kept with the converted ones.
        model: (b, H, W, 3) raw RGB to (b, dim), preprocessing inside the graph; of a backbone
            that is built only where no converted one is kept.
        spec: the network's identity.
        precision: ``auto`` (full fidelity), ``fp32``, ``bf16`` or ``int8``. int8 is never
            chosen unasked.
        cache_dir: where converted networks are kept; default ``engines`` in the cache of
            ``settings()``.
        calibration: for int8: (n, H, W, 3) uint8 images of the catalogue, or the
            fingerprint's hash of those used before.
        threads: OpenVINO's processor threads; default all.

    Raises:
        EngineError: unknown name or precision, or one that cannot run here.
        MissingExtraError: OpenVINO or NNCF is asked for and not installed.

    >>> import numpy as np
    >>> from fashify import load_backbone, make_engine
    >>> backbone = load_backbone("fashify-lite")
    >>> engine = make_engine("openvino", backbone, spec=backbone.spec)
    >>> engine.run(np.full((1, *backbone.spec.input_size, 3), 255, np.uint8)).shape
    (1, 1280)
    """
    if name not in ("auto", *_NAMES):
        raise EngineError("an engine", repr(name), f"choose one of auto, {join_names(_NAMES)}")
    if precision not in ("auto", *OPENVINO_PRECISIONS):
        choice = join_names(("auto", *OPENVINO_PRECISIONS))
        raise EngineError("a precision", repr(precision), f"choose one of {choice}")
    cache = ModelCache(Path(cache_dir) if cache_dir else settings().cache / "engines")
    maker = _Maker(model, spec, cache, calibration, threads)
    if isinstance(model, OnnxBackbone | OnnxNetwork):
        return _make_for_file(maker, name, precision)
    if precision == "int8" and name == "auto":
        name = "openvino"
    if "auto" not in (name, precision):
        return maker.make(name, precision)
    return _choose_engine(_list_candidates(name, precision), maker)


def _make_for_file(maker: _Maker, name: str, precision: str) -> Engine:
    """OpenVINO for an ONNX file: nothing else reads it, so there is nothing to choose."""
    if name == "tensorflow" or precision == "int8":
        raise EngineError(
            "the engine openvino in fp32 or bf16 for a network from a file",
            f"{name} {precision}",
            "leave engine and precision out",
        )
    engine = maker.make("openvino", "fp32" if precision == "auto" else precision)
    engine.reason = "a network from an ONNX file"
    return engine


class _Maker:
    """All that making an engine takes, but for its name and precision."""

    def __init__(
        self,
        model: keras.Model | Backbone,
        spec: ModelSpec,
        cache: ModelCache,
        calibration: np.ndarray | str | None,
        threads: int | None,
    ) -> None:
        self.model, self.spec, self.cache = model, spec, cache
        self.calibration, self.threads = calibration, threads

    def make(self, name: str, precision: str) -> Engine:
        if name == "tensorflow":
            if precision == "bf16" and not has_bf16():
                text = "this processor has no bfloat16 arithmetic: TensorFlow imitates it, slowly"
                warnings.warn(text, FashifyWarning, stacklevel=3)
            return TensorFlowEngine(as_model(self.model), self.spec, precision)
        return OpenVINOEngine(
            self.model,
            self.spec,
            precision,
            cache=self.cache,
            calibration=self.calibration,
            threads=self.threads,
        )


def _list_candidates(name: str, precision: str) -> list[tuple[str, str]]:
    """What may answer a request, the likely fastest first."""
    names = list_engines() if name == "auto" else [name]
    precisions = ["bf16", "fp32"] if precision == "auto" else [precision]
    able = {"openvino": has_openvino() and supports_bf16(), "tensorflow": has_bf16()}
    pairs = [(each, p) for p in precisions for each in names if p != "bf16" or able[each]]
    if not pairs:
        raise EngineError(
            "a processor with bfloat16 arithmetic", "one without it", "use fp32 or int8"
        )
    return pairs


def _choose_engine(candidates: list[tuple[str, str]], maker: _Maker) -> Engine:
    """The fastest faithful one, as it was measured here before or is measured now."""
    if not has_openvino():
        return _find_fastest_faithful(candidates, maker)
    # All that a measurement may depend on: other libraries, processors or cores measure anew.
    here = processor()
    key = cache_key(
        maker.spec,
        candidates=json.dumps(candidates),
        tensorflow=_find_version("tensorflow"),
        processor=f"{here['name']}, {here['cores']}",
    )
    found = maker.cache.find(key)
    if found is not None:
        facts = maker.cache.facts(found)
        logger.info("%s %s: %s", facts["engine"], facts["precision"], facts["reason"])
        engine = maker.make(facts["engine"], facts["precision"])
        engine.report, engine.reason = facts["report"], facts["reason"]
        return engine
    best = _find_fastest_faithful(candidates, maker)
    facts = {"engine": best.name, "precision": best.precision}
    facts |= {"report": best.report, "reason": best.reason}
    maker.cache.keep(key, lambda folder: None, facts)
    return best


def _find_version(package: str) -> str:
    """Of an installed package; "" where it is installed under another name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _find_fastest_faithful(candidates: list[tuple[str, str]], maker: _Maker) -> Engine:
    """Every candidate on the same images, against fp32 TensorFlow."""
    images = draw_probe_images(maker.spec)
    reference = maker.make("tensorflow", "fp32")
    expected = reference.run(images)
    trials = []
    for name, precision in candidates:
        is_reference = (name, precision) == ("tensorflow", "fp32")
        engine = reference if is_reference else maker.make(name, precision)
        cosine = find_least_cosine(engine.run(images), expected)
        rate = _measure_rate(engine, images)
        engine.report = {"least_cosine": cosine, "images_per_second": rate}
        logger.info("%s: least cosine %.6f, %.1f images/s", engine, cosine, rate)
        trials.append(engine)
    faithful = [engine for engine in trials if engine.report["least_cosine"] >= FIDELITY]
    if not faithful:
        raise EngineError(
            f"an engine with a cosine of {FIDELITY} or more to fp32",
            ", ".join(f"{each}: {each.report['least_cosine']:.5f}" for each in trials),
            "ask for one by name and precision",
        )
    best = max(faithful, key=lambda engine: engine.report["images_per_second"])
    others = [f"{each.name} {each.precision}" for each in trials if each is not best]
    best.reason = f"the fastest at full fidelity here, beside {', '.join(others) or 'no other'}"
    return best


def _measure_rate(engine: Engine, images: np.ndarray) -> float:
    """The best of a few runs: other work on the machine only ever slows one down."""
    seconds = []
    for _ in range(_TRIALS):
        start = time.perf_counter()
        engine.run(images)
        seconds.append(time.perf_counter() - start)
    return len(images) / min(seconds)
