"""The colours of the catalogue by the names Kaggle's fashion set uses, and colours that go along."""

from __future__ import annotations

import colorsys

import numpy as np

_HEX = {
    "Black": "26262a",
    "White": "f4f4f2",
    "Blue": "2f62a8",
    "Brown": "6b432b",
    "Grey": "8b8d91",
    "Red": "b8242c",
    "Green": "2f7a4b",
    "Pink": "e58aa8",
    "Navy Blue": "232f52",
    "Purple": "67407f",
    "Silver": "bfc2c7",
    "Yellow": "eec63f",
    "Beige": "d8c3a0",
    "Gold": "c9a04c",
    "Maroon": "6d1f2d",
    "Orange": "e0732f",
    "Olive": "6b6b3a",
    "Multi": "c65f6a",
    "Cream": "f0e6cd",
    "Steel": "9aa1aa",
    "Charcoal": "43454b",
    "Peach": "f2b79b",
    "Off White": "ece7dc",
    "Skin": "dcae8c",
    "Lavender": "b5a3d3",
    "Grey Melange": "a5a7ab",
    "Khaki": "a8966a",
    "Magenta": "b8307f",
    "Teal": "20767c",
    "Tan": "b98552",
    "Mustard": "c99a2a",
    "Bronze": "8c6239",
    "Copper": "b06f48",
    "Turquoise Blue": "35a8b8",
    "Rust": "a04a26",
    "Burgundy": "571c31",
    "Coffee Brown": "4a3022",
    "Mauve": "a77c93",
    "Rose": "d1607c",
    "Nude": "dfb89c",
    "Sea Green": "3c9a83",
    "Lime Green": "97bf3b",
    "NA": "a8794f",
}

_LIGHT_PARTNERS = ("White", "Cream", "Off White", "Beige", "Grey Melange", "Peach")
_DARK_PARTNERS = ("Black", "Navy Blue", "Charcoal", "Maroon", "Coffee Brown", "Teal")
_BRIGHT_PARTNERS = ("Red", "Yellow", "Turquoise Blue", "Orange", "Magenta", "Lime Green", "Blue")

Colour = np.ndarray


def rgb(name: str) -> Colour:
    """The named colour as (3,) float32 in 0..1."""
    digits = _HEX[name]
    return np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)], np.float32)


def lightness(colour: Colour) -> float:
    """Perceived lightness of a colour, 0 (black) to 1 (white)."""
    return float(np.dot(colour, (0.299, 0.587, 0.114)))


def jittered(rng: np.random.Generator, colour: Colour) -> Colour:
    """The colour as another dye lot would give it."""
    hue, light, strength = colorsys.rgb_to_hls(*[float(c) for c in colour])
    hue = (hue + rng.normal(0, 0.012)) % 1
    light = float(np.clip(light * rng.normal(1, 0.07), 0.04, 0.965))
    strength = float(np.clip(strength * rng.normal(1, 0.1), 0, 1))
    return np.array(colorsys.hls_to_rgb(hue, light, strength), np.float32)


def mixed(a: Colour, b: Colour, share: float) -> Colour:
    """``share`` of b in a."""
    return (a * (1 - share) + b * share).astype(np.float32)


def darker(colour: Colour, by: float = 0.25) -> Colour:
    """The colour with ``by`` of its light taken away."""
    return (colour * (1 - by)).astype(np.float32)


def lighter(colour: Colour, by: float = 0.3) -> Colour:
    """The colour mixed with white."""
    return mixed(colour, np.ones(3, np.float32), by)


def partner(rng: np.random.Generator, colour: Colour) -> Colour:
    """A second colour that stands out beside the first."""
    dark = lightness(colour) < 0.45
    names = _LIGHT_PARTNERS if dark else _DARK_PARTNERS
    if rng.random() < 0.3:
        names = _BRIGHT_PARTNERS
    choice = rgb(names[rng.integers(len(names))])
    if abs(lightness(choice) - lightness(colour)) < 0.15:
        choice = rgb("White" if dark else "Charcoal")
    return jittered(rng, choice)


def bright(rng: np.random.Generator) -> Colour:
    """A lively colour for prints and details."""
    return jittered(rng, rgb(_BRIGHT_PARTNERS[rng.integers(len(_BRIGHT_PARTNERS))]))


def metal(rng: np.random.Generator, name: str = "") -> Colour:
    """Silver, gold, steel or gun metal; the named one where it is a metal."""
    if name in ("Silver", "Gold", "Steel", "Copper", "Bronze"):
        return rgb(name)
    return rgb(("Silver", "Silver", "Steel", "Gold", "Gold")[rng.integers(5)])
