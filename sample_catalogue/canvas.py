"""The drawing surface: parts with relief, lit from the upper left, laid over one another.

Outlines are given in the product's own units (roughly centimetres for garments). A part is
turned into a soft relief by blurring its mask; the slope of the relief, lit from the upper
left, gives the shading. So one routine shades a sleeve, a sole and a watch case alike.
Masks are drawn three times larger and averaged down, which is what keeps edges smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from .shapes import resampled

#: Size of the frame in frame units: 3 wide to 4 high, as product photos are.
FRAME = (180.0, 240.0)
_OVER = 3
_LIGHT = np.array([-0.42, -0.55, 0.72], dtype=np.float32) / np.linalg.norm([-0.42, -0.55, 0.72])

_HALF = np.array([-0.26, -0.42, 0.87], dtype=np.float32)

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]
Window = tuple[slice, slice]


@dataclass(frozen=True)
class Shot:
    """How the product stands in the frame: one product, many photos."""

    zoom: float = 1.0
    dx: float = 0.0
    dy: float = 0.0
    angle: float = 0.0
    mirror: bool = False


@dataclass(frozen=True)
class Mask:
    """Coverage by an outline: ``values`` (h, w) float32 in 0..1, at rows ``top`` and on."""

    values: np.ndarray
    top: int
    left: int

    def spread(self, pad: float, height: int, width: int) -> tuple[np.ndarray, Window] | None:
        """The values with ``pad`` empty pixels around, cut to the frame, and their window."""
        rows, columns = self.values.shape
        if not rows or not columns:
            return None
        pad = int(np.ceil(pad))
        y0, y1 = max(self.top - pad, 0), min(self.top + rows + pad, height)
        x0, x1 = max(self.left - pad, 0), min(self.left + columns + pad, width)
        around = (self.top - y0, self.left - x0)
        values = np.zeros((y1 - y0, x1 - x0), np.float32)
        values[around[0] : around[0] + rows, around[1] : around[1] + columns] = self.values
        return values, (slice(y0, y1), slice(x0, x1))

    def within(self, cover: np.ndarray) -> Mask:
        """The mask where the frame-sized ``cover`` lets it through."""
        rows, columns = self.values.shape
        part = cover[self.top : self.top + rows, self.left : self.left + columns]
        return replace(self, values=self.values * part.astype(np.float32))


def blur(field: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of an (h, w) float32 field, ``radius`` (sigma) in pixels.

    Wide blurs are made on a reduced copy, which is as smooth and many times quicker.
    """
    if radius < 0.3:
        return field
    height, width = field.shape
    factor = radius / 1.6
    if factor < 1.5:
        return gaussian_filter(field, radius, mode="nearest", truncate=2.5)
    small = (max(3, round(width / factor)), max(3, round(height / factor)))
    picture = Image.fromarray(field).resize(small, Image.Resampling.BOX)
    soft = gaussian_filter(
        np.asarray(picture), (small[1] / height * radius, small[0] / width * radius),
        mode="nearest", truncate=2.5,
    )  # fmt: skip
    wide = Image.fromarray(soft).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(wide)


@dataclass(frozen=True)
class Relief:
    """How a part stands out of the page; lengths in product units.

    Attributes:
        depth: how far from the rim the part rounds off.
        bulge: steepness of the rounding, 0 (flat) to 2.
        hem: a second, narrow rounding at the rim: the thickness of the cloth.
        contrast: strength of light and shade.
        sheen: greyish light added on the bright side.
        gloss: strength of mirror-like glints; ``polish`` narrows them.
        edge: darkening towards the rim.
        shadow: darkness thrown on what lies below, ``reach`` its length.
        folds: height of the folds at the grid's (x, y), or None.
        warp: how far the pattern follows the folds.
    """

    depth: float = 4.0
    bulge: float = 0.8
    hem: float = 0.6
    contrast: float = 0.9
    sheen: float = 0.10
    gloss: float = 0.0
    polish: float = 24.0
    edge: float = 0.18
    shadow: float = 0.22
    reach: float = 0.9
    folds: Callable | None = None
    warp: float = 0.8

    def but(self, **changes: object) -> Relief:
        """The same with some values changed."""
        return replace(self, **changes)


class Canvas:
    """A frame of ``FRAME`` units with ``px`` pixels to the unit.

    Attributes:
        rgb: (h, w, 3) float32 in 0..1, premultiplied by ``alpha``.
        alpha: (h, w) float32 coverage by the product.
        shadow: (h, w) float32 darkness the product throws on what lies behind it.
    """

    def __init__(self, px: float = 4 / 3, shot: Shot | None = None) -> None:
        self.px, self.shot = px, shot or Shot()
        self.width, self.height = round(FRAME[0] * px), round(FRAME[1] * px)
        self.rgb = np.zeros((self.height, self.width, 3), np.float32)
        self.alpha = np.zeros((self.height, self.width), np.float32)
        self.shadow = np.zeros((self.height, self.width), np.float32)
        self.frame(1.0)

    def frame(self, scale: float, *, cx: float = 0.0, cy: float = 0.0) -> None:
        """Let one product unit be ``scale`` frame units and (cx, cy) fall in the middle."""
        shot = self.shot
        self.scale = scale * shot.zoom * self.px
        turn = np.radians(shot.angle)
        flip = -1.0 if shot.mirror else 1.0
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._matrix = np.diag([flip, 1.0]) @ rotation * self.scale
        self._origin = np.array([cx, cy])
        self._centre = np.array(
            [self.width / 2 + shot.dx * self.px, self.height / 2 + shot.dy * self.px]
        )

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Product units to pixels, (n, 2)."""
        return (np.asarray(points, float) - self._origin) @ self._matrix + self._centre

    def grid(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """The product coordinates (x, y) of the pixel centres in a window, float32."""
        rows, columns = window
        y, x = np.mgrid[rows, columns].astype(np.float32) + 0.5
        inverse = np.linalg.inv(self._matrix).astype(np.float32)
        x, y = x - np.float32(self._centre[0]), y - np.float32(self._centre[1])
        ox, oy = self._origin.astype(np.float32)
        return (
            x * inverse[0, 0] + y * inverse[1, 0] + ox,
            x * inverse[0, 1] + y * inverse[1, 1] + oy,
        )

    def mask(self, *outlines: np.ndarray, holes: tuple = ()) -> Mask:
        """Coverage by the outlines together, less the holes."""
        drawn = [(self.pixels(outline), 255) for outline in outlines]
        drawn += [(self.pixels(hole), 0) for hole in holes]
        return self._draw(drawn, lambda pen, points, value: pen.polygon(points, fill=value))

    def line(self, line: np.ndarray, width: float) -> Mask:
        """Coverage by a round-ended stroke of ``width`` units."""
        wide = max(1, round(width * self.scale * _OVER))

        def stroke(pen: ImageDraw.ImageDraw, points: list, value: int) -> None:
            pen.line(points, fill=value, width=wide, joint="curve")
            for x, y in (points[0], points[-1]):
                r = wide / 2
                pen.ellipse((x - r, y - r, x + r, y + r), fill=value)

        return self._draw([(self.pixels(line), 255)], stroke, pad=width * self.scale)

    def dashes(self, line: np.ndarray, width: float, dash: float, gap: float) -> Mask:
        """Coverage by a dashed line: stitches."""
        steps = resampled(line, (dash + gap) / 4)
        length = max(1, round(4 * dash / (dash + gap)))
        parts = [(self.pixels(steps[i : i + length + 1]), 255) for i in range(0, len(steps) - 1, 4)]
        wide = max(1, round(width * self.scale * _OVER))
        return self._draw(
            [part for part in parts if len(part[0]) > 1],
            lambda pen, points, value: pen.line(points, fill=value, width=wide),
            pad=width * self.scale,
        )

    def _draw(self, drawn: list, how: Callable, pad: float = 0.0) -> Mask:
        if not drawn:
            return Mask(np.zeros((0, 0), np.float32), 0, 0)
        everything = np.vstack([points for points, _ in drawn])
        low = np.maximum(np.floor(everything.min(axis=0) - pad - 1).astype(int), 0)
        high = np.ceil(everything.max(axis=0) + pad + 2).astype(int)
        size = np.maximum(np.minimum(high, (self.width, self.height)) - low, 0)
        if not size.all():
            return Mask(np.zeros((0, 0), np.float32), 0, 0)
        picture = Image.new("L", (int(size[0]) * _OVER, int(size[1]) * _OVER))
        pen = ImageDraw.Draw(picture)
        for points, value in drawn:
            how(pen, [tuple(p) for p in ((points - low) * _OVER).tolist()], value)
        values = np.asarray(picture.reduce(_OVER), np.float32) / 255
        return Mask(values, int(low[1]), int(low[0]))

    def flat(self, mask: Mask, colour: tuple | np.ndarray, strength: float = 1.0) -> None:
        """Lay a plain colour over what is there, without relief."""
        spread = mask.spread(0, self.height, self.width)
        if spread is not None:
            values, window = spread
            self._over(window, values * np.float32(strength), np.asarray(colour, np.float32))

    def tint(self, mask: Mask, factor: float) -> None:
        """Darken (below 1) or lighten (above 1) what is already drawn under the mask."""
        spread = mask.spread(0, self.height, self.width)
        if spread is not None:
            values, window = spread
            gain = 1 + np.float32(factor - 1) * values[..., None]
            ceiling = self.alpha[window][..., None]
            self.rgb[window] = np.minimum(self.rgb[window] * gain, ceiling)

    def part(self, mask: Mask, paint: Paint | tuple, relief: Relief | None = None) -> None:
        """Lay a shaded part over what is there, with the shadow it throws on it.

        Args:
            mask: coverage, of ``mask``, ``line`` or ``dashes``.
            paint: a colour, or a function of the grid's (x, y) giving (h, w, 3).
            relief: how the part stands out; see ``Relief``.
        """
        relief = relief or Relief()
        radius = max(relief.depth * self.scale, 0.4)
        spread = mask.spread(min(2 * radius, 40) + 3, self.height, self.width)
        if spread is None:
            return
        covered, window = spread
        self._cast(window, covered, relief)
        x, y = self.grid(window)
        height = self._height(covered, radius, relief)
        if relief.folds is not None:
            height = height + relief.folds(x, y) * self.scale
        slope_y, slope_x = np.gradient(height)
        if callable(paint):
            # Cloth carries its pattern over the folds: shift the pattern by the slope.
            albedo = paint(x + slope_x * relief.warp, y + slope_y * relief.warp)
        else:
            albedo = np.asarray(paint, np.float32)
        colour = self._light(albedo, slope_x, slope_y, relief)
        if relief.edge:
            rim = np.clip(blur(covered, max(1.0, radius * 0.25)), 0.5, 1)
            colour *= (1 - relief.edge * 2 * (1 - rim))[..., None]
        self._over(window, covered, np.clip(colour, 0, 1, out=colour))

    def _height(self, covered: np.ndarray, radius: float, relief: Relief) -> np.ndarray:
        height = blur(covered, radius) * radius * relief.bulge
        if relief.hem and radius > 3:
            height = height + blur(covered, max(0.8, radius * 0.16)) * radius * 0.16 * relief.hem
        return height

    def _cast(self, window: Window, covered: np.ndarray, relief: Relief) -> None:
        if not relief.shadow:
            return
        reach = max(1.0, relief.reach * self.scale)
        soft = blur(covered, reach)
        moved = np.roll(soft, (round(reach * 0.8), round(reach * 0.5)), axis=(0, 1))
        self.rgb[window] *= 1 - relief.shadow * moved[..., None]

    def _light(
        self, albedo: np.ndarray, slope_x: np.ndarray, slope_y: np.ndarray, relief: Relief
    ) -> np.ndarray:
        norm = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
        lit = (_LIGHT[2] - slope_x * _LIGHT[0] - slope_y * _LIGHT[1]) * (norm / _LIGHT[2])
        shade = 1 + relief.contrast * (lit - 1)
        # Dark cloth shows its folds through a grey sheen, not through its own colour.
        added = np.maximum(shade - 1, 0) * relief.sheen
        if relief.gloss:
            glint = (_HALF[2] - slope_x * _HALF[0] - slope_y * _HALF[1]) * norm
            level = float(_HALF[2]) ** relief.polish  # no glint where the part lies level
            added += relief.gloss * (np.clip(glint, 0, 1) ** relief.polish - level)
        colour = albedo * shade[..., None]
        colour += added[..., None]
        return colour

    def _over(self, window: Window, cover: np.ndarray, colour: np.ndarray) -> None:
        cover = cover[..., None]
        region = self.rgb[window]
        region += (colour - region) * cover
        self.alpha[window] += (1 - self.alpha[window]) * cover[..., 0]

    def ground(self, mask: Mask, softness: float, strength: float) -> None:
        """Add a soft shadow on the surface the product stands on."""
        radius = softness * self.scale
        spread = mask.spread(3 * radius, self.height, self.width)
        if spread is not None:
            values, window = spread
            dark = blur(values, radius) * np.float32(strength)
            self.shadow[window] = np.maximum(self.shadow[window], dark)

    def on_white(self, exposure: float = 1.0) -> np.ndarray:
        """The finished picture on a white page, (h, w, 3) uint8."""
        page = (1 - self.shadow * (1 - self.alpha))[..., None]
        picture = self.rgb * exposure + (1 - self.alpha[..., None]) * page
        return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)
