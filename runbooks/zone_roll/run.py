"""`shopsphere zone roll`: look ahead or carry out, with a journal of its own and in the audit log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbooks.audit_trail import FILE
from runbooks.engine import (
    DryRun,
    Journal,
    Runbook,
    RunFacts,
    RunRecord,
    audit,
    load_runbook,
    look_ahead,
    run_runbook,
    write_report,
)
from runbooks.recorded_run import REPORT, kept_or_said, noted, opened_journal, records_for_a_run
from runbooks.zone_roll.records import ROLLS, retired_in
from runbooks.zone_roll.zone_roll import NEW_DS_UNTIL, ZoneRoll
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.powerdns import connect_to
from shopsphere.estate.access import edge_access, parent_servers
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.actor import actor
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import zone_of
from shopsphere.names.zone_keys import FOLDER as KEYS
from shopsphere.names.zone_keys import retire_all
from shopsphere.names.zone_proof import Asked
from shopsphere.topology import Topology
from shopsphere.topology.public_names import STATIC, WWW

FOLDER = Path(__file__).parent.parent / "roll_zone_key"
ABORT = FOLDER.parent / "abort_zone_roll"


def answers_of(topology: Topology) -> tuple[Asked, ...]:
    """Return what is asked of a name server to see that it signs: one answer of each kind that customers get."""
    zone = zone_of(topology)
    names = [WWW, STATIC, *topology.pairs]
    return ((zone, "SOA"), (zone, "NS"), (zone, "A"), *((f"{name}.{zone}", "A") for name in names))


def zone_roll(topology: Topology, environment: Environment) -> ZoneRoll:
    """Return the ways to the zone, its parent and its keys.

    Raises:
        ShopSphereError: the edge's configuration does not say them, or the deployer's certificate is not here.
    """
    access = edge_access(environment)
    servers = [(each.name, each.url) for each in access.require_authorities()]
    identity = EdgeIdentity.of(access.edge_keys, DEPLOYER)
    return ZoneRoll(
        zone=zone_of(topology),
        authorities=connect_to(servers, identity),
        servers=tuple(each.address for each in access.nameservers),
        parents=parent_servers(environment),
        folder=identity.folder / KEYS,
        asked=answers_of(topology),
    )


def look(topology: Topology, environment: Environment, *, abort: bool = False) -> DryRun:
    """Say what would happen, without doing any of it; with `abort`, what taking the unfinished roll back would do.

    Raises:
        ShopSphereError: there is no roll to take back.
    """
    roll = zone_roll(topology, environment)
    left = _left(records_directory(environment), roll.zone, abort=abort)
    return look_ahead(_steps(abort=abort), None, replace(roll, left=left.values if left else {}))


def carry_out(topology: Topology, environment: Environment, reason: str, *, abort: bool = False) -> Path:
    """Replace the key, or go on where an earlier run stopped; returns the folder of the report.

    Args:
        topology: names of the zone.
        environment: lab or prod.
        reason: why, in the operator's words.
        abort: take the unfinished roll back instead.

    Raises:
        ShopSphereError: what stopped it; the same call goes on from there.
    """
    records = records_for_a_run(environment)
    return roll_key(zone_roll(topology, environment), records, reason, abort=abort)


def roll_key(roll: ZoneRoll, records: Path, reason: str, *, abort: bool = False) -> Path:
    """Carry out a roll whose ways are known, or take it back; see `carry_out`."""
    directory = records / ROLLS
    left = _left(records, roll.zone, abort=abort)
    facts = RunFacts(FOLDER.name, None, roll.zone, actor(), reason)
    # The folder may have come back from an older copy, or another machine has retired keys.
    retire_all(roll.folder, frozenset(retired_in(directory, roll.zone)))
    retire_all(roll.folder, roll.retired())
    with opened_journal(directory, facts, left) as journal:
        roll = replace(roll, journal=journal)
        name = ABORT.name if abort else FOLDER.name
        with noted(journal, facts.actor, lambda event: _note(records, event, name, roll.zone, reason)):
            _carry_out(roll, journal, abort=abort)
        reports = directory / "reports" / journal.run
        kept_or_said(REPORT, lambda: write_report(journal.path, reports, {}))
        return reports


def _carry_out(roll: ZoneRoll, journal: Journal, *, abort: bool) -> None:
    if abort:
        run_runbook(_steps(abort=True), roll, journal)
        return
    roll.require_forward()
    roll.wait_anew(NEW_DS_UNTIL)  # whoever takes the roll back later waits anew
    run_runbook(_steps(abort=False), roll, journal, may_act=roll.require_alone)


def _steps(*, abort: bool) -> Runbook:
    """Return the steps of a roll, or those that take one back: they go on in the same journal, so that none is lost."""
    return replace(load_runbook(ABORT), name=FOLDER.name) if abort else load_runbook(FOLDER)


def _left(records: Path, zone: str, *, abort: bool) -> RunRecord | None:
    left = Journal.unfinished(records / ROLLS, pair=zone)
    if abort and left is None:
        raise ShopSphereError.build(
            f"{zone}: there is no roll to take back here",
            expected=f"an unfinished roll in {records / ROLLS}",
            found="none",
            action="call it on the machine where the roll began; `shopsphere zone keys` says which keys sign",
        )
    return left


def _note(records: Path, event: str, name: str, zone: str, reason: str) -> None:
    """Write into the audit log of this machine; its head goes to a witness with the next run that moves a pair."""
    facts = {"event": event, "runbook": name, "zone": zone, "actor": actor(), "reason": reason}
    audit.append(records / FILE, facts)
