"""A list that is read once and then kept current by a watch from its resource version, as Kubernetes offers it.

It is a stream for `shopsphere.clients.watch`, which opens it anew when it ends: from the version that was seen last, so
that nothing in between is missed. Bookmarks move that version on where nothing changes. When the API server does not
know it any more (410 Gone), the list is read again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any, Protocol

from shopsphere.clients.cluster_errors import (
    ClusterUnreachableError,
    ExpiredError,
    NotFoundError,
    UnreadableAnswerError,
)
from shopsphere.foundation.errors import ShopSphereError, one_line

Document = dict[str, Any]
UNKNOWN_KIND_SECONDS = 60.0
"""Pause (s) before a cluster is asked again for a kind that it does not know."""
_LONGEST = 200  # characters of an answer that are shown


class Watchable(Protocol):
    """What is needed of a cluster."""

    def get(self, path: str, **query: str) -> Document:
        """Return the document at an API path."""

    def lines(self, path: str, **query: str) -> Iterator[bytes]:
        """Yield nothing once the list is being watched, then each change."""


class Receiver(Protocol):
    """Who is told what is in the list."""

    def listed(self, documents: Sequence[Document]) -> None:
        """All of the list, which replaces what was known."""

    def changed(self, document: Document, *, is_gone: bool) -> None:
        """One object was added, changed or deleted."""


class WatchedList:
    """One list.

    Args:
        cluster: whose it is.
        path: of the list.
        receiver: is told what is in it.
        turn: entered for the time of a list: so few are read at once.
        stopped: ends the pause before a kind that the cluster does not know.
    """

    def __init__(
        self,
        cluster: Watchable,
        path: str,
        receiver: Receiver,
        *,
        turn: AbstractContextManager[object] | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        self._cluster, self._path, self._receiver = cluster, path, receiver
        self._turn = turn or nullcontext()
        self._stopped = stopped or threading.Event()
        self._version = ""
        self.problem = "it was not listed yet"
        """Why the list is not watched; empty while it is."""

    def follow(self, heard: Callable[[], object]) -> None:
        """Watch until the API ends it; the list is read first where no version is known.

        Raises:
            ShopSphereError: no answer, the line broke, or the answer is no.
        """
        try:
            self._follow(heard)
        except ShopSphereError as error:
            self.problem = one_line(error)
            raise

    def _follow(self, heard: Callable[[], object]) -> None:
        try:
            if not self._version:
                self._list()
            for line in self._cluster.lines(self._path, resourceVersion=self._version, allowWatchBookmarks="true"):
                self.problem = ""
                if line.strip():
                    self._take(line)
                heard()
        except NotFoundError:
            self._version, self.problem = "", ""
            self._receiver.listed(())
            heard()
            self._stopped.wait(UNKNOWN_KIND_SECONDS)
        except ExpiredError:  # no failure: what follows is a list
            self._version = ""
            heard()

    def _list(self) -> None:
        with self._turn:
            document = self._cluster.get(self._path)
        found, version = document.get("items"), (document.get("metadata") or {}).get("resourceVersion")
        if not isinstance(found, list) or not version:
            raise UnreadableAnswerError(f"GET {self._path} was answered with no list, but {str(document)[:_LONGEST]}")
        self._receiver.listed(found)
        self._version = str(version)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            kind, document = str(event["type"]), event["object"]
            version = "" if kind == "ERROR" else str(document["metadata"]["resourceVersion"])
        except (ValueError, KeyError, TypeError) as error:
            self._version = ""
            raise UnreadableAnswerError(f"watch {self._path}: no event, but {line[:_LONGEST]!r}") from error
        if kind == "ERROR":
            self._version = ""  # whatever it is, a list is what surely helps
            message = f"watch {self._path}: {one_line(document.get('message') or document)[:_LONGEST]}"
            raise (ExpiredError if document.get("code") == HTTPStatus.GONE else ClusterUnreachableError)(message)
        if kind != "BOOKMARK":
            self._receiver.changed(document, is_gone=kind == "DELETED")
        self._version = version
