"""The Americas move to Chicago and back, planned, after a power loss, and with a runbook that is killed on its way."""

from collections.abc import Callable

import pytest
from lab_access import At, Lab, Sql
from lab_command import shopsphere
from moving_pair import (
    PAIR,
    PRIMARY,
    RECOVERY,
    Orders,
    command,
    failover,
    record,
    require_active,
    require_nothing_lost,
    state,
)
from present import present

from runbooks.engine import audit
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Sync, Witness


@pytest.mark.requirement("a dry run changes nothing and says what would happen")
@pytest.mark.parametrize("kind", ["planned", "unplanned"])
def test_dry_run(witness: Witness, kind: str) -> None:
    before = witness.see()
    done = shopsphere("failover", PAIR, f"--{kind}", seconds=60)
    assert f"in epoch {present(before.record).epoch + 1} chicago would be" in done.stdout
    assert "nothing was changed" in done.stderr
    assert witness.see() == before


@pytest.mark.requirement("bad input gets a clear error and changes nothing")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["failover", PAIR], "say which"),
        (["failover", PAIR, "--planned", "--execute"], "--reason"),
        (["failover", "rdc-x", "--planned"], "no pair"),
        (["failover", PAIR, "--planned", "--to", "singapore"], "expected: --to ashburn or chicago"),
        (["rebuild", PRIMARY], "because ashburn is active"),
    ],
)
def test_refusals(witness: Witness, words: list[str], message: str) -> None:
    before = witness.see()
    done = shopsphere(*words, check=False, seconds=60)
    assert done.code != 0
    assert message in done.stderr
    assert witness.see() == before


@pytest.mark.requirement("two operators at once: the second is told who is at work")
def test_the_lock(witness: Witness) -> None:
    lock = witness.lock("anna at the night desk", seconds=60)
    try:
        done = failover("planned", RECOVERY, check=False)
        assert done.returncode == 1
        assert "anna at the night desk" in done.stderr
    finally:
        witness.release_lease(lock.lease)


@pytest.mark.full
@pytest.mark.requirement(
    "a drill goes there and back under load, loses nothing, and writes the record that `ready` asks for"
)
def test_drill(at: At, sql: Sql, witness: Witness, orders: Callable[[float], Orders]) -> None:
    wait_until(_ready_but_for_a_drill, what="the pair to be ready, but for a drill", seconds=240, interval=1)
    epoch = record(witness).epoch
    customers = orders(90)
    command("drill", "--reason", "test")
    require_active(at, sql, witness, PRIMARY)
    found = customers.end_now()
    assert found["count"] > 3, found["failures"]
    assert require_nothing_lost(customers, PRIMARY)["lost orders"] == 0
    assert record(witness).epoch == epoch + 2
    assert record(witness).sync is Sync.ON
    wait_until(lambda: shopsphere("ready", PAIR, check=False, seconds=60).code == 0, what="ready", seconds=240)


def _ready_but_for_a_drill() -> bool:
    found = shopsphere("ready", PAIR, check=False, seconds=60)
    return found.code == 0 or "NOT ready (P8)" in found.stdout + found.stderr


@pytest.mark.full
@pytest.mark.requirement("a runbook that is killed goes on where it was, with the same command")
@pytest.mark.parametrize(("to", "kill"), [(RECOVERY, "4:acted"), (PRIMARY, "5:acted")])  # all places: bench/safety
def test_killed_and_resumed(at: At, sql: Sql, witness: Witness, to: str, kill: str) -> None:
    killed = failover("planned", to, check=False, kill=kill)
    assert killed.returncode == -9
    wait_until(lambda: witness.locked_by() is None, what="the dead operator's lock to end", seconds=120)
    failover("planned", to)
    require_active(at, sql, witness, to)


@pytest.mark.full
@pytest.mark.requirement("a change that has not passed the point of no return can be taken back")
def test_taken_back(at: At, sql: Sql, witness: Witness) -> None:
    require_active(at, sql, witness, PRIMARY)
    epoch = record(witness).epoch
    assert failover("planned", RECOVERY, check=False, kill="4:acted").returncode == -9
    wait_until(lambda: witness.locked_by() is None, what="the dead operator's lock to end", seconds=120)
    assert not state(PRIMARY)["writes"]
    command("failover", "--abort", "--reason", "test")
    require_active(at, sql, witness, PRIMARY)
    assert record(witness).epoch == epoch
    # The record says so before anybody has noticed that the other site has to come back to a database that was ended.
    shown = f"from pg_stat_replication where application_name = 'ledger-{RECOVERY}'"
    streams = f"select count(*) = 1 {shown} and state = 'streaming' and sync_state = 'sync'"
    wait_until(
        lambda: sql(PRIMARY, "ledger", streams) == "t" and record(witness).sync is Sync.ON,
        what="the other site to stream again, and sync on",
        seconds=240,
        interval=1,
    )


@pytest.mark.full
@pytest.mark.requirement(
    "power loss: no acknowledged payment lost; the old site stays shut off, is rebuilt, takes over"
)
def test_power_loss(
    at: At,
    sql: Sql,
    witness: Witness,
    orders: Callable[[float], Orders],
    lab: Lab,
    wait_for_database: Callable[[str], None],
) -> None:
    require_active(at, sql, witness, PRIMARY)
    customers = orders(60)
    wait_until(lambda: sql(PRIMARY, "ledger", "select count(*) > 0 from payments.payment") == "t", what="orders",
               seconds=120)  # fmt: skip
    lab("lab", "power-off", PRIMARY)
    failover("unplanned", RECOVERY)
    require_active(at, sql, witness, RECOVERY)
    found = customers.end()
    assert found["count"] > 3, found["failures"]
    require_nothing_lost(customers, RECOVERY)
    assert record(witness).sync is Sync.OFF

    lab("lab", "power-on", PRIMARY)
    wait_for_database(PRIMARY)
    assert sql(PRIMARY, "ledger", "select pg_is_in_recovery()") == "f", "it believes that it is the primary"
    returned = state(PRIMARY)
    assert (returned["databases"], returned["writes"]) == (False, False), returned

    lab("lab", "free-volumes", PRIMARY)  # what earlier rebuilds have kept
    shopsphere("rebuild", PRIMARY, "--execute", "--reason", "test", seconds=700)
    assert sql(PRIMARY, "ledger", "select pg_is_in_recovery()") == "t"
    assert record(witness).sync is Sync.ON
    command("failback", "--reason", "test")
    require_active(at, sql, witness, PRIMARY)
    command("failback", "--reason", "at home already")
    require_active(at, sql, witness, PRIMARY)


@pytest.mark.full
@pytest.mark.requirement("every run is in the audit log, whose chain shows a change")
def test_audit(witness: Witness) -> None:
    assert audit.verify_chain(records_directory(Environment.LAB) / "audit.jsonl") >= 12
