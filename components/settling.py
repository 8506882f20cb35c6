"""What waits until the API server acts by what was just declared: it takes a moment to learn of it.

This is the moment that it takes mostly. A server that is slower refuses what came too early, and `shopsphere up` then
does the rest again (`shopsphere/deploy/policy_uptake.py`).
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import pulumi
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import get_monitor

SECONDS = 3
"""An API server reads changed policies once a second (Kubernetes 1.36) and then compiles them; quotas are sooner."""
Known = TypeVar("Known")


async def _after_a_while(known: Known) -> Known:
    await asyncio.sleep(SECONDS)
    return known


def settled(value: pulumi.Input[str], after: pulumi.Output[Known]) -> pulumi.Input[str]:
    """Return a value that is there some seconds after `after` is known; at once where nothing is made."""
    if _makes_nothing():
        return value
    waited: pulumi.Output[Known] = after.apply(_after_a_while)
    return pulumi.Output.all(value, waited).apply(lambda both: str(both[0]))


def settled_resource(resource: pulumi.Resource, after: pulumi.Output[Known]) -> pulumi.Input[list[pulumi.Resource]]:
    """Return a resource as others depend on it: some seconds after `after` is known; at once where nothing is made."""
    if _makes_nothing():
        return [resource]
    waited: pulumi.Output[Known] = after.apply(_after_a_while)
    return waited.apply(lambda _: [resource])


def _makes_nothing() -> bool:
    return pulumi.runtime.is_dry_run() or not isinstance(get_monitor(), ResourceMonitorStub)
