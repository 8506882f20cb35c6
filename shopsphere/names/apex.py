"""What the zone says of itself: SOA and NS, how they are compared, and who may issue certificates for its names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shopsphere.clients.powerdns import RRset

_SOA_FIELDS = 7
_SERIAL = 2
# Seconds for secondaries, of which there are none: each authority is written by itself.
_REFRESH, _RETRY, _EXPIRE = 10_800, 3600, 604_800


def apex(props: Mapping[str, Any]) -> tuple[RRset, RRset]:
    """Return SOA and NS of a zone, from a resource's inputs; the serial is 0, and each authority counts its own."""
    timers = f"{_REFRESH} {_RETRY} {_EXPIRE} {int(props['negativeTtl'])}"
    soa = f"{props['nameservers'][0]} {props['hostmaster']} 0 {timers}"
    ttl = int(props["ttl"])
    servers = tuple(sorted(props["nameservers"]))
    return RRset(props["zone"], "SOA", ttl, (soa,)), RRset(props["zone"], "NS", ttl, servers)


def issuing(issuers: Iterable[str]) -> tuple[str, ...]:
    """Return the contents of CAA records by which these authorities alone issue certificates; `;` names nobody."""
    return tuple(f'0 {tag} "{issuer}"' for issuer in issuers for tag in ("issue", "issuewild"))


def apex_line(soa: RRset, nameservers: RRset) -> str:
    """Return SOA and NS as one line that is equal wherever the zone is: without the serial."""
    return f"{without_serial(soa)}; {nameservers}"


def without_serial(rrset: RRset) -> RRset:
    """Return an SOA without the number that each authority counts by itself, and any other rrset as it is."""
    fields = rrset.records[0].split() if rrset.type == "SOA" and rrset.records else []
    if len(fields) != _SOA_FIELDS:
        return rrset
    fields[_SERIAL] = "-"
    return replace(rrset, records=(" ".join(fields),))
