"""What the sample shop sells: types, their share, and what each comes in.

The names of types, categories, colours and usages are those of Kaggle's fashion catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

_MEN, _WOMEN = "Men:8 Women:2", "Women:1"
_BOTH, _ALL = "Men:5 Women:5", "Men:9 Women:6 Boys:2 Girls:1 Unisex:1"
_DARK = "Black:6 Navy_Blue:4 Grey:4 Blue:3 Brown:2 White:2 Charcoal:1 Olive:1 Khaki:1"
_TOP = (
    "White:5 Black:5 Navy_Blue:4 Blue:5 Red:4 Grey:3 Green:3 Yellow:2 Purple:2 Pink:2 Orange:1"
    " Olive:1 Maroon:1 Grey_Melange:2 Teal:1 Turquoise_Blue:1 Lime_Green:1 Charcoal:1 Cream:1"
)
_LADY = (
    "Pink:4 Red:4 Black:4 White:3 Purple:3 Blue:3 Green:2 Peach:2 Teal:2 Yellow:2 Maroon:2 Navy_Blue:2"
    " Lavender:1 Magenta:2 Orange:2 Mustard:1 Cream:2 Turquoise_Blue:1 Rust:1 Sea_Green:1 Rose:1 Multi:1"
)
_HIDE = "Black:7 Brown:6 Tan:4 Coffee_Brown:2 Beige:1 Navy_Blue:1 Maroon:1"
_BAG = "Black:5 Brown:4 Red:3 Tan:3 Beige:2 Pink:2 Purple:2 Blue:2 Green:1 Mustard:1 White:1 Teal:1"
_METAL = "Silver:5 Gold:5 Copper:1 Bronze:1"
_SPORT = "Black:4 White:5 Grey:4 Blue:3 Red:2 Navy_Blue:2 Green:1 Pink:1 Orange:1 Silver:2 Purple:1"


@dataclass(frozen=True)
class Article:
    """One type of product.

    ``genders``, ``colours``, ``patterns``, ``usages``: weighted choices, ``"name:weight ..."``
    with underscores for blanks and ``-`` for none. ``share`` is out of the sum of all shares.
    ``nouns`` are the words a product name ends in, parted by ``|``.
    """

    name: str
    sub: str
    master: str
    share: float
    genders: str
    colours: str
    patterns: str = "-:1"
    usages: str = "Casual:1"
    seasons: str = "Summer:6 Fall:3 Winter:2 Spring:1"
    nouns: str = ""
    brands: str = "apparel"


def _apparel(name: str, sub: str, share: float, genders: str, colours: str, **more: str) -> Article:
    return Article(name, sub, "Apparel", share, genders, colours, **more)


def _footwear(
    name: str, sub: str, share: float, genders: str, colours: str, **more: str
) -> Article:
    return Article(name, sub, "Footwear", share, genders, colours, **{"brands": "shoes", **more})


def _accessory(
    name: str, sub: str, share: float, genders: str, colours: str, **more: str
) -> Article:
    return Article(name, sub, "Accessories", share, genders, colours, **{"brands": "bags", **more})


def _care(name: str, sub: str, share: float, genders: str, colours: str, **more: str) -> Article:
    return Article(
        name, sub, "Personal Care", share, genders, colours, **{"brands": "beauty", **more}
    )


_COLD = "Fall:5 Winter:6"

#: Every type, the most frequent of each group first. Append new ones at the end: the position
#: is part of a product's seed.
ARTICLES: tuple[Article, ...] = (
    _apparel("Tshirts", "Topwear", 62, _ALL, _TOP, nouns="T-shirt|Tee|Polo T-shirt",
             patterns="-:4 Graphic:6 Striped:4 Melange:2 Colourblocked:2 Tie-Dye:1 Camouflage:1",
             usages="Casual:8 Sports:2"),
    _apparel("Shirts", "Topwear", 42, "Men:8 Women:2 Boys:1", _TOP, nouns="Shirt|Slim Fit Shirt",
             patterns="Checked:5 Striped:4 -:4 Polka_Dot:1 Floral:1 Geometric:1",
             usages="Casual:6 Formal:3"),
    _apparel("Tops", "Topwear", 26, "Women:6 Girls:1", _LADY, nouns="Top|Blouse Top",
             patterns="-:4 Floral:4 Striped:2 Polka_Dot:2 Ethnic_Print:1 Animal_Print:1 Geometric:1 Ombre:1"),
    _apparel("Kurtas", "Topwear", 26, "Women:8 Men:1", _LADY, nouns="Kurta|Printed Kurta", brands="ethnic",
             patterns="Ethnic_Print:5 -:4 Floral:2 Striped:1 Chevron:1", usages="Ethnic:1"),
    _apparel("Sweatshirts", "Topwear", 12, "Men:5 Women:3 Boys:1", _TOP, nouns="Sweatshirt|Hooded Sweatshirt",
             patterns="-:4 Melange:3 Graphic:3 Colourblocked:1", usages="Casual:4 Sports:2", seasons=_COLD),
    _apparel("Sweaters", "Topwear", 12, "Men:5 Women:4", _TOP, nouns="Sweater|Pullover",
             patterns="-:4 Striped:3 Checked:1 Chevron:2 Melange:2", seasons=_COLD),
    _apparel("Jackets", "Topwear", 13, "Men:5 Women:3 Boys:1", _DARK, nouns="Jacket",
             usages="Casual:4 Sports:2", seasons=_COLD),
    _apparel("Dresses", "Dress", 18, "Women:6 Girls:1", _LADY, nouns="Dress|Shift Dress|Maxi Dress",
             patterns="-:4 Floral:4 Polka_Dot:2 Striped:1 Ethnic_Print:1 Geometric:1 Ombre:1",
             usages="Casual:6 Party:2"),
    _apparel("Skirts", "Bottomwear", 9, "Women:6 Girls:1", _LADY, nouns="Skirt|Flared Skirt",
             patterns="-:5 Floral:2 Checked:2 Polka_Dot:1 Ethnic_Print:1"),
    _apparel("Jeans", "Bottomwear", 22, "Men:6 Women:4 Boys:1", "Blue:8 Navy_Blue:4 Black:3 Grey:2 Charcoal:1",
             nouns="Jeans|Skinny Fit Jeans|Washed Jeans"),
    _apparel("Trousers", "Bottomwear", 16, "Men:6 Women:2", _DARK + " Beige:3 Khaki:3 Cream:1", nouns="Trousers|Chinos",
             patterns="-:6 Pinstriped:1 Checked:1", usages="Casual:4 Formal:4"),
    _apparel("Shorts", "Bottomwear", 14, "Men:6 Women:2 Boys:1 Girls:1", _DARK + " Beige:2 Red:1 Green:1",
             nouns="Shorts", patterns="-:5 Checked:3 Camouflage:1 Striped:1", usages="Casual:5 Sports:3"),
    _apparel("Track Pants", "Bottomwear", 11, "Men:6 Women:3 Boys:1", _DARK, nouns="Track Pants",
             patterns="-:4 Melange:1", usages="Sports:4 Casual:1"),
    _apparel("Leggings", "Bottomwear", 7, "Women:6 Girls:1", _LADY, nouns="Leggings",
             patterns="-:5 Floral:1 Animal_Print:1 Geometric:1"),
    _footwear("Casual Shoes", "Shoes", 30, "Men:7 Women:3 Unisex:1 Boys:1", _SPORT + " Brown:3 Tan:2 Olive:1",
              nouns="Casual Shoes|Sneakers|Canvas Shoes", patterns="-:6 Checked:1 Camouflage:1 Floral:1"),
    _footwear("Sports Shoes", "Shoes", 28, "Men:6 Women:3 Unisex:1", _SPORT, nouns="Sports Shoes|Running Shoes|Training Shoes",
              usages="Sports:1", brands="sport"),
    _footwear("Formal Shoes", "Shoes", 16, "Men:1", _HIDE, nouns="Formal Shoes|Derby Shoes|Slip-On Shoes", usages="Formal:1"),
    _footwear("Heels", "Shoes", 22, _WOMEN, _BAG + " Gold:1 Silver:1 Nude:1", nouns="Heels|Pumps|Stilettos",
              usages="Casual:5 Party:2"),
    _footwear("Flats", "Shoes", 14, _WOMEN, _BAG + " Gold:1 Pink:2", nouns="Flats|Ballerinas"),
    _footwear("Flip Flops", "Flip Flops", 16, _ALL, _SPORT + " Brown:2 Yellow:1", nouns="Flip Flops|Slippers"),
    _footwear("Sandals", "Sandal", 16, "Men:6 Women:3 Girls:1", _HIDE + " Red:1 Gold:1 White:1", nouns="Sandals"),
    _accessory("Handbags", "Bags", 28, _WOMEN, _BAG, nouns="Handbag|Tote Bag|Shoulder Bag|Satchel"),
    _accessory("Backpacks", "Bags", 15, "Unisex:8 Women:1 Men:1", _SPORT + " Olive:1", nouns="Backpack|Laptop Backpack",
               patterns="-:6 Camouflage:1 Floral:1 Checked:1"),
    _accessory("Clutches", "Bags", 9, _WOMEN, _BAG + " Gold:2 Silver:2", nouns="Clutch", usages="Casual:3 Party:2"),
    _accessory("Wallets", "Wallets", 15, _BOTH, _HIDE + " Red:2 Pink:1", nouns="Wallet|Bi-Fold Wallet"),
    _accessory("Duffel Bag", "Bags", 5, "Unisex:1", _SPORT, nouns="Duffel Bag", usages="Sports:1 Travel:1"),
    _accessory("Watches", "Watches", 36, "Men:6 Women:5 Unisex:1", "Black:6 White:4 Silver:5 Brown:3 Blue:2 Gold:3 Steel:2 Pink:1",
               nouns="Watch|Analogue Watch|Chronograph Watch", brands="watches", seasons="Winter:6 Summer:2 Fall:1"),
    _accessory("Sunglasses", "Eyewear", 20, "Men:4 Women:4 Unisex:2", "Black:6 Brown:4 Grey:2 Gold:2 Silver:1 Red:1 Blue:1 Purple:1",
               nouns="Sunglasses|Aviator Sunglasses|Wayfarer Sunglasses", brands="eyewear", seasons="Winter:6 Summer:3"),
    _accessory("Belts", "Belts", 15, _BOTH, _HIDE + " White:1 Red:1", nouns="Belt|Leather Belt", usages="Casual:4 Formal:2"),
    _accessory("Caps", "Headwear", 9, "Men:3 Unisex:5 Women:1", _TOP, nouns="Cap|Baseball Cap", patterns="-:5 Camouflage:1 Checked:1",
               brands="sport"),
    _accessory("Ties", "Ties", 10, "Men:1", "Navy_Blue:4 Red:3 Blue:3 Black:2 Purple:2 Grey:2 Maroon:2 Green:1 Mustard:1",
               patterns="Striped:4 -:2 Polka_Dot:3 Checked:2 Ethnic_Print:1", nouns="Tie|Silk Tie", usages="Formal:1", brands="apparel"),
    _accessory("Socks", "Socks", 11, "Men:6 Women:2 Unisex:1", _TOP, patterns="Striped:4 -:3 Polka_Dot:1 Checked:1 Chevron:1",
               nouns="Socks|Ankle Socks", brands="apparel"),
    _accessory("Scarves", "Scarves", 6, "Women:5 Men:3", _LADY, patterns="Checked:4 Striped:3 -:2 Floral:2", nouns="Scarf",
               seasons=_COLD, brands="apparel"),
    _accessory("Earrings", "Jewellery", 12, _WOMEN, _METAL, nouns="Earrings|Drop Earrings", brands="jewels"),
    _accessory("Necklace and Chains", "Jewellery", 7, _WOMEN, _METAL, nouns="Necklace", brands="jewels"),
    _accessory("Bracelet", "Jewellery", 5, "Women:4 Men:1", _METAL, nouns="Bracelet", brands="jewels"),
    _accessory("Ring", "Jewellery", 5, "Women:5 Men:1", _METAL, nouns="Ring", brands="jewels"),
    _care("Perfume and Body Mist", "Fragrance", 14, "Men:5 Women:5", "NA:4 Gold:2 Pink:2 Blue:2 Purple:1 Green:1 Orange:1",
          nouns="Perfume|Eau de Toilette", seasons="Spring:1"),
    _care("Deodorant", "Fragrance", 8, "Men:5 Women:3", "NA:2 Black:3 Blue:3 Red:1 White:1 Purple:1 Green:1 Pink:1",
          nouns="Deodorant|Deo Spray", seasons="Spring:1"),
    _care("Nail Polish", "Nails", 9, _WOMEN, "Red:4 Pink:4 Purple:2 Maroon:2 Orange:1 Blue:1 Peach:1 Nude:1 Magenta:2 Silver:1",
          nouns="Nail Polish|Nail Lacquer", seasons="Spring:1"),
    _care("Lipstick", "Lips", 9, _WOMEN, "Red:4 Pink:4 Rose:2 Maroon:2 Peach:1 Nude:1 Magenta:1 Mauve:1 Brown:1",
          nouns="Lipstick|Lip Colour", seasons="Spring:1"),
    _accessory("Umbrellas", "Umbrellas", 0, "Unisex:1", "Red:1", nouns="Umbrella", seasons="Winter:1"),
)  # fmt: skip

#: The type of which there is exactly one item: it can have no relevant neighbour.
LONE = "Umbrellas"


def choices(text: str) -> tuple[list[str], list[float]]:
    """``"Men:8 Women:2"`` as names and shares that sum to 1; ``-`` becomes the empty name."""
    pairs = [part.rsplit(":", 1) for part in text.split()]
    total = sum(float(weight) for _, weight in pairs)
    names = ["" if name == "-" else name.replace("_", " ") for name, _ in pairs]
    return names, [float(weight) / total for _, weight in pairs]
