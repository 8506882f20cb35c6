"""The event log keeps what it has on one volume of its site, of the class of its data."""

from __future__ import annotations

from collections.abc import Iterator

from policies.events.declared_log import is_event_log
from policies.kinds import pod_spec
from policies.reading import mapping, nodes, text, whole_number
from policies.residency.storage_places import pinned_class
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.event_log import DATA_DIRECTORY
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity


def check(resource: Resource) -> Iterator[Finding]:
    """Find an event log whose data would not be on such a volume."""
    pods = whole_number(resource.props, "spec", "replicas", default=1)
    if pods != 1:
        yield violation(f"spec.replicas: {pods}", "1: several would each be a log of their own")
    claims = nodes(resource.props, "spec", "volumeClaimTemplates")
    if len(claims) != 1:
        yield violation(f"spec.volumeClaimTemplates: {len(claims)}", "one, for the log")
        return
    own, spec = text(resource.labels, DATA_CLASS_LABEL), mapping(claims[0], "spec")
    wanted = text(mapping(spec, "selector", "matchLabels"), DATA_CLASS_LABEL)
    if wanted != own:
        place = "spec.volumeClaimTemplates[0].spec.selector.matchLabels"
        yield violation(f"{place}: volumes of {wanted or 'any class'}", f"volumes of its own class, {own or 'missing'}")
    storage = text(spec, "storageClassName")
    if resource.site and storage != pinned_class(resource.site):
        place = "spec.volumeClaimTemplates[0].spec.storageClassName"
        yield violation(f"{place}: {storage or 'none'}", pinned_class(resource.site))
    volume = text(claims[0], "metadata", "name")
    for container in nodes(pod_spec(resource), "containers"):
        for mount in nodes(container, "volumeMounts"):
            if text(mount, "mountPath") == DATA_DIRECTORY and text(mount, "name") == volume:
                return
    yield violation(f"no container has the volume {volume or 'without a name'} at {DATA_DIRECTORY}", "the broker has")


RULE = ResourceRule(
    id="EVT-004",
    name="log-on-a-volume-of-the-site",
    reason="A log on the pod's own disk is lost with the pod; on another volume it may be anywhere.",
    severity=Severity.CRITICAL,
    remediation="declare it by components.event_log",
    applies=is_event_log,
    check=check,
)
