"""When a base backup is due, and what becomes of it."""

from __future__ import annotations

import time
from subprocess import SubprocessError
from threading import Thread

from app.archive.base_backup import pause_after, take_base_backup
from app.archive.beginning import Beginning
from app.archive.log import say
from app.archive.receiving import Identity
from app.archive.settings import CollectorSettings
from app.archive.state import State
from app.archive.store import Store, StoreAwayError
from app.errors import ShopError

WISH = "base-wanted"
"""A file of this name in the collector's folder is somebody's wish for a base backup."""


class BaseBackups:
    """Takes those of one database, one at a time, each in a thread of its own.

    Args:
        settings: how often.
        store: the bucket.
        state: what is wanted, and what there is.
        beginning: from where on WAL is received.
    """

    def __init__(self, settings: CollectorSettings, store: Store, state: State, beginning: Beginning) -> None:
        self._settings, self._store, self._state, self._beginning = settings, store, state, beginning
        self._running: Thread | None = None
        self._failures, self._failed_at = 0, float("-inf")

    def take_if_due(self, identity: Identity) -> None:
        """Begin one if one is due, none runs, and the archive answers."""
        state = self._state
        self._take_up_wish()
        if not state.base_wanted and state.base_at and state.now() - state.base_at > self._settings.base_seconds:
            state.want_base("the newest is older than it may be")
        busy = self._running is not None and self._running.is_alive()
        if busy or not state.base_wanted or not state.store_answers or self.is_too_early:
            return
        facts = (identity, state.base_wanted, state.wishes)
        self._running = Thread(target=self.take, args=facts, daemon=True, name="base backup")
        self._running.start()

    def _take_up_wish(self) -> None:
        wish = self._settings.spool / WISH
        if wish.exists():
            wish.unlink()
            self._state.want_base("somebody asked for one")

    @property
    def is_too_early(self) -> bool:
        """Whether the last one failed a moment ago; each further failure is waited for longer."""
        return time.monotonic() - self._failed_at < pause_after(self._failures)

    def take(self, identity: Identity, reason: str, wishes: int) -> None:
        """Take one, for what was wanted when there had been so many wishes."""
        began = self._state.now()
        say("base backup begins", reason=reason)
        try:
            facts = take_base_backup(self._settings, self._store, identity)
        except (StoreAwayError, ShopError, OSError, SubprocessError) as error:
            self._failed()
            say("base backup was not taken", level="error", found=str(error)[:400])
            return
        say("base backup is in the archive", **{key: facts[key] for key in ("label", "bytes", "first_segment")})
        if missing := self._beginning.lacks(facts):
            self._failed()
            self._state.want_base(missing, gap=True)
            say("base backup cannot be restored", level="error", found=missing)
            return
        self._failures = 0
        self._state.base_done(began, wishes)

    def _failed(self) -> None:
        self._failures, self._failed_at = self._failures + 1, time.monotonic()
