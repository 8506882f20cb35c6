"""What the resource providers for PowerDNS have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.dynamic import ResourceProvider

from shopsphere.clients import powerdns
from shopsphere.clients.powerdns import DnsAuthority


class PowerDnsProvider(ResourceProvider):
    """Reaches every DNS authority that a resource names, and is kept in state by its name alone."""

    serialize_as_secret_always = False
    """The provider holds nothing secret, and an encrypted provider would be a different text at each run."""

    def connect(self, props: Mapping[str, Any]) -> Sequence[DnsAuthority]:
        """Return the authorities; tests put others here."""
        return powerdns.connect(props)
