"""Unattended detection: a pair whose lease to write nobody holds has stopped, and may be moved.

The sign is the same one that makes moving safe: when the lease has run out at the witness, the active site has shut
itself off, whatever happened to it. No probe from outside decides, so that a watcher whose own lines are cut can only
be late, never wrong.

A move is prepared before that sign: when the lease has not been renewed for so long that its site is about to shut
itself off, the operators' lock is taken, and both sites are looked at. The pair is as it was until the sign is there,
and its agents are told nothing; a lease that is renewed ends it (ADR 59).

A lease that is held says that a site may write, not that it serves anybody: databases may be dead, fenced or full, and
the shop down. That is looked at beside it. It never moves a pair by itself, but a person is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from runbooks.beginning import MayBegin
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding, Verdict
from shopsphere.witness import Phase, Sync, Witness, WitnessConflictError
from shopsphere.witness.seen import Seen

LOOK_EVERY = 0.5
SURE_AFTER = 1.0
"""Seconds without a lease: an agent that gave it back, or that came a moment too late, has it again by then.

One that is seen to run out is not waited for: its site has been silent for its 10 s, and has shut itself off 3 s ago.
"""
PREPARES_AT = 4
"""Whole seconds that are left of a lease when a move is prepared: of 10, and it is renewed each 1.5 s.

etcd leaves out the part of a second, so less than 5 s are left.
"""
PREPARED_SECONDS = 15.0
"""Bound on the wait of a prepared move for the sign: the lease ends within 5 s, and etcd says so within one more."""
PREPARES_AGAIN_AFTER = 60.0
"""Seconds until the next one is prepared where a lease was renewed at the last moment: each takes the lock."""
PREPARES_AFTER_ERROR = 5.0
"""The same where one could not be prepared: another operator has the lock, or somebody did not answer."""
_LOOKS_AGAIN_AFTER = 0.1

AGAIN_AFTER = 60.0
"""Pause after a move that failed: whoever is called meanwhile finds the pair at rest."""

SIGN_OF_LIFE_EVERY = 60.0
"""Seconds after which what has not changed is said again: silence could as well be a watcher that hangs."""


class Sign(Enum):
    """What a look says."""

    WELL = "the lease is held, databases and shop answer"
    HELD = "the lease is held; WHETHER IT SERVES CUSTOMERS IS NOT KNOWN"
    ILL = "the lease is held, BUT CUSTOMERS ARE NOT SERVED: a person has to look"
    LAPSING = "the lease is not renewed; a move is prepared"
    UNSURE = "nobody holds the lease; looking again"
    MOVE = "nobody holds the lease, and nothing would be lost"
    LOSS = "NO SITE TAKES WRITES, and moving the pair could lose payments: a person has to decide"
    BUSY = "a change is under way"
    LEFT = "A CHANGE WAS BEGUN AND NOBODY CARRIES IT ON: a person has to finish it, or to take it back with --abort"
    NEW = "the pair has never been started"


class RenewedError(ShopSphereError):
    """What looked like a lost site renewed its lease, or may not be left without a person."""


CALLING = frozenset({Sign.ILL, Sign.HELD, Sign.LOSS, Sign.LEFT})
"""Signs at which a person is called, once they have lasted for CALL_AFTER."""
CALL_AFTER = 30.0
"""Seconds: three looks at databases and shop; a pod that is replaced is back by then."""


def judge(seen: Seen, *, locked: bool, without: float, service: Finding, sure_after: float = SURE_AFTER) -> Sign:
    """Decide from what the witness says, and from what databases and shop of the active site do.

    Args:
        seen: record and lease.
        locked: whether an operator is at work.
        without: for how many seconds the witness has named no holder.
        service: whether customers are served.
        sure_after: seconds without a holder after which there is none.
    """
    if seen.record is None:
        return Sign.NEW
    if locked:
        return Sign.BUSY
    if seen.record.phase is not Phase.STEADY:
        return Sign.LEFT  # for a moment also where an operator has just begun or ended
    if seen.lease_holder:
        return {Verdict.PASSED: Sign.WELL, Verdict.FAILED: Sign.ILL, Verdict.UNKNOWN: Sign.HELD}[service.verdict]
    if without < sure_after:
        return Sign.UNSURE
    return Sign.MOVE if seen.record.sync is Sync.ON else Sign.LOSS


Move = Callable[[str, MayBegin], object]
"""Moves the pair, for a reason; calls the second before it changes anything."""


@dataclass
class Watcher:
    """Looks at one pair's witness until it is interrupted.

    Attributes:
        witness: the pair's.
        move: makes the other site active, for a reason; raises ShopSphereError when it cannot. Before it changes
            anything of the pair it calls what it is given, which waits for the sign, or raises RenewedError. None:
            only say so.
        tell: gets one line per change, and one a minute while nothing changes.
        service: returns what was found last of databases and shop.
        call: calls a person, with what there is to say; once for each reason.
        clock: replaceable in tests.
    """

    witness: Witness
    move: Move | None
    tell: Callable[[str], None]
    service: Callable[[], Finding]
    call: Callable[[str], None]
    clock: Clock = SYSTEM_CLOCK
    _bad_since: float | None = None
    _called: str = ""
    _since: float | None = None
    _said: str = ""
    _said_since: float = 0.0
    _told_at: float = 0.0
    _prepares_from: float = -math.inf
    _lasts_until: float = math.inf
    _begun: bool = False

    def run(self) -> None:
        """Look, and act on what is seen, without end."""
        while True:
            self.clock.sleep(AGAIN_AFTER if self.look() is False else LOOK_EVERY)

    def look(self) -> bool | None:
        """Look once; returns whether a move that was begun succeeded, None when none was."""
        try:
            seen, locked = self.witness.see(), self.witness.locked_by() is not None
        except ShopSphereError as error:
            self._since = None  # what was not seen is not counted
            self._say(f"unknown: {one_line(error)}")
            self._mind("the witness does not answer", one_line(error))
            return None
        service, self._lasts_until = self.service(), math.inf
        sign = self._judge(seen, service, locked=locked)
        if sign in {Sign.WELL, Sign.ILL, Sign.HELD} and self._is_lapsing(seen):
            sign = Sign.LAPSING
        active = seen.record.active if seen.record else "no site"
        found = _whose_change(seen) if sign is Sign.LEFT else service.found
        details = f" ({found})" if sign in {Sign.ILL, Sign.HELD, Sign.LEFT} else ""
        self._say(f"{active} is active: {sign.value}{details}")
        if sign is not Sign.LAPSING:  # for a moment; what a person was called for before it is remembered
            self._mind(f"{active} is active: {sign.value}" if sign in CALLING else "", found)
        if self.move is None or sign not in {Sign.MOVE, Sign.LAPSING}:
            return None
        return self._carry_out(self.move, prepares=sign is Sign.LAPSING)

    def _judge(self, seen: Seen, service: Finding, *, locked: bool) -> Sign:
        now = self.clock.monotonic()
        self._since = None if seen.lease_holder else self._since or now
        without = now - self._since if self._since is not None else 0.0
        lapsed = self._since is not None and self._since >= self._lasts_until
        sure_after = 0.0 if lapsed else SURE_AFTER  # one that ended earlier was given back
        return judge(seen, locked=locked, without=without, service=service, sure_after=sure_after)

    def _is_lapsing(self, seen: Seen) -> bool:
        """Whether a move is worth preparing, as long as nothing would be lost by it."""
        record = seen.record
        if self.move is None or record is None or record.sync is not Sync.ON:
            return False
        return self.clock.monotonic() >= self._prepares_from and self._is_nearly_over(seen)

    def _is_nearly_over(self, seen: Seen) -> bool:
        asked = self.clock.monotonic()
        try:
            left = self.witness.seconds_left(seen)
        except ShopSphereError:
            return False  # what is not known is not prepared for
        self._lasts_until = asked + left
        return left <= PREPARES_AT

    def _await_sign(self, is_ending: Callable[[], None]) -> None:
        """Wait until a move that was prepared may begin.

        Args:
            is_ending: called when the last second of the lease has come, or it is gone; anew where it is held again.

        Raises:
            RenewedError: it may not: the lease was renewed, or payments could be lost by now.
        """
        end, found = self.clock.monotonic() + PREPARED_SECONDS, "no answer of the witness"
        told = False
        while self.clock.monotonic() < end:
            try:
                seen = self.witness.see()
            except ShopSphereError:  # what was not seen is not counted, and what agents said before it is old
                self._since, self._lasts_until, told = None, math.inf, False
            else:
                sign = self._judge(seen, self.service(), locked=False)
                lapses = bool(seen.lease_holder) and self._is_nearly_over(seen)
                ends = not seen.lease_holder or (lapses and self.clock.monotonic() >= self._lasts_until)
                if ends and not told:
                    is_ending()
                told = ends
                if sign is Sign.MOVE:
                    self._begun = True
                    return
                found = sign.value
                if sign is not Sign.UNSURE and not lapses:
                    break
            self.clock.sleep(_LOOKS_AGAIN_AFTER)
        self._prepares_from = self.clock.monotonic() + PREPARES_AGAIN_AFTER
        raise RenewedError(f"the pair is left as it is: {found}")

    def _carry_out(self, move: Move, *, prepares: bool) -> bool | None:
        """Return whether a move succeeded; None where it was not begun, for a reason that is no fault of the pair's."""
        self._begun, self._prepares_from = False, self.clock.monotonic() + PREPARES_AFTER_ERROR
        was = "renewed" if prepares else "held"
        try:
            move(f"unattended: nobody {was} the lease at {datetime.now(UTC):%H:%M:%S} UTC", self._await_sign)
        except WitnessConflictError as error:  # as it is raised by the lock alone; the next look says who is at work
            self.tell(f"nothing was changed: {one_line(error)}")
            return None
        except ShopSphereError as error:
            if prepares and not self._begun:
                self.tell(f"nothing was changed: {one_line(error)}")
                return None
            self.tell(f"the move stopped; a person has to look: {one_line(error)}")
            self.call(f"the move stopped: {one_line(error)}")
            return False
        return True

    def _mind(self, reason: str, details: str) -> None:
        """Call a person when something has been wrong for long enough, and not again for the same."""
        now = self.clock.monotonic()
        if not reason:
            self._bad_since, self._called = None, ""
            return
        self._bad_since = now if self._bad_since is None else self._bad_since
        if now - self._bad_since >= CALL_AFTER and reason != self._called:
            self._called = reason
            self.call(f"{reason} ({details})")

    def _say(self, line: str) -> None:
        now = self.clock.monotonic()
        if line != self._said:
            self._said, self._said_since, self._told_at = line, now, now
            self.tell(line)
        elif now - self._told_at >= SIGN_OF_LIFE_EVERY:
            self._told_at = now
            self.tell(f"{line} (unchanged for {(now - self._said_since) / 60:.0f} min)")


def _whose_change(seen: Seen) -> str:
    record = seen.record
    return f"{record.phase}, by {record.actor}: {record.reason}" if record else ""
