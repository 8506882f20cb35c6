"""The lab's public certificate authority: what a public one is to a real shop."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.paths import pki_directory
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def prepare_public(domain: str, static_host: str) -> None:
    """Make the public authority, the shop's wildcard certificate, the CDN's own, and the bundle that every host trusts.

    The CDN is outside every jurisdiction: it holds a key for static assets alone, and can be nobody else.
    """
    directory = pki_directory()
    authority = new_authority(directory, "ShopSphere lab public authority")
    issue(
        authority,
        KeyPair(directory / "public" / "tls.crt", directory / "public" / "tls.key"),
        common_name=domain,
        alternatives=(domain, f"*.{domain}"),
    )
    cdn = KeyPair(directory / "cdn" / "tls.crt", directory / "cdn" / "tls.key")
    issue(authority, cdn, common_name=static_host, alternatives=(static_host,))
    shutil.copyfile(authority.certificate, directory / "public-ca.crt")
    system = _SYSTEM_BUNDLE.read_bytes() if _SYSTEM_BUNDLE.exists() else b""
    (directory / "trust-bundle.crt").write_bytes(system + authority.certificate.read_bytes())
