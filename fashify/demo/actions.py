"""What a visitor can do: each action takes a :class:`View` and gives the next one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from fashify.demo.address import Address, read_address
from fashify.demo.service import DemoService, check_share
from fashify.demo.state import MAX_TRAIL, UNCHANGED, Query, View
from fashify.demo.uploads import describe_preparation, format_error, open_upload, read_picture
from fashify.demo.wishes import drop_term, switch_colour, understand
from fashify.errors import FashifyError, QueryError
from fashify.retrieval.region import Box, find_product
from fashify.text.meaning import Meaning
from fashify.text.words import MAX_TEXT, check_text

logger = logging.getLogger(__name__)

Event = Mapping[str, Any]


def read_event(sent: Any) -> Event:
    """What a browser sent, or an event that says nothing where that is none."""
    return sent if isinstance(sent, Mapping) else {}


class Actions:
    """The page's verbs over one shared :class:`DemoService`.

    What arrives from a browser is only trusted after it was checked: an example by its
    number, an item by its id, a filter by the catalogue, a photo by its folder and header.
    """

    def __init__(self, service: DemoService) -> None:
        self.service = service
        self._verbs: dict[str, Callable[[View, Event], View]] = {
            "photo": self._photo,
            "fetch": self._fetch,
            "example": self._example,
            "rotate": self._rotate,
            "say": self._say,
            "drop": self._drop,
            "swatch": self._swatch,
            "forget": self._forget,
            "find": self._find,
            "crop": self._crop,
            "garments": self._garments,
            "whole": self._whole,
            "similar": self._similar,
            "surprise": self._surprise,
            "back": self._back,
            "count": self._count,
            "filter": self._filter,
            "range": self._range,
            "reset": self._reset,
            "vary": self._vary,
            "weigh": self._weigh,
            "uncolour": self._uncolour,
            "like": self._judge,
            "dislike": self._judge,
            "collapse": self._collapse,
            "variants": self._variants,
            "explain": self._explain,
            "close": self._close,
            "address": self._address,
            "refused": self._refuse,
        }

    def act(self, view: View, event: Event) -> View:
        """The view after ``event``; what goes wrong becomes its notice, never an exception.

        Args:
            view: the visitor's state.
            event: ``{"do": verb, ...}`` as the page sent it.
        """
        try:
            view = self._renew(view)
            return self._verb(event)(view, event)
        except FashifyError as error:
            return view.with_changes(notice=format_error(error))
        except Exception:
            logger.exception("action %r failed", event.get("do"))
            return view.with_changes(notice="Something went wrong on our side. Please try again.")

    def _renew(self, view: View) -> View:
        """A view that a store answered which is replaced by now, answered by this one."""
        before, now = view.stamp, self.service.stamp
        view = replace(view, stamp=now)
        if before in (None, now) or view.query is None:
            return view
        trail = tuple(query.unread for query in view.trail)
        view = replace(view, query=view.query.unread, trail=trail)
        for kept in (view.selection, UNCHANGED):
            try:
                return self._answer(view, selection=kept)
            except FashifyError:
                logger.debug("not answered by the store that is new", exc_info=True)
        return View(k=view.k, stamp=now)

    def _verb(self, event: Event) -> Callable[[View, Event], View]:
        verb = self._verbs.get(str(event.get("do")))
        if verb is None:
            raise QueryError("an action of this page", "an unknown one", "reload the page")
        return verb

    def _start(self, view: View, query: Query) -> View:
        """A new query: filters stay, likes and dislikes belonged to the old one."""
        trail = (*view.trail, view.query)[-MAX_TRAIL:] if view.query else view.trail
        selection = view.selection.without_votes()
        return self._answer(view.with_changes(query=query, selection=selection, trail=trail))

    def _answer(self, view: View, **changes: object) -> View:
        """``view`` with ``changes`` and its query, if any, answered anew."""
        view = view.with_changes(**changes)
        if view.query is None:
            return view
        answer = self.service.search(view.query, view.k, view.selection)
        return replace(view, query=replace(view.query, feature=answer.feature), answer=answer)

    def _photo(self, view: View, event: Event) -> View:
        with open_upload(event.get("path", "")) as file:
            return self._search_picture(view, file, "your photo")

    def _search_picture(self, view: View, source: Path | bytes, title: str) -> View:
        """A search with a picture from outside, and what is to be said of it."""
        picture = read_picture(source)
        query = self.service.photo_query(picture, title)
        notice = describe_preparation(source, picture) or _describe_reading(query)
        return replace(self._start(view, query), notice=notice)

    def _fetch(self, view: View, event: Event) -> View:
        if self.service.fetcher is None:
            raise QueryError("a photo from this device", "an address", "save and upload the photo")
        fetched = self.service.fetcher.fetch(str(event.get("url", "")))
        return self._search_picture(view, fetched, "a picture from the web")

    def _say(self, view: View, event: Event) -> View:
        text = " ".join(str(event.get("text", "")).split())
        try:
            return self._search_words(view, text)
        except FashifyError as error:
            return view.with_changes(notice=format_error(error), typed=text[:MAX_TEXT])

    def _search_words(self, view: View, text: str) -> View:
        """The picture in use with other words, or a new search for words alone."""
        query = view.query
        if query is not None and query.has_picture:
            return self._answer(view, query=replace(query, text=text))
        return self._start(view, self.service.text_query(check_text(text)))

    def _drop(self, view: View, event: Event) -> View:
        return self._reword(view, drop_term(self._meaning(view), event.get("n")))

    def _swatch(self, view: View, event: Event) -> View:
        return self._reword(view, switch_colour(self._meaning(view), event.get("colour")))

    def _meaning(self, view: View) -> Meaning | None:
        return understand(self.service.retriever, view.query.text if view.query else "")

    def _reword(self, view: View, text: str) -> View:
        """The search with other words; the last word of words alone ends it."""
        query = view.query
        if query is not None and query.has_picture:
            return self._answer(view, query=replace(query, text=text))
        if not text:
            return view.with_changes(query=None, answer=None)
        return self._answer(view, query=self.service.text_query(text))

    def _forget(self, view: View, event: Event) -> View:
        """The words alone, the picture taken away."""
        text = view.query.text if view.query else ""
        if not text:
            return view.with_changes(query=None, answer=None)
        return self._start(view, self.service.text_query(text))

    def _rotate(self, view: View, event: Event) -> View:
        photo = _require_photo(view)
        turned = np.ascontiguousarray(np.rot90(photo.photo, k=-1))
        return self._answer(view, query=_show(photo, turned))

    def _find(self, view: View, event: Event) -> View:
        embedder = self.service.retriever.embedder
        region = find_product(embedder, _require_photo(view).photo)
        return replace(view.with_changes(), region=region)

    def _crop(self, view: View, event: Event) -> View:
        photo, region = _require_photo(view), _parse_region(event.get("region"))
        whole = photo.picture if photo.whole is None else photo.whole
        part = region.crop_image(photo.photo)
        return self._answer(view, query=_show(photo, part, whole))

    def _garments(self, view: View, event: Event) -> View:
        parted = self.service.part_garments(_require_photo(view))
        if not parted.garments:
            raise QueryError(
                "a photo of two garments side by side or one above the other",
                "one that looks like one garment",
                "draw a box around one of them",
            )
        return self._answer(view, query=parted)

    def _whole(self, view: View, event: Event) -> View:
        photo = _require_photo(view)
        if photo.whole is None and not photo.garments:
            return view.with_changes()
        whole = photo.photo if photo.whole is None else photo.whole
        return self._answer(view, query=_show(photo, whole))

    def _example(self, view: View, event: Event) -> View:
        query = self.service.example(event.get("n", "")).query
        if event.get("title", query.title) != query.title:
            raise QueryError("an example of this catalogue", "one of before", "reload the page")
        return self._start(view, query)

    def _similar(self, view: View, event: Event) -> View:
        return self._start(view, self.service.item_query(str(event.get("item", ""))))

    def _surprise(self, view: View, event: Event) -> View:
        return self._start(view, self.service.surprise())

    def _back(self, view: View, event: Event) -> View:
        step = str(event.get("n", ""))
        if not step.isdecimal() or int(step) >= len(view.trail):
            raise QueryError("an earlier search", "one that is none", "click one above the results")
        query, trail = view.trail[int(step)], view.trail[: int(step)]
        selection = view.selection.without_votes()
        return self._answer(view, query=query, trail=trail, selection=selection)

    def _count(self, view: View, event: Event) -> View:
        return self._answer(view, k=self.service.check_k(event.get("value")))

    def _filter(self, view: View, event: Event) -> View:
        level, value = self.service.check_filter(event.get("level"), event.get("value"))
        selection = view.selection.toggle(level, value)
        return self._answer(view, selection=selection, open_facet=level)

    def _range(self, view: View, event: Event) -> View:
        column = str(event.get("column", ""))
        ends = self.service.own.move_end(
            view.selection, column, str(event.get("end", "")), event.get("value")
        )
        return self._answer(view, selection=view.selection.set_range(column, ends))

    def _reset(self, view: View, event: Event) -> View:
        kept = replace(UNCHANGED, collapse=view.selection.collapse)
        return self._answer(view, selection=kept)

    def _vary(self, view: View, event: Event) -> View:
        variety = check_share(event.get("value"))
        return self._answer(view, selection=replace(view.selection, variety=variety))

    def _weigh(self, view: View, event: Event) -> View:
        weights = self.service.set_weight(
            view.selection.weights, str(event.get("part", "")), event.get("value")
        )
        return self._answer(view, selection=replace(view.selection, weights=weights))

    def _uncolour(self, view: View, event: Event) -> View:
        return self._weigh(view, {"part": "colour", "value": 0})

    def _judge(self, view: View, event: Event) -> View:
        item_id = self.service.item_query(str(event.get("item", ""))).item_id
        selection = view.selection.set_vote(item_id, liked=event["do"] == "like")
        return self._answer(view, selection=selection)

    def _collapse(self, view: View, event: Event) -> View:
        selection = replace(view.selection, collapse=not view.selection.collapse)
        return self._answer(view, selection=selection)

    def _variants(self, view: View, event: Event) -> View:
        item_id = self.service.item_query(str(event.get("item", ""))).item_id
        return view.with_changes(opened="" if view.opened == item_id else item_id)

    def _explain(self, view: View, event: Event) -> View:
        if view.query is None:
            raise QueryError("a search to explain", "none yet", "search first")
        if not view.query.has_picture:
            raise QueryError("a picture to compare with", "words alone", "search with a picture")
        return view.with_changes(
            explained=self.service.item_query(str(event.get("item", ""))).item_id
        )

    def _close(self, view: View, event: Event) -> View:
        return view.with_changes()

    def _address(self, view: View, event: Event) -> View:
        wanted = read_address(parse_qsl(str(event.get("query", "")).lstrip("?")[:2000]))
        selection = replace(UNCHANGED, collapse=not wanted.apart)
        for column, value in (*wanted.filters, *wanted.own):
            selection = selection.toggle(*self.service.check_filter(column, value))
        for column, text in wanted.ranges:
            ends = self.service.own.read_range(column, text)
            selection = selection.set_range(column, ends)
        weights: tuple = ()
        for part, number in wanted.weights:
            weights = self.service.set_weight(weights, part, number)
        variety = check_share(wanted.variety or 0)
        selection = replace(selection, weights=weights, variety=variety)
        k = self.service.check_k(wanted.k) if wanted.k else view.k
        query = self._read_query(wanted)
        return self._answer(View(query=query, k=k, selection=selection, stamp=view.stamp))

    def _read_query(self, wanted: Address) -> Query | None:
        """What an address searches with."""
        if wanted.item_id:
            item = self.service.item_query(wanted.item_id)
            return replace(item, text=check_text(wanted.text) if wanted.text else "")
        return self.service.text_query(wanted.text) if wanted.text else None

    def _refuse(self, view: View, event: Event) -> View:
        return view.with_changes(notice=str(event.get("why", ""))[:200])


def _show(photo: Query, picture: np.ndarray, whole: np.ndarray | None = None) -> Query:
    """A photo's query with another picture of it, to be embedded anew."""
    return replace(photo, picture=picture, whole=whole, feature=None, garments=())


def _describe_reading(query: Query) -> str:
    """That a photo was cut out or turned, "" where it is searched as it came."""
    if query.whole is None:
        return ""
    return (
        "Your picture was cut out of what is around it, or turned upright, because that is "
        "answered better. “Whole photo” takes that back."
    )


def _require_photo(view: View) -> Query:
    if view.query is None or view.query.kind != "photo":
        raise QueryError("a photo to work on", "none", "choose a photo first")
    return view.query


def _parse_region(text: object) -> Box:
    """A region as the page sends it: top, left, bottom, right, with commas between."""
    try:
        top, left, bottom, right = (float(part) for part in str(text).split(","))
    except ValueError:
        raise QueryError("a region", "something else", "draw it on the photo") from None
    return Box(top, left, bottom, right)
