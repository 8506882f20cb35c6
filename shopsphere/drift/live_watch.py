"""The live objects of a site, kept current by one list and one watch for each kind, and which of them changed."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from shopsphere.clients.watch import REOPEN_AFTER, Watch
from shopsphere.clients.watched_list import Watchable, WatchedList
from shopsphere.drift.declared import Declared
from shopsphere.drift.judging import judge_object
from shopsphere.drift.kinds import KINDS, SECRET, ObjectKind
from shopsphere.drift.live import AT_ONCE
from shopsphere.drift.model import Drift, Unseen
from shopsphere.drift.repair import Repair
from shopsphere.drift.undeclared import Key, Live, is_meant
from shopsphere.drift.view import View
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock

Document = dict[str, Any]
SETTLE_SECONDS = 1.5
"""An object is judged when it has not changed for so long (s): what a controller puts right by then is no finding."""
SETTLE_AT_MOST_SECONDS = 4.5
"""… and at the latest so long (s) after its first change, however often it changes."""
CLOSED_SECONDS = 10.0
"""A watch that is closed for longer (s) makes its kind unknown; one that just ended is open again after a second."""
START_SECONDS = 30.0
"""So long (s) each kind has for its first list; then the others are judged without those that are missing."""


class LiveWatch:
    """The objects of one site.

    Args:
        cluster: of the site.
        declared: objects of kinds that are compared.
        clock: replaceable in tests.
        reopen_after: pause (s) before a watch that ended is opened again; twice as long after each that failed.
    """

    def __init__(
        self,
        cluster: Watchable,
        declared: Sequence[Declared],
        *,
        clock: Clock = SYSTEM_CLOCK,
        reopen_after: float = REOPEN_AFTER,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._changed: dict[Key, tuple[float, float]] = {}
        self._view = View(declared, unlisted={each.kind for each in KINDS})
        self._stopped = threading.Event()
        turn = threading.Semaphore(AT_ONCE)
        self._places = [
            _Place(self, kind, namespace)
            for kind in KINDS
            for namespace in (sorted(self._view.namespaces) if kind.kind == SECRET else [""])
        ]
        for place in self._places:
            stream = WatchedList(cluster, place.path, place, turn=turn, stopped=self._stopped)
            place.open_by(stream, reopen_after)
        self._closed_since = dict.fromkeys(self._places, clock.monotonic())

    def start(self) -> None:
        """Begin to list and to watch."""
        for place in self._places:
            place.watch.start()

    def stop(self) -> None:
        """Open no further watch; those that are open end with the process, or after minutes."""
        self._stopped.set()
        for place in self._places:
            place.watch.stop()

    @property
    def namespaces(self) -> Collection[str]:
        """Namespaces of the stack."""
        return self._view.namespaces

    @property
    def number(self) -> int:
        """Number of live objects."""
        return self._view.number

    @property
    def is_listed(self) -> bool:
        """Whether every kind was listed at least once."""
        return all(place.is_listed for place in self._places)

    def declare(self, declared: Sequence[Declared]) -> None:
        """Compare with something else from now on, in the same namespaces; everything counts as changed."""
        with self._lock:
            lives = [live for kind in KINDS for live in self._view.of(kind.kind)]
            self._view = View(declared, lives, unlisted=self._view.unlisted)
            self._mark(self._view.keys, at_once=True)

    def take_due(self) -> list[Key]:
        """Return the objects that changed and are to be judged now; they no longer count as changed."""
        now = self._clock.monotonic()
        with self._lock:
            due = [
                key
                for key, (first, last) in self._changed.items()
                if now - last >= SETTLE_SECONDS or now - first >= SETTLE_AT_MOST_SECONDS
            ]
            for key in due:
                del self._changed[key]
        return due

    def give_back(self, keys: Collection[Key]) -> None:
        """Let objects be judged later."""
        with self._lock:
            self._mark(keys, at_once=True)

    def judge(self, keys: Collection[Key], repair: Repair) -> dict[Key, tuple[Drift, ...]]:
        """Return the findings of each of these objects."""
        found = {}
        for key in keys:
            with self._lock:  # for one object at a time: the streams go on in between
                found[key] = tuple(judge_object(self._view, key, repair))
        return found

    def unseen(self, site: str) -> list[Unseen]:
        """Return the kinds whose watch is closed for some time, or all of the site."""
        now = self._clock.monotonic()
        closed = []
        for place in self._places:
            if place.is_well:
                self._closed_since[place] = now
            elif now - self._closed_since[place] >= (CLOSED_SECONDS if place.is_listed else START_SECONDS):
                closed.append(place)
        if closed and len(closed) == len(self._places):
            return [Unseen(site, "the whole site", closed[0].problem)]
        return [Unseen(site, place.title, place.problem) for place in closed]

    def listed(self, place: _Place, documents: Sequence[Document]) -> None:
        """Take a list: what differs from what was known has changed."""
        with self._lock:
            known = {live.key: live for live in self._view.of(place.kind.kind, place.namespace)}
            for document in documents:
                live = Live(place.kind.kind, document)
                before = known.pop(live.key, None)
                if self._is_meant(live) and (before is None or _version(before) != _version(live)):
                    self._view.put(live)
                    self._mark([live.key])
            for live in known.values():
                self._drop(live)
            place.is_listed = True
            same = [each for each in self._places if each.kind is place.kind]
            if place.kind.kind in self._view.unlisted and all(each.is_listed for each in same):
                self._view.unlisted.discard(place.kind.kind)
                self._mark(self._view.keys)  # declared ones may be missing, and it may be the owner of any

    def changed(self, place: _Place, document: Document, *, is_gone: bool) -> None:
        """Take one change."""
        live = Live(place.kind.kind, document)
        if not self._is_meant(live):
            return
        with self._lock:
            if is_gone:
                self._drop(live)
                return
            is_new = self._view.live(live.key) is None
            self._view.put(live)
            self._mark([live.key])
            if is_new:
                self._mark([each.key for each in self._view.made_from(live)])

    def _drop(self, live: Live) -> None:
        self._mark([live.key, *(each.key for each in self._view.made_from(live))])
        self._view.drop(live.key)

    def _mark(self, keys: Collection[Key], *, at_once: bool = False) -> None:
        now = self._clock.monotonic() - (SETTLE_AT_MOST_SECONDS if at_once else 0.0)
        for key in keys:
            first, _ = self._changed.get(key, (now, now))
            self._changed[key] = first, now

    def _is_meant(self, live: Live) -> bool:
        """Whether it is to be judged: also one that is to be no longer, but has findings from before."""
        return is_meant(live, self._view.namespaces) or self._view.live(live.key) is not None


class _Place:
    """One list: a kind in all of the cluster, or in one namespace."""

    def __init__(self, objects: LiveWatch, kind: ObjectKind, namespace: str) -> None:
        self.kind, self.namespace, self.is_listed = kind, namespace, False
        self.path = kind.path(namespace)
        self.title = f"objects of the kind {kind.kind}{f' in {namespace}' if namespace else ''}"
        self.listed = partial(objects.listed, self)
        self.changed = partial(objects.changed, self)

    def open_by(self, stream: WatchedList, reopen_after: float) -> None:
        self._stream = stream
        self.watch = Watch(stream.follow, lambda: None, reopen_after=reopen_after)

    @property
    def is_well(self) -> bool:
        return self.is_listed and self.watch.is_open

    @property
    def problem(self) -> str:
        return self._stream.problem or "its watch is closed"


def _version(live: Live) -> str:
    return str(live.document["metadata"].get("resourceVersion", ""))
