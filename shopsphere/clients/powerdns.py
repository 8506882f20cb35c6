"""A PowerDNS authoritative server's HTTP API."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from shopsphere.clients.edge_errors import ServiceError
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.http import ANSWER_SECONDS, HttpService, read_key

_ZONES = "/api/v1/servers/localhost/zones"
KIND, NATIVE = "KIND", "Native"
"""Among a zone's settings: that it is written here, and follows no other server."""
OWN_SETTINGS = {"SOA-EDIT-API": "INCREASE"}
"""Metadata that a zone is made with: its serial counts the changes through the API."""
MAY_WRITE = "/door/may-write"
"""What a path begins with that asks the door whether runbooks may make a change; it makes none."""
_WRITING: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""One writer per server: its SQLite store refuses a second one, and the engine works on several records at once."""


@dataclass(frozen=True)
class RRset:
    """All records of one name and type.

    Attributes:
        name: fully qualified, with the dot at the end.
        type: A, NS, SOA or LUA.
        ttl: seconds.
        records: contents, in order of text.
    """

    name: str
    type: str
    ttl: int
    records: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line that a person can compare."""
        return f"{self.ttl} {self.type} " + " | ".join(self.records)


@dataclass(frozen=True)
class HeldKey:
    """A key that an authority holds for a zone; its private half is not read.

    Attributes:
        number: by which this authority knows it.
        dnskey: the public half, as the zone publishes it.
        signs: it is published, and answers are signed with it.
    """

    number: int
    dnskey: str
    signs: bool


class DnsAuthority(Protocol):
    """What the providers need from one DNS authority."""

    name: str

    def rrset(self, zone: str, name: str, type_: str) -> RRset | None:
        """Return an rrset, or None where it (or the zone) does not exist."""

    def replace(self, zone: str, rrsets: Iterable[RRset]) -> None:
        """Write rrsets in one transaction."""

    def require_writable(self, zone: str, rrset: RRset) -> None:
        """Ask whether runbooks may write an rrset; nothing is written."""

    def remove(self, zone: str, name: str, type_: str) -> None:
        """Remove an rrset; it may be gone already."""

    def names(self, zone: str) -> list[tuple[str, str]] | None:
        """Return name and type of every rrset of a zone, or None where the zone does not exist."""

    def rrsets(self, zone: str) -> list[RRset] | None:
        """Return every rrset of a zone, or None where the zone does not exist."""

    def zone_names(self) -> list[str]:
        """Return the names of all zones that are served."""

    def serials(self) -> dict[str, int]:
        """Return the serial of each zone that is served; it moves when somebody writes through the API."""

    def create_zone(self, zone: str, rrsets: Iterable[RRset]) -> None:
        """Create a zone with its apex records."""

    def delete_zone(self, zone: str) -> None:
        """Delete a zone with all it holds; it may be gone already."""

    def zone_keys(self, zone: str) -> list[HeldKey]:
        """Return the keys that sign a zone; none where it is not signed, or does not exist."""

    def zone_settings(self, zone: str) -> dict[str, tuple[str, ...]]:
        """Return how a zone is served: its metadata by kind, and `KIND`; nothing where it does not exist."""

    def add_zone_key(self, zone: str, private: str) -> None:
        """Publish a key in a zone and sign with it, beside those that are there."""

    def remove_zone_key(self, zone: str, number: int) -> None:
        """Remove a key; it may be gone already."""


class PowerDns:
    """One server, as the API calls `localhost`."""

    def __init__(self, name: str, service: HttpService) -> None:
        self.name, self._http = name, service

    def rrset(self, zone: str, name: str, type_: str) -> RRset | None:
        """Return an rrset, or None where it (or the zone) does not exist."""
        query = {"rrset_name": name, "rrset_type": type_}
        answer = self._http.request("GET", f"{_ZONES}/{zone}", query=query)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        # Servers before 4.9 may ignore the query and send the whole zone.
        for entry in answer.json()["rrsets"]:
            if (entry["name"], entry["type"]) == (name, type_):
                return _rrset(entry)
        return None

    def replace(self, zone: str, rrsets: Iterable[RRset]) -> None:
        """Write rrsets in one transaction."""
        self._write("PATCH", f"{_ZONES}/{zone}", {"rrsets": [_replacement(item) for item in rrsets]})

    def require_writable(self, zone: str, rrset: RRset) -> None:
        """Ask the door whether runbooks may write an rrset, whoever asks; nothing is written.

        Raises:
            ServiceError: they may not, with the door's own words, or no door is there that says so.
        """
        body = {"rrsets": [_replacement(rrset)]}
        answer = self._http.request("PATCH", f"{MAY_WRITE}{_ZONES}/{zone}", body=body)
        if answer.status_code != HTTPStatus.NO_CONTENT:
            raise ServiceError.build(
                f"{_called(self.name)} does not say whether runbooks may write {rrset.name}",
                expected="204 of the edge's door",
                found=str(answer.status_code),
                action="put the door of this version in front of it (docs/edge.md)",
            )

    def remove(self, zone: str, name: str, type_: str) -> None:
        """Remove an rrset; it may be gone already."""
        change = {"name": name, "type": type_, "changetype": "DELETE"}
        self._write("PATCH", f"{_ZONES}/{zone}", {"rrsets": [change]})

    def names(self, zone: str) -> list[tuple[str, str]] | None:
        """Return name and type of every rrset of a zone, or None where the zone does not exist."""
        found = self.rrsets(zone)
        return None if found is None else sorted((each.name, each.type) for each in found)

    def rrsets(self, zone: str) -> list[RRset] | None:
        """Return every rrset of a zone, or None where the zone does not exist."""
        answer = self._http.request("GET", f"{_ZONES}/{zone}")
        return (
            None if answer.status_code == HTTPStatus.NOT_FOUND else [_rrset(each) for each in answer.json()["rrsets"]]
        )

    def zone_names(self) -> list[str]:
        """Return the names of all zones that are served."""
        return sorted(self.serials())

    def serials(self) -> dict[str, int]:
        """Return the serial of each zone that is served; it moves when somebody writes through the API."""
        return {each["name"]: int(each.get("serial", 0)) for each in self._http.request("GET", _ZONES).json()}

    def create_zone(self, zone: str, rrsets: Iterable[RRset]) -> None:
        """Create a zone with its apex records; the server counts the serial up at each change."""
        body = {
            "name": zone,
            "kind": NATIVE,
            "nameservers": [],
            "soa_edit_api": OWN_SETTINGS["SOA-EDIT-API"],
            "rrsets": [_replacement(item) for item in rrsets],
        }
        self._write("POST", _ZONES, body)

    def delete_zone(self, zone: str) -> None:
        """Delete a zone with all it holds; it may be gone already."""
        self._write("DELETE", f"{_ZONES}/{zone}", None)

    def zone_keys(self, zone: str) -> list[HeldKey]:
        """Return the keys that sign a zone; none where it is not signed, or does not exist."""
        answer = self._http.request("GET", f"{_ZONES}/{zone}/cryptokeys")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return []
        return [
            HeldKey(int(each["id"]), each["dnskey"], signs=bool(each["active"] and each["published"]))
            for each in answer.json()
        ]

    def zone_settings(self, zone: str) -> dict[str, tuple[str, ...]]:
        """Return how a zone is served: its metadata by kind, and `KIND`; nothing where it does not exist."""
        kinds = {each["name"]: str(each["kind"]) for each in self._http.request("GET", _ZONES).json()}
        if zone not in kinds:
            return {}
        answer = self._http.request("GET", f"{_ZONES}/{zone}/metadata")
        found = {str(each["kind"]): tuple(sorted(map(str, each["metadata"]))) for each in answer.json()}
        return {**found, KIND: (kinds[zone],)}

    def add_zone_key(self, zone: str, private: str) -> None:
        """Publish a key in a zone and sign with it, beside those that are there.

        Args:
            zone: fully qualified.
            private: in the private-key format of BIND.
        """
        body = {"keytype": "csk", "active": True, "published": True, "content": private}
        self._write("POST", f"{_ZONES}/{zone}/cryptokeys", body)
        # Before its first key a zone has no order of names, and of a missing name it proves only half.
        self._write("PUT", f"{_ZONES}/{zone}/rectify", None)

    def remove_zone_key(self, zone: str, number: int) -> None:
        """Remove a key; it may be gone already."""
        self._write("DELETE", f"{_ZONES}/{zone}/cryptokeys/{number}", None)

    def _write(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        with _WRITING[self._http.url]:
            self._http.request(method, path, body=body)


def connect(props: Mapping[str, Any], *, user: str = DEPLOYER, seconds: float = ANSWER_SECONDS) -> list[DnsAuthority]:
    """Return the authorities that a resource's inputs name; the user's key is read from its file here and kept nowhere.

    Args:
        props: `authorities`, each with `name` and `url`, and `keysFolder`.
        user: who asks, one of `edge_identity.USERS`.
        seconds: bound on each answer.

    Raises:
        CredentialError: the user's certificate cannot be used, or the inputs name none.
    """
    servers = [(each["name"], each["url"]) for each in props["authorities"]]
    return connect_to(servers, EdgeIdentity.in_props(props, user), seconds=seconds)


def connect_to(
    servers: Iterable[tuple[str, str]], identity: EdgeIdentity, *, seconds: float = ANSWER_SECONDS
) -> list[DnsAuthority]:
    """Return a client of each authority's API, through the door in front of it.

    Args:
        servers: name for messages, and address.
        identity: who asks.
        seconds: bound on each answer.

    Raises:
        CredentialError: the certificate cannot be used.
    """
    trust = identity.context()
    services = {name: HttpService(_called(name), url.rstrip("/"), {}, seconds, trust) for name, url in servers}
    return [PowerDns(name, service) for name, service in services.items()]


def connect_inside(name: str, url: str, key_file: str) -> DnsAuthority:
    """Return a client for a program of the authority's own host, which asks it at loopback with its key.

    Raises:
        CredentialError: there is no such file, or nothing in it.
    """
    return PowerDns(name, HttpService(_called(name), url, {"X-API-Key": read_key(key_file)}))


def _called(name: str) -> str:
    return f"DNS authority {name}"


def _rrset(entry: Mapping[str, Any]) -> RRset:
    # A disabled record is kept by the server and not served: for a client it does not exist.
    contents = sorted(record["content"] for record in entry["records"] if not record["disabled"])
    return RRset(entry["name"], entry["type"], int(entry["ttl"]), tuple(contents))


def _replacement(item: RRset) -> dict[str, Any]:
    records = [{"content": content, "disabled": False} for content in item.records]
    return {"name": item.name, "type": item.type, "ttl": item.ttl, "changetype": "REPLACE", "records": records}
