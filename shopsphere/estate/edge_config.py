"""What the edge stack's configuration says: where the DNS authorities and the CDN are, and who is an origin."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Annotated, ClassVar

from pydantic import Field

from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.site_config import WRITTEN_ONCE
from shopsphere.estate.site_config_parts import Frozen, SecureAddress, Text
from shopsphere.estate.site_health import SERVING_PATH

PathPrefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]*$")]

HostName = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Issuer = Annotated[str, Field(pattern=r"^(;|[a-z0-9-]+(\.[a-z0-9-]+)+)$")]


class DnsAuthorityConfig(Frozen):
    """One authoritative server; every change is written to each of them and read back."""

    name: Text = Field(description="How messages call it.")
    url: SecureAddress = Field(description="Its HTTP API, behind a door that knows users by certificates.")


class Nameserver(Frozen):
    """A name server as the parent zone lists it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(description="Label inside the zone.")
    address: IPv4Address = Field(description="Address that it answers at.")


class OriginConfig(Frozen):
    """A site that the CDN fetches static assets from."""

    site: Text = Field(description="Site of topology.yaml.")
    port: int = Field(default=ORIGIN_PORT, ge=1, le=65535, description="Port of the gateway's entry for the CDN.")


class EdgeConfig(Frozen):
    """What the edge stack configures. Keys are named by folder, so that state never has them."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = {
        "siteAddresses": f"no such key: a site's public address is sites.<site>.public_address {WRITTEN_ONCE}",
        **dict.fromkeys(
            ("dnsApiKeyFile", "cdnTokenFile"),
            "no such key: the edge's APIs know who asks by certificates in shopsphere:edgeKeys (docs/edge.md)",
        ),
    }

    state_backend: Text | None = Field(default=None, description="Where this stack's state is kept.")
    dns_authorities: tuple[DnsAuthorityConfig, ...] = Field(min_length=1, description="All authoritative servers.")
    edge_keys: Text = Field(
        description="Folder with ca.crt and .crt and .key of who asks; ~ and variables are resolved when they are read."
    )
    nameservers: tuple[Nameserver, ...] = Field(min_length=1, description="The zone's NS records with their addresses.")
    hostmaster: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(
        default="hostmaster", description="Mailbox in the zone that answers for it."
    )
    certificate_issuers: tuple[Issuer, ...] = Field(
        default=(), description="Authorities that may issue certificates for names of the zone; `;` alone is nobody."
    )
    parent_servers: tuple[IPv4Address, ...] = Field(
        default=(), description="Name servers of the parent zone, asked which keys of ours it vouches for (DS)."
    )
    cdn_url: SecureAddress = Field(description="The CDN's configuration API.")
    cdn_address: IPv4Address = Field(description="Address that static assets are served at.")
    origins: Annotated[tuple[OriginConfig, ...], Field(min_length=1)] | None = Field(
        default=None, description="The CDN's origins, in order of preference; all sites of all pairs if not given."
    )
    origin_name: HostName | None = Field(
        default=None,
        description="Name that each origin's certificate has to have; that of the shop, www.<domain>, if not given.",
    )
    origin_probe_path: PathPrefix = Field(
        default=SERVING_PATH, description="Path that a healthy origin answers with 200."
    )
