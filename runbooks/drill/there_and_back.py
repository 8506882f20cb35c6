"""Carrying a drill out: failover, checks, failback, checks; it can be killed anywhere and called again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbooks import operate
from runbooks.change import PLANNED
from runbooks.drill.runs import moves_in, runs_since
from runbooks.drill.stage import Stage, stage_of, unfinished
from runbooks.engine import DryRun
from runbooks.readiness.drill_record import DrillRecord, Result, last_drill, save
from runbooks.readiness.score import Readiness, readiness_of
from shopsphere.estate.paths import records_directory, require_records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock, WaitExpiredError, wait_until
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Verdict
from shopsphere.foundation.progress import say, step
from shopsphere.topology import Topology
from shopsphere.witness import PairRecord
from shopsphere.witness.access import acting, see_once

BEFORE, AWAY, HOME = "before", "away", "home"
SETTLE_SECONDS = 90.0
"""Bound on the wait for all checks after a move: the old site has to follow, and the ledger to become synchronous."""
LOOK_EVERY = 2.0
MOST_ASKED = 5
"""How often a drill asks before it begins, while there are checks without an answer."""


class DrillError(ShopSphereError):
    """A drill was not begun, could not go on, or was red."""


@dataclass(frozen=True)
class DrillRequest:
    """What an operator asks for.

    Attributes:
        pair: its name.
        environment: lab or prod.
        reason: why, in the operator's words.
    """

    pair: str
    environment: Environment
    reason: str

    def move(self, target: str, reason: str) -> operate.Request:
        """Return the planned failover to a site; empty for the one that is not active."""
        return operate.Request(
            operate.FAILOVER, self.pair, self.environment, PLANNED, target, reason, accept_data_loss=False
        )


@dataclass(frozen=True)
class Outlook:
    """What a drill would do now.

    Attributes:
        unfinished: the drill that it would go on with, and with what; empty when it would begin a new one.
        readiness: of the pair now.
        failover: the dry run of its next move; None when both were made and only the last checks are left.
    """

    unfinished: str
    readiness: Readiness
    failover: DryRun | None

    def require_clear(self) -> None:
        """Refuse where `carry_out` would.

        Raises:
            BlockedError: a step of the next move is blocked.
            DrillError: the pair is not ready, and there is no unfinished drill to go on with.
        """
        if not self.unfinished:
            require_ready(self.readiness)
        if self.failover:
            self.failover.require_clear()


def look(topology: Topology, request: DrillRequest) -> Outlook:
    """Say what would happen, without doing any of it."""
    left = _unfinished(request)
    words = f"the drill of {_title(left[0])} ({left[0].actor}: {left[0].reason}), next: {left[1]}" if left else ""
    both_made = left is not None and left[1] is Stage.HOME
    return Outlook(
        words,
        readiness_of(topology, request.pair, request.environment),
        None if both_made else operate.look(topology, request.move("", request.reason)),
    )


def carry_out(topology: Topology, request: DrillRequest, *, clock: Clock = SYSTEM_CLOCK) -> Path:
    """Hold a drill, or go on with one that was killed; returns the file of its record.

    Raises:
        DrillError: the pair was not ready; or the drill is red, and the message says where the pair is now.
    """
    left = _unfinished(request)
    if left is not None:
        drill, stage = left
        say(f"going on with the drill of {_title(drill)}, next: {stage}")
    else:
        drill, stage = _begin(topology, request, clock), Stage.OUT
    return _Drill(topology, request, drill, clock).carry_out(stage)


def require_ready(readiness: Readiness) -> None:
    """Refuse a drill of a pair that would not pass the checks after it either.

    Raises:
        DrillError: names every check that does not pass, but for the one of the last drill.
    """
    if readiness.blockers:
        raise DrillError.build(
            f"{readiness.pair} is not ready for a drill",
            expected="every check to pass, except that of the last drill",
            found="\n            ".join(each.line for each in readiness.blockers),
            action=f"`shopsphere ready {readiness.pair}` says what to do about each",
        )


def _title(drill: DrillRecord) -> str:
    return f"{drill.began:%Y-%m-%d %H:%M} UTC"


def _begin(topology: Topology, request: DrillRequest, clock: Clock) -> DrillRecord:
    readiness = _asked(topology, request, clock)
    require_ready(readiness)
    record = _witness_record(request)
    drill = DrillRecord(
        pair=request.pair,
        environment=request.environment,
        home=record.active,
        away=topology.pair(request.pair).other_than(record.active),
        epoch=record.epoch,
        actor=acting(request.pair, request.environment),
        reason=request.reason,
        began=datetime.now(UTC),
        checks={BEFORE: readiness.findings},
    )
    save(records_directory(request.environment), drill)
    return drill


def _asked(topology: Topology, request: DrillRequest, clock: Clock) -> Readiness:
    """Return what the checks find; what did not answer in time is asked again, for a site may just be busy."""
    for _ in range(MOST_ASKED - 1):
        found = readiness_of(topology, request.pair, request.environment)
        if not any(each.verdict is Verdict.UNKNOWN for each in found.blockers):
            return found
        clock.sleep(LOOK_EVERY)
    return readiness_of(topology, request.pair, request.environment)


def _unfinished(request: DrillRequest) -> tuple[DrillRecord, Stage] | None:
    """Return the drill to go on with and where it stands.

    One that had moved nothing yet, or whose pair somebody else moved since, is left as it is: a new one follows it.
    """
    drill = last_drill(records_directory(request.environment), request.pair, request.environment)
    if drill is None or drill.ended is not None:
        return None
    stage = stage_of(drill, _witness_record(request), runs_since(records_directory(request.environment), drill))
    return None if stage in {Stage.BEGIN, Stage.FOREIGN} else (drill, stage)


def _witness_record(request: DrillRequest) -> PairRecord:
    return see_once(request.pair, request.environment).require_record(request.pair)


class _Drill:
    """One drill on its way."""

    def __init__(self, topology: Topology, request: DrillRequest, record: DrillRecord, clock: Clock) -> None:
        self._topology, self._request, self._clock = topology, request, clock
        self._directory = require_records_directory(request.environment)
        self._record = record

    def carry_out(self, stage: Stage) -> Path:
        if stage is Stage.OUT:
            self._move(self._record.away)
        if stage in {Stage.OUT, Stage.BACK}:
            # In the middle of the way back the pair is not at rest, so that the checks could only fail.
            if unfinished(runs_since(self._directory, self._record)) is None:
                self._check(AWAY)
            self._move(self._record.home)
        self._check(HOME)
        return self._end()

    def _move(self, target: str) -> None:
        say(f"drill: planned failover to {target}")
        try:
            operate.carry_out(self._topology, self._request.move(target, self._record.run_reason))
        except ShopSphereError as error:
            self._keep(self._record.spoiled(f"the failover to {target} did not succeed: {one_line(error)}"))
            raise DrillError.build(
                f"drill of {self._record.pair}: the failover to {target} did not succeed; the drill is red",
                expected=f"{self._record.home} active again at its end",
                found=f"{self._whereabouts()}\n            {one_line(error)}",
                action=f'fix the cause, then `shopsphere drill {self._record.pair} --execute --reason "..."`: it goes '
                f"on here and brings {self._record.home} back",
            ) from error
        self._keep(self._record.changed(moves=moves_in(self._directory, self._record)))

    def _check(self, where: str) -> None:
        found = self._settled(f"drill: every check passes ({where})")
        drill = self._record.changed(checks={**self._record.checks, where: found.findings})
        for each in found.blockers:
            drill = drill.spoiled(f"{where}: {each.line}")
        self._keep(drill)

    def _settled(self, title: str) -> Readiness:
        """Wait until all checks pass; return what they found last, whether they do or not."""
        last: list[Readiness] = []

        def passes() -> bool:
            last[:] = [readiness_of(self._topology, self._request.pair, self._request.environment)]
            return not last[0].blockers

        with step(title) as line:
            try:
                wait_until(passes, what=title, seconds=SETTLE_SECONDS, interval=LOOK_EVERY, clock=self._clock)
            except WaitExpiredError:
                line.note = f"NOT within {SETTLE_SECONDS:.0f} s: {', '.join(e.check for e in last[0].blockers)}"
        return last[0]

    def _end(self) -> Path:
        drill = self._record
        moves = moves_in(self._directory, drill)
        file = self._keep(drill.changed(moves=moves, ended=datetime.now(UTC), result=drill.result or Result.GREEN))
        if drill.result is Result.RED:
            raise DrillError.build(
                f"drill of {drill.pair}: red; its record is {file}",
                expected="both moves and all checks to succeed",
                found="\n            ".join((self._whereabouts(), *drill.problems)),
                action=f"fix that, then hold another drill; `shopsphere ready {drill.pair}` says how things stand",
            )
        return file

    def _keep(self, record: DrillRecord) -> Path:
        self._record = record
        return save(self._directory, record)

    def _whereabouts(self) -> str:
        try:
            record = _witness_record(self._request)
        except ShopSphereError as error:
            return f"which site is active now is not known: {one_line(error)}"
        return f"{record.active} is active now, in epoch {record.epoch} ({record.phase})"
