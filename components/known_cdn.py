"""What a site's stack says of the CDN that fetches static assets at its gateway."""

from __future__ import annotations

from shopsphere.estate.site_config import RegionalConfig
from shopsphere.foundation.errors import ShopSphereError


class UnknownCdnError(ShopSphereError):
    """A stack does not say by whose certificate its gateway knows the CDN."""


def require_known_cdn(config: RegionalConfig, site: str) -> None:
    """Refuse a stack whose gateway would answer no CDN at all: its pages would have neither style nor pictures.

    Raises:
        UnknownCdnError: no authority of the CDN's certificate is configured, and static assets are not open to all.
    """
    if not config.cdn_authority.strip() and not config.static_over_http:
        raise UnknownCdnError.build(
            f"{site}: by whose certificate the gateway knows the CDN is not configured",
            expected="shopsphere:cdnAuthority: ca.crt of the edge's keys, as PEM",
            found="nothing",
            action="add it to the stack's file; the first change from a CDN without a certificate needs "
            "shopsphere:staticOverHttp as well, for a while (docs/edge.md)",
        )
