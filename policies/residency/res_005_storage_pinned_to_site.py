"""Volumes and their claims can bind at their own site only."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import VOLUMES, is_core, is_database, is_workload, pod_spec
from policies.reading import mapping, nodes, text
from policies.residency.storage_places import pinned_class, storage_classes, terms_pinned_to
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import SITE_LABEL
from shopsphere.foundation.finding import Finding, Severity

VOLUME_SOURCES = frozenset({"local"})
"""Sources of a PersistentVolume that its node affinity really keeps at one site; nfs and csi reach anywhere."""
POD_SOURCES = frozenset(
    {"configMap", "secret", "emptyDir", "projected", "downwardAPI", "persistentVolumeClaim", "ephemeral", "image"}
)
"""Volume sources of a pod that stay at its node or go through a claim."""
PROVISIONER = "kubernetes.io/no-provisioner"
"""Makes no volume: those of the site are declared. What another makes, and where, only its driver knows."""
NO_SOURCE = frozenset(
    {"storageClassName", "capacity", "accessModes", "volumeMode", "persistentVolumeReclaimPolicy", "nodeAffinity",
     "claimRef", "mountOptions", "volumeAttributesClassName"}
)  # fmt: skip
"""Fields of a PersistentVolume's spec that name no source."""


def applies(resource: Resource) -> bool:
    """Return whether it is, asks for or mounts storage."""
    is_class = resource.group == "storage.k8s.io" and resource.kind == "StorageClass"
    return is_class or is_core(resource, *VOLUMES) or is_database(resource) or is_workload(resource)


def check(resource: Resource) -> Iterator[Finding]:
    """Find storage that could be, or bind, at another site."""
    site = resource.site
    if resource.kind == "StorageClass":
        site = site or resource.provider_site
    if site not in topology_of(resource).sites:
        if resource.kind == "StorageClass":
            yield violation("neither a site label nor a site's provider", f"the label {SITE_LABEL}")
        return  # RES-001 reports a missing label on any other kind
    pinned = pinned_class(site)
    if resource.kind == "StorageClass":
        yield from _storage_class(resource, site, pinned)
        return
    for path, name in storage_classes(resource):
        if name != pinned:
            yield violation(f"{path}: {name or 'none, so the cluster chooses'}", pinned)
    if resource.kind == "PersistentVolume":
        yield from _volume(resource, site)
    if is_workload(resource):
        yield from _pod_volumes(resource)


def _storage_class(resource: Resource, site: str, pinned: str) -> Iterator[Finding]:
    name = text(resource.props, "metadata", "name")
    if name != pinned:
        yield violation(f"metadata.name: {name or 'generated'}", pinned)
    provisioner = text(resource.props, "provisioner")
    if provisioner != PROVISIONER:
        yield violation(f"provisioner: {provisioner or 'missing'}", PROVISIONER)
    if mapping(resource.props, "parameters"):
        yield violation("parameters, which tell a driver where to keep its volumes", "none")
    terms = list(nodes(resource.props, "allowedTopologies"))
    if not terms_pinned_to(terms, "matchLabelExpressions", SITE_LABEL, site):
        found = "allowedTopologies with a term for another place" if terms else "no allowedTopologies"
        yield violation(found, f"every term with {SITE_LABEL} in [{site}]")


def _volume(resource: Resource, site: str) -> Iterator[Finding]:
    terms = list(nodes(resource.props, "spec", "nodeAffinity", "required", "nodeSelectorTerms"))
    if not terms_pinned_to(terms, "matchExpressions", SITE_LABEL, site):
        found = "spec.nodeAffinity with a term for another place" if terms else "no spec.nodeAffinity"
        yield violation(found, f"every term with {SITE_LABEL} In [{site}]")
    sources = {key for key in mapping(resource.props, "spec") if key not in NO_SOURCE}
    if not sources or not sources <= VOLUME_SOURCES:
        yield violation(f"source {known(sources) or 'missing'}", known(VOLUME_SOURCES))


def _pod_volumes(resource: Resource) -> Iterator[Finding]:
    for at, volume in enumerate(nodes(pod_spec(resource), "volumes")):
        others = {key for key in volume if key != "name"} - POD_SOURCES
        if others:
            yield violation(f"volumes[{at}] from {known(others)}", known(POD_SOURCES))


RULE = ResourceRule(
    id="RES-005",
    name="storage-pinned-to-site",
    reason="A volume that can bind at another site moves its data there when pods move.",
    severity=Severity.CRITICAL,
    remediation="use components.pinned_storage and the storage class of the stack's own site",
    applies=applies,
    check=check,
)
