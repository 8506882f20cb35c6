"""The recovery site of the Americas is lost: payments go on, and failover waits until it is back and complete."""

from collections.abc import Callable

import pytest
from lab_access import At, Lab, Sql
from lab_command import shopsphere
from moving_pair import PRIMARY, RECOVERY, Orders, failover, record, require_active, require_nothing_lost

from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Sync, Witness

pytestmark = pytest.mark.long
STANDSTILL = 20.0  # 15 s are required; a customer tries again only after a while


@pytest.mark.requirement("the recovery site is gone: ledger writes go on, after the witness says sync off; then back")
def test_payments_go_on_without_the_recovery_site(
    at: At, sql: Sql, witness: Witness, orders: Callable[[float], Orders], lab: Lab
) -> None:
    customers = orders(45)
    lab("lab", "power-off", RECOVERY)
    wait_until(lambda: record(witness).sync is Sync.OFF, what="the witness to say sync off", seconds=15, interval=0.2)
    found = customers.end()
    assert found["count"] > 10, found["failures"]
    assert found["gap"]["seconds"] < STANDSTILL
    require_nothing_lost(customers, PRIMARY)

    refused = failover("unplanned", RECOVERY, check=False)
    assert refused.returncode != 0
    assert record(witness).active == PRIMARY

    lab("lab", "limit-volume", RECOVERY, "v8", "64")
    lab("lab", "power-on", RECOVERY)
    full = at(RECOVERY, "dd", "if=/dev/zero", "of=/srv/volumes/v8/filler", "bs=1M", "count=100", check=False)
    assert "No space left" in full.stderr, "a volume with a size of its own can run full"
    at(RECOVERY, "rm", "/srv/volumes/v8/filler")
    wait_until(lambda: record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=300, interval=1)
    of_peer = f"application_name = 'ledger-{RECOVERY}'"
    shown = f"select count(*) from pg_stat_replication where {of_peer} and sync_state = 'sync'"
    assert sql(PRIMARY, "ledger", shown) == "1"
    require_active(at, sql, witness, PRIMARY)


@pytest.mark.requirement("with sync off failover needs --accept-data-loss, and says so")
def test_a_cut_between_the_sites(witness: Witness, lab: Lab) -> None:
    lab("lab", "cut", PRIMARY, RECOVERY)
    try:
        wait_until(lambda: record(witness).sync is Sync.OFF, what="sync off", seconds=30, interval=0.2)
        done = shopsphere("failover", "rdc-b", "--unplanned", check=False, seconds=60)
        assert done.code != 0
        assert "--accept-data-loss" in done.stdout
        assert "does not stream" in done.stdout
    finally:
        lab("lab", "heal", PRIMARY, RECOVERY)
    wait_until(lambda: record(witness).sync is Sync.ON, what="sync on", seconds=120, interval=1)
