"""What may be the only copy of payments is seen in a copy's log wherever it stands there, on real servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from postgres_cluster import BINARIES
from rewound_pair import AHEAD, ROW, ApartPair, Make, Server, pairs_made, step
from test_app_rewind import apart, follows_again, sleeping, starts

from runbooks import copies
from runbooks.engine.errors import BlockedError
from runbooks.rewinding.rewind import NotNowError, rewind, wants_rewind
from shopsphere.clients.postgres import FENCE
from shopsphere.estate.databases import LEDGER
from shopsphere.foundation.clock import wait_until


@pytest.fixture
def make() -> Iterator[Make]:
    with pairs_made() as one:
        yield one


def awaits_all_of(copy: Server, source: Server) -> None:
    end = source.query("ledger", "SELECT pg_current_wal_flush_lsn()::text")[0][0]
    has_it = f"SELECT pg_last_wal_replay_lsn() >= '{end}'"
    wait_until(lambda: copy.query("ledger", has_it)[0][0], what="all of the log", seconds=30)


def parts_within_a_payment(pair: ApartPair) -> None:
    """Let the sites part between a payment's row, which both have, and its commit, which the recovery site has."""
    database = pair.model.name
    with psycopg.connect(pair.first.dsn(database)) as payment:
        payment.execute("INSERT INTO orders VALUES (2001, 'a payment')")
        pair.query(pair.first, "INSERT INTO orders VALUES (2000, 'of both')")
        pair.second.awaits(database, 1001)

        def commits() -> None:
            payment.commit()
            pair.copy.awaits(database, 1002)

        pair.part(rows=0, followers=False, meanwhile=commits)
    pair.awaits_line(AHEAD)


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_a_payment_whose_commit_alone_is_after_the_fork(make: Make) -> None:
    pair = make(LEDGER)
    parts_within_a_payment(pair)
    said = r"1 transactions, of which 1 began before the fork or show no row, \(rows written: ledger.orders 1\)"
    with pytest.raises(BlockedError, match=said):
        step(2).check(pair.change())
    with pytest.raises(BlockedError, match="only copy"):
        rewind(pair.change(), pair.database)
    assert pair.apis["dublin"].fences == []
    rewind(pair.change(accept_data_loss=True), pair.database)
    kept = (pair.copy.kept / "000001-rebuild-x" / "rows" / "ledger.orders.json").read_text()
    assert [json.loads(line)["id"] for line in kept.splitlines()] == [2001]


def called_streaming(pair: ApartPair) -> int:
    """Hold the server's sender in the moment in which PostgreSQL says that it streams, and return its process."""
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{pair.second.port}/postgres", autocommit=True) as looking:
        question = "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'"
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if (found := looking.execute(question).fetchone()) is None:
                continue
            with suppress(ProcessLookupError):
                os.kill(found[0], signal.SIGSTOP)
                if looking.execute(question).fetchone() == found:
                    return int(found[0])
                os.kill(found[0], signal.SIGCONT)
    pytest.fail("it never was called streaming")


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_a_copy_that_is_sent_what_both_have_does_not_stream(make: Make) -> None:
    pair = make(LEDGER)
    parts_within_a_payment(pair)
    sender = called_streaming(pair)
    try:
        assert not copies.streams(pair.change(), pair.database)
        assert wants_rewind(pair.change(), pair.database) is not None
        with pytest.raises(BlockedError, match="only copy"):
            step(2).check(pair.change())
    finally:
        os.kill(sender, signal.SIGCONT)


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_a_log_that_cannot_be_read_to_its_end(make: Make) -> None:
    pair = make(LEDGER)

    def nothing_of_a_client() -> None:
        pair.first.admin("CHECKPOINT")
        awaits_all_of(pair.copy, pair.first)

    pair.part(rows=0, meanwhile=nothing_of_a_client)
    pair.awaits_line(AHEAD)
    assert "which gives up" in step(2).check(pair.change())
    pair.wrap("pg_waldump", 'case "$*" in *"--limit 1"*) ;; *--quiet*) echo damaged >&2; exit 1 ;; esac')
    with pytest.raises(BlockedError, match="at least 0 transactions"):
        step(2).check(pair.change())


@pytest.mark.requirement("a rewind that is killed leaves nothing that can be started, and goes on")
def test_a_rewind_that_is_cut_off_before_it_is_on_the_disk(make: Make) -> None:
    pair = apart(make)
    pair.wrap("pg_rewind", f'case "$*" in *--dry-run*) ;; *) {BINARIES}/pg_rewind "$@"; exec sleep 300 ;; esac')
    lost: list[bool] = []

    def loses_its_pod(command: list[str]) -> None:
        if lost or "for look in" not in command[2]:
            return
        wait_until(lambda: sleeping(pair), what="a rewind that writes to the disk", seconds=60)
        for process in [int((pair.copy.kept / "000001-rebuild-x" / "pid").read_text()), *sleeping(pair)]:
            os.kill(process, signal.SIGKILL)
        lost.append((pair.copy.data / "backup_label").read_text().startswith("START WAL LOCATION"))

    pair.apis["dublin"].on_execute = loses_its_pod
    rewind(pair.change(), pair.database)
    assert lost == [True], "all but the disk says that it is done"
    assert "what is on the disk is not known" in json.loads(pair.memory["rewind-commerce-dublin-1"])["ended"]
    assert FENCE in pair.apis["dublin"].annotations
    assert not starts(pair.copy)
    assert "invalid data in file" in pair.copy.log()


@pytest.mark.requirement("a rewind that is killed leaves nothing that can be started, and goes on")
def test_settings_that_cannot_be_put_back(make: Make) -> None:
    pair = apart(make)
    real = pair.programs / "cp"
    target = real.resolve()
    pair.replace("cp", f'case "$*" in *postgresql.conf*"/data/") exit 1 ;; esac\nexec {target} "$@"')
    rewind(pair.change(), pair.database)
    known = json.loads(pair.memory["rewind-commerce-dublin-1"])
    assert "settings cannot be put back" in known["ended"]
    assert not starts(pair.copy)
    real.unlink()
    real.symlink_to(target)
    pair.memory["rewind-commerce-dublin-1"] = json.dumps({**known, "ended": ""})
    rewind(pair.change(), pair.database)
    follows_again(pair)


def follows_from(server: Server, source: str) -> None:
    server.admin(f"ALTER SYSTEM SET primary_conninfo = '{source}'")
    server.admin("SELECT pg_reload_conf()")


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_an_instance_beside_that_has_more_than_its_leader(make: Make) -> None:
    pair = make(LEDGER, beside=True)
    assert pair.beside
    beside, names = pair.beside, dict[Server, str]()
    for server, port in ((pair.copy, pair.first.port), (beside, pair.copy.port)):
        names[server] = f"host=127.0.0.1 port={port} user=postgres application_name={server.name}"

    def the_leader_receives_no_more() -> None:
        pair.first.admin("CHECKPOINT")
        awaits_all_of(pair.copy, pair.first)
        follows_from(beside, f"host=127.0.0.1 port={pair.first.port} user=postgres")
        follows_from(pair.copy, "")
        pair.query(pair.first, ROW.format(2001, 2003))
        beside.awaits("ledger", 1003)

    pair.part(rows=0, followers=False, meanwhile=the_leader_receives_no_more)
    assert pair.copy.rows("ledger") == 1000
    follows_from(pair.copy, names[pair.copy])
    follows_from(beside, names[beside])
    pair.awaits_line(AHEAD)
    for refused in (lambda: step(2).check(pair.change()), lambda: rewind(pair.change(), pair.database)):
        with pytest.raises(BlockedError, match=r"ledger-dublin-2 has what .*ledger.orders 3.*only copy"):
            refused()
    assert pair.apis["dublin"].fences == []
    accepted = pair.change(accept_data_loss=True)
    assert "ledger-dublin-2 beside it, which gives up" in step(2).check(accepted)
    rewind(accepted, pair.database)
    assert pair.apis["dublin"].fences == ["ledger-dublin-1", "ledger-dublin-2"]
    kept = (beside.kept / "000001-rebuild-x" / "rows" / "ledger.orders.json").read_text()
    assert sorted(json.loads(line)["id"] for line in kept.splitlines()) == [2001, 2002, 2003]
    follows_again(pair)
    beside.awaits("ledger", 1011)


@pytest.mark.requirement("a rewind whose line is lost is made again before a whole copy is made")
def test_a_line_that_is_lost_once_is_no_reason_for_a_whole_copy(make: Make) -> None:
    pair = apart(make)
    once = pair.folder / "once"
    once.mkdir()
    once.chmod(0o777)
    lost = f"*) [ -e {once}/lost ] || {{ : > {once}/lost; ulimit -f 2048; }} ;;"
    pair.wrap("pg_rewind", f'case "$*" in *--dry-run*) ;; {lost} esac')
    rewind(pair.change(), pair.database)
    assert (once / "lost").exists()
    assert json.loads(pair.memory["rewind-commerce-dublin-1"])["ended"] == "it follows"
    follows_again(pair)


def test_a_database_that_does_not_end_is_tried_again_by_the_same_command(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = apart(make)
    monkeypatch.setattr("runbooks.rewinding.program._ENDS_SECONDS", 1)
    ends = pair.apis["dublin"].pods["commerce-dublin-1"].stop
    monkeypatch.setattr(pair.copy, "stop", lambda _how="": None)
    with pytest.raises(NotNowError, match=r"PostgreSQL did not end(.|\n)*it is fenced until then"):
        rewind(pair.change(), pair.database)
    assert not step(2).verify(pair.change())
    monkeypatch.setattr(pair.copy, "stop", ends)
    pair.copy.stop("fast")
    rewind(pair.change(), pair.database)
    follows_again(pair)


def test_an_instance_beside_that_cannot_be_rewound_is_not_left_fenced(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = make(beside=True)
    pair.part()
    pair.awaits_line(AHEAD)
    assert pair.beside
    pair.wrap("pg_rewind", f'case "$*" in *{pair.beside.data}*) echo its log is gone >&2; exit 1 ;; esac')
    monkeypatch.setattr(pair.beside, "start", lambda: None)  # PostgreSQL does not start as it is
    rewind(pair.change(), pair.database)
    assert "refused" in json.loads(pair.memory["rewind-commerce-dublin-2"])["ended"]
    assert FENCE not in pair.apis["dublin"].annotations
    assert "delete pvc,pod commerce-dublin-2" in capsys.readouterr().err
    follows_again(pair)


@pytest.mark.requirement("what a rewind takes back is kept on the site's volume, as rows and as log")
def test_tables_that_only_the_copy_has_are_named_and_kept(make: Make) -> None:
    pair = make()

    def a_table_and_one_that_is_gone_again() -> None:
        pair.query(pair.first, "CREATE TABLE pg_like(id int)")
        pair.query(pair.first, "INSERT INTO pg_like VALUES (7)")
        pair.query(pair.first, "CREATE TABLE gone(id int)")
        pair.query(pair.first, "INSERT INTO gone VALUES (8)")
        pair.query(pair.first, "DROP TABLE gone")
        awaits_all_of(pair.copy, pair.first)

    pair.part(rows=0, meanwhile=a_table_and_one_that_is_gone_again)
    pair.awaits_line(AHEAD)
    assert re.search(
        r"5 transactions \(rows written: commerce.pg_like 1, file \d+/\d+ 1\)", step(2).check(pair.change())
    )
    rewind(pair.change(), pair.database)
    kept = (pair.copy.kept / "000001-rebuild-x" / "rows" / "commerce.pg_like.json").read_text()
    assert [json.loads(line)["id"] for line in kept.splitlines()] == [7]
    follows_again(pair)


@pytest.mark.requirement("a recovery site that has more than the active one follows again without a new copy")
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_pg_rewind_writes_while_its_label_is_looked_for_stays_its_label(make: Make, when: str) -> None:
    pair = apart(make)
    wrote = pair.folder / "wrote"
    wrote.mkdir()
    wrote.chmod(0o777)
    awaited = f"for look in $(seq 600); do [ -e {wrote}/label ] && break; sleep 0.1; done"
    copied = f'[ "$2" = "$PGDATA/backup_label" ] && : > {wrote}/asked'
    linked = f'"{shutil.which("ln")}" "$@"; code=$?'
    shell = [copied, awaited, linked] if when == "before" else [copied, linked, awaited]
    pair.replace("ln", "\n".join([*shell, "exit $code"]))
    pair.wrap(
        "pg_rewind",
        f'case "$*" in *--dry-run*) ;; *) {BINARIES}/pg_rewind "$@"; code=$?; : > {wrote}/label; exit $code ;; esac',
    )
    rewind(pair.change(), pair.database)
    assert (wrote / "asked").exists(), "the label was looked for, and was away"
    assert json.loads(pair.memory["rewind-commerce-dublin-1"])["ended"] == "it follows"
    follows_again(pair)
