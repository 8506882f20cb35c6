"""Each namespace's quota has room for its pods and for those that a rollout starts before it ends old ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies.kinds import is_core
from policies.limits.lim_004_quota_within_site import QUOTA_KEY
from policies.limits.pod_power import autoscaled, copies, is_autoscaler, pod_demand, requests_power, surge
from policies.reading import mapping, quantity, text
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity


def applies(resource: Resource) -> bool:
    """Return whether it runs pods, decides how many run, or limits them."""
    return requests_power(resource) or is_autoscaler(resource) or is_core(resource, "ResourceQuota")


def measure(resource: Resource) -> Iterator[dict[str, Any]]:
    """Yield a namespace's quota, a workload's watts per pod, or an autoscaler's target and most pods."""
    namespace = text(resource.props, "metadata", "namespace")
    if is_autoscaler(resource):
        yield autoscaled(resource)
    elif is_core(resource, "ResourceQuota"):
        hard = mapping(resource.props, "spec", "hard")
        if QUOTA_KEY in hard:
            yield {"namespace": namespace, "quota": int(quantity(hard[QUOTA_KEY], f"spec.hard[{QUOTA_KEY!r}]"))}
    else:
        yield {
            "namespace": namespace,
            "name": text(resource.props, "metadata", "name"),
            "surge": surge(resource),
            "watts": int(pod_demand(resource).watts),
            "pods": copies(resource),
        }


def judge(measured: Sequence[tuple[Resource, dict[str, Any]]]) -> Iterator[Finding]:
    """Compare what the pods of each namespace ask for, in the middle of their rollouts, with its quota."""
    values = [value for _, value in measured]
    most = {value["target"]: value["most"] for value in values if "target" in value}
    for quota in (value for value in values if "quota" in value):
        here = (value for value in values if "watts" in value and value["namespace"] == quota["namespace"])
        parts = sorted((_needed(value, most) for value in here), reverse=True)  # what asks for most is named first
        watts = sum(needed for needed, _ in parts)
        if watts > quota["quota"]:
            yield violation(
                f"{watts} W for {', '.join(told for _, told in parts)}",
                f"{quota['quota']} W, the quota of namespace {quota['namespace']}, those that a rollout adds included",
            )


def _needed(value: Mapping[str, Any], most: Mapping[tuple[str, str], int]) -> tuple[int, str]:
    pods = max(value["pods"], most.get((value["namespace"], value["name"]), 0))
    more = value["surge"](pods)
    told = f"{pods} + {more} pods of {value['name']}" if more else f"{pods} pods of {value['name']}"
    return value["watts"] * (pods + more), told


RULE = StackRule(
    id="LIM-006",
    name="room-to-replace",
    reason="A rollout starts a new pod before it ends an old one; without room for it, it hangs.",
    severity=Severity.HIGH,
    remediation="lower replicas or requests in the stack's configuration, or raise power_percent of the workload in "
    "shopsphere/estate/workloads.py",
    applies=applies,
    measure=measure,
    judge=judge,
)
