"""What the edge stack's configuration says: where the DNS authorities and the CDN are, and who is an origin."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Annotated, ClassVar

from pydantic import Field

from shopsphere.estate.site_config import WRITTEN_ONCE, Frozen, Text, WebAddress
from shopsphere.estate.site_health import SERVING_PATH

PathPrefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]*$")]


class DnsAuthorityConfig(Frozen):
    """One authoritative server; every change is written to each of them and read back."""

    name: Text = Field(description="How messages call it.")
    url: WebAddress = Field(description="Its HTTP API.")


class Nameserver(Frozen):
    """A name server as the parent zone lists it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(description="Label inside the zone.")
    address: IPv4Address = Field(description="Address that it answers at.")


class OriginConfig(Frozen):
    """A site that the CDN fetches static assets from."""

    site: Text = Field(description="Site of topology.yaml.")
    port: int = Field(default=80, ge=1, le=65535, description="Port of the gateway's static entry.")


class EdgeConfig(Frozen):
    """What the edge stack configures. Keys of services are named by file, so that state never has them."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = {
        "siteAddresses": f"no such key: a site's public address is sites.<site>.public_address {WRITTEN_ONCE}"
    }

    state_backend: Text | None = Field(default=None, description="Where this stack's state is kept.")
    dns_authorities: tuple[DnsAuthorityConfig, ...] = Field(min_length=1, description="All authoritative servers.")
    dns_api_key_file: Text = Field(description="File with their API key; ~ and variables are resolved when it is read.")
    nameservers: tuple[Nameserver, ...] = Field(min_length=1, description="The zone's NS records with their addresses.")
    hostmaster: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(
        default="hostmaster", description="Mailbox in the zone that answers for it."
    )
    cdn_url: WebAddress = Field(description="The CDN's configuration API.")
    cdn_token_file: Text = Field(description="File with its token; ~ and variables are resolved when it is read.")
    cdn_address: IPv4Address = Field(description="Address that static assets are served at.")
    origins: Annotated[tuple[OriginConfig, ...], Field(min_length=1)] | None = Field(
        default=None, description="The CDN's origins, in order of preference; all sites of all pairs if not given."
    )
    origin_probe_path: PathPrefix = Field(
        default=SERVING_PATH, description="Path that a healthy origin answers with 200."
    )
