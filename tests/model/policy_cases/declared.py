"""Resources as a program declares them, and how a case differs from one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from pulumi_policy import ResourceValidationArgs, StackValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

UNKNOWN = UNKNOWN_STRING_VALUE
REMOVED = object()
FRANKFURT = {"clusterIdentifier": "frankfurt"}


@dataclass(frozen=True)
class Declared:
    token: str
    props: Mapping[str, Any]
    name: str = "thing"
    stack: str = "lab-frankfurt"
    provider: Mapping[str, Any] | None = field(default_factory=FRANKFURT.copy)

    def but(self, *path_and_value: Any) -> Declared:
        """The same resource with one property changed, or REMOVED: the path, then the value."""
        *parents, last, value = path_and_value
        props = copy.deepcopy(dict(self.props))
        node: Any = props
        for key in parents:
            node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
        if value is REMOVED:
            del node[last]
        else:
            node[last] = value
        return replace(self, props=props)

    def by(self, provider: Mapping[str, Any] | None) -> Declared:
        return replace(self, provider=provider)

    def of(self, token: str) -> Declared:
        return replace(self, token=token)

    def called(self, name: str) -> Declared:
        return replace(self, name=name)

    def in_stack(self, stack: str) -> Declared:
        return replace(self, stack=stack)

    @property
    def urn(self) -> str:
        return f"urn:pulumi:{self.stack}::rdc-a::{self.token}::{self.name}"

    def arguments(self) -> ResourceValidationArgs:
        """What the SDK hands to a rule: real proxies around the properties."""
        props = unknown_checking_proxy(copy.deepcopy(dict(self.props)))
        absent: Any = None  # no rule looks at the options
        return ResourceValidationArgs(self.token, props, self.urn, self.name, absent, self._provider())

    def _provider(self) -> Any:
        if self.provider is None:
            return None
        return SimpleNamespace(name="provider", props=unknown_checking_proxy(dict(self.provider)))


def stack_arguments(resources: list[Declared]) -> StackValidationArgs:
    declared: list[Any] = [resource.arguments() for resource in resources]
    return StackValidationArgs(declared)
