"""The store that answers, and the next one once it lies in its place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fashify.demo.service import DemoService
from fashify.errors import FashifyError
from fashify.server.problems import ProblemError

logger = logging.getLogger(__name__)

#: Seconds between two looks at whether the store was replaced.
LOOK_SECONDS = 1.0


class StoreHolder:
    """Opens a store, and opens it anew when it was replaced; nobody waits for that.

    A request keeps the service it began with, so a replacement drops none.

    Args:
        open_service: opens what is to be served; raises ``FashifyError`` where it cannot.
        refresh: called before every look, where what lies here is a copy.

    Attributes:
        followers: called after a store was taken up.
    """

    def __init__(
        self,
        open_service: Callable[[], DemoService],
        refresh: Callable[[], object] | None = None,
    ) -> None:
        self._open, self._refresh = open_service, refresh
        self.followers: list[Callable[[], object]] = []
        self._service: DemoService | None = None
        self._ended = threading.Event()
        self._failed: object = None

    @property
    def service(self) -> DemoService:
        """The service in use.

        Raises:
            ProblemError: 503, none is open yet.
        """
        if self._service is None:
            raise ProblemError(
                503, "a store that is open", "one that is being opened", "ask again shortly",
                retry_after="2",
            )  # fmt: skip
        return self._service

    def open(self) -> DemoService:
        """Opens the store now, and looks after it from then on; errors as ``open_service``."""
        service = self._take(self._open())
        threading.Thread(target=self._watch, name="store", daemon=True).start()
        return service

    def close(self) -> None:
        """Looks no more."""
        self._ended.set()

    def _take(self, service: DemoService) -> DemoService:
        self._service = service
        for follower in self.followers:
            follower()
        return service

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                # A file that goes while it is read, say: the next look finds another store.
                logger.exception("the store was not looked at")

    def look(self) -> bool:
        """Takes up the store that lies there now, if it is another one; whether it was."""
        try:
            if self._refresh is not None:
                self._refresh()
            if not self.service.is_replaced:
                return False
            self._take(self._open())
        except FashifyError as error:
            if str(error) != self._failed:
                logger.warning("the store that is open goes on: %s", error)
            self._failed = str(error)
            return False
        self._failed = None
        logger.info("another store was taken up: %d products", len(self.service.store))
        return True
