"""Where resources are, in plain strings: what residency rules judge has to be known before anything is created."""

from __future__ import annotations

from dataclasses import dataclass

from shopsphere.topology import Topology

DATA_CLASS_LABEL = "shopsphere.io/data-class"
JURISDICTION_LABEL = "shopsphere.io/jurisdiction"
SITE_LABEL = "shopsphere.io/site"
OWNER_LABEL = "shopsphere.io/owner"
RACK_LABEL = "shopsphere.io/rack"
HOSTNAME_LABEL = "kubernetes.io/hostname"
"""What Kubernetes names each node by."""
LOST_NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""What Kubernetes gives a node that is no longer well, or that it does not hear; nobody sets nodes apart by them."""
NAME_LABEL = "app.kubernetes.io/name"
WATTS_RESOURCE = "shopsphere.io/watts"

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""For everything that becomes ready only when something elsewhere does.

The recovery site is deployed before the primary that it follows, so waiting here would wait for the next stack.
Rollouts are verified after the last stack of a pair.
"""


@dataclass(frozen=True)
class Placement:
    """The site and the jurisdiction of everything in one stack.

    Attributes:
        site: name of the site.
        jurisdiction: whose law holds there; `headquarters` for the headquarters site.
    """

    site: str
    jurisdiction: str

    @classmethod
    def of(cls, topology: Topology, site: str) -> Placement:
        """Look a site up."""
        return cls(site=site, jurisdiction=topology.jurisdiction_of(site))

    def labels(self, name: str, *, data_class: str, owner: str) -> dict[str, str]:
        """Return the labels that every namespace, workload, volume and database carries."""
        return {**self.site_labels(name, owner=owner), DATA_CLASS_LABEL: data_class}

    def site_labels(self, name: str, *, owner: str) -> dict[str, str]:
        """Return the labels of what holds no data itself: storage classes, policies, priorities."""
        return {
            NAME_LABEL: name,
            "app.kubernetes.io/part-of": "shopsphere",
            "app.kubernetes.io/managed-by": "pulumi",
            SITE_LABEL: self.site,
            JURISDICTION_LABEL: self.jurisdiction,
            OWNER_LABEL: owner,
        }
