"""The edge under watch: neither DNS authorities nor the CDN tell of changes, so serials and settings are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shopsphere.deploy.state_version import Look, StateLook
from shopsphere.drift.edge import AGAIN_SECONDS, WATCHED_CDN, WATCHED_DNS, ConnectCdn, ConnectDns, judge_edge
from shopsphere.drift.edge_declared import DeclaredEdge, declared_edge
from shopsphere.drift.model import SiteDrift, Unseen
from shopsphere.estate.stack import EDGE
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line

POLL_SECONDS = 4.0
"""Pause (s) between two looks at serials and at the CDN's settings."""
WHOLE_SECONDS = 60.0
"""After so long (s) every name is compared whatever the serials say: who writes to a store itself moves none."""
HOLD_SECONDS = 1800.0
"""So long (s) a lock on the stack holds findings back."""

Publish = Callable[[SiteDrift], object]


@dataclass(frozen=True)
class Connections:
    """How the edge is reached; replaceable in tests."""

    dns: ConnectDns = WATCHED_DNS
    cdn: ConnectCdn = WATCHED_CDN


class EdgeWatch:
    """The edge.

    Args:
        deploy: the command that writes what is declared.
        look: at the stack's state.
        export: returns the stack's state.
        publish: is given all that is known whenever that differs.
        connections: how authorities and CDN are reached.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        deploy: str,
        look: Look,
        export: Callable[[], Mapping[str, Any]],
        publish: Publish,
        *,
        connections: Connections | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._deploy, self._look, self._export, self._publish = deploy, look, export, publish
        self._reach, self._clock = connections or Connections(), clock
        self._edge = DeclaredEdge()
        self._state: StateLook | None = None
        self._signs: object = None
        self._next_whole = 0.0
        self._held_since: float | None = None
        self._published: SiteDrift | None = None

    def run(self, stopped: threading.Event, alive: Callable[[], object] = lambda: None) -> None:
        """Look until `stopped`; `alive` is called after each look."""
        while not stopped.is_set():
            try:
                self.step()
            except ShopSphereError as error:
                self._tell(SiteDrift(EDGE, unseen=(Unseen(EDGE, "names and CDN", one_line(error)),)))
                self._signs = None
            alive()
            stopped.wait(POLL_SECONDS)

    def step(self) -> None:
        """Look once, and tell what differs since the last time.

        Raises:
            ShopSphereError: the stack's state cannot be read.
        """
        state = self._look()
        if self._is_held(state):
            return
        if self._state is None or state.version != self._state.version:
            self._edge, self._signs = declared_edge(self._export()), None
            self._state = state
        signs, now = self._read_signs(), self._clock.monotonic()
        if signs is not None and signs == self._signs and now < self._next_whole:
            return
        found = self._judge()
        new = self._published is None or set(found.drifts) - set(self._published.drifts)
        if found.drifts and new:  # a change of role writes one authority after the other
            self._clock.sleep(AGAIN_SECONDS)
            found = self._judge()
        if self._look() != state:
            return  # a deployment began, or ended: the next look reads what is declared then
        self._signs, self._next_whole = signs, now + WHOLE_SECONDS
        self._tell(found)

    def _judge(self) -> SiteDrift:
        return judge_edge(self._edge, self._deploy, dns=self._reach.dns, cdn=self._reach.cdn)

    def _is_held(self, state: StateLook) -> bool:
        now = self._clock.monotonic()
        self._held_since = (self._held_since or now) if state.held_by else None
        return self._held_since is not None and now - self._held_since < HOLD_SECONDS

    def _read_signs(self) -> object:
        """Return what moves when somebody writes; None where something does not answer: then all is looked at."""
        try:
            serials = [
                (authority.name, sorted(authority.serials().items()))
                for zone in self._edge.zones.values()
                for authority in self._reach.dns(zone.authorities)
            ]
            settings = []
            for name in self._edge.one_of_each_cdn:
                cdn = self._reach.cdn(self._edge.cdns[name])
                settings.append(([(other, cdn.get(other)) for other in cdn.names()], cdn.told_otherwise()))
        except ShopSphereError:
            return None
        return serials, settings

    def _tell(self, found: SiteDrift) -> None:
        before = self._published
        if before is not None and found.unseen:  # what cannot be seen now is not gone
            kept = [each for each in before.drifts if each not in found.drifts]
            found = replace(found, drifts=(*found.drifts, *kept), declared=before.declared)
        if before is None or (before.drifts, before.unseen) != (found.drifts, found.unseen):
            self._published = found
            self._publish(found)
