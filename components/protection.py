"""What Pulumi does not delete or replace before somebody has said so to Pulumi itself, too."""

from __future__ import annotations

import pulumi

from components.stack_config import environment_of_stack
from shopsphere.estate.stack import Environment


def protected(options: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Return options of a resource whose loss is an outage: namespaces, databases, the zone, a pair's state record.

    In production only: a lab comes and goes. Volumes are not among them, because a rebuild frees one and adds another;
    one that is in use is refused before Pulumi is asked. `pulumi state unprotect URN` takes the protection away.
    """
    own = pulumi.ResourceOptions(protect=environment_of_stack() == Environment.PROD)
    return pulumi.ResourceOptions.merge(options, own)
