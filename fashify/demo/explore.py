"""The explore tab: the catalogue as a flat map of its features, and how it is made up."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import threading
import zipfile
from collections.abc import Mapping
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from fashify.config import settings
from fashify.demo import cards
from fashify.demo.panels import notice
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS
from fashify.demo.uploads import friendly
from fashify.errors import FashifyError, QueryError
from fashify.evaluation import project

logger = logging.getLogger(__name__)

#: Points on the map; more take longer to place than a visitor waits.
MAP_POINTS = 2_000

#: Labels that get a colour of their own; the others share grey.
COLOURED = 9

#: Labels shown in a chart.
CHARTED = 8


class Explorer:
    """The map and the charts of one store, made when first asked for and then kept."""

    def __init__(self, service: DemoService) -> None:
        self.service = service
        self._lock = threading.Lock()

    def map_json(self) -> str:
        """All the page needs to draw the map, as JSON; "" for a store too small for one."""
        with self._lock:
            return self._map

    @cached_property
    def _map(self) -> str:
        try:
            rows, places = placed(self.service)
        except QueryError:
            return ""
        low, high = places.min(axis=0), places.max(axis=0)
        scaled = (places - low) / np.maximum(high - low, 1e-9)
        items = self.service.items.iloc[rows]
        levels = {
            name: coded(items[level].to_numpy(dtype=object))
            for level, name in FILTER_LEVELS.items()
        }
        return json.dumps(
            {
                "x": scaled[:, 0].round(4).tolist(),
                "y": scaled[:, 1].round(4).tolist(),
                "id": items["item_id"].tolist(),
                "name": items["name"].tolist(),
                "levels": levels,
            }
        )

    def panel(self) -> str:
        """The tab as HTML, map included."""
        data = self.map_json()
        n_points = len(json.loads(data)["id"]) if data else 0
        options = "".join(
            f"<option{' selected' if level == 'article_type' else ''}>{name}</option>"
            for level, name in FILTER_LEVELS.items()
        )
        return (
            '<section class="fx-explore"><header class="fx-results-head">'
            "<h2>The catalogue, laid out by likeness</h2>"
            f'<p class="fx-time">{n_points:,} of {len(self.service.store):,} products (t-SNE); '
            "near means alike, distances between clusters mean nothing</p></header>"
            f'<div class="fx-maprow"><div class="fx-map" data-map="{escape(data, quote=True)}">'
            '<canvas tabindex="0" role="img" aria-label="Map of the catalogue; arrow keys walk '
            'from product to product, Enter opens one"></canvas><output class="fx-tip" hidden>'
            '</output></div><aside class="fx-mapside"><label class="fx-colourby">Colour by '
            f'<select>{options}</select></label><div class="fx-zoom">'
            '<button type="button" data-zoom="1.6">Nearer</button>'
            '<button type="button" data-zoom="0.625">Farther</button></div>'
            '<ul class="fx-legend"></ul></aside></div></section>'
        )

    def look_or_say(self, event: Mapping[str, Any]) -> str:
        """``look`` at what the page asked for; a sentence if that is no product."""
        try:
            return self.look(str(event.get("item", "")))
        except FashifyError as error:
            return notice(friendly(error))

    def look(self, item_id: str) -> str:
        """A product of the map, with its nearest neighbours, as HTML.

        Raises:
            QueryError: no such item in the gallery.
        """
        service = self.service
        query = service.item_query(item_id)
        near = service.search(query, 5).matches
        row = service.items[service.items["item_id"] == item_id].iloc[0]
        labels = [str(row[level]) for level in FILTER_LEVELS if row[level]]
        thumbs = "".join(
            f'<button type="button" data-do="look" data-item="{escape(match.item_id, quote=True)}">'
            f'<img src="{service.picture_url(match.item_id)}" '
            f'alt="{escape(cards.describe(match), quote=True)}"></button>'
            for match in near
        )
        name, quoted = escape(query.title), escape(item_id, quote=True)
        return (
            f'<section class="fx-look" aria-label="Product on the map" data-item="{quoted}">'
            f'<img src="{service.picture_url(item_id)}" alt="{name}"><div><h3>{name}</h3>'
            f'<ul class="fx-labels">{"".join(f"<li>{escape(label)}</li>" for label in labels)}</ul>'
            f'<p>Nearest to it</p><div class="fx-strip">{thumbs}</div>'
            f'<button type="button" class="fx-button fx-primary" data-do="similar" '
            f'data-item="{quoted}">Search with this</button></div></section>'
        )

    def charts(self) -> str:
        """How many products have which label, as bars."""
        shown = "".join(
            _chart(name, self.service.items[level].to_numpy(dtype=object))
            for level, name in FILTER_LEVELS.items()
        )
        return f'<section class="fx-charts" aria-label="What the catalogue holds">{shown}</section>'


def placed(service: DemoService) -> tuple[np.ndarray, np.ndarray]:
    """Rows on the map and their places, (n,) and (n, 2); kept in the cache from run to run.

    Raises:
        QueryError: too few products for a map.
    """
    meta = service.store.meta
    facts = [meta.get("shards"), meta.get("head"), len(service.store), MAP_POINTS]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
    path = settings().cache / "maps" / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            return kept["rows"], kept["places"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        rows, vectors = service.drawn(MAP_POINTS)
        places = laid_out(vectors)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(beside, rows=rows, places=places)
        beside.replace(path)
    except OSError:
        logger.warning("the map could not be kept at %s", path, exc_info=True)
    return rows, places


def laid_out(vectors: np.ndarray) -> np.ndarray:
    """Places of (n, d) vectors, (n, 2), found on one thread.

    Beside other jobs several threads wait for each other at every step: 300 s instead of 10.
    """
    # Threads can be limited once their library is there.
    importlib.import_module("sklearn.manifold")
    with threadpool_limits(1, user_api="openmp"):
        return project(vectors, n=MAP_POINTS)[1]


def coded(labels: np.ndarray) -> dict[str, list]:
    """Labels as numbers: the most frequent get 0, 1, ...; the rest -1."""
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:COLOURED]
    names = [str(values[place]) for place in order]
    numbers = {name: number for number, name in enumerate(names)}
    return {"names": names, "codes": [numbers.get(label, -1) for label in labels]}


def _chart(name: str, labels: np.ndarray) -> str:
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    if not len(values):
        return ""
    order = np.argsort(-counts, kind="stable")
    top = order[:CHARTED]
    rows = "".join(
        f"<dt>{escape(str(values[place]))}</dt><dd>"
        f'<i style="width:{100 * counts[place] / counts[top[0]]:.1f}%"></i>{counts[place]:,}</dd>'
        for place in top
    )
    rest = f"<p>and {len(order) - len(top)} more</p>" if len(order) > len(top) else ""
    return f'<section class="fx-chart"><h3>{name}</h3><dl>{rows}</dl>{rest}</section>'
