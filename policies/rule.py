"""What a rule is, and how it becomes a policy that blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies.resource import Resource
from policies.verdict import Finding, guarded

Check = Callable[[Resource], Iterator[Finding]]
Judge = Callable[[Sequence[tuple[Resource, Any]]], Iterator[Finding]]


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
    def policy(self) -> Policy:
        """Return the rule as the engine runs it."""

    def message(self, finding: Finding, subject: str) -> str:
        """Return what a person reads: rule, resource, found, allowed, what to do."""
        return (
            f"{self.id} {self.name}: {subject}\n  found:   {finding.found}\n  allowed: {finding.allowed}\n"
            f"  do:      {finding.action or self.remediation}"
        )

    def _metadata(self) -> dict[str, Any]:
        return {
            "name": f"{self.id}-{self.name}",
            "description": self.reason,
            "display_name": f"{self.id} {self.name}",
            "enforcement_level": EnforcementLevel.MANDATORY,
            "severity": self.severity,
            "remediation_steps": self.remediation,
            "tags": [self.id.partition("-")[0]],
            "url": self.url,
        }


@dataclass(frozen=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource; it runs before the resource is created or changed, so it prevents.

    Attributes:
        check: yields what is wrong with the resource.
    """

    check: Check

    def policy(self) -> Policy:
        """Return the rule as the engine runs it."""
        return ResourceValidationPolicy(validate=self.validate, **self._metadata())

    def validate(self, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        """Judge one resource; what is unknown or malformed is a violation."""
        resource = Resource.of(args)
        if not self.applies(resource):
            args.not_applicable(f"{self.id} is not about {resource.token}")
        for finding in guarded(self.check, resource):
            report_violation(self.message(finding, resource.subject), None)


@dataclass(frozen=True, kw_only=True)
class StackRule(Rule):
    """A rule about a stack as a whole; it blocks a preview, and fails an update that has already acted.

    Attributes:
        measure: yields what one resource adds; an unknown value there is a violation of that resource, and the
            others are still judged.
        judge: yields what is wrong with all that was measured.
    """

    measure: Callable[[Resource], Iterator[Any]]
    judge: Judge

    def policy(self) -> Policy:
        """Return the rule as the engine runs it."""
        return StackValidationPolicy(validate=self.validate, **self._metadata())

    def validate(self, args: StackValidationArgs, report_violation: ReportViolation) -> None:
        """Judge the stack; what is unknown or malformed is a violation."""
        measured: list[tuple[Resource, Any]] = []
        for resource in filter(self.applies, map(Resource.of, args.resources)):
            for value in guarded(self.measure, resource):
                if isinstance(value, Finding):
                    report_violation(self.message(value, resource.subject), resource.urn)
                else:
                    measured.append((resource, value))
        for finding in self.judge(measured):
            report_violation(self.message(finding, "the stack"), None)
