"""Two looks at what moves by itself: only what both found is a difference."""

from __future__ import annotations

from dataclasses import replace

from shopsphere.drift.model import Drift, SiteDrift


def lasting(before: SiteDrift, after: SiteDrift) -> SiteDrift:
    """Return the later look with the differences that the earlier one had too."""
    first = {identity(each) for each in before.drifts}
    return replace(after, drifts=tuple(each for each in after.drifts if identity(each) in first))


def identity(drift: Drift) -> tuple[str, str, str]:
    """Return what makes two findings of a site the same."""
    return drift.object, drift.field, drift.kind
