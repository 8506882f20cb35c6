"""Whether every authority signs the zone, all with the same keys, and whether the parent zone vouches for these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address

from shopsphere.clients.dns import NameServerError
from shopsphere.drift.edge_declared import DeclaredZone
from shopsphere.drift.edge_finding import edge_drift
from shopsphere.drift.model import Drift, Kind, Unseen
from shopsphere.estate.stack import EDGE
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import Severity
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_proof import Vouched

LOOK = "shopsphere zone keys"
"""Says which DS the registrar has to have: a person changes it there."""


def judge_signing(zone: DeclaredZone, held: Mapping[str, AbstractSet[str]], deploy: str) -> Iterator[Drift]:
    """Yield what is wrong with keys; which ones they are belongs to the run time.

    Args:
        zone: what is declared.
        held: DNSKEYs that sign, by authority.
        deploy: the command that signs.
    """
    if not zone.signing:
        return
    union = frozenset[str]().union(*held.values())
    for authority, keys in held.items():
        name = f"keys of zone {zone.name} at {authority}"
        if not keys:
            yield edge_drift(name, Kind.MISSING, Severity.CRITICAL, declared="signed answers", repair=deploy)
        elif union != keys:
            declared, live = f"{_tags(union)}, as all authorities together", _tags(keys)
            yield edge_drift(name, Kind.CHANGED, Severity.HIGH, "keys", declared, live, repair=deploy)


def judge_parent(zone: DeclaredZone, keys: AbstractSet[str], vouched: Mapping[str, Vouched]) -> Iterator[Drift]:
    """Yield parents' servers that vouch for none of the keys that sign: there, every answer counts as forged.

    A parent that vouches for nothing makes the zone an unsigned one, which is answered; `zone keys` says so.

    Args:
        zone: what is declared.
        keys: DNSKEYs with which every authority signs.
        vouched: what each server of the parent zone says, by its address.
    """
    own = {ZoneKey(each).ds(zone.name) for each in keys}
    for server, found in vouched.items():
        if found.ds and not found.ds & own:
            yield edge_drift(
                f"DS of {zone.name} at {server}",
                Kind.CHANGED,
                Severity.CRITICAL,
                "ds",
                " | ".join(sorted(own)) or "none: no authority signs",
                " | ".join(sorted(found.ds)),
                repair=LOOK,
            )


def asked_parents(
    zone: DeclaredZone, ask: Callable[[IPv4Address, str], Vouched], unseen: list[Unseen]
) -> dict[str, Vouched]:
    """Return what each declared server of the parent zone says; one that is silent is unseen and hides no other."""
    found = {}
    for server in zone.signing.get("parentServers", ()):
        try:
            found[server] = ask(IPv4Address(server), zone.name)
        except NameServerError as error:
            unseen.append(Unseen(EDGE, f"DS of {zone.name} at {server}", one_line(error)))
    return found


def _tags(keys: AbstractSet[str]) -> str:
    return ", ".join(str(tag) for tag in sorted(ZoneKey(each).tag for each in keys))
