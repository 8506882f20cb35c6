"""The zone at each DNS authority against what is declared: changed, missing and added names, and zones in its way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from shopsphere.clients.powerdns import RRset
from shopsphere.drift.edge_declared import DeclaredZone
from shopsphere.drift.edge_finding import edge_drift
from shopsphere.drift.edge_request import request_by_hand
from shopsphere.drift.edge_served import Served
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.values import difference_shown
from shopsphere.foundation.finding import Severity
from shopsphere.names.apex import without_serial
from shopsphere.names.key_record import TYPE, record_name
from shopsphere.names.pair_state import PairState

_LEADS_NOWHERE = frozenset({"CAA", "SOA", "TXT"})
"""Types that send no client to an address; with any other one, customers and what they enter go somewhere else."""


def judge_zone(zone: DeclaredZone, served: Sequence[Served], deploy: str) -> Iterator[Drift]:
    """Yield all findings of a zone.

    Args:
        zone: what is declared.
        served: what each authority that could be read has.
        deploy: the command that writes what is declared.
    """
    for each in served:
        yield from _other_zones(zone, each)
        if each.rrsets is None:
            whole = f"zone {zone.name} at {each.authority}"
            yield edge_drift(whole, Kind.MISSING, Severity.CRITICAL, declared="a zone", repair=deploy)
            continue
        live = {(rrset.name, rrset.type): rrset for rrset in each.rrsets}
        for key, wanted in zone.rrsets.items():
            yield from _rrset(wanted, live.get(key), each.authority, deploy)
        own = {*((name, "LUA") for name in zone.pairs), (record_name(zone.name), TYPE)}
        for key, rrset in live.items():
            if key not in zone.rrsets and key not in own:
                yield _added(zone, rrset, each)
    yield from _states(zone, [each for each in served if each.rrsets is not None], deploy)


def _rrset(wanted: RRset, found: RRset | None, authority: str, deploy: str) -> Iterator[Drift]:
    name = f"{wanted.name} {wanted.type} at {authority}"
    if found is None or not found.records:
        yield edge_drift(name, Kind.MISSING, Severity.HIGH, declared=str(wanted), repair=deploy)
        return
    wanted, found = without_serial(wanted), without_serial(found)
    if wanted.records != found.records:
        declared, live = difference_shown(" | ".join(wanted.records), " | ".join(found.records))
        residency = wanted.type not in _LEADS_NOWHERE
        severity = Severity.CRITICAL if residency else Severity.MEDIUM
        yield edge_drift(name, Kind.CHANGED, severity, "records", declared, live, residency=residency, repair=deploy)
    if wanted.ttl != found.ttl:
        yield edge_drift(name, Kind.CHANGED, Severity.MEDIUM, "ttl", f"{wanted.ttl} s", f"{found.ttl} s", repair=deploy)


def _added(zone: DeclaredZone, rrset: RRset, served: Served) -> Drift:
    residency = rrset.type not in _LEADS_NOWHERE
    change = {"name": rrset.name, "type": rrset.type, "changetype": "DELETE"}
    place = served.place(zone.name)
    return edge_drift(
        f"{rrset.name} {rrset.type} at {served.authority}",
        Kind.UNDECLARED,
        Severity.CRITICAL if residency else Severity.HIGH,
        live=difference_shown("", str(rrset))[1],
        residency=residency,
        repair=request_by_hand(zone.authorities, "PATCH", place, json.dumps({"rrsets": [change]})),
    )


def _other_zones(zone: DeclaredZone, served: Served) -> Iterator[Drift]:
    """Yield zones inside of the declared one: the authority answers from them instead."""
    for name in served.zones:
        if name.endswith(f".{zone.name}"):
            place = served.place(name)
            yield edge_drift(
                f"zone {name} at {served.authority}",
                Kind.UNDECLARED,
                Severity.CRITICAL,
                live=f"a zone inside of {zone.name}, which hides its names there",
                residency=True,
                repair=request_by_hand(zone.authorities, "DELETE", place),
            )


def _states(zone: DeclaredZone, served: Sequence[Served], deploy: str) -> Iterator[Drift]:
    """Yield what is wrong with states of pairs: any valid one is as declared, when all authorities have the same."""
    for name, pair in zone.pairs.items():
        known: dict[str, PairState] = {}
        for each in served:
            found = each.rrset(name, "LUA")
            state = pair.valid(found)
            record = f"{name} LUA at {each.authority}"
            if state is not None:
                known[each.authority] = state
            elif found is None:
                yield edge_drift(
                    record, Kind.MISSING, Severity.CRITICAL, declared=f"a state of {pair.pair}", repair=deploy
                )
            else:
                declared, live = difference_shown(str(pair.rrset(pair.stated(found) or pair.first)), str(found))
                yield edge_drift(
                    record, Kind.CHANGED, Severity.CRITICAL, "records", declared, live, residency=True, repair=deploy
                )
        yield from _disagreement(name, known, deploy)


def _disagreement(name: str, known: Mapping[str, PairState], deploy: str) -> Iterator[Drift]:
    newest = max(known.values(), key=lambda state: state.epoch, default=None)
    for authority, state in known.items():
        if newest is not None and (state.epoch, state.active) != (newest.epoch, newest.active):
            yield edge_drift(
                f"{name} LUA at {authority}",
                Kind.CHANGED,
                Severity.HIGH,
                "state",
                f"epoch {newest.epoch}, active {newest.active}, as another authority says",
                f"epoch {state.epoch}, active {state.active}",
                repair=deploy,
            )
