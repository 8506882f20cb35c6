"""What a rule is: plain functions over resources, wherever these come from.

`policies.pack` makes a policy of the engine from one; `policies.judging` asks several about a whole stack.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.resource import Resource
from policies.verdict import guarded
from shopsphere.foundation.finding import Finding, Severity

THE_STACK = "the stack"
"""Subject of a finding that is about no single resource."""

Check = Callable[[Resource], Iterator[Finding]]
Measure = Callable[[Resource], Iterator[Any]]
Judge = Callable[[Sequence[tuple[Resource, Any]]], Iterator[Finding]]
Judged = tuple[Resource | None, Finding]
"""The resource (None for the stack as a whole) and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, always mandatory: a rule that may be ignored is documentation.

    Attributes:
        id: family and number, as in RES-003; never used again for another rule.
        name: short name, as in placement-in-jurisdiction.
        reason: why the rule exists, one sentence.
        severity: how bad a violation is.
        remediation: what to do about a violation.
        applies: whether a resource is the rule's business. It sees types and names, never values that can be unknown.
        url: where to read more.
    """

    id: str
    name: str
    reason: str
    severity: Severity
    remediation: str
    applies: Callable[[Resource], bool]
    url: str | None = None

    @abstractmethod
    def judged(self, resources: Sequence[Resource]) -> Iterator[Judged]:
        """Yield all that is wrong with a stack's resources; what is unknown or malformed is wrong."""

    def own(self, finding: Finding, subject: str) -> Finding:
        """Return a finding as this rule's, with the rule's advice where it has none of its own."""
        advised = replace(finding, action=finding.action or self.remediation)
        return advised.by(self.id, self.name, subject=subject, severity=self.severity)


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource; it runs before the resource is created or changed, so it prevents.

    Attributes:
        check: yields what is wrong with the resource.
    """

    check: Check

    def judged(self, resources: Sequence[Resource]) -> Iterator[Judged]:
        """Yield all that is wrong with each resource."""
        for resource in filter(self.applies, resources):
            for finding in guarded(self.check, resource):
                yield resource, self.own(finding, resource.subject)


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule about a stack as a whole; it blocks a preview, and fails an update that has already acted.

    Attributes:
        measure: yields what one resource adds; an unknown value there is a violation of that resource, and the
            others are still judged.
        judge: yields what is wrong with all that was measured.
    """

    measure: Measure
    judge: Judge

    def judged(self, resources: Sequence[Resource]) -> Iterator[Judged]:
        """Yield what cannot be measured, then what is wrong with the sum of the rest."""
        measured: list[tuple[Resource, Any]] = []
        for resource in filter(self.applies, resources):
            for value in guarded(self.measure, resource):
                if isinstance(value, Finding):
                    yield resource, self.own(value, resource.subject)
                else:
                    measured.append((resource, value))
        for finding in self.judge(measured):
            yield None, self.own(finding, THE_STACK)
