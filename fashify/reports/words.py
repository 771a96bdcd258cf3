"""Numbers, moments and durations as people read them."""

from __future__ import annotations

from datetime import datetime

import pandas as pd


def format_number(value: object) -> str:
    """A number as people read it: 44,441, 0.763, 12.5; texts as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def format_moment(text: str) -> str:
    """2026-11-23T23:31:00+00:00 -> 23 Nov 2026, 23:31 UTC"""
    return f"{datetime.fromisoformat(text):%-d %b %Y, %H:%M} UTC"


def format_duration(seconds: float) -> str:
    """75.2 -> 1 min 15 s"""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def describe_race(race: pd.DataFrame) -> str:
    """Which engine is the fastest from files, beside the first, as a sentence.

    Args:
        race: from ``contenders_table``, the plain way first.
    """
    best, plain = race.loc[race["from_files"].idxmax()], race.iloc[0]
    if best["name"] == plain["name"]:
        return f"From files no engine was faster here than {plain['name']}."
    return (
        f"From files {best['name']} was the fastest here, with {best['from_files']:.0f} pictures a "
        f"second {best['ratio_from_files']:.1f} times as many as {plain['name']}."
    )


#: For the pages' templates.
FILTERS = {"readable": format_number, "moment": format_moment, "duration": format_duration}
