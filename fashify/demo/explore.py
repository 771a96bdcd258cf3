"""The explore tab: the catalogue as a flat map of its features, and how it is made up."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import threading
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
from markupsafe import Markup
from threadpoolctl import threadpool_limits

from fashify.config import settings
from fashify.demo import cards
from fashify.demo.panels import notice
from fashify.demo.pictures import contact_sheet, sheet_columns
from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS
from fashify.demo.uploads import format_error
from fashify.errors import FashifyError, QueryError
from fashify.evaluation import project
from fashify.io.artefact import write_arrays
from fashify.io.images import thumbnail

logger = logging.getLogger(__name__)

#: Points on the map; more take longer to place than a visitor waits.
MAP_POINTS = 2_000

#: Labels that get a colour of their own; the others share grey.
COLOURED = 9

#: Products without labels that are shown as pictures, and their longer side in pixels.
MAX_TILES, TILE = 600, 48

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
            rows, places = place_items(self.service)
        except QueryError:
            return ""
        low, high = places.min(axis=0), places.max(axis=0)
        scaled = (places - low) / np.maximum(high - low, 1e-9)
        items = self.service.items.iloc[rows]
        levels = {
            name: encode_labels(items[level].to_numpy(dtype=object))
            for level, name in FILTER_LEVELS.items()
        }
        labelled = any(level["names"] for level in levels.values())
        return json.dumps(
            {
                "x": scaled[:, 0].round(4).tolist(),
                "y": scaled[:, 1].round(4).tolist(),
                "id": items["item_id"].tolist(),
                "name": items["name"].tolist(),
                "levels": levels,
                "sheet": None if labelled else self._sheet(items["item_id"].tolist()),
            }
        )

    def _sheet(self, item_ids: list[str]) -> dict[str, Any]:
        """Small pictures of products without labels: no colour would tell them apart.

        Of a large catalogue every so many-th product has one: the others would be covered.
        """
        every = -(-len(item_ids) // MAX_TILES)
        shown = item_ids[::every]
        with ThreadPoolExecutor() as pool:
            pictures = list(pool.map(self._picture, shown))
        url, columns = contact_sheet(pictures, TILE), sheet_columns(len(shown))
        return {"url": url, "side": TILE, "columns": columns, "every": every}

    def _picture(self, item_id: str) -> np.ndarray:
        try:
            return thumbnail(self.service.retriever.picture(item_id), TILE)
        except FashifyError:
            return np.full((TILE, TILE, 3), 222, np.uint8)

    def panel(self) -> Markup:
        """The tab as HTML, map included."""
        data = self.map_json()
        labelled = bool(data) and json.loads(data)["sheet"] is None
        return render(
            "explore.html",
            map_json=data,
            labelled=labelled,
            n_points=len(json.loads(data)["id"]) if data else 0,
            n_items=len(self.service.store),
            levels=FILTER_LEVELS,
        )

    def look_up(self, event: Mapping[str, Any]) -> Markup:
        """``look`` at what the page asked for; a sentence if that is no product."""
        try:
            return self.look(str(event.get("item", "")))
        except FashifyError as error:
            return notice(format_error(error))

    def look(self, item_id: str) -> Markup:
        """A product of the map, with its nearest neighbours, as HTML.

        Raises:
            QueryError: no such item in the gallery.
        """
        service = self.service
        query = service.item_query(item_id)
        near = service.search(query, 5).matches
        row = service.items[service.items["item_id"] == item_id].iloc[0]
        neighbours = [
            {
                "item_id": m.item_id,
                "url": service.picture_url(m.item_id, m.view),
                "alt": cards.describe(m),
            }
            for m in near
        ]
        return render(
            "look.html",
            item_id=item_id,
            title=query.title,
            url=service.picture_url(item_id),
            labels=[str(row[level]) for level in FILTER_LEVELS if row[level]],
            neighbours=neighbours,
        )

    def charts(self) -> Markup:
        """How many products have which label, as bars."""
        charts = (
            _chart(name, self.service.items[level].to_numpy(dtype=object))
            for level, name in FILTER_LEVELS.items()
        )
        return render("charts.html", charts=[chart for chart in charts if chart["bars"]])


def place_items(service: DemoService) -> tuple[np.ndarray, np.ndarray]:
    """Rows on the map and their places, (n,) and (n, 2); kept in the cache from run to run.

    Raises:
        QueryError: too few products for a map.
    """
    store = service.store
    facts = [store.vectors_checksum, store.meta.get("head"), len(store), MAP_POINTS]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
    path = settings().cache / "maps" / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            return kept["rows"], kept["places"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        rows, vectors = service.draw_items(MAP_POINTS)
        places = project_vectors(vectors)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, rows=rows, places=places)
    except OSError:
        logger.warning("the map could not be kept at %s", path, exc_info=True)
    return rows, places


def project_vectors(vectors: np.ndarray) -> np.ndarray:
    """Places of (n, d) vectors, (n, 2), found on one thread.

    Beside other jobs several threads wait for each other at every step: 300 s instead of 10.
    """
    # Threads can be limited once their library is there.
    importlib.import_module("sklearn.manifold")
    with threadpool_limits(1, user_api="openmp"):
        return project(vectors, n=MAP_POINTS)[1]


def encode_labels(labels: np.ndarray) -> dict[str, list]:
    """Labels as numbers: the most frequent get 0, 1, ...; the rest -1."""
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:COLOURED]
    names = [str(values[place]) for place in order]
    numbers = {name: number for number, name in enumerate(names)}
    return {"names": names, "codes": [numbers.get(label, -1) for label in labels]}


def _chart(name: str, labels: np.ndarray) -> dict[str, Any]:
    """The most frequent labels with their counts, and how many more there are."""
    values, counts = np.unique(labels[labels != ""], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    bars = [(str(values[place]), int(counts[place])) for place in order[:CHARTED]]
    return {"name": name, "bars": bars, "n_more": len(order) - len(bars)}
