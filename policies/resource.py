"""A resource as rules see it: kind, place, properties, provider."""

from __future__ import annotations

from dataclasses import dataclass

from policies.reading import Node, mapping, text
from shopsphere.estate.placement import SITE_LABEL
from shopsphere.estate.stack import Environment


@dataclass(frozen=True)
class Resource:
    """One resource of a stack.

    Attributes:
        token: Pulumi's type, as in kubernetes:apps/v1:Deployment.
        name: Pulumi's name of it.
        urn: Pulumi's unique name of it.
        props: its inputs; touching an unknown one raises.
        provider: properties of the provider that creates it; None for components and where it is not told.
        provider_name: Pulumi's name of that provider.
    """

    token: str
    name: str
    urn: str
    props: Node
    provider: Node | None
    provider_name: str

    @property
    def is_kubernetes(self) -> bool:
        """Whether it is an object of a cluster."""
        return self.token.startswith("kubernetes:")

    @property
    def group(self) -> str:
        """API group, as in `apps`; `core` for the unnamed one; empty outside Kubernetes."""
        return self.token.split(":")[1].partition("/")[0] if self.is_kubernetes else ""

    @property
    def kind(self) -> str:
        """Kind, as in Deployment; a patch of a kind counts as that kind, since it changes the same object."""
        last = self.token.rpartition(":")[2]
        return last.removesuffix("Patch") if self.is_kubernetes else last

    @property
    def subject(self) -> str:
        """How messages call it."""
        return f"{self.kind} {self.name!r} ({self.urn})"

    @property
    def stack(self) -> str:
        """Name of the stack, from the URN."""
        parts = self.urn.split("::")
        return parts[0].rpartition(":")[2] if len(parts) > 1 else ""

    @property
    def environment(self) -> str:
        """Environment that the stack's name begins with, as in prod-frankfurt; empty where it names none."""
        first = self.stack.partition("-")[0]
        return first if first in set(Environment) else ""

    @property
    def labels(self) -> Node:
        """Labels of the object itself."""
        return mapping(self.props, "metadata", "labels")

    @property
    def site(self) -> str:
        """Site that its label names; empty where it has none."""
        return text(self.labels, SITE_LABEL)

    @property
    def provider_site(self) -> str:
        """Site that the provider which creates it says it is of; empty where it has none."""
        return "" if self.provider is None else text(self.provider, "clusterIdentifier")
