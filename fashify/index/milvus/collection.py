"""One Milvus collection: connecting, schema, uploads, searches, and errors that say what to do.

The same calls go to Milvus Lite (``uri`` names a local file ending in .db), to a Standalone
server and to a cluster (``uri`` is http://host:port). A token is read from FASHIFY_MILVUS_TOKEN
and never stored.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fashify.errors import (
    ConfigError,
    QueryError,
    StoreMismatchError,
    join_names,
)
from fashify.index.milvus.connection import PATIENCE, MilvusConnection, away_error
from fashify.index.milvus.expressions import EVERYTHING, Expression, slots_among, slots_from
from fashify.index.milvus.rows import NUMBER_COLUMNS, TEXT_COLUMNS

log = logging.getLogger(__name__)

#: How each kind of deployment indexes its vectors: (index type, build, search parameters).
TARGETS = {
    "lite": ("FLAT", {}, {}),
    "standalone": ("HNSW", {"M": 16, "efConstruction": 200}, {"ef": 128}),
    "distributed": ("DISKANN", {}, {"search_list": 100}),
}

#: Milvus answers no more than this many neighbours to one query.
MOST_HITS = 16_384

_METRICS = {"cosine": "COSINE", "euclidean": "L2"}
_TEXT_BYTES, _ROWS_A_PAGE = 512, 4096


def target_of(uri: str, target: str = "auto") -> str:
    """Which kind of deployment ``uri`` is; ConfigError for an unknown name."""
    if target == "auto":
        return "standalone" if "://" in uri else "lite"
    if target not in TARGETS:
        raise ConfigError(
            "a known Milvus target", repr(target), f"choose from: auto, {join_names(TARGETS)}"
        )
    return target


class Collection(MilvusConnection):
    """A named collection on one server; what it holds and how it is searched.

    Args:
        uri: a file ending in .db, or http://host:port.
        name: of the collection or of an alias of one.
        metric: "cosine" or "euclidean".
        target: "lite", "standalone", "distributed", or "auto" to go by the uri.
        timeout: seconds to wait for one answer.
        batch_bytes: the most that is sent at once.

    Raises:
        MissingExtraError: pymilvus, or milvus-lite for a file, is not installed.
        StorageError: no server answers there.
    """

    def __init__(
        self,
        uri: str,
        name: str,
        *,
        metric: str,
        target: str = "auto",
        timeout: float = 30,
        batch_bytes: int = 8 << 20,
    ) -> None:
        self.metric, self.target = metric, target_of(uri, target)
        self._batch_bytes, self._row_bytes = batch_bytes, 1 << 14
        super().__init__(uri, name, timeout)

    # -- schema

    def create(self, dim: int, columns: Sequence[str]) -> None:
        """Make the empty collection with its filter columns."""
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("item_id", DataType.VARCHAR, is_primary=True, max_length=_TEXT_BYTES)
        schema.add_field("slot", DataType.INT64)
        schema.add_field("digest", DataType.VARCHAR, max_length=64)
        for column in columns:
            if column in NUMBER_COLUMNS:
                schema.add_field(column, DataType.INT64)
            else:
                schema.add_field(column, DataType.VARCHAR, max_length=_TEXT_BYTES)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
        # Strong: a search sees every write that was acknowledged before it.
        self.call("create_collection", self.name, schema=schema, consistency_level="Strong")

    def index(self, columns: Sequence[str]) -> None:
        """Index vectors and filter columns, and wait until what is there is indexed.

        Best called after a whole upload: the index is then built once, over everything.
        """
        kind, build, _ = TARGETS[self.target]
        indexes = self._client.prepare_index_params()
        indexes.add_index(
            "vector", index_type=kind, metric_type=_METRICS[self.metric], params=build
        )
        for column in ("slot", *columns):
            indexes.add_index(column, index_type="INVERTED")
        # Not waited for one by one, half a second each: `settle` waits once for all.
        self.call("create_index", self.name, indexes, sync=False, timeout=PATIENCE)

    def columns(self) -> list[str]:
        """The filter columns it was made with."""
        fields = self.call("describe_collection", self.name)["fields"]
        return [f["name"] for f in fields if f["name"] in (*TEXT_COLUMNS, *NUMBER_COLUMNS)]

    def check(self, dim: int, columns: Sequence[str] = ()) -> None:
        """StoreMismatchError unless it is ours, of this dimension and metric, with columns."""
        fields = {f["name"]: f for f in self.call("describe_collection", self.name)["fields"]}
        found = fields.get("vector", {}).get("params", {}).get("dim")
        if not {"item_id", "slot", "digest", *columns} <= set(fields) or int(found or 0) != dim:
            raise StoreMismatchError(
                f"a Fashify collection of dimension {dim} at {self.name!r}",
                f"fields {join_names(fields)}, dimension {found}",
                "choose another collection name",
            )
        metric = self.call("describe_index", self.name, "vector").get("metric_type")
        if metric != _METRICS[self.metric]:
            raise StoreMismatchError(
                f"a collection for the {self.metric} metric", f"{metric}", "choose another name"
            )

    def load(self) -> None:
        self.call("load_collection", self.name, timeout=PATIENCE)

    # -- rows

    def upload(self, rows: Iterator[dict[str, Any]], dim: int, total: int) -> None:
        """Write rows, new or changed, in batches bounded by bytes; safe to run again."""
        from tqdm import tqdm

        most = max(1, self._batch_bytes // (4 * dim + 2 * _TEXT_BYTES))
        batch: list[dict[str, Any]] = []
        # disable=None: no bar where nobody watches, in a notebook's report or a log.
        with tqdm(
            total=total, desc=f"upload to {self.uri}", unit="item", delay=2, disable=None
        ) as progress:
            for row in rows:
                batch.append(row)
                if len(batch) == most:
                    self._write(batch, progress)
                    batch = []
            self._write(batch, progress)

    def _write(self, batch: list[dict[str, Any]], progress: Any) -> None:
        if batch:
            self.call("upsert", self.name, batch)
            progress.update(len(batch))

    def delete(self, slots: np.ndarray) -> None:
        """Remove the rows of these (m,) slots."""
        for start in range(0, len(slots), _ROWS_A_PAGE):
            wanted = slots_among(slots[start : start + _ROWS_A_PAGE])
            self.call("delete", self.name, **self._filter(wanted))

    def flush(self) -> None:
        """Seal what was written, so that it is on disk and will be indexed."""
        self.call("flush", self.name, timeout=PATIENCE)

    def settle(self) -> None:
        """Wait until all that was sealed is indexed; StorageError after ``PATIENCE`` seconds."""
        end = time.monotonic() + PATIENCE
        while True:
            facts = self.call("describe_index", self.name, "vector")
            if not int(facts.get("pending_index_rows", 0) or 0):
                return
            if time.monotonic() > end:
                raise away_error(self.uri, f"{facts['pending_index_rows']} rows not indexed yet")
            time.sleep(0.5)

    def count(self) -> int:
        """Living rows, as a search would see them."""
        return int(
            self.call("query", self.name, filter="", output_fields=["count(*)"])[0]["count(*)"]
        )

    def roster(self) -> pd.DataFrame:
        """item_id, slot and digest of every row, by slot."""
        fields = ["item_id", "slot", "digest"]
        rows: list[dict[str, Any]] = []
        start = 0
        while True:
            page = self._read_page(start, EVERYTHING, fields)
            rows, start = rows + page, start + _ROWS_A_PAGE
            # An empty page is a gap, or the end.
            if not page and len(rows) >= self.count():
                break
        return pd.DataFrame(rows, columns=fields).sort_values("slot", ignore_index=True)

    def _read_page(
        self, start: int, allowed: Expression, fields: list[str]
    ) -> list[dict[str, Any]]:
        """A page of rows, by slot: pymilvus' own pages go by item ids, pasted into the filter."""
        page = slots_from(start, start + _ROWS_A_PAGE).and_also(allowed)
        return self.call("query", self.name, output_fields=fields, **self._filter(page))

    def _filter(self, expression: Expression) -> dict[str, Any]:
        """An expression as arguments: its values beside it, or inside for a server that takes none.

        Milvus Lite takes no values apart; it knows a text literal by backslashes alone.
        """
        if self._is_lite:
            return {"filter": expression.literal()}
        return {"filter": expression.template, "filter_params": expression.values}

    @cached_property
    def _is_lite(self) -> bool:
        return "lite" in str(self.call("get_server_version"))

    # -- search

    def search(
        self, queries: np.ndarray, limit: int, allowed: Expression, width: int | None = None
    ) -> np.ndarray:
        """(q, limit) int64 slots, -1 where there are no more.

        ``width`` replaces the target's own search parameter: nodes kept in view.
        """
        if limit > MOST_HITS:
            raise QueryError(
                f"k with everything excluded below {MOST_HITS}, which is all Milvus answers",
                f"{limit}",
                "ask for fewer, or use the exact index",
            )
        _, _, search = TARGETS[self.target]
        params = {name: max(width or value, limit) for name, value in search.items()}
        answer = self.call(
            "search",
            self.name,
            data=queries,
            anns_field="vector",
            limit=limit,
            output_fields=["slot"],
            search_params={"params": params},
            **self._filter(allowed),
        )
        slots = np.full((len(queries), limit), -1, dtype=np.int64)
        for row, hits in enumerate(answer):
            slots[row, : len(hits)] = [hit["entity"]["slot"] for hit in hits]
        return slots

    def vectors(self, slots: np.ndarray) -> np.ndarray:
        """(m, dim) float32 vectors of (m,) slots, fetched in batches bounded by bytes."""
        page, found = max(1, self._batch_bytes // self._row_bytes), {}
        for start in range(0, len(slots), page):
            wanted = self._filter(slots_among(slots[start : start + page]))
            for row in self.call("query", self.name, output_fields=["slot", "vector"], **wanted):
                found[row["slot"]] = row["vector"]
        missing = len(set(slots.tolist()) - set(found))
        if missing:
            raise away_error(self.uri, f"{missing} rows of {self.name!r} that vanished")
        return np.array([found[slot] for slot in slots.tolist()], dtype=np.float32)

    def matching(self, allowed: Expression, n_slots: int) -> np.ndarray:
        """(m,) int64 slots below ``n_slots`` of all rows that pass, ascending."""
        starts = range(0, n_slots, _ROWS_A_PAGE)
        rows = [row for start in starts for row in self._read_page(start, allowed, ["slot"])]
        return np.array(sorted(row["slot"] for row in rows), dtype=np.int64)
