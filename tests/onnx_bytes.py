"""ONNX files in the format's own bytes, so that no package is needed to write one."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

#: Data types of the format.
FLOAT, INT64 = 1, 7

#: Tokens of a text tower. The first number of a vector is red, the second blue, the third a dress,
#: the fourth a shirt.
WORDS = ("<pad>", "<unk>", "red", "blue", "dress", "shirt")
TABLE = np.concatenate([np.zeros((2, 4)), np.eye(4)]).astype(np.float32)


def number(field: int, value: int) -> bytes:
    """A protobuf field of a whole number."""
    return varint(field << 3) + varint(value)


def block(field: int, data: bytes | str) -> bytes:
    """A protobuf field of bytes, text or a message."""
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def value(name: str, kind: int, shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto; 0 is a dimension of any length."""
    dims = b"".join(block(1, number(1, n) if n else block(2, "n")) for n in shape)
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, dims)))


def write_text_tower(
    path: Path, table: np.ndarray, *, length: int = 0, takes: str = "input_ids"
) -> Path:
    """A text tower that means the rows (v, dim) of a table at its tokens.

    Args:
        length: tokens that it takes; 0 for any number.
        takes: name of its input.
    """
    tensor = b"".join(number(1, n) for n in table.shape) + number(2, FLOAT)
    tensor += block(8, "table") + block(9, struct.pack(f"<{table.size}f", *table.ravel()))
    gather = block(1, "table") + block(1, takes) + block(2, "rows") + block(4, "Gather")
    axes = block(1, "axes") + number(8, 1) + number(20, 7)
    keep = block(1, "keepdims") + number(3, 0) + number(20, 2)
    mean = block(1, "rows") + block(2, "text_embeds") + block(4, "ReduceMean")
    graph = block(1, gather) + block(1, mean + block(5, axes) + block(5, keep))
    graph += block(2, "tower") + block(5, tensor) + block(11, value(takes, INT64, (0, length)))
    graph += block(12, value("text_embeds", FLOAT, (0, table.shape[1])))
    path.write_bytes(number(1, 8) + block(7, graph) + block(8, number(2, 13)))
    return path


def write_tower(folder: Path, table: np.ndarray = TABLE, *, length: int = 0) -> Path:
    """A text tower of ``WORDS`` with the tokenizer that belongs to it."""
    import tokenizers

    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    return write_text_tower(folder / "text.onnx", table, length=length)
