"""What drift says of an injection, and what admission said: found or not, by object, field and author."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from injections import MARK, Injection

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import CommandError, run

SHOPSPHERE = REPOSITORY / ".venv" / "bin" / "shopsphere"
DRIFT_SECONDS = 240.0
NO_ANSWER = -1
"""Stands for the exit code of a command that did not end."""
Finding = dict[str, Any]
Identity = tuple[str, str, str, str]
_POLICY = re.compile(r"ValidatingAdmissionPolicy '([^']+)'.*?denied request: (.*)", re.DOTALL)
_OTHERS = (
    (re.compile(r"violates PodSecurity ([^\n]*)"), "Pod Security"),
    (re.compile(r"exceeded quota: ([^\n]*)"), "quota"),
    (re.compile(r'admission webhook "([^"]+)" denied'), "webhook"),
)


@dataclass(frozen=True)
class Look:
    """One run of drift.

    Attributes:
        code: its exit code; NO_ANSWER where it did not end in time.
        findings: as its JSON has them.
        unseen: what could not be looked at.
        problem: why there is no JSON.
    """

    code: int
    findings: tuple[Finding, ...] = ()
    unseen: tuple[Mapping[str, str], ...] = ()
    problem: str = ""

    def besides(self, known: Collection[Identity]) -> list[Finding]:
        """Return the findings that were not there before."""
        return [each for each in self.findings if identity(each) not in known]

    def is_clean(self, known: Collection[Identity] = ()) -> bool:
        """Whether all was seen and nothing but what was known before."""
        return not self.problem and not self.unseen and not self.besides(known)


def identity(finding: Finding) -> Identity:
    """Return what makes two findings the same."""
    return finding["site"], finding["object"], finding["field"], finding["kind"]


def look(target: str) -> Look:
    """Run `shopsphere drift TARGET --json`."""
    try:
        done = run([SHOPSPHERE, "drift", target, "--json"], check=False, seconds=DRIFT_SECONDS, cwd=REPOSITORY)
        told = json.loads(done.stdout)
    except (CommandError, ValueError) as error:
        return Look(NO_ANSWER, problem=f"{error}"[-300:])
    return Look(done.code, tuple(told["findings"]), tuple(told["unseen"]))


@dataclass(frozen=True)
class Verdict:
    """What drift said of one injection.

    Attributes:
        object: it named the object.
        field: it named the field of it.
        author: whom it named; empty for nobody.
        author_found: it named who did it, or nobody could.
        finding: the one that counts; None where there is none.
        findings: all of the object.
    """

    object: bool
    field: bool
    author: str
    author_found: bool
    finding: Finding | None
    findings: tuple[Finding, ...] = ()


def judge(injection: Injection, found: Sequence[Finding], *, since: str) -> Verdict:
    """Hold findings against an injection.

    Args:
        injection: what was done.
        found: by drift, without what was known before.
        since: time at which it was done (ISO 8601, UTC, seconds): an older record is of somebody else.
    """
    of_it = tuple(each for each in found if (each["site"], each["object"]) == (injection.place, injection.object))
    exact = next((each for each in of_it if each["field"] == injection.field), None)
    finding = exact or next(iter(of_it), None)
    author = (finding or {}).get("author") or {}
    name = str(author.get("manager", ""))
    is_named = name == injection.author and str(author.get("at", "")) >= since
    return Verdict(bool(of_it), exact is not None, name, not injection.author or is_named, finding, of_it)


def strangers(injections: Sequence[Injection], found: Sequence[Finding]) -> list[str]:
    """Return findings that no injection explains; what a made object brings along carries its name."""
    explained = {(each.place, name) for each in injections for name in (each.object, *each.also)}
    return [
        " ".join(filter(None, (each["site"], each["object"], each["field"])))
        for each in found
        if (each["site"], each["object"]) not in explained and MARK not in each["object"]
    ]


def refusal(said: str) -> str:
    """Return which policy refused something and why; empty where it failed for another reason."""
    if policy := _POLICY.search(said):
        return f"{policy[1]}: {' '.join(policy[2].split())}"[:200]
    for pattern, name in _OTHERS:
        if other := pattern.search(said):
            return f"{name}: {other[1]}"[:200]
    return ""
