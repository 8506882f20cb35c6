"""What depends on the role of a site: who takes writes, who waits for whom, from where and to where the log goes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.postgres import follows
from shopsphere.clients.postgres_inventory import Sender, State
from shopsphere.drift.database_judging import Place
from shopsphere.drift.database_repair import end_receivers
from shopsphere.drift.model import Drift, Kind
from shopsphere.estate.pair_secrets import REPLICATION_USER
from shopsphere.estate.stack import Environment
from shopsphere.foundation.finding import Severity
from shopsphere.witness import Phase, Sync
from shopsphere.witness.access import witness_of

SYNCHRONY = "setting synchronous_standby_names"
_CHECKED_TLS = frozenset({"verify-ca", "verify-full"})
_COPYING = re.compile(r"pg_basebackup|-join$")
"""How those call themselves that take a first copy: an instance of the same cluster, or the other site."""
_COLLECTING = frozenset({"pg_receivewal", "pg_basebackup", "psql"})
"""How a collector of backups calls itself: it receives, copies, and asks who leads."""


@dataclass(frozen=True)
class Standing:
    """What the witness says of a pair at one moment.

    Attributes:
        active: the site that takes writes; empty where nobody knows.
        waits: the ledger of the active site has to wait for the other one.
        revision: of the record: another one means that it changed.
        moving: why nothing may be said of roles now; empty when all is steady.
    """

    active: str
    waits: bool = False
    revision: int = 0
    moving: str = ""


def standing_of(pair: str, environment: Environment) -> Standing:
    """Ask a pair's witness.

    Raises:
        AccessError: where it is, is not known here.
        WitnessUnreachableError: no quorum answered.
    """
    with closing(witness_of(pair, environment)) as witness:
        seen, lock = witness.see(), witness.locked_by()
    if seen.record is None:
        return Standing("", moving="the witness has no record of the pair: no site's agent has started yet")
    record, moving = seen.record, ""
    if lock is not None:
        moving = f"an operator holds the pair's lock: {lock.value}"
    elif record.phase is not Phase.STEADY:
        moving = f"a change is under way or was left unfinished ({record.phase}): {record.reason}"
    return Standing(record.active, record.sync is Sync.ON, seen.revision, moving)


def judge_role(
    place: Place, document: Mapping[str, Any], collectors: Collection[str], state: State, standing: Standing
) -> Iterator[Drift]:
    """Yield what differs from the role that the witness gives the site; only of a pair that stands still.

    Args:
        place: the server.
        document: its CloudNativePG cluster as it is now.
        collectors: addresses of the pods that collect its backups.
        state: what the instance says that leads it.
        standing: of the pair.
    """
    is_active = place.repair.site == standing.active
    yield from _direction(place, document, state, is_active=is_active)
    yield from _synchrony(place, state, standing, is_active=is_active)
    if state.in_recovery:
        yield from _source(place, state)
    for sender in state.senders:
        if not _collects(sender, collectors):
            yield from _receiver(place, document, sender)


def _direction(place: Place, document: Mapping[str, Any], state: State, *, is_active: bool) -> Iterator[Drift]:
    repair = f"shopsphere status {place.repair.site} --environment {place.repair.environment}, then the pair's runbook"
    wanted = "takes writes: the site is active" if is_active else "only follows: the other site is active"
    if state.in_recovery is is_active:
        live = "only follows" if state.in_recovery else "takes writes"
        yield place.drift("role", "", wanted, live, Kind.CHANGED, Severity.CRITICAL, repair=repair)
    if follows(document) is is_active:
        declared = place.declared.cluster if is_active else place.declared.peer
        live = str(document["spec"].get("replica", {}).get("primary", ""))
        field = "spec.replica.primary"
        yield place.drift("role", field, declared, live, Kind.CHANGED, Severity.CRITICAL, repair=repair)


def _synchrony(place: Place, state: State, standing: Standing, *, is_active: bool) -> Iterator[Drift]:
    """Yield a server that does not wait for whom it should, or waits for somebody else.

    While the witness says that the ledger may be ahead, its site's agent lets it wait or not; and at any time for the
    instances beside, if for them as well as for the other site.
    """
    waits = place.declared.model.synchronous and is_active
    name, names = place.declared.peer, re.findall(r'"([^"]+)"', state.synchronous)
    fits = {f'FIRST 1 ("{name}")'} if waits else {""}
    if waits and not standing.waits:
        fits.add("")
    beside = place.beside if waits else frozenset()
    others = [each for each in names if each not in beside]
    all_wait = state.synchronous == _first(names)
    if (_first(others) if all_wait else state.synchronous) in fits:
        return
    stranger = bool(set(others) - {name, place.pod})  # one that has just begun to lead may still be told of itself
    lost = waits and standing.waits
    yield place.drift(
        SYNCHRONY,
        "",
        " or ".join(sorted(each or "nobody" for each in fits)),
        state.synchronous or "nobody",
        Kind.CHANGED,
        Severity.CRITICAL if stranger or lost else Severity.HIGH,
        residency=stranger,
        repair=place.write_files_again(),
    )


def _first(names: Sequence[str]) -> str:
    """Return the setting by which each of these is waited for."""
    told = ",".join(f'"{each}"' for each in names)
    return f"FIRST {len(names)} ({told})" if names else ""


def _source(place: Place, state: State) -> Iterator[Drift]:
    """Yield a server that follows somebody outside of its pair, or whoever answers at the address."""
    declared = place.declared
    hosts = {declared.hosts.get(declared.peer, ""), f"{declared.cluster}-rw"} - {""}
    told = " or ".join(sorted(hosts))
    name, repair = "setting primary_conninfo", place.write_files_again()
    if state.source not in hosts:
        yield place.drift(
            name, "host", told, state.source, Kind.CHANGED, Severity.CRITICAL, residency=True, repair=repair
        )
    elif state.source_tls not in _CHECKED_TLS:
        yield place.drift(
            name,
            "sslmode",
            "verify-ca",
            state.source_tls,
            Kind.CHANGED,
            Severity.CRITICAL,
            residency=True,
            repair=repair,
        )


def _collects(sender: Sender, collectors: Collection[str]) -> bool:
    return sender.application in _COLLECTING and sender.user == REPLICATION_USER and sender.address in collectors


def _receiver(place: Place, document: Mapping[str, Any], sender: Sender) -> Iterator[Drift]:
    """Yield whoever receives the log and is neither the other site nor an instance of this cluster."""
    declared = place.declared
    reported = document.get("status", {}).get("instancesReportedState", {})
    instances = {name: str(told.get("ip", "")) for name, told in reported.items()}
    peer = declared.hosts.get(declared.peer, "").split(",")  # each node of the other site
    is_copying = bool(_COPYING.search(sender.application))
    fits_name = is_copying or sender.application == declared.peer or sender.application in instances
    own = instances.get(sender.application)
    places = {*peer, *instances.values()} if is_copying else {own} if own is not None else {*peer}
    if fits_name and sender.address in places - {""} and sender.user == REPLICATION_USER:
        return
    yield place.drift(
        f"receiver {sender.application or 'without a name'}",
        "",
        "",
        f"{sender.user} from {sender.address or 'this host'}",
        Kind.UNDECLARED,
        Severity.CRITICAL,
        residency=True,
        repair=place.statements("postgres", end_receivers(sender.address)),
    )
