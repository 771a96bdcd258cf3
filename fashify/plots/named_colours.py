"""What the catalogue's colour names look like, for bars drawn in the colour they count."""

from __future__ import annotations

_NAMED = {
    "beige": "#E8DCC0", "black": "#15161A", "blue": "#2B62C4", "bronze": "#A5742F",
    "brown": "#6F4527", "burgundy": "#6D1230", "charcoal": "#3B4048", "coffee brown": "#4C3323",
    "copper": "#B66A3C", "cream": "#FBF3D9", "fluorescent green": "#5BFF3C", "gold": "#D3A736",
    "green": "#2E8B47", "grey": "#8D9299", "grey melange": "#B4B7BC", "khaki": "#A89C6D",
    "lavender": "#B9A5DE", "lime green": "#9BD22D", "magenta": "#C71F86", "maroon": "#761B24",
    "mauve": "#B18AAE", "metallic": "#9FA6AE", "mushroom brown": "#9A8573", "mustard": "#D1A21E",
    "navy blue": "#1C2A57", "nude": "#E5C3A9", "off white": "#F6F2E7", "olive": "#6B7033",
    "orange": "#EE7D22", "peach": "#FBC3A0", "pink": "#EE86AE", "purple": "#6C3A94",
    "red": "#CC2230", "rose": "#DD5D80", "rust": "#A6432A", "sea green": "#3D9E86",
    "silver": "#C5C9CF", "skin": "#E8BD98", "steel": "#7E8894", "tan": "#C69C6D",
    "taupe": "#87796D", "teal": "#137C80", "turquoise blue": "#30BFC6", "white": "#FFFFFF",
    "yellow": "#F6D731",
}  # fmt: skip

_MANY = ("#CC2230", "#EE7D22", "#F6D731", "#2E8B47", "#2B62C4", "#6C3A94")


def swatches(name: str) -> tuple[str, ...]:
    """The paints of a colour name: several for "Multi", none for a name that is no colour."""
    key = str(name).strip().lower()
    if key.startswith("multi"):
        return _MANY
    return (_NAMED[key],) if key in _NAMED else ()
