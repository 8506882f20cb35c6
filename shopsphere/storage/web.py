"""A page behind a public name, fetched from one address of it."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from shopsphere.errors import ShopSphereError


class PageError(ShopSphereError):
    """A page did not arrive, or not as a success."""


def fetch_page(address: str, name: str, *, authority: Path | None = None, seconds: float = 5) -> int:
    """Fetch `https://name/` from an address and return the page's size in bytes.

    Args:
        address: where to connect, whatever DNS says here.
        name: the public name, for TLS and the Host header.
        authority: certificate authority to trust beside the system's.
        seconds: bound on connecting and on each read.

    Raises:
        PageError: no connection, a certificate that does not fit, or a status that is no success.
    """
    try:
        trust = ssl.create_default_context()
        if authority:
            trust.load_verify_locations(authority)
        with httpx.Client(verify=trust, timeout=seconds, trust_env=False) as client:
            answer = client.get(f"https://{address}/", headers={"Host": name}, extensions={"sni_hostname": name})
    except (httpx.HTTPError, OSError) as error:
        raise PageError(f"https://{name}/ at {address}: {error or type(error).__name__}") from error
    if not answer.is_success:
        raise PageError(f"https://{name}/ at {address}: status {answer.status_code}")
    return len(answer.content)
