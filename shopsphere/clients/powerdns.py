"""A PowerDNS authoritative server's HTTP API."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from shopsphere.clients.http import ANSWER_SECONDS, HttpService, read_key

_ZONES = "/api/v1/servers/localhost/zones"
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


class DnsAuthority(Protocol):
    """What the providers need from one DNS authority."""

    name: str

    def rrset(self, zone: str, name: str, type_: str) -> RRset | None:
        """Return an rrset, or None where it (or the zone) does not exist."""

    def replace(self, zone: str, rrsets: Iterable[RRset]) -> None:
        """Write rrsets in one transaction."""

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


class PowerDns:
    """One server, as the API calls `localhost`."""

    def __init__(self, name: str, url: str, key: str, *, seconds: float = ANSWER_SECONDS) -> None:
        self.name = name
        self._http = HttpService(f"DNS authority {name}", url.rstrip("/"), {"X-API-Key": key}, seconds)

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
            "kind": "Native",
            "nameservers": [],
            "soa_edit_api": "INCREASE",
            "rrsets": [_replacement(item) for item in rrsets],
        }
        self._write("POST", _ZONES, body)

    def delete_zone(self, zone: str) -> None:
        """Delete a zone with all it holds; it may be gone already."""
        self._write("DELETE", f"{_ZONES}/{zone}", None)

    def _write(self, method: str, path: str, body: dict[str, Any] | None) -> None:
        with _WRITING[self._http.url]:
            self._http.request(method, path, body=body)


def connect(props: Mapping[str, Any], *, seconds: float = ANSWER_SECONDS) -> list[DnsAuthority]:
    """Return the authorities that a resource's inputs name; the key is read from its file here and kept nowhere.

    Args:
        props: `authorities`, each with `name` and `url`, and `keyFile`.
        seconds: bound on each answer.
    """
    return connect_to([(each["name"], each["url"]) for each in props["authorities"]], props["keyFile"], seconds=seconds)


def connect_to(
    servers: Iterable[tuple[str, str]], key_file: str, *, seconds: float = ANSWER_SECONDS
) -> list[DnsAuthority]:
    """Return a client of each authority's API; the key is read from its file here and kept nowhere.

    Args:
        servers: name for messages, and address.
        key_file: with the key of all of them.
        seconds: bound on each answer.

    Raises:
        CredentialError: there is no such file, or nothing in it.
    """
    key = read_key(key_file)
    return [PowerDns(name, url, key, seconds=seconds) for name, url in servers]


def _rrset(entry: Mapping[str, Any]) -> RRset:
    # A disabled record is kept by the server and not served: for a client it does not exist.
    contents = sorted(record["content"] for record in entry["records"] if not record["disabled"])
    return RRset(entry["name"], entry["type"], int(entry["ttl"]), tuple(contents))


def _replacement(item: RRset) -> dict[str, Any]:
    records = [{"content": content, "disabled": False} for content in item.records]
    return {"name": item.name, "type": item.type, "ttl": item.ttl, "changetype": "REPLACE", "records": records}
