"""Whether the ledger waits for the instances beside it, and which of them may lead in its place (ADR 45).

What safety rests on: an instance is named as a complete copy only while PostgreSQL waits for it and it has all that was
written before. The site's API server lets no other one lead. So the name is taken back in the same change that lets the
ledger go on without the instance, and given only when the ledger has been seen to wait, and the copy to be complete.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from runbooks.agent.patience import Patience
from shopsphere.clients.postgres import follower_in, followers_in, has_one_leader
from shopsphere.estate.databases import COMPLETE_COPIES
from shopsphere.foundation.clock import Clock, held_since

LEFT_AFTER = 4.0
"""Seconds without an instance beside it until the ledger goes on without; PostgreSQL takes 5 s to notice a cut line."""
SURE_AFTER = 4.0
"""Seconds for which the ledger must be seen to wait for the instances beside it: all its processes know of it then."""
_FIRST = re.compile(r"FIRST (\d+) \((.*)\)")
_NAME = re.compile(r'"([^"]+)"')


def waited_for(setting: str) -> frozenset[str]:
    """Return whom PostgreSQL waits for by `synchronous_standby_names`: those that all have to confirm, or nobody.

    Of `FIRST 1 (a, b)` nobody: where `a` is away, `b` confirms alone.
    """
    found = _FIRST.fullmatch(setting)
    names = frozenset(_NAME.findall(found[2])) if found else frozenset()
    return names if found and int(found[1]) >= len(names) else frozenset()


@dataclass(frozen=True)
class CopiesSeen:
    """The instances beside the leading one, at one moment.

    Attributes:
        wanted: how many there have to be.
        names: those that the operator has.
        told: how many of them the ledger is told to wait for.
        waited: those that PostgreSQL waits for.
        streaming: those that are connected and receive rows as they are written.
        confirming: those that PostgreSQL counts as synchronous standbys.
        replayed: how far the last of them has replayed the WAL (bytes since its beginning).
        complete: those that may lead.
        settled: no other instance is about to lead.
        doubled: several followers have one of the names that PostgreSQL waits for. It counts them as several, and
            acknowledges what another name lacks.
    """

    wanted: int = 0
    names: frozenset[str] = frozenset()
    told: int = 0
    waited: frozenset[str] = frozenset()
    streaming: frozenset[str] = frozenset()
    confirming: frozenset[str] = frozenset()
    replayed: int = 0
    complete: frozenset[str] = frozenset()
    settled: bool = True
    doubled: bool = False

    @property
    def all_stream(self) -> bool:
        """Whether as many as there have to be are there, and receive rows."""
        return len(self.names) == self.wanted > 0 and self.names <= self.streaming

    @property
    def all_confirm(self) -> bool:
        """Whether the ledger waits for exactly these, and each confirms."""
        loaded = self.told == self.wanted and self.waited == self.names
        return self.all_stream and loaded and self.names <= self.confirming and not self.doubled

    @property
    def may_lack(self) -> bool:
        """Whether payments are acknowledged that one which may lead lacks: it streams, and does not count."""
        return self.doubled or not self.complete & self.streaming <= self.confirming

    @property
    def differ(self) -> bool:
        """Whether PostgreSQL waits for others than it is told."""
        return self.waited != (self.names if self.told else frozenset())


class Step(Enum):
    """The next thing to do."""

    NOTHING = "nothing"
    LEAVE = "the ledger goes on without the instances beside it, and none of them may lead"
    WAIT = "the ledger is to wait for the instances beside it"
    REVOKE = "no instance beside the ledger's may lead"
    ALLOW = "an instance beside the ledger's may lead"


def next_step(seen: CopiesSeen, *, away: float, has_all: bool, goal: int | None, steady: bool = True) -> Step:
    """Return the next thing to do.

    Args:
        seen: the instances.
        away: seconds for which not all of them have been seen to stream.
        has_all: whether each of them has whatever was acknowledged, and the ledger waits for it.
        goal: where the ledger's WAL ended a look ago. Told to wait for an instance that has not replayed it, every
            payment would stand still until it has.
        steady: all of them have streamed for as long as is asked of who was let go again and again.
    """
    if not seen.settled:
        return Step.NOTHING
    if seen.told:
        if away >= LEFT_AFTER or seen.told != seen.wanted:
            return Step.LEAVE
        if seen.complete and (seen.complete != seen.waited or seen.may_lack):
            return Step.REVOKE  # the operator has replaced an instance, or PostgreSQL does not wait for it
        return Step.ALLOW if has_all and not seen.complete else Step.NOTHING
    if seen.complete:
        return Step.REVOKE
    # While PostgreSQL still waits, an earlier change has not reached it.
    caught_up = goal is not None and seen.replayed >= goal
    ready = seen.all_stream and steady and caught_up
    return Step.WAIT if ready and not seen.waited & seen.names else Step.NOTHING


class CopyKeeper:
    """Counts for how long what is seen has been so; used by one thread.

    Args:
        clock: replaceable in tests.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._patience = clock, Patience(clock)
        self.forget()

    def forget(self) -> None:
        """Start to count anew: writes are not open here."""
        self._patience.forget()
        self.pause()

    def pause(self) -> None:
        """Start to count seconds anew; how often somebody was let go is kept."""
        self._away_since: float | None = None
        self._waiting_since: float | None = None
        self._names: frozenset[str] = frozenset()
        self._bound: int | None = None

    def look(self, seen: CopiesSeen, *, written: int, goal: int | None, gone: bool = False) -> Step:
        """Take in what was seen and return the next thing to do.

        Args:
            seen: the instances.
            written: where the ledger's WAL ends now.
            goal: where it ended a look ago.
            gone: those that do not stream will not within seconds: nothing is won by waiting for them.
        """
        now = self._clock.monotonic()
        self._away_since = held_since(self._away_since, now, holds=not seen.all_stream)
        if not seen.all_confirm or seen.names != self._names:
            self._waiting_since = self._bound = None
        if seen.all_confirm and self._waiting_since is None:
            self._waiting_since, self._names = now, seen.names
        if self._bound is None and self._waiting_since is not None and now - self._waiting_since >= SURE_AFTER:
            # A process of PostgreSQL that learnt late of the names may have let go a payment without them until now. It
            # lies before this bound; the copies confirm whatever comes after.
            self._bound = written
        away = 0.0 if self._away_since is None else math.inf if gone else now - self._away_since
        has_all = self._bound is not None and seen.replayed >= self._bound
        steady = self._patience.look(told=seen.told > 0, streams=seen.all_stream)
        return next_step(seen, away=away, has_all=has_all, goal=goal, steady=steady)


def read_copies(document: Mapping[str, Any], answer: Mapping[str, Any]) -> CopiesSeen:
    """Return what a cluster's document and its leading instance's answer say of the instances beside that one."""
    spec, status = document["spec"], document.get("status", {})
    told = spec.get("postgresql", {}).get("synchronous") or {}
    beside = int(told.get("maxStandbyNamesFromCluster") or 0)
    names = frozenset(status.get("instanceNames") or ()) - {status.get("currentPrimary")}
    followers = {name: follower_in(answer, name) for name in names}
    complete = document["metadata"].get("annotations", {}).get(COMPLETE_COPIES, "")
    return CopiesSeen(
        wanted=int(spec.get("instances") or 1) - 1,
        names=names,
        told=beside if told.get("number") == len(told.get("standbyNamesPre") or ()) + beside else 0,
        waited=waited_for(answer["waits_for"]) & names,
        streaming=frozenset(name for name, each in followers.items() if each.get("state") == "streaming"),
        confirming=frozenset(name for name, each in followers.items() if each.get("sync") == "sync"),
        replayed=min((int(each.get("replayed") or 0) for each in followers.values()), default=0),
        complete=frozenset(name for name in complete.split(",") if name),
        settled=has_one_leader(document),
        doubled=any(len(followers_in(answer, name)) > 1 for name in _NAME.findall(answer["waits_for"])),
    )
