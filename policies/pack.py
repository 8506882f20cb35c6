"""Makes policies of the engine from rules. Apart from the pack's `__main__.py`, only this file knows the policy SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policies.resource import Resource
from policies.rule import ResourceRule, Rule, StackRule
from policies.unknown import NotKnownError, raises_too

raises_too(UnknownValueError)
Looked = TypeVar("Looked")
Look = Callable[[Resource], Iterator[Looked]]


class Described(Protocol):
    """What the SDK's arguments of resource and of stack policies have in common."""

    resource_type: str
    props: Any
    urn: str
    name: str
    provider: Any


def policy_of(rule: Rule) -> ResourceValidationPolicy | StackValidationPolicy:
    """Return a rule as the engine runs it: mandatory, and an unknown value is a violation.

    Raises:
        TypeError: it is neither about a resource nor about a stack.
    """
    metadata: dict[str, Any] = {
        "name": f"{rule.id}-{rule.name}",
        "description": rule.reason,
        "display_name": f"{rule.id} {rule.name}",
        "enforcement_level": EnforcementLevel.MANDATORY,
        "severity": Severity(rule.severity.value),
        "remediation_steps": rule.remediation,
        "tags": [rule.id.partition("-")[0]],
        "url": rule.url,
    }
    match rule:
        case ResourceRule():
            knowing = replace(rule, check=_telling_unknown(rule.check))
            return ResourceValidationPolicy(validate=partial(_validate_resource, knowing), **metadata)
        case StackRule():
            measuring = replace(rule, measure=_telling_unknown(rule.measure))
            return StackValidationPolicy(validate=partial(_validate_stack, measuring), **metadata)
    raise TypeError(f"{rule.id}: expected a ResourceRule or a StackRule, found a {type(rule).__name__}")


def resource_of(args: Described) -> Resource:
    """Take what a rule needs from the SDK's arguments."""
    provider = args.provider
    return Resource(
        token=args.resource_type,
        name=args.name,
        urn=args.urn,
        props=args.props,
        provider=None if provider is None else provider.props,
        provider_name="" if provider is None else provider.name,
    )


def _validate_resource(rule: ResourceRule, args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    resource = resource_of(args)
    if not rule.applies(resource):
        args.not_applicable(f"{rule.id} is not about {resource.token}")
    for _, finding in rule.judged([resource]):
        report_violation(finding.message, None)


def _validate_stack(rule: StackRule, args: StackValidationArgs, report_violation: ReportViolation) -> None:
    for resource, finding in rule.judged([resource_of(each) for each in args.resources]):
        report_violation(finding.message, None if resource is None else resource.urn)


def _telling_unknown(look: Look[Looked]) -> Look[Looked]:
    """Wrap a rule's look, so that the SDK's error on an unknown value becomes the one that rules know.

    Left alone, the SDK turns it into an advisory remark, and the resource passes.
    """

    def told(resource: Resource) -> Iterator[Looked]:
        try:
            yield from look(resource)
        except UnknownValueError as error:
            raise NotKnownError(".".join(error.props)) from error

    return told
