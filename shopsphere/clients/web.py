"""A page behind a public name, fetched from one address of it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from shopsphere.foundation.certificates import end_of_der
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.trust import client_context

_FORM = "/cart/items"
_SERVER_ERROR = 500


class PageError(ShopSphereError):
    """A page did not arrive, or not as a success."""


@dataclass(frozen=True)
class Door:
    """A public name at one address of it.

    Attributes:
        address: where to connect, whatever DNS says here.
        name: the public name, for TLS and the Host header.
        trust: whose certificates count.
        seconds: bound on connecting and on each read.
    """

    address: str
    name: str
    trust: ssl.SSLContext
    seconds: float = 5

    def ask(self, method: str, path: str, *, json: str = "", agent: str = "") -> httpx.Response:
        """Return the answer to a request, without a body or with a JSON document, from whom `agent` says.

        Raises:
            PageError: no connection, or a certificate that does not fit.
        """
        try:
            with httpx.Client(verify=self.trust, timeout=self.seconds, trust_env=False) as client:
                return client.request(
                    method,
                    f"https://{self.address}{path}",
                    headers={
                        "Host": self.name,
                        **({"Content-Type": "application/json"} if json else {}),
                        **({"User-Agent": agent} if agent else {}),
                    },
                    content=json or None,
                    extensions={"sni_hostname": self.name},
                )
        except (httpx.HTTPError, OSError) as error:
            found = error or type(error).__name__
            raise PageError(f"https://{self.name}{path} at {self.address}: {found}") from error

    def page(self, path: str = "/") -> int:
        """Fetch a page and return its size in bytes.

        Raises:
            PageError: no connection, a certificate that does not fit, or a status that is no success.
        """
        answer = self.ask("GET", path)
        if not answer.is_success:
            raise PageError(f"https://{self.name}{path} at {self.address}: status {answer.status_code}")
        return len(answer.content)


def takes_forms(door: Door) -> bool:
    """Whether a shop lets writes through, asked with an empty form.

    A shop that takes writes rejects the empty form (4xx) and stores nothing; a shop that does not answers 503. So the
    question never makes an order.

    Raises:
        PageError: no connection, or a certificate that does not fit.
    """
    return door.ask("POST", _FORM).status_code < _SERVER_ERROR


def end_shown(address: str, name: str, *, seconds: float, port: int = 443) -> datetime | None:
    """Return when the certificate that is shown for a public name ends (UTC); None where it cannot be read.

    It is not judged: when one has ended is known from it, too.

    Raises:
        PageError: nothing answers there, or not by TLS.
    """
    anybody = client_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, port), timeout=seconds) as line,
            anybody.wrap_socket(line, server_hostname=name) as shown,
        ):
            return end_of_der(shown.getpeercert(binary_form=True) or b"")
    except OSError as error:
        raise PageError(f"{name} at {address}: no certificate is shown ({error})") from error


def trust_in(authority: Path | None) -> ssl.SSLContext:
    """Return what to trust: the system's authorities, and one more if it is named.

    Raises:
        PageError: its file cannot be read.
    """
    trust = client_context()
    if authority:
        try:
            trust.load_verify_locations(authority)
        except OSError as error:
            raise PageError(f"{authority}: no usable certificate authority ({error})") from error
    return trust
