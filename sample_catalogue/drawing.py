"""Which function draws which type, and the way from a planned product to its pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import (
    accessories,
    bags,
    beauty,
    bottoms,
    dresses,
    eyewear,
    formal,
    garments,
    handbags,
    heels,
    jewellery,
    knits,
    sandals,
    shoes,
    skirts,
    watches,
)
from .canvas import Canvas, Shot
from .looks import Look
from .plan import Product

_DRAW: dict[str, Callable[[Canvas, Look], None]] = {
    "Tshirts": garments.tshirt,
    "Shirts": garments.shirt,
    "Tops": garments.top,
    "Kurtas": garments.kurta,
    "Sweatshirts": knits.sweatshirt,
    "Sweaters": knits.sweater,
    "Jackets": knits.jacket,
    "Dresses": dresses.dress,
    "Skirts": skirts.skirt,
    "Jeans": bottoms.jeans,
    "Trousers": bottoms.trousers,
    "Shorts": bottoms.shorts,
    "Track Pants": bottoms.track_pants,
    "Leggings": bottoms.leggings,
    "Casual Shoes": shoes.casual,
    "Sports Shoes": shoes.sports,
    "Formal Shoes": formal.formal,
    "Heels": heels.heels,
    "Flats": sandals.flats,
    "Flip Flops": sandals.flip_flops,
    "Sandals": sandals.sandals,
    "Handbags": handbags.handbag,
    "Backpacks": bags.backpack,
    "Clutches": bags.clutch,
    "Wallets": bags.wallet,
    "Duffel Bag": bags.duffel,
    "Watches": watches.watch,
    "Sunglasses": eyewear.sunglasses,
    "Belts": accessories.belt,
    "Caps": accessories.cap,
    "Ties": accessories.tie,
    "Socks": accessories.socks,
    "Scarves": accessories.scarf,
    "Umbrellas": accessories.umbrella,
    "Earrings": jewellery.earrings,
    "Necklace and Chains": jewellery.necklace,
    "Bracelet": jewellery.bracelet,
    "Ring": jewellery.ring,
    "Perfume and Body Mist": beauty.perfume,
    "Deodorant": beauty.deodorant,
    "Nail Polish": beauty.nail_polish,
    "Lipstick": beauty.lipstick,
}


def draw(product: Product, *, px: float = 4 / 3, shot: Shot | None = None) -> Canvas:
    """The drawn product on an empty frame of 180 x 240 units, ``px`` pixels to the unit."""
    canvas = Canvas(px, shot or product.shot)
    rng = np.random.default_rng([*product.design, 6])
    _DRAW[product.facts["article_type"]](canvas, Look.of(product.facts, rng))
    return canvas


def picture(product: Product) -> np.ndarray:
    """The product photo of the catalogue, (320, 240, 3) uint8."""
    return draw(product).on_white(product.exposure)
