"""Secrets of the Americas are renewed under load, by a rotation that goes through and by one that is killed."""

import os
import subprocess
from collections.abc import Callable

import pytest
from lab_access import Sql
from lab_command import shopsphere
from moving_pair import PAIR, PRIMARY, RECOVERY, Orders, record, require_nothing_lost

from runbooks.rotation.run import steps_of
from shopsphere.deploy.secrets import read_secrets
from shopsphere.estate.renewal import KINDS
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology
from shopsphere.witness import Sync, Witness

ROTATE_SECONDS = 2400


def rotate(kind: str, *, kill: str = "", check: bool = True) -> int:
    """Renew one kind of secret, for real; returns the exit code."""
    done = subprocess.run(
        [REPOSITORY / ".venv/bin/shopsphere", "rotate", PAIR, "--only", kind, "--execute", "--reason", "test",
         "--sign-out"],
        capture_output=True, text=True, check=False, timeout=ROTATE_SECONDS,
        env={**os.environ, **({"SHOPSPHERE_RUNBOOK_KILL": kill} if kill else {})},
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.returncode


def secrets(kind: str) -> list[dict[str, str]]:
    topology = load_topology()
    stacks = [site_stack(topology, site, Environment.LAB) for site in (PRIMARY, RECOVERY)]
    return [{name: read_secrets(stack)[name] for name in KINDS[kind].names} for stack in stacks]


@pytest.mark.long
@pytest.mark.requirement("0 lost orders and 0 errors to a patient customer while any kind of secret is renewed")
@pytest.mark.parametrize("kind", KINDS)
def test_renewed_under_load(sql: Sql, witness: Witness, orders: Callable[[float], Orders], kind: str) -> None:
    before = secrets(kind)
    customers = orders(ROTATE_SECONDS)
    rotate(kind)
    found = customers.end_now()
    assert found["count"] > 10, found["failures"]
    assert require_nothing_lost(customers, PRIMARY)["lost orders"] == 0
    assert not found["failures"], found["failures"]
    first, second = secrets(kind)
    assert first == second
    assert not set(before[0].values()) & set(first.values())
    assert record(witness).sync is Sync.ON
    streaming = "select count(*) >= 1 from pg_stat_replication where state = 'streaming'"
    for database in ("commerce", "ledger"):
        assert sql(PRIMARY, database, streaming) == "t"


@pytest.mark.long
@pytest.mark.requirement("a rotation that is killed in any step goes on with the same command, under load")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_in_each_step_and_resumed(witness: Witness, orders: Callable[[float], Orders], kind: str) -> None:
    customers = orders(3 * ROTATE_SECONDS)
    for step in steps_of(kind).steps:
        killed = rotate(kind, kill=f"{step.number}:{'acted' if step.act else 'verified'}", check=False)
        assert killed == -9, step.name
        wait_until(lambda: witness.rotated_by() is None, what="the dead operator's lock to end", seconds=40)
        rotate(kind)
    found = customers.end_now()
    assert require_nothing_lost(customers, PRIMARY)["lost orders"] == 0
    assert not found["failures"], found["failures"]
    first, second = secrets(kind)
    assert first == second


@pytest.mark.long
@pytest.mark.requirement("a failover does not wait for a rotation")
def test_a_failover_goes_on_while_a_rotation_is_unfinished(witness: Witness) -> None:
    number = next(each.number for each in steps_of("call-key").steps if "05-use" in each.name)
    assert rotate("call-key", kill=f"{number}:acted", check=False) == -9
    shopsphere("failover", PAIR, "--planned", "--to", RECOVERY, "--execute", "--reason", "test", seconds=240)
    shopsphere("failover", PAIR, "--planned", "--to", PRIMARY, "--execute", "--reason", "test", seconds=240)
    wait_until(lambda: record(witness).sync is Sync.ON, what="sync on", seconds=120, interval=1)
    wait_until(lambda: witness.rotated_by() is None, what="the dead operator's lock to end", seconds=40)
    rotate("call-key")
