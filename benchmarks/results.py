"""Writes the measured tables of docs/results.md anew from a store of Kaggle's catalogue.

    python benchmarks/results.py --store data/k [--photos SET]

Each table stands between ``<!-- NAME -->`` and ``<!-- end -->``; the words around them stay.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results.md"

LEVELS = ("article_type", "sub_category", "base_colour", "gender", "usage")

#: What other projects state of the same catalogue, by the row it stands beside.
PUBLISHED = {
    "P@1": "ResNet18 tuned .902, CLIP B/32 .829, both on a random split",
    "accuracy (5-NN)": ".820 and .857 by classifiers over 55 types",
    "type and colour P@10": "catalogiq .418 with CLIP, pictures of full size",
}


def evaluate(*arguments: str) -> dict[str, Any]:
    """The JSON answer of ``fashify evaluate``, by kind of vectors."""
    command = [sys.executable, "-m", "fashify", "evaluate", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["vectors"]


def tabulate_levels(found: dict[str, Any]) -> list[str]:
    """Precision@5 with intervals: raw and served, as found and excluding its group."""
    apart = "excluding its group"
    lines = [f"| precision@5 | raw | served | raw, {apart} | served, {apart} | chance |"]
    lines.append("|---|---|---|---|---|---|")
    kinds = [found["raw"], found.get("head", found["raw"])]
    for level in LEVELS:
        for mean in ("micro", "macro"):
            views = [kind[level] for kind in kinds]
            views += [kind[level]["excluding_group"] for kind in kinds]
            cells = [format_interval(one, mean) for one in views]
            chance = f"{views[0][mean]['chance']:.3f}"
            name = f"{level.replace('_', ' ')}, {mean}"
            lines.append(f"| {' | '.join((name, *cells, chance))} |")
    return lines


def format_interval(report: dict[str, Any], mean: str) -> str:
    """``0.864 [0.854, 0.873]``"""
    low, high = report["intervals"][mean]["precision"]
    return f"{report[mean]['precision']:.3f} [{low:.3f}, {high:.3f}]"


def tabulate_standard(found: dict[str, Any]) -> list[str]:
    """What other projects publish, with theirs beside it."""
    lines = ["| article type | queries | raw | served | others, in their own words |"]
    lines.append("|---|---|---|---|---|")
    kinds = [found["raw"], found.get("head", found["raw"])]
    for rows in zip(*(kind["article_type"]["standard"] for kind in kinds), strict=True):
        cells = [f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" for row in rows]
        name, count = rows[0]["measure"], f"{rows[0]['n_queries']:,}"
        lines.append(f"| {' | '.join((name, count, *cells, PUBLISHED.get(name, '')))} |")
    return lines


def tabulate_photos(found: dict[str, Any]) -> list[str]:
    """Precision@5 of people's photos, micro and macro."""
    lines = ["| precision@5 of photos | photos | micro | macro | chance, macro |"]
    lines.append("|---|---|---|---|---|")
    for name, one in found.items():
        means = [format_interval(one, mean) for mean in ("micro", "macro")]
        cells = (name, f"{one['n_judged']:,}", *means, f"{one['macro']['chance']:.3f}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def replace_table(text: str, name: str, lines: list[str]) -> str:
    """The page with this table in the place of the one between its marks."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
    table = "\n" + "\n".join(lines) + "\n\n"
    fresh, count = re.subn(pattern, lambda marks: marks[1] + table + marks[2], text, flags=re.S)
    if count != 1:
        raise SystemExit(f"Expected one <!-- {name} --> in the page. Received {count}.")
    return fresh


def main() -> None:
    """Measures, and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", required=True)
    parser.add_argument("--photos", default="", help="a photo set; left out, its table stays")
    parser.add_argument("--people", default="validation", help="whose photos")
    options = parser.parse_args()
    found = evaluate("--store", options.store)
    tables = {"levels": tabulate_levels(found), "standard": tabulate_standard(found)}
    if options.photos:
        answered = evaluate(
            "--store", options.store, "--photos", options.photos, "--people", options.people
        )
        tables["photos"] = tabulate_photos(answered)
    text = PAGE.read_text(encoding="utf-8")
    for name, lines in tables.items():
        text = replace_table(text, name, lines)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
