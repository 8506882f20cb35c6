"""Admission: the policies that a site's own API server applies, and their bindings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.admissionregistration.v1 import ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding

from components.manifest import Manifest, name_of
from components.settling import settled, settled_resource
from policies.admission.language import AdmissionPolicy
from policies.admission.site_policies import site_policies
from shopsphere.estate.placement import Placement
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology

OWNER = "platform"


class Admission(pulumi.ComponentResource):
    """One policy per kind of object with its binding; whatever depends on this is made when both are there."""

    policies: pulumi.Output[list[str]]
    """Names of the bound policies."""

    def __init__(
        self,
        name: str,
        placement: Placement,
        policies: Sequence[AdmissionPolicy],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shopsphere:site:Admission", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._placement = placement
        self.policies = pulumi.Output.all(*[self._bound(policy) for policy in policies])
        self.register_outputs({"policies": self.policies})

    @classmethod
    def of(
        cls,
        topology: Topology,
        placement: Placement,
        environment: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        images: Mapping[str, str] | None = None,
        event_log: bool,
    ) -> Admission:
        """Declare all policies of a site, from the residency map of its environment and the images of its stack."""
        policies = site_policies(topology, placement.site, Environment(environment), images or {}, event_log=event_log)
        return cls(placement.site, placement, policies, opts)

    def in_force(self, value: pulumi.Input[str]) -> pulumi.Input[str]:
        """Return a value that is there when the API server asks the policies as they are declared now.

        What may run is written in them, and is another when images move to another registry, a migration's with each
        release; so is which kinds there may be. The policies from before would refuse it.
        """
        return settled(value, self.policies)

    @property
    def asked(self) -> pulumi.Input[list[pulumi.Resource]]:
        """What a resource depends on that an older version of the policies refuses: as `in_force`, for `depends_on`."""
        return settled_resource(self, self.policies)

    def _bound(self, policy: AdmissionPolicy) -> pulumi.Output[str]:
        metadata: Manifest = {
            "name": policy.full_name,
            "labels": self._placement.site_labels(policy.full_name, owner=OWNER),
        }
        spec: Manifest = policy.spec()
        created = ValidatingAdmissionPolicy(policy.full_name, metadata=metadata, spec=spec, opts=self._child)
        binding: Manifest = {**policy.binding_spec(), "policyName": name_of(created)}
        bound = ValidatingAdmissionPolicyBinding(policy.full_name, metadata=metadata, spec=binding, opts=self._child)
        return name_of(bound)
