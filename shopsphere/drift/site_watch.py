"""One site under watch: its findings as they come and go, held back while its stack is being deployed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shopsphere.clients.watch import REOPEN_AFTER
from shopsphere.clients.watched_list import Watchable
from shopsphere.deploy.state_version import Look, StateLook
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.kinds import find_kind
from shopsphere.drift.live_watch import START_SECONDS, LiveWatch
from shopsphere.drift.looking import unknown_kinds
from shopsphere.drift.model import Drift, SiteDrift, Unseen
from shopsphere.drift.repair import Repair
from shopsphere.drift.rights import Rights
from shopsphere.drift.undeclared import Key
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line

TICK_SECONDS = 0.5
"""Pause (s) between two looks at what changed, which is in memory."""
STATE_SECONDS = 2.0
"""Pause (s) between two looks at the stack's state while nothing changes."""
EXPORT_AGAIN_SECONDS = 30.0
"""Pause (s) before a state that could not be read is read again."""
HOLD_SECONDS = 1800.0
"""So long (s) a lock on the stack holds findings back; a deployment takes minutes."""

Export = Callable[[], Mapping[str, Any]]
Publish = Callable[[SiteDrift], object]


class SiteWatch:
    """One site.

    Args:
        repair: how the site is reached.
        rights: tells those that the cluster's owner applied.
        cluster: its API.
        look: at the stack's state.
        export: returns the stack's state.
        publish: is given all that is known of the site whenever that differs.
        clock: replaceable in tests.
        reopen_after: pause (s) before a watch that ended is opened again.
    """

    def __init__(
        self,
        repair: Repair,
        rights: Rights,
        cluster: Watchable,
        look: Look,
        export: Export,
        publish: Publish,
        *,
        clock: Clock = SYSTEM_CLOCK,
        reopen_after: float = REOPEN_AFTER,
    ) -> None:
        self._repair, self._rights, self._cluster = repair, rights, cluster
        self._look, self._export, self._publish = look, export, publish
        self._clock, self._reopen_after = clock, reopen_after
        self._objects: LiveWatch | None = None
        self._version = ""
        self._number = 0
        self._unknown_kinds: list[Unseen] = []
        self._found: dict[Key, tuple[Drift, ...]] = {}
        self._is_judged = self._is_new = False
        self._published: SiteDrift | None = None
        self._began = clock.monotonic()
        self._held_since: float | None = None
        self._next_look = self._next_export = 0.0
        self._state_problem = self._declared_problem = self._hold_problem = ""

    def run(self, stopped: threading.Event, alive: Callable[[], object] = lambda: None) -> None:
        """Watch until `stopped`; `alive` is called after each look."""
        try:
            while not stopped.is_set():
                self.step()
                alive()
                stopped.wait(TICK_SECONDS)
        finally:
            if self._objects:
                self._objects.stop()

    def step(self) -> None:
        """Judge what changed, as far as that is due, and tell what differs since the last time."""
        due = self._objects.take_due() if self._objects and self._may_judge() else []
        if due or self._clock.monotonic() >= self._next_look:
            self._next_look = self._clock.monotonic() + STATE_SECONDS
            before = self._look_at_state()
            if self._is_held(before) or not self._is_declared(before):
                due = self._later(due)
            if self._objects and due:
                found = self._objects.judge(due, self._repair)
                # A deployment that began, or ended, in between: what was declared then is not what counts now.
                if self._look_at_state() == before:
                    kept = {} if self._is_new else self._found
                    self._found = {key: drifts for key, drifts in (kept | found).items() if drifts}
                    self._is_judged, self._is_new = True, False
                else:
                    self._later(due)
        self._tell()

    def _later(self, due: list[Key]) -> list[Key]:
        if self._objects:
            self._objects.give_back(due)
        return []

    def _may_judge(self) -> bool:
        if self._is_judged or (self._objects and self._objects.is_listed):
            return True
        return self._clock.monotonic() - self._began >= START_SECONDS

    def _look_at_state(self) -> StateLook | None:
        try:
            found = self._look()
        except ShopSphereError as error:
            self._state_problem = one_line(error)
            return None
        self._state_problem = ""
        return found

    def _is_held(self, state: StateLook | None) -> bool:
        """Whether somebody deploys, and has not done so for too long."""
        self._hold_problem = ""
        if state is None or not state.held_by:
            self._held_since = None
            return False
        now = self._clock.monotonic()
        self._held_since = now if self._held_since is None else self._held_since
        is_held = now - self._held_since < HOLD_SECONDS
        if not is_held:
            self._hold_problem = f"{state.held_by} holds it for more than {HOLD_SECONDS / 60:.0f} minutes"
        elif not self._is_judged:
            self._hold_problem = f"{state.held_by} deploys it"
        return is_held

    def _is_declared(self, state: StateLook | None) -> bool:
        """Whether it is known what is declared; read it where the state is another one than before."""
        is_known = bool(self._version)
        if state is None or state.version == self._version or (is_known and state.held_by):
            return is_known
        if self._clock.monotonic() < self._next_export:
            return is_known
        self._next_export = self._clock.monotonic() + EXPORT_AGAIN_SECONDS
        try:
            self._declare(self._export())
        except ShopSphereError as error:
            self._declared_problem = one_line(error)
            return is_known
        self._version, self._declared_problem, self._next_export = state.version, "", 0.0
        return False  # what was due belongs to what was declared before; all of it is due now

    def _declare(self, exported: Mapping[str, Any]) -> None:
        declared = declared_objects(exported)
        declared += self._rights(declared)
        self._number, self._unknown_kinds = len(declared), unknown_kinds(declared, self._repair.site)
        self._is_new = True  # all is judged anew, and what was found before counts until then
        known = [each for each in declared if find_kind(each.version, each.kind)]
        if self._objects and self._objects.namespaces == {each.name for each in known if each.kind == "Namespace"}:
            self._objects.declare(known)
            return
        if self._objects:
            self._objects.stop()
        self._objects = LiveWatch(self._cluster, known, clock=self._clock, reopen_after=self._reopen_after)
        self._is_judged, self._began = False, self._clock.monotonic()
        self._objects.start()

    def _tell(self) -> None:
        unseen = [*self._unseen()]
        if not self._is_judged and not unseen:
            return  # nothing is known yet, and nothing is wrong
        drifts = tuple(drift for found in self._found.values() for drift in found)
        live = self._objects.number if self._objects else 0
        now = SiteDrift(self._repair.site, self._number, live, drifts, tuple(unseen))
        before = self._published
        if before is None or (before.drifts, before.unseen) != (now.drifts, now.unseen):
            self._published = now
            self._publish(now)

    def _unseen(self) -> Iterator[Unseen]:
        site = self._repair.site
        for what, why in (
            ("the state of its stack", self._state_problem),
            ("a stack that is locked", self._hold_problem),
            ("what its stack declares now", self._declared_problem),
        ):
            if why:
                yield Unseen(site, what, why)
        if self._version and not self._number:
            yield Unseen(site, "the whole site", "its stack declares nothing: it was never deployed, or was removed")
        yield from self._unknown_kinds
        if self._objects:
            yield from self._objects.unseen(site)
