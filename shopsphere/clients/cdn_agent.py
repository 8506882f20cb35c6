"""The CDN's configuration API."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol, cast

from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.http import HttpService

Document = dict[str, Any]
CACHE = "/v1/cache"
"""Where a CDN says what its caches were told beside its API (GET), and takes it back (POST)."""


class Cdn(Protocol):
    """What the provider needs from a CDN."""

    def names(self) -> list[str]:
        """Return the names of all distributions."""

    def get(self, name: str) -> Document | None:
        """Return a distribution, or None."""

    def put(self, name: str, document: Document) -> None:
        """Create or replace a distribution."""

    def delete(self, name: str) -> None:
        """Delete a distribution; it may be gone already."""

    def told_otherwise(self) -> list[Document]:
        """Return what its caches have otherwise than its API was told: name, declared and live of each.

        Empty for a CDN that does not tell.
        """


class CdnAgent:
    """The API at one address."""

    def __init__(self, service: HttpService) -> None:
        self._http = service

    def names(self) -> list[str]:
        """Return the names of all distributions."""
        return sorted(self._http.request("GET", "/v1/distributions").json()["distributions"])

    def get(self, name: str) -> Document | None:
        """Return a distribution, or None."""
        answer = self._http.request("GET", f"/v1/distributions/{name}")
        return None if answer.status_code == HTTPStatus.NOT_FOUND else cast("Document", answer.json())

    def put(self, name: str, document: Document) -> None:
        """Create or replace a distribution; the CDN keeps the old one when it refuses the new."""
        self._http.request("PUT", f"/v1/distributions/{name}", body=document)

    def delete(self, name: str) -> None:
        """Delete a distribution; it may be gone already."""
        self._http.request("DELETE", f"/v1/distributions/{name}")

    def told_otherwise(self) -> list[Document]:
        """Return what the running cache has otherwise; empty where the CDN does not tell."""
        answer = self._http.request("GET", CACHE)
        return [] if answer.status_code == HTTPStatus.NOT_FOUND else list(answer.json()["differences"])


def connect(props: Mapping[str, Any], *, user: str = DEPLOYER) -> Cdn:
    """Return the CDN that a resource's inputs name; the user's key is read from its file here and kept nowhere.

    Args:
        props: `endpoint` and `keysFolder`.
        user: who asks, one of `edge_identity.USERS`.

    Raises:
        CredentialError: the user's certificate cannot be used, or the inputs name none.
    """
    return connect_to(props["endpoint"], EdgeIdentity.in_props(props, user))


def connect_to(url: str, identity: EdgeIdentity) -> Cdn:
    """Return the CDN at an address, through the door in front of its API.

    Raises:
        CredentialError: the certificate cannot be used.
    """
    return CdnAgent(HttpService("the CDN", url.rstrip("/"), {}, trust=identity.context()))
