"""The Americas move to Chicago and back, planned, after a power loss, and with a runbook that is killed on its way."""

import json
import os
import subprocess
import sys

import pytest
from lab_command import shopsphere

from lab.enter import command_inside
from runbooks.change import witness_of
from runbooks.engine import audit
from runbooks.operate import runs_directory
from runbooks.witness import Sync
from shopsphere.clock import wait_until
from shopsphere.deploy.stack import Environment
from shopsphere.paths import REPOSITORY

PAIR, PRIMARY, RECOVERY, CLIENT = "rdc-b", "ashburn", "chicago", "client-us"
ADDRESS = {PRIMARY: "10.99.0.21", RECOVERY: "10.99.0.22"}
MOVE_SECONDS = 240


def failover(kind, to, *words, check=True, kill=""):
    command = [REPOSITORY / ".venv/bin/shopsphere", "failover", PAIR, f"--{kind}", "--to", to]
    done = subprocess.run(
        [*command, "--execute", "--reason", "test", *words], capture_output=True, text=True, check=False,
        timeout=MOVE_SECONDS, env={**os.environ, **({"SHOPSPHERE_RUNBOOK_KILL": kill} if kill else {})},
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def witness(lab):
    witness = witness_of(PAIR, Environment.LAB)
    wait_until(lambda: record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=60)
    yield witness
    witness.close()


def record(witness):
    return witness.see().record


def state(at, site):
    return json.loads(at(CLIENT, "curl", "-sS", "-m", "5", f"http://{ADDRESS[site]}:8405/state").stdout)


class Orders:
    """Customers at the client host, while the block runs and `seconds` long."""

    def __init__(self, directory, seconds):
        self.file = directory / "orders.json"
        words = [str(REPOSITORY / "bench" / "orders.py"), "--seconds", str(seconds), "--workers", "3"]
        self._process = subprocess.Popen(
            command_inside(CLIENT, [sys.executable, *words]), stdout=self.file.open("w"), text=True
        )

    def end(self):
        assert self._process.wait(400) == 0
        return json.loads(self.file.read_text())

    def stop(self):
        self._process.kill()


@pytest.fixture
def orders(tmp_path, sql, witness):
    started = []
    sql(record(witness).active, "commerce", "update inventory.stock set free = 1000000")

    def start(seconds):
        started.append(Orders(tmp_path, seconds))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def require_nothing_lost(orders, site):
    script = [sys.executable, str(REPOSITORY / "bench" / "verify_orders.py"), str(orders.file), site]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def require_active(at, sql, witness, site):
    """The witness, both databases, the gateway and DNS say the same."""
    seen = witness.see()
    assert (seen.record.active, seen.lease_holder) == (site, site)
    assert [sql(site, database, "select pg_is_in_recovery()") for database in ("commerce", "ledger")] == ["f", "f"]
    assert state(at, site)["writes"]
    asked = ("dig", "+short", f"{PAIR}.shopsphere.test")
    wait_until(lambda: at(CLIENT, *asked).stdout.strip() == ADDRESS[site], what="DNS", seconds=20)


@pytest.mark.requirement("a dry run changes nothing and says what would happen")
@pytest.mark.parametrize("kind", ["planned", "unplanned"])
def test_dry_run(witness, kind):
    before = witness.see()
    done = shopsphere("failover", PAIR, f"--{kind}", seconds=60)
    assert "in epoch 2 chicago would be" in done.stderr
    assert "nothing was changed" in done.stderr
    assert witness.see() == before


@pytest.mark.requirement("bad input gets a clear error and changes nothing")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["failover", PAIR], "say which"),
        (["failover", PAIR, "--planned", "--execute"], "--reason"),
        (["failover", "rdc-x", "--planned"], "no pair"),
        (["failover", PAIR, "--planned", "--to", PRIMARY], "because ashburn is active"),
        (["rebuild", PRIMARY], "because ashburn is active"),
    ],
)
def test_refusals(witness, words, message):
    before = witness.see()
    done = shopsphere(*words, check=False, seconds=60)
    assert done.code != 0
    assert message in done.stderr
    assert witness.see() == before


@pytest.mark.requirement("two operators at once: the second is told who is at work")
def test_the_lock(witness):
    lock = witness.lock("anna at the night desk", seconds=60)
    try:
        done = failover("planned", RECOVERY, check=False)
        assert done.returncode == 1
        assert "anna at the night desk" in done.stderr
    finally:
        witness.release_lease(lock)


@pytest.mark.requirement("planned failover and failback: nothing lost, no site unable to write afterwards")
def test_planned_there_and_back(at, sql, witness, orders):
    epoch = record(witness).epoch
    customers = orders(70)
    failover("planned", RECOVERY)
    require_active(at, sql, witness, RECOVERY)
    failover("planned", PRIMARY)
    require_active(at, sql, witness, PRIMARY)
    found = customers.end()
    assert found["count"] > 10, found["failures"]
    assert require_nothing_lost(customers, PRIMARY)["lost orders"] == 0
    assert record(witness).epoch == epoch + 2
    assert record(witness).sync is Sync.ON


@pytest.mark.requirement("a runbook that is killed goes on where it was, with the same command")
@pytest.mark.parametrize(
    ("to", "kill"), [(RECOVERY, "4:acted"), (PRIMARY, "6:acted"), (RECOVERY, "8:before"), (PRIMARY, "7:acted")]
)
def test_killed_and_resumed(at, sql, witness, to, kill):
    killed = failover("planned", to, check=False, kill=kill)
    assert killed.returncode == -9
    wait_until(lambda: witness.locked_by() is None, what="the dead operator's lock to end", seconds=40)
    failover("planned", to)
    require_active(at, sql, witness, to)


@pytest.mark.requirement(
    "power loss: no acknowledged payment lost; the old site stays shut off, is rebuilt, takes over"
)
def test_power_loss(at, sql, witness, orders, lab):
    require_active(at, sql, witness, PRIMARY)
    customers = orders(60)
    wait_until(lambda: sql(PRIMARY, "ledger", "select count(*) > 0 from payments.payment") == "t", what="orders",
               seconds=30)  # fmt: skip
    lab("lab", "power-off", PRIMARY)
    failover("unplanned", RECOVERY)
    require_active(at, sql, witness, RECOVERY)
    found = customers.end()
    assert found["count"] > 10, found["failures"]
    require_nothing_lost(customers, RECOVERY)
    assert record(witness).sync is Sync.OFF

    lab("lab", "power-on", PRIMARY)
    wait_until(lambda: _api_answers(sql), what="Ashburn's ledger", seconds=240, interval=3)
    assert sql(PRIMARY, "ledger", "select pg_is_in_recovery()") == "f", "it believes that it is the primary"
    returned = state(at, PRIMARY)
    assert (returned["databases"], returned["writes"]) == (False, False), returned

    shopsphere("rebuild", PRIMARY, "--execute", "--reason", "test", seconds=700)
    assert sql(PRIMARY, "ledger", "select pg_is_in_recovery()") == "t"
    assert record(witness).sync is Sync.ON
    failover("planned", PRIMARY)
    require_active(at, sql, witness, PRIMARY)


def _api_answers(sql):
    try:
        return sql(PRIMARY, "ledger", "select 1") == "1"
    except Exception:  # noqa: BLE001 whatever a site that is starting answers
        return False


@pytest.mark.requirement("every run is in the audit log, whose chain shows a change")
def test_audit(witness):
    assert audit.verify_chain(runs_directory() / "audit.jsonl") >= 14
