"""The Americas' pair as tests move it: commands, customers, and what has to agree afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab_access import At, Sql
from present import present

from lab.enter import command_inside
from shopsphere.clients.site_agent import ask_agent
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.witness.client import Witness
from shopsphere.witness.record import PairRecord

PAIR, PRIMARY, RECOVERY, CLIENT = "rdc-b", "ashburn", "chicago", "client-us"
ADDRESS = {PRIMARY: "10.99.0.21", RECOVERY: "10.99.0.22"}
VOTERS = ("newyork", "frankfurt", "singapore")
MOVE_SECONDS = 900


def command(verb: str, *words: str, check: bool = True, kill: str = "") -> subprocess.CompletedProcess[str]:
    """Run a verb that moves the pair, for real."""
    done = subprocess.run(
        [REPOSITORY / ".venv/bin/shopsphere", verb, PAIR, *words, "--execute"],
        capture_output=True, text=True, check=False, timeout=MOVE_SECONDS,
        env={**os.environ, **({"SHOPSPHERE_RUNBOOK_KILL": kill} if kill else {})},
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def failover(kind: str, to: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return command("failover", f"--{kind}", "--to", to, "--reason", "test", *words, **options)


def record(witness: Witness) -> PairRecord:
    return witness.see().require_record(PAIR)


def state(site: str) -> dict[str, Any]:
    """What a site's agent says: to the operators' machine, and not to a customer's."""
    return ask_agent(f"http://{ADDRESS[site]}:8405", seconds=20)


class Orders:
    """Customers at the client host, `seconds` long, or until they are told to end."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self.file = directory / "orders.json"
        words = [str(REPOSITORY / "bench" / "orders.py"), "--attended", "--seconds", str(seconds), "--workers", "3"]
        self._process = subprocess.Popen(
            command_inside(CLIENT, [sys.executable, *words]),
            stdin=subprocess.PIPE, stdout=self.file.open("w"), text=True,
        )  # fmt: skip

    def end_now(self) -> dict[str, Any]:
        """Let them end what is under way, and return their journal."""
        present(self._process.stdin).close()
        return self.end()

    def end(self) -> dict[str, Any]:
        """Wait until their time is over, and return their journal."""
        assert self._process.wait(900) == 0
        journal: dict[str, Any] = json.loads(self.file.read_text())
        return journal

    def stop(self) -> None:
        self._process.kill()


def require_nothing_lost(orders: Orders, site: str) -> dict[str, Any]:
    script = [sys.executable, str(REPOSITORY / "bench" / "verify_orders.py"), str(orders.file), site]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def require_active(at: At, sql: Sql, witness: Witness, site: str) -> None:
    """The witness, both databases, the gateway and DNS say the same."""
    seen = witness.see()
    assert (seen.require_record(PAIR).active, seen.lease_holder) == (site, site)
    assert [sql(site, database, "select pg_is_in_recovery()") for database in ("commerce", "ledger")] == ["f", "f"]
    assert state(site)["writes"]
    asked = ("dig", "+short", f"{PAIR}.shopsphere.test")
    wait_until(lambda: at(CLIENT, *asked).stdout.strip() == ADDRESS[site], what="DNS", seconds=90)
