"""The house style: palette, fonts, and the figure that knows its name and its alternative text."""

from __future__ import annotations

import functools
import io
import textwrap
from collections.abc import Callable
from typing import Any, Literal, ParamSpec

import matplotlib as mpl
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

#: Okabe and Ito, *Color Universal Design*, 2008, without its yellow (too pale for thin marks).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MAIN, ACCENT, GOOD, *_ = PALETTE
BAD = ACCENT
INK, SOFT, FAINT, WASH = "#1d2330", "#5b6475", "#d9dde5", "#eef1f6"

#: Marker of each colour of the palette, so that colour never speaks alone.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")

#: Pixels an inch: drawn at twice the shown size, to stay crisp on a phone.
DPI, SHOWN_DPI = 176, 88

P = ParamSpec("P")

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 1.0,
    "axes.titlesize": 9.5,
    "axes.titlecolor": SOFT,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "grid.color": WASH,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,
}


class NamedFigure(Figure):
    """A matplotlib figure that shows itself in a notebook, with a name and an alternative text.

    Attributes:
        name: file name, without ending, a report stores it under.
        alt: what the figure shows, for those who cannot see it.
        rows: name of a row -> its lower and upper edge on the first axes and what it links to in
            a page; a report makes them clickable.
        data: what is drawn, one row a mark, for the report's CSV beside the figure.
    """

    def __init__(self, name: str, *, alt: str, size: tuple[float, float]) -> None:
        super().__init__(
            figsize=size, dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
        )
        self.name, self.alt, self.data = name, alt, pd.DataFrame()
        self.rows: dict[str, tuple[float, float, str]] = {}
        FigureCanvasAgg(self)

    def png(self) -> bytes:
        """The figure as PNG bytes; no date or version inside, so equal figures are equal bytes."""
        buffer = io.BytesIO()
        with mpl.rc_context(_STYLE):
            self.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        return buffer.getvalue()

    def csv(self) -> str:
        """What is drawn as CSV, six significant digits; "" where nothing was kept."""
        return "" if self.data.empty else self.data.to_csv(index=False, float_format="%.6g")

    def _place_rows(self) -> list[dict[str, Any]]:
        """Where the rows lie in the picture as drawn, in percent from the top."""
        transform, height = self.axes[0].transData, self.bbox.height
        placed = []
        for name, (low, high, target) in self.rows.items():
            edges = [100 - 100 * transform.transform((0, y))[1] / height for y in (high, low)]
            top, bottom = min(edges), max(edges)
            place = {"top": round(top, 3), "height": round(bottom - top, 3)}
            placed.append({"name": name, "target": target} | place)
        return placed

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = (round(side * SHOWN_DPI) for side in self.get_size_inches())
        facts: dict[str, Any] = {"alt": self.alt, "name": self.name}
        facts |= {"width": width, "height": height}
        bundle = {"image/png": self.png(), "text/plain": self.alt}
        if self.rows:
            facts["rows"] = self._place_rows()
        return bundle | ({"text/csv": self.csv()} if self.csv() else {}), {"image/png": facts}


def use_house_style(draw: Callable[P, NamedFigure]) -> Callable[P, NamedFigure]:
    """Decorator: draw in the house style, and leave matplotlib's settings as they were."""

    @functools.wraps(draw)
    def draw_styled(*args: P.args, **kwargs: P.kwargs) -> NamedFigure:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return draw_styled


def picture(
    name: str, title: str, *, alt: str = "", size: tuple[float, float] = (8.0, 4.2)
) -> NamedFigure:
    """An empty picture of ``size`` inches with its title at the upper left."""
    made = NamedFigure(name, alt=alt or title, size=size)
    made.suptitle(title, x=0.012, ha="left", fontsize=12.5, fontweight="bold", color=INK)
    return made


def tidy(axes: Axes, *, grid: Literal["x", "y", "both"] = "y") -> Axes:
    """Faint grid along one axis, and no frame at the sides that carry no ticks."""
    axes.grid(axis=grid)
    if grid == "x":
        axes.spines["bottom"].set_visible(False)
    if grid == "y":
        axes.spines["left"].set_visible(False)
    return axes


def note(axes: Axes, text: str, at: tuple, by: tuple[float, float] = (5, 0), **style: Any) -> None:
    """Small text ``by`` points away from a point of the axes."""
    usual: dict[str, Any] = {"va": "center", "fontsize": 8.2, "color": SOFT}
    options = usual | {"annotation_clip": False} | style
    axes.annotate(text, at, by, textcoords="offset points", **options)


def subtitle(axes: Axes, text: str, width: int = 90) -> None:
    """Grey text above the axes, its lines broken at ``width`` characters to stay inside."""
    axes.set_title("\n".join(textwrap.fill(line, width) for line in text.splitlines()))


def rows_size(n_rows: int, *, width: float = 8.0, row: float = 0.24) -> tuple[float, float]:
    """Figure size in inches for horizontal bars, so that every row has room for its label."""
    return width, 1.35 + row * max(n_rows, 3)


def shorten(text: str, length: int = 28) -> str:
    """``text`` cut to ``length`` characters with an ellipsis."""
    text = str(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def thousands(value: float) -> str:
    """12345 -> 12,345"""
    return f"{value:,.0f}"


def readable_level(level: str) -> str:
    """article_type -> article type"""
    return level.replace("_", " ")
