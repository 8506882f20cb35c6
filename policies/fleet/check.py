"""Judges all stacks of an environment together: every rule on every stack, then the paths through all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from policies.fleet.estate import Stacks
from policies.fleet.graph import fleet_of
from policies.fleet.paths import Leak, leaks
from policies.fleet.rules import BY_KIND, FLEET_RULES
from policies.resource import Resource
from policies.rule import Rule
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Finding, Severity, Verdict
from shopsphere.topology import Topology

UNREAD = "FLT-000"
UNREAD_NAME = "flows-are-known"
UNREAD_REASON = "What cannot be read may lead anywhere."


@dataclass(frozen=True)
class RuleText:
    """What reports say about a rule."""

    id: str
    name: str
    reason: str
    remediation: str
    severity: Severity


@dataclass(frozen=True)
class Judged:
    """A finding, and where it belongs.

    Attributes:
        stack: Pulumi's name of the stack that declares it.
        finding: what is wrong.
        steps: stores and flows of the path, in turn; empty where one resource alone is wrong.
        urn: of the resource; empty where the stack as a whole is wrong.
        sites: those that the path touches.
    """

    stack: str
    finding: Finding
    steps: tuple[str, ...] = ()
    urn: str = ""
    sites: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Report:
    """What the check found.

    Attributes:
        environment: whose stacks were judged.
        target: what was asked for.
        stacks: the stacks that were asked for.
        files: the file of each stack's configuration, within the repository; of all stacks of the environment.
        resources: how many all stacks have.
        stores: how many stores of data the graph has.
        flows: how many flows.
        rules: all that were asked.
        findings: what is wrong.
    """

    environment: str
    target: str
    stacks: tuple[str, ...]
    files: Mapping[str, str]
    resources: int
    stores: int
    flows: int
    rules: tuple[RuleText, ...]
    findings: tuple[Judged, ...]

    @property
    def verdict(self) -> str:
        """`clean`, `violated`, or `unknown` when nothing is violated that can be known."""
        verdicts = {each.finding.verdict for each in self.findings}
        if Verdict.FAILED in verdicts:
            return "violated"
        return "unknown" if verdicts else "clean"

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends."""
        return {"clean": ExitCode.GOOD, "violated": ExitCode.VIOLATED, "unknown": ExitCode.UNKNOWN}[self.verdict]


@dataclass(frozen=True)
class Scope:
    """What is asked for.

    Attributes:
        environment: whose stacks.
        target: as the person called it.
        stacks: those that it covers, by Pulumi's names.
        sites: their sites; a path that touches one of them is told.
        files: the file of each stack's configuration, within the repository; of all stacks of the environment.
    """

    environment: str
    target: str
    stacks: tuple[str, ...]
    sites: frozenset[str]
    files: Mapping[str, str]


def check(rules: Iterable[Rule], stacks: Stacks, model: Topology, scope: Scope) -> Report:
    """Judge the stacks of an environment.

    Args:
        rules: usually `policies.registry.discover()`.
        stacks: resources of every stack of the environment, also of those outside the scope.
        model: the environment's topology.
        scope: what is told.
    """
    asked = tuple(rules)
    fleet, unread = fleet_of(stacks, model)
    found = [
        *(judged for stack in scope.stacks for judged in _by_rules(asked, stack, stacks[stack])),
        *(_unread(stack, resource, finding) for stack, resource, finding in unread if stack in scope.stacks),
        *(each for each in map(_leak, leaks(fleet, model)) if each.stack in scope.stacks or each.sites & scope.sites),
    ]
    return Report(
        environment=scope.environment,
        target=scope.target,
        stacks=scope.stacks,
        files=scope.files,
        resources=sum(map(len, stacks.values())),
        stores=len(fleet.stores),
        flows=len(fleet.flows),
        rules=tuple(_texts(asked)),
        findings=tuple(sorted(found, key=lambda each: (each.finding.verdict, each.finding.check, each.stack))),
    )


def _by_rules(rules: Iterable[Rule], stack: str, resources: Iterable[Resource]) -> Iterator[Judged]:
    judged = list(resources)
    for rule in rules:
        for resource, finding in rule.judged(judged):
            yield Judged(stack, finding, urn="" if resource is None else resource.urn)


def _unread(stack: str, resource: Resource, finding: Finding) -> Judged:
    whose = finding.by(UNREAD, UNREAD_NAME, subject=resource.subject, severity=Severity.CRITICAL)
    action = whose.action or "correct the value; until then nobody can tell where it leads"
    return Judged(stack, replace(whose, action=action), urn=resource.urn)


def _leak(leak: Leak) -> Judged:
    rule, resource = BY_KIND[leak.last.kind], leak.last.resource
    finding = Finding(
        verdict=Verdict.FAILED,
        found=f"{leak.path} (by {leak.last.place})",
        allowed=leak.allowed,
        action=rule.remediation,
    )
    whose = finding.by(rule.id, rule.name, subject=resource.subject, severity=Severity.CRITICAL)
    return Judged(resource.stack, whose, leak.steps, resource.urn, leak.sites)


def _texts(rules: Iterable[Rule]) -> Iterator[RuleText]:
    for rule in rules:
        yield RuleText(rule.id, rule.name, rule.reason, rule.remediation, rule.severity)
    yield RuleText(UNREAD, UNREAD_NAME, UNREAD_REASON, "correct the value", Severity.CRITICAL)
    for each in FLEET_RULES:
        yield RuleText(each.id, each.name, each.reason, each.remediation, Severity.CRITICAL)
