"""What Pulumi does not delete or replace before somebody has said so to Pulumi itself, too."""

from __future__ import annotations

import pulumi
from pulumi.runtime import register_stack_transformation

from shopsphere.estate.holding import why_kept


def protect_what_holds_data() -> None:
    """Protect each resource that this program declares from now on, and whose type holds data or a name.

    In every environment: the lab shows what production does. `shopsphere up` and `destroy` take the protection of a
    resource away when it was named, `pulumi state unprotect URN` does it by hand.
    """
    register_stack_transformation(_protected)


def _protected(
    resource: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    if not why_kept(resource.type_):
        return None
    own = pulumi.ResourceOptions(protect=True)
    return pulumi.ResourceTransformationResult(resource.props, pulumi.ResourceOptions.merge(resource.opts, own))
