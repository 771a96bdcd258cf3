"""Cloth and leather: how they take the light, and the folds they fall into."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from .canvas import Relief

JERSEY = Relief(depth=5.0, bulge=0.75, contrast=0.95, sheen=0.13)
WOVEN = Relief(depth=4.5, bulge=0.7, contrast=1.0, sheen=0.14)
KNIT = Relief(depth=6.0, bulge=0.9, contrast=0.95, sheen=0.13, edge=0.25)
DENIM = Relief(depth=5.0, bulge=0.85, contrast=1.0, sheen=0.10, hem=1.0)
SATIN = Relief(depth=5.0, bulge=0.8, contrast=1.1, sheen=0.22, gloss=0.18, polish=14)
PUFFER = Relief(depth=5.0, bulge=1.2, contrast=1.0, sheen=0.2, gloss=0.22, polish=18)
LEATHER = Relief(depth=2.2, bulge=1.0, contrast=0.9, sheen=0.16, gloss=0.28, polish=16)
PATENT = LEATHER.but(gloss=0.6, polish=26, sheen=0.22)
SUEDE = Relief(depth=2.2, bulge=0.9, contrast=0.8, sheen=0.08)
CANVAS = Relief(depth=2.0, bulge=0.8, contrast=0.85, sheen=0.1)
RUBBER = Relief(depth=1.2, bulge=0.9, contrast=0.7, sheen=0.12, edge=0.15)
METAL = Relief(depth=0.8, bulge=1.4, contrast=1.2, sheen=0.25, gloss=0.75, polish=12, edge=0.25)
PLASTIC = Relief(depth=1.2, bulge=1.1, contrast=0.9, sheen=0.2, gloss=0.5, polish=24)
FLAT = Relief(depth=0.6, bulge=0.4, hem=0, contrast=0.6, sheen=0.05, edge=0.08, shadow=0.12)

Folds = Callable[[np.ndarray, np.ndarray], np.ndarray]
Ridge = tuple[float, float, float, float, float, float]


def units_per_pixel(x: np.ndarray, y: np.ndarray) -> float:
    """Product units across one pixel of a grid, for edges one pixel soft."""
    return float(max(np.hypot(x[0, 1] - x[0, 0], y[0, 1] - y[0, 0]), 1e-3)) if x.size > 1 else 1.0


class Noise:
    """Smooth random values over the plane, the same at every resolution.

    Args:
        rng: source of the lattice.
        width, height: product units between lattice points, across and down.
    """

    def __init__(self, rng: np.random.Generator, width: float, height: float | None = None) -> None:
        self._lattice = rng.standard_normal((64, 64)).astype(np.float32)
        self._width, self._height = width, height or width

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = x / np.float32(self._width) + 512, y / np.float32(self._height) + 512
        i, j = u.astype(np.int32), v.astype(np.int32)
        u, v = u - i, v - j
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        i0, j0, i1, j1 = i & 63, j & 63, (i + 1) & 63, (j + 1) & 63
        flat = self._lattice.ravel()
        top = flat[j0 * 64 + i0] * (1 - u) + flat[j0 * 64 + i1] * u
        low = flat[j1 * 64 + i0] * (1 - u) + flat[j1 * 64 + i1] * u
        return top * (1 - v) + low * v


def _ridge(x: np.ndarray, y: np.ndarray, ridge: Ridge) -> np.ndarray:
    """A soft crease from (x0, y0), fanning out towards (x1, y1)."""
    x0, y0, x1, y1, width, height = ridge
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
    away = (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
    spread = width * (0.6 + 0.9 * along)
    return height * (1 - along * along) * np.exp(-away / (2 * spread * spread))


def folds(
    ridges: list[Ridge],
    *,
    noise: Noise | None = None,
    crumple: float = 0.0,
    extra: Folds | None = None,
) -> Folds:
    """The height of creases, crumple and ``extra`` together, in product units."""

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # Folds are wide: half the resolution is enough, and four times quicker.
        step = 2 if min(x.shape) > 24 else 1
        sx, sy = x[::step, ::step], y[::step, ::step]
        total = np.zeros_like(sx)
        for ridge in ridges:
            total += _ridge(sx, sy, ridge)
        if noise is not None:
            total += crumple * noise(sx, sy)
        if extra is not None:
            total += extra(sx, sy)
        if step == 1:
            return total
        picture = Image.fromarray(total).resize(x.shape[::-1], Image.Resampling.BICUBIC)
        return np.asarray(picture, np.float32)

    return height


def torso_folds(rng: np.random.Generator, half: float, top: float, bottom: float) -> list[Ridge]:
    """Creases of a hanging top: from the armpits to the middle, and up from the hem."""
    ridges: list[Ridge] = []
    span = bottom - top
    for side in (-1, 1):
        for _ in range(2):
            y0 = top + rng.uniform(-1, 4)
            reach = rng.uniform(0.35, 0.8) * half
            ridges.append(
                (
                    side * half * 0.98, y0, side * (half - reach), y0 + rng.uniform(8, 22),
                    rng.uniform(0.9, 1.5), rng.uniform(0.5, 1.0),
                )
            )  # fmt: skip
        for _ in range(2):
            x0 = side * rng.uniform(0.25, 0.95) * half
            lift = rng.uniform(0.25, 0.55) * span
            ridges.append(
                (
                    x0, bottom, x0 - side * rng.uniform(-2, 5), bottom - lift,
                    rng.uniform(1.2, 2.2), rng.uniform(0.5, 1.1),
                )
            )  # fmt: skip
    waist = top + span * rng.uniform(0.45, 0.6)
    side = rng.choice((-1, 1))
    ridges.append((side * half, waist, -side * half * 0.1, waist + rng.uniform(-2, 8), 1.5, 0.8))
    return ridges


def limb_folds(
    rng: np.random.Generator, start: tuple[float, float], end: tuple[float, float], half: float,
    *, at: tuple[float, ...] = (0.5,), strength: float = 0.6,
) -> list[Ridge]:  # fmt: skip
    """Creases across a sleeve or trouser leg at the given shares of its length."""
    (x0, y0), (x1, y1) = start, end
    length = float(np.hypot(x1 - x0, y1 - y0))
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    ridges: list[Ridge] = []
    for share in at:
        for _ in range(3):
            along = (share + rng.normal(0, 0.05)) * length
            side = rng.choice((-1, 1))
            cx, cy = x0 + ux * along, y0 + uy * along
            tilt = rng.uniform(-0.5, 0.7) * half
            ridges.append(
                (
                    cx - uy * half * side, cy + ux * half * side,
                    cx + uy * half * 0.5 * side + ux * tilt, cy - ux * half * 0.5 * side + uy * tilt,
                    half * rng.uniform(0.10, 0.18), strength * rng.uniform(0.5, 1.1),
                )
            )  # fmt: skip
    return ridges


def flare_folds(
    rng: np.random.Generator, half_top: float, half_bottom: float, top: float, bottom: float,
    *, count: int = 6, strength: float = 1.2,
) -> list[Ridge]:  # fmt: skip
    """Long creases that fan out from a waist to a hem."""
    ridges: list[Ridge] = []
    for share in np.linspace(-0.86, 0.86, count):
        share = share + rng.normal(0, 0.05)
        start = top + rng.uniform(-0.02, 0.3) * (bottom - top)
        ridges.append(
            (
                share * half_bottom, bottom + 4, share * half_top * 0.95, start,
                half_bottom / count * rng.uniform(0.28, 0.42), strength * rng.uniform(0.6, 1.2),
            )
        )  # fmt: skip
    return ridges


def pleats(
    period: float, height: float, half_top: float, half_bottom: float, top: float, bottom: float
) -> Folds:
    """Regular pleats that widen from the waist to the hem."""

    def extra(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = np.clip((y - top) / (bottom - top), 0, 1)
        spread = (half_top + (half_bottom - half_top) * along) / half_top
        phase = (x / spread / period) % 1
        return height * (0.4 + 0.6 * along) * np.minimum(phase, 1 - phase) * 2 * spread

    return extra


def ribs(period: float, height: float, angle: float = 0.0) -> Folds:
    """Fine parallel ribs of a knit cuff or a corduroy; angle 0 = upright."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))

    def extra(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return height * np.cos((x * cosine + y * sine) * np.float32(2 * np.pi / period))

    return extra
