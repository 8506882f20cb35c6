"""Declares what the policy pack must refuse. It is previewed only, and touches nothing."""

import pulumi

from shopsphere.deploy.canary.refused import CALLED, REFUSED

for token, props in REFUSED.items():
    # Rules about a resource see its inputs, and those about a stack what its resources have come to: their outputs.
    pulumi.ComponentResource(token, CALLED.get(token, "canary"), props).register_outputs(dict(props))
