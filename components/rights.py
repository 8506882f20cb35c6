"""Rights: who may ask what in the namespaces of a site, as `shopsphere.estate.cluster_rights` lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pulumi
from pulumi_kubernetes.rbac.v1 import RoleBinding

from shopsphere.estate.cluster_rights import AGENTS, bindings_in
from shopsphere.estate.cluster_role import RBAC
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.placement import Placement

InNamespace = Callable[[str], pulumi.Input[str]]
"""Returns the name of a namespace, once it is there."""


class Rights(pulumi.ComponentResource):
    """The role bindings of programs; the roles are the cluster's owner's.

    They depend on `admission`, the policies of the site's API server, of which older ones refuse them.
    """

    def __init__(
        self,
        name: str,
        placement: Placement,
        namespaces: Iterable[NamespaceModel],
        within: InNamespace,
        opts: pulumi.ResourceOptions | None = None,
        *,
        admission: pulumi.Input[list[pulumi.Resource]],
        of_pair: bool,
    ) -> None:
        super().__init__("shopsphere:site:Rights", name, {}, opts)
        models = {each.name: each for each in namespaces}
        for binding, namespace in bindings_in(models, of_pair=of_pair):
            if binding.group == AGENTS:
                continue  # each database's own component makes it
            model = models[namespace]
            RoleBinding(
                f"{namespace}-{binding.name}",
                metadata={
                    "name": binding.name,
                    "namespace": within(namespace),
                    "labels": placement.labels(binding.name, data_class=model.data_class, owner=model.owner),
                },
                role_ref={"api_group": RBAC, "kind": "ClusterRole", "name": binding.role},
                subjects=[{"api_group": RBAC, "kind": "Group", "name": binding.group}],
                opts=pulumi.ResourceOptions(parent=self, depends_on=admission),
            )
        self.register_outputs({})
