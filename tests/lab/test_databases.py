"""commerce and ledger at both sites of a pair."""

import uuid

import pytest
from lab_access import Sql

from runbooks.agent.copies import waited_for
from shopsphere.foundation.clock import wait_until

PAIRS = [("frankfurt", "dublin"), ("ashburn", "chicago")]


NO_COLLECTOR = " where application_name not like 'pg_%'"
"""The collector of backups reads what a standby reads, and is none."""


@pytest.mark.requirement("databases stream to the recovery site")
@pytest.mark.parametrize(("primary", "recovery"), PAIRS)
@pytest.mark.parametrize("database", ["commerce", "ledger"])
def test_recovery_site_streams(sql: Sql, primary: str, recovery: str, database: str) -> None:
    assert sql(primary, database, "select pg_is_in_recovery()") == "f"
    assert sql(recovery, database, "select pg_is_in_recovery()") == "t"
    asked = "select application_name, state from pg_stat_replication" + NO_COLLECTOR
    wait_until(
        lambda: sql(primary, database, asked) == f"{database}-{recovery}\tstreaming",
        what=f"{recovery} to stream",
        seconds=60,
        explain=lambda: sql(primary, database, asked),
    )


@pytest.mark.requirement("ledger is synchronous to the recovery site, commerce is not")
@pytest.mark.parametrize(("primary", "recovery"), PAIRS)
def test_only_the_ledger_is_synchronous(sql: Sql, primary: str, recovery: str) -> None:
    asked = f"select sync_state from pg_stat_replication{NO_COLLECTOR} and application_name like '%-{recovery}'"
    assert sql(primary, "ledger", asked) == "sync"
    assert f"ledger-{recovery}" in waited_for(sql(primary, "ledger", "show synchronous_standby_names"))
    assert sql(primary, "commerce", asked) == "async"


@pytest.mark.requirement("ledger: nothing acknowledged is missing at the recovery site")
def test_ledger_row_is_at_the_recovery_site_when_acknowledged(sql: Sql) -> None:
    mark = f"probe_{uuid.uuid4().hex[:8]}"
    sql("frankfurt", "ledger", f"create table {mark} (id int); insert into {mark} values (1)")
    try:
        flushed = "select pg_last_wal_receive_lsn() is not null"
        assert sql("dublin", "ledger", flushed) == "t"
        wait_until(
            lambda: table_is_there(sql, "dublin", "ledger", mark), what="replay at Dublin", seconds=60, interval=0.1
        )
    finally:
        sql("frankfurt", "ledger", f"drop table {mark}")


def table_is_there(sql: Sql, site: str, database: str, table: str) -> bool:
    return sql(site, database, f"select to_regclass('{table}') is not null") == "t"


@pytest.mark.requirement("the pair's certificates come from one authority of the pair")
def test_replication_uses_tls_and_the_pairs_certificate(sql: Sql) -> None:
    row = sql(
        "frankfurt",
        "ledger",
        "select s.version, s.client_dn from pg_stat_ssl s join pg_stat_replication r using (pid)" + NO_COLLECTOR,
    )
    version, subject = row.split("\t")
    assert version == "TLSv1.3"
    assert "streaming_replica" in subject
