"""Resources as a program declares them, and how a case differs from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.resource import Resource
from policies.unknown import KnownMapping

UNKNOWN = UNKNOWN_STRING_VALUE
REMOVED = object()
"""In place of a value: the key is not there."""
OPTIONS = PolicyResourceOptions(
    protect=False,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)
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
        props = dict(self.props)
        node: Any = props
        for key in parents:  # what lies beside the path is shared: nobody who reads a resource can change it
            below = node.get(key, {}) if isinstance(node, dict) else node[key]
            node[key] = dict(below) if isinstance(below, dict) else list(below)
            node = node[key]
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
        return ResourceValidationArgs(self.token, self._props(), self.urn, self.name, OPTIONS, self._provider())

    def in_a_stack(self) -> PolicyResource:
        """What the SDK hands to a rule about a stack, for each resource."""
        return PolicyResource(self.token, self._props(), self.urn, self.name, OPTIONS, self._provider(), None, [], {})

    def resource(self) -> Resource:
        """What a rule sees when no engine is there."""
        return Resource(
            token=self.token,
            name=self.name,
            urn=self.urn,
            props=KnownMapping(self.props),
            provider=None if self.provider is None else KnownMapping(dict(self.provider)),
            provider_name="" if self.provider is None else "provider",
        )

    def _props(self) -> Mapping[str, Any]:
        return unknown_checking_proxy(dict(self.props))

    def _provider(self) -> PolicyProviderResource | None:
        if self.provider is None:
            return None
        props = unknown_checking_proxy(dict(self.provider))
        return PolicyProviderResource("pulumi:providers:kubernetes", props, "urn:of:the:provider", "provider")


def stack_arguments(resources: list[Declared]) -> StackValidationArgs:
    """What the SDK hands to a rule about a stack."""
    return StackValidationArgs([resource.in_a_stack() for resource in resources])
