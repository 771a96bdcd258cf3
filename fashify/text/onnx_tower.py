"""A text tower a user has, from an ONNX file: the partner of an image tower from a file.

Beside ``FILE.onnx`` lies its ``tokenizer.json``, and where these two leave something open a record
``FILE.json``: ``{"output": "text_embeds", "length": 77, "prompt": "a photo of {}"}``, each of which
may be left out. The network takes ``input_ids`` (b, n) and, if it wants one, ``attention_mask``,
and gives (b, dim), in the space of the store's features.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fashify.backbones.quiet import import_openvino
from fashify.errors import BackboneError, MissingExtraError, StoreMismatchError
from fashify.text.tower import fits_backbone

TOKENIZER = "tokenizer.json"

#: Tokens of a text that are read at most where neither network nor record say how many, as CLIP.
LENGTH = 77

#: What contrastive towers multiply cosines with, as CLIP was trained.
SCALE = np.float32(100)

#: How tokenizers mark that a piece is a whole word, by what is put before and after it.
_WHOLE = ("{}</w>", "▁{}", "Ġ{}", "{}")

_INPUTS = ("input_ids", "attention_mask")


class OnnxTower:
    """Texts as vectors of the space that an image tower's features lie in, by OpenVINO.

    Args:
        file: the network, its tokenizer beside it.

    Attributes:
        facts: name, file and identity, and the ``dim`` of its vectors.
        scale: of its cosines.

    Raises:
        BackboneError: no such file or tokenizer, or a network that is no text tower.
        MissingExtraError: the package ``tokenizers`` is not installed.
    """

    scale: ClassVar[np.float32] = SCALE

    def __init__(self, file: str | Path) -> None:
        path = Path(file).expanduser().resolve()
        self._record = _read_record(path)
        self._tokenizer = _read_tokenizer(path)
        self._network, self._names, length = _compile(path, self._record)
        self._length = int(self._record.get("length") or length or LENGTH)
        self._prepare_tokenizer()
        self.facts: dict[str, Any] = {"name": path.stem, "file": str(path)}
        self.facts |= {"hash": hash_tower(path), "dim": self._measure_dim(path)}

    def __call__(self, text: str) -> np.ndarray:
        """(dim,) float32 of unit length."""
        return self.embed([text])[0]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of unit length."""
        return _unit(np.concatenate([self._run(text) for text in texts]))

    def pictures(self, features: np.ndarray) -> np.ndarray:
        """(n, dim) float32 of unit length from the image tower's (n, dim) features.

        Raises:
            StoreMismatchError: features of another length.
        """
        if features.shape[-1] != self.facts["dim"]:
            raise StoreMismatchError(
                f"features of {self.facts['dim']} numbers for the text tower {self.facts['name']}",
                f"{features.shape[-1]}",
                "build the store with the image tower that belongs to it",
            )
        return _unit(np.asarray(features, np.float32))

    def knows(self, word: str) -> bool:
        """Whether a word is one piece of its vocabulary."""
        return any(form.format(word) in self._vocabulary for form in _WHOLE)

    def fits(self, backbone: Mapping[str, Any]) -> bool:
        """Whether it was put into a store of these features."""
        return fits_backbone(self.facts, backbone)

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        return self._tokenizer.get_vocab()

    def _prepare_tokenizer(self) -> None:
        padding = self._tokenizer.padding or {}
        token = padding.get("pad_token", "<pad>")
        number = padding.get("pad_id", self._tokenizer.token_to_id(token) or 0)
        self._tokenizer.enable_truncation(self._length)
        self._tokenizer.enable_padding(length=self._length, pad_id=number, pad_token=token)

    def _run(self, text: str) -> np.ndarray:
        read = self._tokenizer.encode(str(self._record.get("prompt", "{}")).replace("{}", text))
        rows = {"input_ids": read.ids, "attention_mask": read.attention_mask}
        found = self._network({name: np.array([rows[name]], kind) for name, kind in self._names})
        return np.asarray(found[0], np.float32)

    def _measure_dim(self, path: Path) -> int:
        try:
            found = self._run("red dress")
        except RuntimeError as error:
            raise _misfit(
                path, f"a network for {self._length} tokens", str(error).splitlines()[-1]
            ) from error
        if found.ndim != 2 or found.shape[0] != 1:
            raise _misfit(path, "an output (1, dim) for a text", f"{found.shape}")
        return int(found.shape[1])


def hash_tower(path: Path) -> str:
    """sha256 over the file, its record and its tokenizer."""
    digest = hashlib.sha256()
    for part in (path, path.with_suffix(".json"), path.parent / TOKENIZER):
        digest.update(part.read_bytes() if part.is_file() else b"")
    return digest.hexdigest()


def _read_record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BackboneError("a text tower's file", f"{path}, which is no file", "check the path")
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        about = dict(json.loads(beside.read_text(encoding="utf-8")))
        if not 1 <= int(about.get("length", LENGTH)) <= 4096:
            raise ValueError(f"length {about['length']}")
        return about
    except (OSError, TypeError, ValueError) as error:
        raise _misfit(beside, "a record of output, length, prompt", str(error)) from error


def _read_tokenizer(path: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtraError.of("tokenizers", "tokenizers") from error
    beside = path.parent / TOKENIZER
    if not beside.is_file():
        raise BackboneError(
            f"a {TOKENIZER} beside {path.name}", "none", "put the tower's own there"
        )
    try:
        return Tokenizer.from_file(str(beside))
    except Exception as error:  # The package raises Exception itself.
        raise _misfit(beside, "a tokenizer", str(error).splitlines()[0]) from error


def _compile(path: Path, record: Mapping[str, Any]) -> tuple[Any, list[tuple[str, Any]], int]:
    """The network, its inputs with their types, and the tokens it takes, 0 for any number."""
    ov = import_openvino()

    hint = {ov.properties.hint.inference_precision: ov.Type.f32}
    try:
        model = ov.Core().read_model(path)
        names = [(port.get_any_name(), port.element_type.to_dtype()) for port in model.inputs]
        output = _choose_output(path, model, record.get("output"))
        shape = model.input(0).partial_shape
        length = 0 if shape.rank.get_length() != 2 or shape[1].is_dynamic else shape[1].get_length()
        model = ov.Model([output], model.get_parameters(), "tower")
        network = ov.Core().compile_model(model, "CPU", hint)
    except RuntimeError as error:
        raise _misfit(path, "an ONNX network", str(error).splitlines()[0]) from error
    wrong = {name for name, _ in names} - set(_INPUTS)
    if wrong or "input_ids" not in dict(names):
        raise _misfit(path, f"inputs of {', '.join(_INPUTS)}", ", ".join(name for name, _ in names))
    return network, names, length


def _choose_output(path: Path, model: Any, wanted: str | None) -> Any:
    named = {name: port for port in model.outputs for name in port.get_names()}
    if wanted is None and len(model.outputs) == 1:
        return model.outputs[0].get_node().input_value(0)
    chosen = named.get(wanted or "text_embeds")
    if chosen is None:
        known = ", ".join(sorted(named))
        raise _misfit(path, f"an output named in {path.stem}.json, of {known}", repr(wanted))
    return chosen.get_node().input_value(0)


def _misfit(path: Path, expected: str, received: str) -> BackboneError:
    fix = f"export it with inputs {', '.join(_INPUTS)}, or correct its record or {TOKENIZER}"
    return BackboneError(expected, f"{path.name}: {received}", fix)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), np.float32(1e-12))
