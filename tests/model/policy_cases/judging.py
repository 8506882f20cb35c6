"""Runs one rule on one case."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from policies.registry import discover
from policies.rule import Rule
from policy_cases.declared import Declared, stack_arguments

RULES = {rule.id: rule for rule in discover()}


def cases(rule: Rule) -> ModuleType:
    module = f"{rule.id}_{rule.name}".lower().replace("-", "_")
    return importlib.import_module(f"policy_cases.{module}")


def verdict(rule: Rule, declared: Declared | list[Declared]) -> list[str]:
    """The rule's messages, from the policy that the engine runs and through the SDK's own proxies."""
    policy: Any = rule.policy()
    messages: list[str] = []
    arguments = stack_arguments(declared) if isinstance(declared, list) else declared.arguments()
    policy.validate(arguments, lambda message, _urn=None: messages.append(message))
    return messages
