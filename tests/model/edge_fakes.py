"""DNS authorities and a CDN in memory, with faults to order."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from shopsphere.clients.edge_errors import ServiceError, UnknownOutcomeError
from shopsphere.clients.powerdns import HeldKey, RRset


def public_of(private: str) -> str:
    """Return the DNSKEY of a private key in BIND's format, as a server computes it."""
    (secret,) = re.findall(r"PrivateKey: (\S+)", private)
    numbers = derive_private_key(int.from_bytes(b64decode(secret), "big"), SECP256R1()).public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return f"257 3 13 {b64encode(point).decode()}"


class FakeAuthority:
    """A zone store; `fails_on` names methods that refuse, `loses` makes it accept writes and forget them."""

    def __init__(self, name: str) -> None:
        self.name, self.loses, self.writes = name, False, 0
        self.zones: dict[str, dict[tuple[str, str], RRset]] = {}
        self.keys: dict[int, str] = {}
        """DNSKEY of each key of the one zone, by its number."""
        self.idle: set[int] = set()
        """Numbers of keys that do not sign."""
        self.settings: dict[str, tuple[str, ...]] = {"KIND": ("Native",), "SOA-EDIT-API": ("INCREASE",)}
        self.asked_for_keys = 0
        self.fails_on: set[str] = set()
        self.loses_answers: list[bool] = []
        """For each of the next changes: its answer is lost, and whether it was made."""

    def rrset(self, zone: str, name: str, type_: str) -> RRset | None:
        self._may_fail("rrset")
        return self.zones.get(zone, {}).get((name, type_))

    def require_writable(self, zone: str, rrset: RRset) -> None:  # noqa: ARG002 - it judges nothing
        self._may_fail("require_writable")

    def replace(self, zone: str, rrsets: Iterable[RRset]) -> None:
        self._may_fail("replace")
        made = self.loses_answers.pop(0) if self.loses_answers else None
        if made is False:
            raise UnknownOutcomeError("no answer")
        self.writes += 1
        if not self.loses:
            for item in rrsets:
                self.zones[zone][item.name, item.type] = self._numbered(item)

        if made:
            raise UnknownOutcomeError("no answer")

    def remove(self, zone: str, name: str, type_: str) -> None:
        self.zones[zone].pop((name, type_), None)

    def names(self, zone: str) -> list[tuple[str, str]] | None:
        return sorted(self.zones[zone]) if zone in self.zones else None

    def rrsets(self, zone: str) -> list[RRset] | None:
        self._may_fail("rrsets")
        return list(self.zones[zone].values()) if zone in self.zones else None

    def zone_names(self) -> list[str]:
        self._may_fail("zone_names")
        return sorted(self.zones)

    def serials(self) -> dict[str, int]:
        self._may_fail("serials")
        return dict.fromkeys(self.zones, self.writes)

    def create_zone(self, zone: str, rrsets: Iterable[RRset]) -> None:
        self.zones[zone] = {}
        self.replace(zone, rrsets)

    def delete_zone(self, zone: str) -> None:
        self.zones.pop(zone, None)

    def zone_keys(self, zone: str) -> list[HeldKey]:  # noqa: ARG002 - one zone
        self._may_fail("zone_keys")
        self.asked_for_keys += 1
        return [HeldKey(number, dnskey, signs=number not in self.idle) for number, dnskey in self.keys.items()]

    def zone_settings(self, zone: str) -> dict[str, tuple[str, ...]]:
        self._may_fail("zone_settings")
        return dict(self.settings) if zone in self.zones else {}

    def add_zone_key(self, zone: str, private: str) -> None:  # noqa: ARG002 - one zone
        self._may_fail("add_zone_key")
        if not self.loses:
            self.keys[max(self.keys, default=0) + 1] = public_of(private)

    def remove_zone_key(self, zone: str, number: int) -> None:  # noqa: ARG002 - one zone
        self._may_fail("remove_zone_key")
        self.keys.pop(number, None)
        self.idle.discard(number)

    def _may_fail(self, method: str) -> None:
        if method in self.fails_on:
            raise ServiceError(f"DNS authority {self.name} does not answer")

    def _numbered(self, item: RRset) -> RRset:
        """Set the serial as a server does: it counts its own writes."""
        if item.type != "SOA":
            return item
        fields = item.records[0].split()
        fields[2] = str(self.writes)
        return RRset(item.name, item.type, item.ttl, (" ".join(fields),))


class FakeCdn:
    """A CDN's configuration store."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.differences: list[dict[str, Any]] = []

    def names(self) -> list[str]:
        return sorted(self.documents)

    def told_otherwise(self) -> list[dict[str, Any]]:
        return self.differences

    def get(self, name: str) -> dict[str, Any] | None:
        return self.documents.get(name)

    def put(self, name: str, document: dict[str, Any]) -> None:
        self.documents[name] = document

    def delete(self, name: str) -> None:
        self.documents.pop(name, None)
