"""What looking at one thing found: the same for a rule of the policy pack, a readiness check and a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

ASK_AGAIN = "restore it or the network path to it; then ask again"


class Verdict(StrEnum):
    """`pass`: it is so. `fail`: it is not. `unknown`: it could not be told, which is never a pass."""

    PASSED = "pass"
    FAILED = "fail"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad it is that something is not so."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict on one thing, with what a person needs to act on it.

    Whoever looks says verdict, found and action; whoever asked adds by which check and about what, with `by`.

    Attributes:
        verdict: whether it is so.
        found: what there is, one line.
        allowed: what there may be; empty where the check's title says it.
        action: what to do; empty when it passed.
        check: identity of the rule or check, as in RES-003 or P5.
        title: what the rule or check is about, a few words.
        subject: the thing that was judged; empty where the check is about one thing only.
        severity: how bad it is when it is not so; None where checks do not differ in it.
    """

    verdict: Verdict
    found: str
    allowed: str = ""
    action: str = ""
    check: str = ""
    title: str = ""
    subject: str = ""
    severity: Severity | None = None

    @property
    def passed(self) -> bool:
        """Whether it is so."""
        return self.verdict is Verdict.PASSED

    def by(self, check: str, title: str, *, subject: str = "", severity: Severity | None = None) -> Finding:
        """Return the same finding with the check that asked, and what it is about."""
        return replace(self, check=check, title=title, subject=subject or self.subject, severity=severity)

    @property
    def line(self) -> str:
        """Check, verdict, subject and what was found, in one line."""
        subject = f"{self.subject}: " if self.subject else ""
        return f"{self.check} {self.verdict}: {subject}{self.found}"

    @property
    def message(self) -> str:
        """Check, title and subject, and below them found, allowed and what to do."""
        head = " ".join(filter(None, (self.check, self.title)))
        parts = {"found": self.found, "allowed": self.allowed, "do": self.action}
        below = [f"  {name + ':':<8} {text}" for name, text in parts.items() if text]
        return "\n".join([f"{head}: {self.subject or self.verdict}", *below])

    def as_json(self) -> dict[str, str | None]:
        """Return all of it in plain values."""
        return {
            "check": self.check,
            "title": self.title,
            "subject": self.subject,
            "verdict": self.verdict.value,
            "severity": None if self.severity is None else self.severity.value,
            "found": self.found,
            "allowed": self.allowed,
            "action": self.action,
        }


def passes(found: str) -> Finding:
    """Say that it is so."""
    return Finding(verdict=Verdict.PASSED, found=found)


def fails(found: str, action: str) -> Finding:
    """Say that it is not so."""
    return Finding(verdict=Verdict.FAILED, found=found, action=action)


def unknown(found: str, action: str = ASK_AGAIN) -> Finding:
    """Say that it could not be told."""
    return Finding(verdict=Verdict.UNKNOWN, found=found, action=action)


def together(parts: Iterable[Finding], *, nothing: str = "nothing to check") -> Finding:
    """Join the parts of a check: it passes when all do, also when there are none; a failure outweighs an unknown."""
    found = list(parts)
    wrong = [each for each in found if not each.passed]
    if not wrong:
        return passes("; ".join(each.found for each in found) or nothing)
    verdict = Verdict.FAILED if any(each.verdict is Verdict.FAILED for each in wrong) else Verdict.UNKNOWN
    actions = dict.fromkeys(each.action for each in wrong)
    return Finding(verdict=verdict, found="; ".join(each.found for each in wrong), action="; ".join(actions))
