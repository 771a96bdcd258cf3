"""Product names of invented brands, in the wording of an online shop."""

from __future__ import annotations

import numpy as np

_BRANDS = {
    "apparel": ("Northloom", "Tarnwick", "Oakrift", "Velmarra", "Halden Row", "Brindlecot",
                "Mossgate", "Fennimor", "Larkhollow", "Quillmere"),
    "ethnic": ("Saffrani", "Indraloom", "Meharika", "Jharokini", "Kesaroop"),
    "shoes": ("Stridewell", "Cobbleford", "Pennifoot", "Marchbanke", "Solverra", "Heelarie"),
    "sport": ("Pacerra", "Volterune", "Kinetiq Nine", "Runavox", "Swiftarrow Lab"),
    "bags": ("Carrowelle", "Satchelby", "Rivetine", "Hidecraft Lane", "Lumevo", "Tessarine"),
    "watches": ("Temporelle", "Orbissimo", "Gearwyn", "Halcyonne", "Meridiax"),
    "eyewear": ("Lensario", "Shadewick", "Optivane", "Glarebane"),
    "jewels": ("Aurevina", "Pearlwright", "Silvaneth", "Ornavelle"),
    "beauty": ("Mirabelline", "Rosewynd", "Velvetine Lab", "Fragonelle", "Amberique"),
}  # fmt: skip
_SERIES = ("Aero", "Classic", "Urban", "Drift", "Nova", "Prime", "Heritage", "Metro", "Swift",
           "Luxe", "Trail", "Essential", "Breeze", "Vintage", "Studio")  # fmt: skip
_PLAIN_WORDS = {"Graphic": "Printed", "Melange": "Melange", "Ethnic Print": "Printed"}


def product_name(rng: np.random.Generator, facts: dict, brands: str, nouns: str) -> str:
    """A name such as ``Northloom Men Navy Blue Striped T-shirt``."""
    own = _BRANDS[brands]
    brand = own[rng.integers(len(own))]
    series = f" {_SERIES[rng.integers(len(_SERIES))]}" if rng.random() < 0.45 else ""
    colour = "" if facts["colour"] == "NA" else f" {facts['colour']}"
    pattern = facts["pattern"]
    word = f" {_PLAIN_WORDS.get(pattern, pattern)}" if pattern else ""
    options = nouns.split("|")
    noun = options[0] if rng.random() < 0.6 else options[rng.integers(len(options))]
    if word.strip() and noun.startswith(word.strip()):
        word = ""
    name = f"{brand} {facts['gender']}{series}{colour}{word} {noun}"
    if facts["article_type"] == "Socks" and rng.random() < 0.5:
        name = f"{brand} {facts['gender']}{colour}{word} Socks, Pack of {rng.integers(2, 4)}"
    return name
