"""All sites of a target under watch, side by side: what is found, what is gone, and what is not known any more."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial

from shopsphere.clients.site_cluster import cluster_of
from shopsphere.deploy.exporting import exported_state
from shopsphere.deploy.state_version import look_of
from shopsphere.drift.edge_watch import EdgeWatch
from shopsphere.drift.hosts import look_at_hosts
from shopsphere.drift.hosts_watch import FIRST_SECONDS, HostsWatch, Joined
from shopsphere.drift.ignores import Ignore, read_ignores
from shopsphere.drift.looking import ANSWER_SECONDS, report, rights_at, rules_of
from shopsphere.drift.model import Drift, Report, SiteDrift, Unseen
from shopsphere.drift.repair import repair_at
from shopsphere.drift.site_watch import SiteWatch
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, edge_stack, site_stack, sites_of
from shopsphere.foundation import bounded
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import told
from shopsphere.topology import Topology

HEARTBEAT_SECONDS = 60.0
"""So often (s) it is said again what is not known."""
AGAIN_SECONDS = 30.0
"""Pause (s) before a site whose watch could not begin, or failed, is tried again."""
SILENT_SECONDS = 180.0
"""A watch that has not looked for so long (s) hangs; reading a state takes up to 60."""
_TURN_SECONDS = 0.5
_WHOLE = "the whole site"

Publish = Callable[[SiteDrift], object]
Alive = Callable[[], object]
Begin = Callable[[StackId, Publish, threading.Event, Alive], None]
"""Watches one stack until it is told to stop."""


class Happening(StrEnum):
    """What a line says."""

    WATCHING = "watching"
    """A site is seen for the first time."""

    FOUND = "found"
    """Something differs now, or differs in another way than before."""

    GONE = "gone"
    """It differs no more."""

    UNKNOWN = "unknown"
    """Something cannot be looked at; said again every minute."""

    KNOWN = "known again"
    """It can be looked at again."""


@dataclass(frozen=True)
class Event:
    """One line.

    Attributes:
        what: of the five.
        at: when (UTC).
        about: a finding, something that cannot be looked at, or a site.
    """

    what: Happening
    at: datetime
    about: Drift | Unseen | SiteDrift


Tell = Callable[[Event], object]


def watch(
    topology: Topology, target: str, environment: Environment, tell: Tell, *, stopped: threading.Event, seconds: float
) -> Report:
    """Watch the sites of a target, and the edge, and return what is known at the end.

    Args:
        topology: names the sites.
        target: a region, a site, `edge` or `all`.
        environment: where the stacks live.
        tell: is given each event, by this thread.
        stopped: ends the watch.
        seconds: ends it too (s).
    """
    stacks = [site_stack(topology, site, environment) for site in sites_of(topology, target)]
    if target in {EDGE, EVERYTHING}:
        stacks.append(edge_stack(environment))
    watching = Watching(target, environment, stacks, read_ignores(), partial(begin, topology))
    return watching.run(tell, stopped=stopped, seconds=seconds)


def begin(topology: Topology, stack: StackId, publish: Publish, stopped: threading.Event, alive: Alive) -> None:
    """Watch one stack.

    Raises:
        ShopSphereError: it cannot be reached from here.
    """
    look, export = look_of(stack), partial(exported_state, stack)
    if stack.site is None:
        deploy = f"shopsphere up {EDGE} --environment {stack.environment} --refresh"
        EdgeWatch(deploy, look, export, publish).run(stopped, alive)
        return
    repair = repair_at(stack)
    cluster = cluster_of(stack, Role.DRIFT, seconds=ANSWER_SECONDS)
    joined, ended = Joined(stack.label, publish), threading.Event()
    rules = rules_of(topology, stack)
    rights = rights_at(topology, stack, rules)
    hosts = HostsWatch(stack.label, partial(look_at_hosts, rules, cluster, repair), joined.hosts)
    bounded.start(partial(hosts.run, ended), name=f"hosts of {stack.label}")
    try:
        joined.knows_hosts.wait(FIRST_SECONDS)
        SiteWatch(repair, rights, cluster, look, export, joined.objects).run(stopped, alive)
    finally:
        ended.set()


class Watching:
    """The watches of all sites, each in a thread of its own.

    Args:
        target: what was asked about.
        environment: where the stacks live.
        stacks: all that is watched.
        ignores: accepted differences.
        begin_one: watches one stack.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        target: str,
        environment: str,
        stacks: Sequence[StackId],
        ignores: Sequence[Ignore],
        begin_one: Begin,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._target, self._environment, self._stacks, self._ignores = target, environment, stacks, ignores
        self._begin, self._clock = begin_one, clock
        self._news: queue.SimpleQueue[SiteDrift] = queue.SimpleQueue()
        self._latest: dict[str, SiteDrift] = {}
        self._alive = {stack.label: clock.monotonic() for stack in stacks}
        self._told = Report(target, environment, (), ())
        self._was_silent: set[str] = set()
        self._watched: set[str] = set()
        self._next_heartbeat = clock.monotonic() + HEARTBEAT_SECONDS

    def run(self, tell: Tell, *, stopped: threading.Event, seconds: float) -> Report:
        """Watch until `stopped`, or until `seconds` are over, and return what is known then."""
        end = self._clock.monotonic() + seconds
        for stack in self._stacks:
            bounded.start(partial(self._keep, stack, stopped), name=f"watch of {stack.label}")
        while not stopped.is_set() and self._clock.monotonic() < end:
            for event in self.turn(min(_TURN_SECONDS, max(end - self._clock.monotonic(), 0.01))):
                tell(event)
        stopped.set()
        missing = [stack.label for stack in self._stacks if stack.label not in self._latest]
        return self._report([*self._sites(), *(self._unknown(label, "not looked at yet") for label in missing)])

    def news(self, found: SiteDrift) -> None:
        """Take what is known of a site; any thread may call it."""
        self._news.put(found)

    def turn(self, seconds: float) -> list[Event]:
        """Wait for news, at most `seconds`, and return what they mean."""
        new: dict[str, SiteDrift] = {}
        try:
            found = self._news.get(timeout=seconds)
            while True:
                new[found.site] = found
                found = self._news.get_nowait()
        except queue.Empty:
            pass
        silent, was_silent = self._silent(), self._was_silent
        is_time = self._clock.monotonic() >= self._next_heartbeat
        if not new and not is_time and silent == was_silent:
            return []
        now = datetime.now(UTC)
        first = [each for label, each in new.items() if label not in self._watched and (each.live or not each.unseen)]
        self._watched |= {each.site for each in first}
        self._latest |= new
        self._was_silent = silent
        told, self._told = self._told, self._report(self._sites())
        events = [Event(Happening.WATCHING, now, each) for each in first]
        events += [Event(what, now, about) for what, about in changes(told, self._told)]
        if is_time:
            self._next_heartbeat = self._clock.monotonic() + HEARTBEAT_SECONDS
            said = [event.about for event in events]
            events += [Event(Happening.UNKNOWN, now, each) for each in self._told.unseen if each not in said]
        return events

    def _keep(self, stack: StackId, stopped: threading.Event) -> None:
        """Watch one stack; begin anew when that fails."""
        while not stopped.is_set():
            self._is_alive(stack.label)
            try:
                self._begin(stack, self.news, stopped, partial(self._is_alive, stack.label))
            except Exception as error:  # noqa: BLE001 - whatever keeps a site from being watched, it is unknown
                why = told(error)
                self.news(self._unknown(stack.label, why))
            stopped.wait(AGAIN_SECONDS)

    def _is_alive(self, label: str) -> None:
        self._alive[label] = self._clock.monotonic()

    def _silent(self) -> set[str]:
        """Return the stacks whose watch hangs."""
        now = self._clock.monotonic()
        return {label for label, at in self._alive.items() if now - at >= SILENT_SECONDS}

    def _sites(self) -> list[SiteDrift]:
        why = f"its watch has not looked for {SILENT_SECONDS:.0f} s"
        hanging = {label: self._unknown(label, why) for label in self._was_silent}
        return [*(self._latest | hanging).values()]

    def _unknown(self, label: str, why: str) -> SiteDrift:
        """Return a site of which nothing is known any more: what was found before is not gone by that."""
        return replace(self._latest.get(label, SiteDrift(label)), unseen=(Unseen(label, _WHOLE, why),))

    def _report(self, sites: Sequence[SiteDrift]) -> Report:
        return report(self._target, self._environment, sites, self._ignores, datetime.now(UTC).date())


def changes(before: Report, now: Report) -> Iterator[tuple[Happening, Drift | Unseen]]:
    """Yield what differs from one report to the next."""
    old, new = _by_place(before.drifts), _by_place(now.drifts)
    yield from ((Happening.GONE, drift) for place, drift in old.items() if place not in new)
    for place, drift in new.items():
        if place not in old or _shown(old[place]) != _shown(drift):
            yield Happening.FOUND, drift
    unknown, was_unknown = {(each.site, each.what) for each in now.unseen}, {(e.site, e.what) for e in before.unseen}
    yield from ((Happening.UNKNOWN, each) for each in now.unseen if (each.site, each.what) not in was_unknown)
    yield from ((Happening.KNOWN, each) for each in before.unseen if (each.site, each.what) not in unknown)


def _by_place(drifts: Sequence[Drift]) -> Mapping[tuple[str, ...], Drift]:
    return {(each.site, each.object, each.field, each.kind): each for each in drifts}


def _shown(drift: Drift) -> tuple[str, ...]:
    """Return what makes it another finding; a manager's time moves whenever it writes anything to the object."""
    return drift.declared, drift.live, drift.author.manager if drift.author else ""
