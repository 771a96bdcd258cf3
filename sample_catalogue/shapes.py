"""Outlines: smooth curves, mirrored halves and bands, as arrays of points (n, 2).

A point is ``(x, y)``, or ``(x, y, 1)`` where the outline has a corner; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Points = Sequence[Sequence[float]]


def _spline(points: np.ndarray, steps: int) -> np.ndarray:
    """A smooth line through the points of one run between two corners.

    Catmull-Rom directions, with tangents as long as each chord: no overshoot where points
    lie unevenly.
    """
    if len(points) < 3:
        return points
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    ways = padded[2:] - padded[:-2]
    ways /= np.maximum(np.hypot(*ways.T), 1e-9)[:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    rise = t**2 * (3 - 2 * t)
    pieces = []
    for i, (start, end) in enumerate(pairwise(points)):
        chord = float(np.hypot(*(end - start)))
        bend = ways[i] * (t * (1 - t) ** 2) - ways[i + 1] * (t**2 * (1 - t))
        pieces.append(start + (end - start) * rise + bend * chord)
    return np.vstack([*pieces, points[-1:]])


def curve(points: Points, *, closed: bool = False, steps: int = 8) -> np.ndarray:
    """A smooth line through ``points``, broken at the points marked as corners."""
    marks = [len(point) > 2 and bool(point[2]) for point in points]
    flat = np.array([point[:2] for point in points], dtype=float)
    if closed and not any(marks):
        around = np.vstack([flat[-2:], flat, flat[:3]])
        smooth = _spline(around, steps)
        return smooth[2 * steps : (2 + len(flat)) * steps]
    if closed:
        first = marks.index(True)
        flat = np.vstack([np.roll(flat, -first, axis=0), flat[first]])
        marks = [*marks[first:], *marks[:first], True]
    cuts = [0, *[i for i, mark in enumerate(marks) if mark and 0 < i < len(flat) - 1]]
    cuts.append(len(flat) - 1)
    return np.vstack([_spline(flat[a : b + 1], steps) for a, b in pairwise(cuts)])


def shape(points: Points, *, steps: int = 8) -> np.ndarray:
    """A closed smooth outline."""
    return curve(points, closed=True, steps=steps)


def mirrored(half: Points, *, steps: int = 8) -> np.ndarray:
    """A closed outline from its right half, listed from the top middle to the bottom middle."""
    left = [(-point[0], *point[1:]) for point in reversed(half) if abs(point[0]) > 1e-9]
    return curve([*half, *left], closed=True, steps=steps)


def flipped(points: Points | np.ndarray) -> np.ndarray:
    """The mirror image across x = 0."""
    return np.array([point[:2] for point in points], dtype=float) * (-1, 1)


def moved(points: Points | np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The points shifted."""
    return np.asarray(points, float) + np.array((dx, dy))


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0) -> np.ndarray:
    """A rectangle, its corners rounded by ``radius``."""
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    if radius <= 0:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=float)
    angles = np.linspace(0, np.pi / 2, 7)
    corners = [
        (x1 - radius, y1 - radius, 0),
        (x0 + radius, y1 - radius, 1),
        (x0 + radius, y0 + radius, 2),
        (x1 - radius, y0 + radius, 3),
    ]
    return np.vstack(
        [
            np.column_stack(
                [
                    cx + radius * np.cos(angles + turn * np.pi / 2),
                    cy + radius * np.sin(angles + turn * np.pi / 2),
                ]
            )
            for cx, cy, turn in corners
        ]
    )


def ellipse(
    cx: float, cy: float, rx: float, ry: float | None = None, *, start: float = 0, end: float = 360
) -> np.ndarray:
    """An ellipse, or the arc of it from ``start`` to ``end`` degrees (clockwise, 0 = right)."""
    angles = np.radians(np.linspace(start, end, 49))
    ry = rx if ry is None else ry
    return np.column_stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)])


def normals(line: np.ndarray) -> np.ndarray:
    """Unit vectors to the left of the line at each of its points."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.column_stack([along[:, 1], -along[:, 0]])


def band(line: np.ndarray, width: float | np.ndarray, *, offset: float = 0) -> np.ndarray:
    """The outline of a strip of ``width`` along ``line``, its middle shifted by ``offset``."""
    side = normals(line)
    half = np.broadcast_to(np.asarray(width, dtype=float) / 2, len(line))[:, None]
    return np.vstack([line + side * (offset + half), (line + side * (offset - half))[::-1]])


def shifted(line: np.ndarray, by: float) -> np.ndarray:
    """The line moved ``by`` to its left, point by point."""
    return line + normals(line) * by


def resampled(line: np.ndarray, step: float) -> np.ndarray:
    """Points every ``step`` along the line."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.arange(0, lengths[-1] + 1e-6, step)
    return np.column_stack([np.interp(at, lengths, line[:, i]) for i in (0, 1)])


def between(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """The line a ``share`` of the way from ``a`` to ``b``, both resampled to 24 points."""
    t = np.linspace(0, 1, 24)
    lines = []
    for line in (a, b):
        own = np.linspace(0, 1, len(line))
        lines.append(np.column_stack([np.interp(t, own, line[:, i]) for i in (0, 1)]))
    return lines[0] * (1 - share) + lines[1] * share


def turned(points: np.ndarray, degrees: float, about: tuple[float, float] = (0, 0)) -> np.ndarray:
    """The points rotated clockwise about a centre."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - about) @ np.array([[cosine, sine], [-sine, cosine]]) + about
