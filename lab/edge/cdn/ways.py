"""The ways from the cache to the sites: Varnish speaks no TLS with origins, so a program on loopback does it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

NOBODY = 1
"""A port of loopback at which nobody answers: where a site that there is no way to is looked for."""


class Way(BaseModel):
    """The way to a site.

    Attributes:
        address: of the site.
        origin_port: of its gateway's entry for the CDN, over TLS.
        name: that its certificate has to have.
        local_port: on loopback, in clear, where the cache asks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: IPv4Address
    origin_port: int = Field(ge=1, le=65535)
    name: str
    local_port: int = Field(ge=1, le=65535)


Ways = Mapping[str, Way]
"""By the site's name."""
WAYS: TypeAdapter[dict[str, Way]] = TypeAdapter(dict[str, Way])
"""Reads them from JSON, and writes them."""
