"""The size of a JPEG XL picture from its first bytes (ISO/IEC 18181-1, SizeHeader)."""

from __future__ import annotations

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"

#: Width as a share of the height, by the header's three bits; 0 writes it out.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def jxl_size(data: bytes) -> tuple[int, int] | None:
    """``(width, height)`` in pixels, or ``None`` for bytes that are no JPEG XL.

    >>> jxl_size(b"\\xff\\x0a" + bytes([0b00000_0_0_1 | 7 << 1 | 1 << 6, 0]))
    (64, 64)
    """
    stream = _codestream(data)
    if stream is None:
        return None
    bits = _Bits(stream[:16])
    if bits.take(1):
        height = 8 * (bits.take(5) + 1)
        ratio = bits.take(3)
        width = 8 * (bits.take(5) + 1) if ratio == 0 else 0
    else:
        height = _side(bits)
        ratio = bits.take(3)
        width = _side(bits) if ratio == 0 else 0
    if ratio:
        over, under = _RATIOS[ratio]
        width = height * over // under
    return width, height


def _codestream(data: bytes) -> bytes | None:
    """What follows the codestream's mark, in a container or bare."""
    if data.startswith(_CODESTREAM):
        return data[2:]
    if not data.startswith(_CONTAINER):
        return None
    at = len(_CONTAINER)
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        head = 16 if size == 1 else 8
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        if kind in (b"jxlc", b"jxlp"):
            start = at + head + (4 if kind == b"jxlp" else 0)
            return data[start + 2 : start + 34] if data[start : start + 2] == _CODESTREAM else None
        if size < head:
            return None
        at += size
    return None


class _Bits:
    """Bits of little-endian bytes, the lowest first; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        return value


def _side(bits: _Bits) -> int:
    return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1
