"""What a visitor can do: each action takes a :class:`View` and gives the next one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from fashify.demo.service import DemoService
from fashify.demo.state import Query, View
from fashify.demo.uploads import friendly, read_upload
from fashify.errors import FashifyError, QueryError

logger = logging.getLogger(__name__)


class Actions:
    """The page's verbs over one shared :class:`DemoService`.

    What arrives from a browser is only trusted after it was checked: an example by its
    number, an item by its id, a photo by its folder and header.
    """

    def __init__(self, service: DemoService) -> None:
        self.service = service
        self._verbs: dict[str, Callable[[View, Mapping[str, Any]], View]] = {
            "photo": self._photo,
            "example": self._example,
            "similar": self._similar,
            "surprise": self._surprise,
            "refused": self._refused,
            "count": self._count,
        }

    def act(self, view: View, event: Mapping[str, Any]) -> View:
        """The view after ``event``; what goes wrong becomes its notice, never an exception.

        Args:
            view: the visitor's state.
            event: ``{"do": verb, ...}`` as the page sent it.
        """
        try:
            return self._verb(event)(view, event)
        except FashifyError as error:
            return view.having(notice=friendly(error))
        except Exception:
            logger.exception("action %r failed", event.get("do"))
            return view.having(notice="Something went wrong on our side. Please try again.")

    def _verb(self, event: Mapping[str, Any]) -> Callable[[View, Mapping[str, Any]], View]:
        verb = self._verbs.get(str(event.get("do")))
        if verb is None:
            raise QueryError("an action of this page", "an unknown one", "reload the page")
        return verb

    def search(self, view: View, query: Query) -> View:
        """The view with ``query`` answered."""
        return view.having(query=query, answer=self.service.search(query, view.k))

    def _photo(self, view: View, event: Mapping[str, Any]) -> View:
        picture = read_upload(event.get("path", ""))
        return self.search(view, Query("photo", "your photo", picture=picture))

    def _example(self, view: View, event: Mapping[str, Any]) -> View:
        return self.search(view, self.service.example(event.get("n", "")).query)

    def _similar(self, view: View, event: Mapping[str, Any]) -> View:
        return self.search(view, self.service.item_query(str(event.get("item", ""))))

    def _surprise(self, view: View, event: Mapping[str, Any]) -> View:
        return self.search(view, self.service.surprise())

    def _refused(self, view: View, event: Mapping[str, Any]) -> View:
        return view.having(notice=str(event.get("why", ""))[:200])

    def _count(self, view: View, event: Mapping[str, Any]) -> View:
        view = view.having(k=self.service.checked_k(event.get("k")))
        return self.search(view, view.query) if view.query else view
