"""Whether every authority signs the zone with known keys and no others, and whether the parent zone vouches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from shopsphere.clients.dns import NameServerError
from shopsphere.clients.powerdns import HeldKey
from shopsphere.drift.edge_declared import DeclaredZone
from shopsphere.drift.edge_finding import edge_drift
from shopsphere.drift.edge_request import request_by_hand
from shopsphere.drift.edge_served import Served
from shopsphere.drift.model import Drift, Kind, Unseen
from shopsphere.estate.stack import EDGE
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import Severity
from shopsphere.names.key_record import LINES, TYPE, record_name
from shopsphere.names.key_view import KeysView
from shopsphere.names.zone_ds import leads, may_lead, strange, unchecked
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_proof import Vouched

LOOK = "shopsphere zone keys"
"""Says which DS the registrar has to have: a person changes it there."""


def keys_of(zone: DeclaredZone, served: Sequence[Served]) -> KeysView:
    """Return which keys authorities have, and which of these the stack's state knows, or a roll that it leads to."""
    found = {each.authority: (each.held, each.rrset(record_name(zone.name), TYPE)) for each in served}
    return KeysView.of(zone.name, found, zone.anchors, zone.retired)


def judge_signing(
    zone: DeclaredZone, served: Sequence[Served], vouched: Mapping[str, Vouched], deploy: str
) -> Iterator[Drift]:
    """Yield what is wrong with keys; which ones sign belongs to the run time, as far as the known ones made them.

    Args:
        zone: what is declared.
        served: what each authority has that could be read, and has the zone.
        vouched: what each server of the parent zone says, by its address.
        deploy: the command that signs.
    """
    view = keys_of(zone, served)
    shown = frozenset[str]().union(*(each.ds for each in vouched.values()))
    for each in served:
        name, signing = f"keys of zone {zone.name} at {each.authority}", view.signing(each.authority)
        if zone.signing and not signing:
            yield edge_drift(name, Kind.MISSING, Severity.CRITICAL, declared="signed answers", repair=deploy)
        elif missing := view.in_use - {key.dnskey for key in each.held}:
            declared, live = f"{_tags(view.in_use)}, as all authorities together", f"without {_tags(missing)}"
            yield edge_drift(name, Kind.CHANGED, Severity.HIGH, "keys", declared, live, repair=deploy)
        for key in each.held:
            yield from _judge_key(zone, view, each, key, vouched, deploy)
    yield from _lost(zone, view, shown, deploy, is_whole=len(served) >= len(zone.authorities.get("authorities", ())))
    yield from _records(zone, view, served, deploy)


def _judge_key(
    zone: DeclaredZone, view: KeysView, served: Served, key: HeldKey, vouched: Mapping[str, Vouched], deploy: str
) -> Iterator[Drift]:
    name, public = f"keys of zone {zone.name} at {served.authority}", ZoneKey(key.dnskey)
    field, does = f"key {public.tag}", "signs" if key.signs else "is published or held, and does not sign"
    if key.dnskey in view.retired:
        yield edge_drift(
            name, Kind.UNDECLARED, Severity.CRITICAL, field, live=f"was retired, and {does}", repair=deploy
        )
    elif key.dnskey not in view.known:
        others = view.signing(served.authority) & view.known - view.retired
        repair = _removal(zone, served, key, vouched, first="" if others else deploy)
        live = f"{public.described}, which neither the stack's state nor a roll knows, {does}"
        yield edge_drift(name, Kind.UNDECLARED, Severity.CRITICAL, field, live=live, residency=True, repair=repair)
    elif key.dnskey not in view.signing(served.authority):
        yield edge_drift(name, Kind.CHANGED, Severity.HIGH, field, "signs", does, repair=deploy)


def _removal(zone: DeclaredZone, served: Served, key: HeldKey, vouched: Mapping[str, Vouched], *, first: str) -> str:
    """Return how a key is removed, and what has to be done before, as nothing else would be proven afterwards.

    Args:
        zone: what is declared.
        served: by the authority that has the key.
        key: nobody knows it.
        vouched: what each server of the parent zone says.
        first: the command that signs with a known key; empty where one signs there.
    """
    remove = request_by_hand(zone.authorities, "DELETE", f"{served.place(zone.name)}/cryptokeys/{key.number}")
    shown = [ds for each in vouched.values() for ds in each.ds]
    if may_lead(shown, zone.name, ZoneKey(key.dnskey)):
        return f"{LOOK}; the parent zone vouches for it: put the DS right at the registrar, then {remove}"
    parents = zone.signing.get("parentServers", ())
    if not parents or set(parents) - set(vouched):
        return f"{LOOK}; it is not known whether the parent zone vouches for it: only if it does not, {remove}"
    return f"{first}; it signs with the key in use, and refuses to end; then {remove}" if first else remove


def _lost(zone: DeclaredZone, view: KeysView, shown: frozenset[str], deploy: str, *, is_whole: bool) -> Iterator[Drift]:
    """Yield keys of the stack's state that no authority has, and that nobody retired."""
    gone = {ZoneKey(each).ds(zone.name) for each in view.retired}
    there = {ZoneKey(key.dnskey).ds(zone.name) for keys in view.held.values() for key in keys}
    for ds in sorted(zone.anchors - gone - there) if is_whole else ():
        tag = ds.split()[0]  # a parent may show it by another digest
        is_shown = tag in {each.split()[0] for each in shown}
        severity = Severity.CRITICAL if is_shown or not view.in_use else Severity.HIGH
        yield edge_drift(
            f"keys of zone {zone.name}",
            Kind.MISSING,
            severity,
            f"key {tag}",
            f"the key of DS {ds}, as the stack's state knows it",
            repair=deploy,
        )


def _records(zone: DeclaredZone, view: KeysView, served: Sequence[Served], deploy: str) -> Iterator[Drift]:
    """Yield where the zone's own record of keys lacks what another place knows, or says what cannot be."""
    name = record_name(zone.name)
    change = json.dumps({"rrsets": [{"name": name, "type": TYPE, "changetype": "DELETE"}]})
    for each in served:
        remove = request_by_hand(zone.authorities, "PATCH", each.place(zone.name), change)
        found, place = each.rrset(name, TYPE), f"{name} {TYPE} at {each.authority}"
        if each.authority in view.flooded:
            told = (
                f"{LINES} lines at most",
                f"{len(found.records) if found else 0} lines, or longer ones than are read",
            )
            yield edge_drift(place, Kind.CHANGED, Severity.CRITICAL, "records", *told, repair=remove)
        elif each.authority in view.behind:
            told = ("all that is known of keys", f"{len(found.records) if found else 0} lines, which are not that")
            yield edge_drift(place, Kind.CHANGED, Severity.HIGH, "records", *told, repair=deploy)
        if false := view.contradicted_at.get(each.authority):
            yield edge_drift(
                place,
                Kind.CHANGED,
                Severity.CRITICAL,
                "retired",
                "keys that a key in use, or the stack's state, says were retired",
                f"{_tags(false)} retired, which is in use, and nothing proves it",
                repair=remove,
            )


def judge_parent(zone: DeclaredZone, served: Sequence[Served], vouched: Mapping[str, Vouched]) -> Iterator[Drift]:
    """Yield parents' servers that vouch for none of the keys that sign: there, every answer counts as forged.

    So do answers by a key that nobody has here, where a server vouches for one. A parent that vouches for nothing makes
    the zone an unsigned one, which is answered; `zone keys` says so.

    Args:
        zone: what is declared.
        served: what each authority has that could be read, and has the zone.
        vouched: what each server of the parent zone says, by its address.
    """
    view = keys_of(zone, served)
    signed = [keys for each in served if (keys := view.signing(each.authority) & view.in_use)]
    own = sorted(map(ZoneKey, frozenset[str].intersection(*signed) if signed else ()), key=lambda key: key.tag)
    declared = " | ".join(each.ds(zone.name) for each in own) or "none: no authority signs"
    for server, found in vouched.items():
        name, weak = f"DS of {zone.name} at {server}", unchecked(found.ds)
        live = " | ".join(sorted(found.ds)) + (f"; {weak}" if weak else "")
        if found.ds and not any(leads(found.ds, zone.name, each) for each in own):
            is_seen = any(may_lead(found.ds, zone.name, each) for each in own)
            severity = Severity.HIGH if is_seen else Severity.CRITICAL
            yield edge_drift(name, Kind.CHANGED, severity, "ds", declared, live, repair=LOOK)
        elif more := strange(found.ds, zone.name, map(ZoneKey, view.in_use)):
            yield edge_drift(name, Kind.ADDED, Severity.CRITICAL, "ds", declared, " | ".join(more), repair=LOOK)


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


def _tags(keys: frozenset[str]) -> str:
    return ", ".join(str(tag) for tag in sorted(ZoneKey(each).tag for each in keys))
