"""Which encoding a text file is in, by measure.

UTF-8 proves itself: hardly any other text decodes as it. Of the older encodings each has a sign
that the others lack; where none shows, it is Windows-1252, in which every byte means something.
"""

from __future__ import annotations

import re

from fashify.errors import CatalogueError

#: Bytes read where characters must be counted.
SAMPLE_BYTES = 1 << 18

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8 with BOM"),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)

#: Shift-JIS: kana, or kanji of the first level. GBK: the characters of everyday Chinese.
_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]|\x81[\x40-\x5b]")
_COMMON_HANZI = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]|[\xa1\xa3][\xa1-\xfe]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")

#: Letters of Central Europe and what the same bytes are in Windows-1252, where words lack them.
_CENTRAL_ONLY = re.compile(rb"[A-Za-z][\xb3\xb9\xbf\x9c\x9f\xb1][A-Za-z\s,;]")


def decode_text(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and its encoding in words.

    Raises:
        CatalogueError: binary data.
    """
    for mark, codec, words in _MARKS:
        if data.startswith(mark):
            return data.decode(codec, errors="replace"), words
    if b"\x00" in data[:65536]:
        utf16 = _utf16_without_mark(data[:65536])
        if utf16 is None:
            raise CatalogueError(f"text in {name}", "binary data", "export the table as UTF-8 CSV")
        return data.decode(utf16, errors="replace"), "UTF-16 without BOM"
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        # Cut within a character: a sample of a longer file, not another encoding.
        if error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8"), "UTF-8"
    codec, words = _guess_code_page(data)
    return data.decode(codec, errors="replace"), words


def _utf16_without_mark(data: bytes) -> str | None:
    """UTF-16 of mostly Latin text has a zero in every second byte, and in none of the others."""
    data = data[: len(data) // 2 * 2]
    zeros = {"utf-16-le": data[1::2].count(0), "utf-16-be": data[0::2].count(0)}
    codec = max(zeros, key=lambda name: zeros[name])
    text = data.decode(codec, errors="replace")
    odd = sum(not (letter.isprintable() or letter in "\r\n\t") for letter in text)
    likely = zeros[codec] > 0.3 * len(text) and odd < 0.01 * len(text)
    return codec if likely else None


def _guess_code_page(data: bytes) -> tuple[str, str]:
    runs = _HIGH_RUN.findall(data[: SAMPLE_BYTES * 16])[:20_000]
    if _is_damaged_utf8(data):
        return "utf-8", "UTF-8, damaged in places"
    sample = b"\n".join(line for line in data[: SAMPLE_BYTES * 4].splitlines() if _has_high(line))
    sample = sample[:SAMPLE_BYTES]
    if _is_shift_jis(sample):
        return "cp932", "Shift-JIS, by measure"
    if _is_gbk(sample, runs):
        return "gb18030", "GBK, by measure"
    if _is_cyrillic(runs):
        return "cp1251", "Windows-1251, by measure"
    if len(_CENTRAL_ONLY.findall(sample)) > 0.2 * max(1, len(_HIGH_RUN.findall(sample))):
        return "cp1250", "Windows-1250, by measure"
    return "cp1252", "Windows-1252, by measure"


def _has_high(line: bytes) -> bool:
    return not line.isascii()


def _is_damaged_utf8(data: bytes) -> bool:
    text = data[: SAMPLE_BYTES * 4].decode("utf-8", errors="replace")
    broken, letters = text.count("\ufffd"), sum(letter > "\x7f" for letter in text)
    return letters - broken > 10 * broken > 0


def _is_shift_jis(sample: bytes) -> bool:
    """Decodes strictly, and a good part of what is not ASCII is kana."""
    text = _decode_strictly(sample, "cp932")
    if text is None:
        return False
    kana, wide = len(_KANA.findall(sample)), sum(letter > "\x7f" for letter in text)
    half_width = sum("\uff61" <= letter <= "\uff9f" for letter in text)
    return kana >= 2 and kana > 0.2 * (wide - half_width) and half_width < 0.3 * wide


def _is_gbk(sample: bytes, runs: list[bytes]) -> bool:
    """Decodes strictly into everyday characters, in runs of whole pairs."""
    if _decode_strictly(sample, "gb18030") is None:
        return False
    even = sum(len(run) % 2 == 0 for run in runs)
    common = sum(2 * len(_COMMON_HANZI.findall(run)) for run in runs)
    pairs = sum(len(run) for run in runs)
    text = _decode_strictly(sample, "gb18030") or ""
    first_level = sum(0xB0 <= _lead(letter) <= 0xD7 for letter in text if letter > "\x7f")
    wide = sum(letter > "\x7f" for letter in text)
    # Runs of Cyrillic words pair up by chance, into characters hardly anybody writes.
    return even > 0.9 * len(runs) and common > 0.85 * pairs and first_level > 0.6 * wide


def _lead(letter: str) -> int:
    return letter.encode("gb18030", errors="replace")[0]


def _is_cyrillic(runs: list[bytes]) -> bool:
    """Whole words of high bytes, mostly small letters; Western words have one here and there."""
    letters = b"".join(runs)
    long = sum(len(run) for run in runs if len(run) >= 3)
    small = sum(byte >= 0xE0 or byte in (0xB8, 0xB3, 0xBF, 0xBA) for byte in letters)
    return long > 0.7 * len(letters) and small > 0.5 * len(letters)


def _decode_strictly(sample: bytes, codec: str) -> str | None:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError as error:
        cut = error.start >= len(sample) - 4
        return sample[: error.start].decode(codec) if cut and error.start else None
