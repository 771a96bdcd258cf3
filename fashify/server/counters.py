"""What is counted of the API, in Prometheus' own format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

#: Upper ends of the classes of seconds a request takes.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counters:
    """Requests and the seconds they took, by path and status; the gallery's size and builds.

    Each application has its own: two in one process do not add up.

    Attributes:
        under_way: requests that came and are not answered yet; the server's loop alone counts.
    """

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry, labels = self._registry, ["method", "path", "status"]
        self._requests = Counter(
            "fashify_requests", "Requests answered.", labels, registry=registry
        )
        self._seconds = Histogram(
            "fashify_request_seconds",
            "Seconds a request took.",
            ["path"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._under_way = Gauge(
            "fashify_requests_under_way", "Requests not answered yet.", registry=registry
        )
        self.under_way = 0
        self._products = Gauge("fashify_products", "Products in the gallery.", registry=registry)
        self._stores = Counter("fashify_stores_opened", "Stores taken up.", registry=registry)

    def note_begin(self) -> None:
        """Notes a request that came; ``count`` notes that it was answered."""
        self.under_way += 1
        self._under_way.set(self.under_way)

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """Notes one request that was answered."""
        self.under_way -= 1
        self._under_way.set(self.under_way)
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def note_store(self, n_products: int) -> None:
        """Notes a store that was taken up."""
        self._products.set(n_products)
        self._stores.inc()

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self._registry)
