"""Whatever holds or moves data says whose, of which class and where."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import holds_data, label_places
from policies.reading import text
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, OWNER_LABEL, SITE_LABEL
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology import HEADQUARTERS


def check(resource: Resource) -> Iterator[Finding]:
    """Find labels that are missing or name nothing of the topology."""
    vocabulary = {
        DATA_CLASS_LABEL: [*topology_of(resource).data_classes],
        JURISDICTION_LABEL: [*topology_of(resource).jurisdictions, HEADQUARTERS],
        SITE_LABEL: [*topology_of(resource).sites],
        OWNER_LABEL: [],
    }
    for place, labels in label_places(resource):
        for label, names in vocabulary.items():
            value = text(labels, label)
            allowed = f"one of {known(names)}" if names else "the team that answers for it"
            if not value:
                yield violation(f"{place} has no {label}", allowed)
            elif names and value not in names:
                yield violation(f"{place} has {label}: {value}", allowed)


RULE = ResourceRule(
    id="RES-001",
    name="class-and-site-labels",
    reason="Data without a class, a jurisdiction and a site cannot be judged, so it is not deployed.",
    severity=Severity.HIGH,
    remediation="set the label from shopsphere.estate.placement.Placement.labels, on the object and on its template",
    applies=holds_data,
    check=check,
)
