"""What the door refused, in the agent's log: one line of an address a minute, and so many lines of each kind."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from runbooks.agent.log import tell
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock

QUIET_SECONDS = 60.0
"""After a line of an address its next one waits for so long (s); so often is told what was not written."""
ADDRESSES = 256
"""Of so many addresses something is remembered; the one that is longest away is forgotten first."""
MOST_LINES = 20
"""Lines of one minute of one kind of refusal, so that many addresses cannot fill the log, nor hide another kind."""
MOST_KINDS = 8
"""Kinds of a minute that have lines of their own; all others share those of one more."""
MOST_NAMED = 5
"""Addresses that a line names."""
OTHERS = "other"
_LONGEST = 80


@dataclass(slots=True)
class _Told:
    at: float
    since: int = 0


@dataclass(slots=True)
class _Kind:
    lines: int = 0
    unwritten: int = 0


class Refusals:
    """Writes down who was refused what.

    Args:
        write: takes a line.
        clock: replaceable in tests.
    """

    def __init__(self, write: Callable[[str], None] = tell, clock: Clock = SYSTEM_CLOCK) -> None:
        self._write, self._clock = write, clock
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._kinds: dict[str, _Kind] = {}
        self._began = float("-inf")
        self._forgotten = 0

    def see(self, address: str, what: str) -> None:
        """Write a refusal down; a stranger's words are cut, and stay on their line."""
        self.look()
        now = self._clock.monotonic()
        before = self._told.get(address)
        if before and now - before.at < QUIET_SECONDS:
            before.since += 1
            self._told.move_to_end(address)
            return
        kind = self._kind_of(what)
        if kind.lines >= MOST_LINES:
            kind.unwritten += 1
            return
        kind.lines += 1
        self._told[address] = _Told(now)
        self._told.move_to_end(address)
        while len(self._told) > ADDRESSES:
            self._forgotten += self._told.popitem(last=False)[1].since
        self._write(f"refused {address}: {_words(what)}")

    def look(self) -> None:
        """Tell what was counted and not written, when a minute is over; called also when nobody is refused."""
        now = self._clock.monotonic()
        if now - self._began < QUIET_SECONDS:
            return
        parts = self._of_addresses()
        parts += [f"{each.unwritten} of addresses without a line ({kind})" for kind, each in self._unwritten()]
        self._began, self._kinds = now, {}
        if parts:
            self._write(f"refused meanwhile: {'; '.join(parts)}")

    def _of_addresses(self) -> list[str]:
        again = [(address, each) for address, each in self._told.items() if each.since]
        parts = [f"{each.since} more of {address}" for address, each in again[:MOST_NAMED]]
        others = sum(each.since for _, each in again[MOST_NAMED:]) + self._forgotten
        if others:
            parts.append(f"{others} more of other addresses")
        self._forgotten = 0
        for _, each in again:
            each.since = 0
        return parts

    def _unwritten(self) -> list[tuple[str, _Kind]]:
        return [(kind, each) for kind, each in self._kinds.items() if each.unwritten]

    def _kind_of(self, what: str) -> _Kind:
        """The first word is the status, or ours; a stranger has no say in it."""
        name = _words(what).partition(" ")[0]
        known = name if name in self._kinds or len(self._kinds) < MOST_KINDS else OTHERS
        return self._kinds.setdefault(known, _Kind())


def _words(what: str) -> str:
    return ascii(what[:_LONGEST])[1:-1]
