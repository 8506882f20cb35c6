"""Runs one rule on one case: as it is, and as the engine would."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType

from pulumi_policy import StackValidationPolicy

from policies.judging import judge
from policies.pack import policy_of
from policies.registry import discover
from policies.rule import Rule
from policy_cases.declared import Declared, stack_arguments
from shopsphere.foundation.finding import Finding

RULES = {rule.id: rule for rule in discover()}
CaseOf = Declared | list[Declared]
"""A resource, or those of a stack for a rule that adds up."""


def cases(rule: Rule) -> ModuleType:
    """The module with the cases of a rule."""
    module = f"{rule.id}_{rule.name}".lower().replace("-", "_")
    return importlib.import_module(f"policy_cases.{module}")


def findings(rule: Rule, declared: CaseOf) -> list[Finding]:
    """What the rule finds in plain resources, without an engine."""
    resources = declared if isinstance(declared, list) else [declared]
    return judge([rule], [each.resource() for each in resources])


_policy_of = functools.cache(policy_of)


def verdict(rule: Rule, declared: CaseOf) -> list[str]:
    """The rule's messages in plain resources."""
    return [finding.message for finding in findings(rule, declared)]


def told_to_the_engine(rule: Rule, declared: CaseOf) -> list[str]:
    """The rule's messages from the policy that the engine runs, through the SDK's own proxies."""
    return [message for message, _ in reported(rule, declared)]


def reported(rule: Rule, declared: CaseOf) -> list[tuple[str, str | None]]:
    """The rule's messages as the engine gets them, each with the resource that it belongs to."""
    told: list[tuple[str, str | None]] = []

    def report(message: str, urn: str | None) -> None:
        told.append((message, urn))

    policy = _policy_of(rule)
    if isinstance(policy, StackValidationPolicy):
        policy.validate(stack_arguments(declared if isinstance(declared, list) else [declared]), report)
    else:
        assert isinstance(declared, Declared)
        policy.validate(declared.arguments(), report)
    return told
