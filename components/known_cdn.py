"""What a site's stack says of the CDN that fetches static assets at its gateway."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from shopsphere.estate.site_config import RegionalConfig
from shopsphere.estate.stack_files import STAND_IN
from shopsphere.foundation.errors import ShopSphereError


class UnknownCdnError(ShopSphereError):
    """A stack does not say by whose certificate its gateway knows the CDN."""


def require_known_cdn(config: RegionalConfig, site: str) -> None:
    """Refuse a stack whose gateway would answer no CDN at all: its pages would have neither style nor pictures.

    Raises:
        UnknownCdnError: no authority of the CDN's certificate is configured, and static assets are not open to all; or
            what is configured is none.
    """
    if config.cdn_authority == STAND_IN:
        return  # what is declared is looked at before there is a lab
    if config.cdn_authority.strip():
        _require_authorities(config.cdn_authority, site)
    elif not config.static_over_http:
        raise UnknownCdnError.build(
            f"{site}: by whose certificate the gateway knows the CDN is not configured",
            expected="shopsphere:cdnAuthority: ca.crt of the edge's keys, as PEM",
            found="nothing",
            action="add it to the stack's file; the first change from a CDN without a certificate needs "
            "shopsphere:staticOverHttp as well, for a while (docs/edge.md)",
        )


def _require_authorities(text: str, site: str) -> None:
    """Refuse what the gateway could not read, or would believe nobody by; a key in it would be open to all.

    Raises:
        UnknownCdnError: says which.
    """
    try:
        found = "" if "PRIVATE KEY" not in text else "a private key"
        certificates = [] if found else x509.load_pem_x509_certificates(text.encode())
        found = found or next(filter(None, map(_problem, certificates)), "")
    except ValueError:
        found = "no certificate"
    if found:
        raise UnknownCdnError.build(
            f"{site}: shopsphere:cdnAuthority cannot be used",
            expected="certificates of authorities, as PEM: ca.crt of the edge's keys, and nothing else",
            found=found,
            action="set it anew from ca.crt; where a key was in it, that authority has to be replaced (docs/edge.md)",
        )


def _problem(certificate: x509.Certificate) -> str:
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        return f"one that ended at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    try:
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    return "" if is_authority else "a certificate that signs no other"
