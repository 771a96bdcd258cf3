"""A client of the REST API that ``fashify serve`` or ``fashify.mount`` gives.

It needs httpx alone: neither a store nor a network is opened here.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from fashify.errors import FashifyError, ImageReadError, QueryError, ServiceError

#: Statuses that say the request itself cannot be answered, however often it is sent.
_REFUSED = (400, 403, 404, 413, 415, 422)


@dataclass(frozen=True)
class ServedMatch:
    """One match as the service answers it.

    Attributes:
        rank: 1 for the nearest.
        item_id: the product's stable id.
        distance: smaller is closer.
        picture: the address of its picture.
        facts: every column of the catalogue; dates as text in ISO 8601.
        parts: the distance by shape, colour and so on.
        probability: that it is of the type that was looked for; None where not calibrated.
        strength: that in words.
    """

    rank: int
    item_id: str
    distance: float
    picture: str
    facts: dict[str, Any] = field(repr=False)
    parts: dict[str, float] = field(repr=False)
    probability: float | None = None
    strength: str = ""


class SearchClient:
    """Searches in a service, over one kept connection; threads may share it.

    Args:
        url: where the page or, without one, the service is, such as ``http://127.0.0.1:7860``.
        key: an API key, where the service asks for one.
        timeout: seconds to wait for an answer.

    >>> from fashify.client import SearchClient
    >>> with SearchClient("http://127.0.0.1:7860") as shop:    # doctest: +SKIP
    ...     for match in shop.search("photo.jpg", text="in black", k=3):
    ...         print(match.rank, match.item_id, match.facts["name"])
    """

    def __init__(self, url: str, *, key: str | None = None, timeout: float = 30.0) -> None:
        headers = {"X-API-Key": key} if key else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.url}/v1/", headers=headers, timeout=timeout)

    def __enter__(self) -> SearchClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def search(
        self,
        image: str | Path | bytes | None = None,
        text: str | None = None,
        item_id: str | None = None,
        k: int = 5,
        **options: Any,
    ) -> list[ServedMatch]:
        """The products that answer a query of one part or several, the best first.

        Args:
            image: a file, its bytes, a ``data:`` URL, or a URL where the service allows it.
            text: such as "red dress for women", or beside an image what shall be different.
            item_id: of a product of the catalogue.
            k: how many, 1 to 100.
            **options: ``where`` (a filter as text or mapping), ``weights``, ``liked``,
                ``disliked`` and ``variety``, as ``Retriever.search`` takes them.

        Raises:
            QueryError: the service cannot answer the query; its text says how to mend it.
            ImageReadError: no such file.
            ServiceError: nobody answers, a key is missing, or too much is asked for.
        """
        asked = {"text": text, "item_id": item_id, "k": k, **options}
        asked = {name: value for name, value in asked.items() if value is not None}
        if image is None or (isinstance(image, str) and image.startswith(("data:", "http"))):
            asked |= {} if image is None else {"image": image}
            return self._matches(self._ask("POST", "search", json=asked))
        data = _read_file(image)
        if set(asked) <= {"text", "k", "where"} and isinstance(asked.get("where", ""), str):
            files = {"image": ("image", data)}
            return self._matches(self._ask("POST", "search/image", files=files, data=asked))
        asked["image"] = _write_data_url(data)
        return self._matches(self._ask("POST", "search", json=asked))

    def find_similar(
        self, item_id: str, k: int = 5, *, where: str | None = None
    ) -> list[ServedMatch]:
        """The products most like one of the catalogue, itself left out; errors as ``search``."""
        asked = {"k": k} | ({} if where is None else {"where": where})
        return self._matches(self._ask("GET", f"{_make_path(item_id)}/similar", params=asked))

    def read_product(self, item_id: str) -> dict[str, Any]:
        """Everything the catalogue says of a product; errors as ``search``."""
        return self._ask("GET", _make_path(item_id)).json()["facts"]

    def read_picture(self, item_id: str, side: int = 320) -> bytes:
        """A product's picture as JPEG, its longer side at most ``side`` pixels."""
        return self._ask("GET", f"{_make_path(item_id)}/picture", params={"side": side}).content

    def read_facets(self, where: str | None = None) -> dict[str, Any]:
        """What a search can be narrowed by: ``values``, ``ranges`` and ``columns``."""
        return self._ask("GET", "facets", params={"where": where} if where else {}).json()

    def suggest(self, text: str, limit: int = 8) -> list[str]:
        """Texts that begin so and that products answer."""
        return self._ask("GET", "suggestions", params={"text": text, "limit": limit}).json()

    def explain(
        self, match: str, *, item_id: str | None = None, image: str | Path | bytes | None = None
    ) -> dict[str, Any]:
        """Where the likeness of a product and a picture, or another product, lies.

        Returns:
            ``cosine``, and ``query`` and ``match``, rows of places that sum to it.
        """
        asked = {"match": match} | ({} if item_id is None else {"item_id": item_id})
        if image is not None:
            asked["image"] = _write_data_url(_read_file(image))
        return self._ask("POST", "explain", json=asked).json()

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            received = f"{type(error).__name__}: {error}"
            fix = "start it with fashify serve, or name another address"
            raise ServiceError(f"a search service at {self.url}", received, fix) from error
        if answer.is_error:
            raise _make_error(answer)
        return answer

    def _matches(self, answer: httpx.Response) -> list[ServedMatch]:
        # Beyond the fields of today, a newer service may say more.
        known = ServedMatch.__dataclass_fields__
        found = []
        for match in answer.json()["matches"]:
            kept = {name: value for name, value in match.items() if name in known}
            kept["picture"] = str(answer.url.join(kept["picture"]))
            found.append(ServedMatch(**kept))
        return found


def _make_error(answer: httpx.Response) -> FashifyError:
    """The error that an answer stands for, in the service's own words."""
    try:
        problem = answer.json()
        told = problem["expected"], problem["received"], problem["fix"]
    except (ValueError, KeyError, TypeError):
        # Something between us and the service has answered.
        told = "an answer of the search service", f"status {answer.status_code}", "ask again later"
    kind = QueryError if answer.status_code in _REFUSED else ServiceError
    return kind(*told)


def _read_file(image: str | Path | bytes) -> bytes:
    if isinstance(image, bytes):
        return image
    path = Path(image).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageReadError(
            "a file that can be read", f"{path}: {error.strerror}", "name another one"
        ) from error


def _write_data_url(data: bytes) -> str:
    return "data:application/octet-stream;base64," + b64encode(data).decode()


def _make_path(item_id: str) -> str:
    return f"products/{quote(item_id, safe='')}"
