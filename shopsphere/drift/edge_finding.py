"""A finding about the edge."""

from __future__ import annotations

from shopsphere.drift.model import Drift, Kind
from shopsphere.estate.stack import EDGE
from shopsphere.foundation.finding import Severity


def edge_drift(
    name: str,
    kind: Kind,
    severity: Severity,
    field: str = "",
    declared: str = "",
    live: str = "",
    *,
    residency: bool = False,
    repair: str,
) -> Drift:
    """Return a finding about the edge; neither DNS authorities nor the CDN keep a record of who wrote what."""
    return Drift(
        site=EDGE,
        object=name,
        field=field,
        declared=declared,
        live=live,
        kind=kind,
        severity=severity,
        residency=residency,
        repair=repair,
    )
