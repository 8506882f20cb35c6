"""What is not understood is not deployed: resource types and their fields are listed, with a reason each."""

from __future__ import annotations

from collections.abc import Iterator

from policies.listing.edge import COMPONENTS
from policies.listing.shape import Named, Stranger, strangers
from policies.listing.table import LISTED, WHY_NO_FIELD, WHY_NO_TYPE
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity

HOW = (
    "leave it out; or add it to policies/listing, with a reason that says why data stays where it is, in a change that "
    "the owner of residency reviews"
)


def applies(resource: Resource) -> bool:
    """Return whether it is more than the stack or a component of this repository, which hold nothing themselves."""
    return resource.token not in COMPONENTS


def check(resource: Resource) -> Iterator[Finding]:
    """Find a type that is not listed, and fields and values of a listed one that are not."""
    token = resource.token.replace("Patch", "") if resource.is_kubernetes else resource.token  # RES-006 refuses patches
    listed = LISTED.get(token)
    if listed is None:
        why = _why(resource)
        yield violation(f"type {resource.token}{why}", "the types of policies/listing/table.py")
        return
    if isinstance(listed.fields, Named):
        return
    for stranger in strangers(resource.props, listed.fields):
        yield _unlisted(stranger)


def _why(resource: Resource) -> str:
    family = resource.group or resource.token.partition(":")[0]
    why = WHY_NO_TYPE.get(family, "")
    return f": {why}" if why else ", which nobody has listed"


def _unlisted(stranger: Stranger) -> Finding:
    if stranger.value is not None:
        return violation(f"{stranger.path}: {stranger.value}", " or ".join(stranger.allowed))
    why = WHY_NO_FIELD.get(stranger.field, "")
    found = f"{stranger.path}: {why}" if why else f"{stranger.path}, which nobody has listed"
    return violation(found, ", ".join(stranger.allowed) or "nothing here")


RULE = ResourceRule(
    id="RES-007",
    name="listed-types-and-fields",
    reason="A rule approves what it does not know; what nobody has understood can be a way out.",
    severity=Severity.CRITICAL,
    remediation=HOW,
    applies=applies,
    check=check,
)
