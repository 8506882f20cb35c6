"""What a check found, and how the parts of a check make one whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from runbooks.engine.errors import describe
from shopsphere.foundation.errors import one_line

_LABEL = re.compile(r"^ *(expected|found|do): *", re.MULTILINE)
LOOK_ACTION = "bring it back, or the way to it; then ask again"


class Verdict(StrEnum):
    """`pass`: it is so. `fail`: it is not. `unknown`: it could not be asked, which is never a pass."""

    PASSED = "pass"
    FAILED = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """A verdict on one thing.

    Attributes:
        found: one line.
        action: what to do; empty when it passed.
    """

    verdict: Verdict
    found: str
    action: str = ""


@dataclass(frozen=True)
class Finding:
    """What one of the ten checks found.

    Attributes:
        number: its place in the list, from 1.
        name: what passes, as a statement.
        found: one line.
        action: what to do; empty when it passed.
    """

    number: int
    name: str
    verdict: Verdict
    found: str
    action: str

    @property
    def passed(self) -> bool:
        """Whether it is so."""
        return self.verdict is Verdict.PASSED

    @property
    def line(self) -> str:
        """Number, verdict and what was found, for an error's message."""
        return f"P{self.number} {self.verdict}: {self.found}"


def passes(found: str) -> Judgement:
    """Judge that it is so."""
    return Judgement(Verdict.PASSED, found)


def fails(found: str, action: str) -> Judgement:
    """Judge that it is not so."""
    return Judgement(Verdict.FAILED, found, action)


def unknown(found: str, action: str = LOOK_ACTION) -> Judgement:
    """Judge that it could not be asked."""
    return Judgement(Verdict.UNKNOWN, found, action)


def from_error(error: Exception, subject: str = "") -> Judgement:
    """Judge that it could not be asked; the error's own parts become what was found and what to do."""
    head, *parts = _LABEL.split(describe(error))
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    details = f" ({one_line(named['found'])})" if "found" in named else ""
    lead = f"{subject}: " if subject else ""
    return unknown(f"{lead}{one_line(head)}{details}", one_line(named.get("do", LOOK_ACTION)))


def together(judgements: Iterable[Judgement], *, nothing: str = "nothing to check") -> Judgement:
    """Join the parts of a check: it passes when all do, also when there are none; a failure outweighs an unknown."""
    parts = list(judgements)
    wrong = [each for each in parts if each.verdict is not Verdict.PASSED]
    if not wrong:
        return passes("; ".join(each.found for each in parts) or nothing)
    verdict = Verdict.FAILED if any(each.verdict is Verdict.FAILED for each in wrong) else Verdict.UNKNOWN
    actions = dict.fromkeys(each.action for each in wrong)
    return Judgement(verdict, "; ".join(each.found for each in wrong), "; ".join(actions))
