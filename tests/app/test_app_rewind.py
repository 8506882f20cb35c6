"""A copy that has more than the active site follows again after a rewind, on real servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from postgres_cluster import BINARIES, _account
from rewound_pair import AHEAD, ApartPair, Make, Server, contents, pairs_made, step

from runbooks.engine.errors import BlockedError
from runbooks.rewinding.apart import leader_apart
from runbooks.rewinding.rewind import FOLLOWS, NotNowError, failed, rewind
from shopsphere.clients.postgres import FENCE
from shopsphere.estate.databases import COMMERCE, LEDGER, DatabaseModel
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Phase, Sync


@pytest.fixture
def make() -> Iterator[Make]:
    with pairs_made() as one:
        yield one


def apart(make: Make, model: DatabaseModel = COMMERCE) -> ApartPair:
    pair = make(model)
    pair.part()
    pair.awaits_line(AHEAD)
    return pair


def starts(server: Server) -> bool:
    """Whether PostgreSQL starts on what is there now; its log says why not."""
    done = subprocess.run(
        [str(BINARIES / "pg_ctl"), "-D", str(server.data), "-w", "-t", "5", "-l", f"{server.data.parent}/log", "start",
         "-o", f"-p {server.port} -k {server.data.parent}"],
        capture_output=True, cwd="/tmp", check=False, **_account(),
    )  # fmt: skip
    return done.returncode == 0


def follows_again(pair: ApartPair) -> None:
    pair.query(pair.second, "INSERT INTO orders VALUES (4001, 'later')")
    pair.copy.awaits(pair.model.name, 1011)
    assert contents(pair.copy, pair.model.name) == contents(pair.second, pair.model.name)
    assert not leader_apart(pair.change(), pair.database)


@pytest.mark.requirement("a recovery site that has more than the active one follows again without a new copy")
def test_a_copy_that_is_ahead_is_rewound(make: Make) -> None:
    pair = apart(make)
    change, two = pair.change(), step(2)
    said = two.check(change)
    assert "commerce-dublin, which gives up" in said
    assert "1 transactions (rows written: commerce.orders 3)" in said
    assert not two.verify(change)
    assert two.act is not None
    two.act(change)
    assert two.verify(change)
    follows_again(pair)
    assert pair.apis["dublin"].fences == ["commerce-dublin-1"]
    assert FENCE not in pair.apis["dublin"].annotations


@pytest.mark.requirement("what a rewind takes back is kept on the site's volume, as rows and as log")
def test_what_is_given_up_is_kept(make: Make) -> None:
    pair = apart(make)
    rewind(pair.change(), pair.database)
    kept = pair.copy.kept / "000001-rebuild-x"
    rows = [json.loads(line) for line in (kept / "rows" / "commerce.orders.json").read_text().splitlines()]
    assert sorted(row["id"] for row in rows) == [2001, 2002, 2003]
    known = json.loads(pair.memory["rewind-commerce-dublin-1"])
    place = f"{known['fork'] >> 32:X}/{known['fork'] & 0xFFFFFFFF:X}"
    dumped = subprocess.run(
        [str(BINARIES / "pg_waldump"), "-p", str(kept / "wal"), "-t", "1", "-s", place], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert dumped.stdout.count("desc: INSERT off") == 3
    assert dumped.stdout.count("desc: COMMIT") == 1


def test_a_copy_that_is_not_ahead_is_left_alone(make: Make) -> None:
    pair = make()
    pair.copy.stop("fast")
    pair.first.query(COMMERCE.name, "INSERT INTO orders VALUES (2000, 'of both')")
    pair.second.awaits(COMMERCE.name, 1001)
    pair.part(rows=0, followers=False)
    assert step(2).verify(pair.change()), "it does not stream, and is behind"
    pair.copy.start()
    pair.copy.awaits(COMMERCE.name, 1011)
    assert step(2).verify(pair.change()), "it streams"
    assert pair.apis["dublin"].fences == []


def test_whole_copies_are_wanted_by_name(make: Make) -> None:
    pair = apart(make)
    change = pair.change(whole=True)
    assert step(2).verify(change)
    assert "a whole copy was asked for" in step(2).check(change)
    assert leader_apart(change, pair.database), "so the next step replaces it, however new it is"


@pytest.mark.requirement("a rewind that is killed leaves nothing that can be started, and goes on")
def test_a_rewind_killed_while_it_copies(make: Make) -> None:
    pair = apart(make)
    pair.wrap("pg_rewind", 'case "$*" in *--dry-run*) ;; *) ulimit -f 2048 ;; esac')
    rewind(pair.change(), pair.database)
    known = json.loads(pair.memory["rewind-commerce-dublin-1"])
    assert known["ended"].startswith("broken"), known
    assert json.loads(pair.apis["dublin"].annotations[FENCE]) == ["commerce-dublin-1"], "nobody starts it"
    assert not starts(pair.copy), "and if somebody does, PostgreSQL does not"
    assert "invalid data in file" in pair.copy.log(), pair.copy.log()[-1500:]
    assert step(2).verify(pair.change()), "it was tried: the next step copies it anew"
    assert "could not be rewound" in (reason(pair) or "")
    pair.unwrap("pg_rewind")
    pair.memory["rewind-commerce-dublin-1"] = json.dumps({**known, "ended": ""})
    rewind(pair.change(), pair.database)
    follows_again(pair)


@pytest.mark.requirement("a rewind whose pod is lost leaves nothing that can be started, and goes on")
def test_a_rewind_whose_pod_is_lost_while_it_copies(make: Make) -> None:
    pair = apart(make)
    half = f'(ulimit -f 2048; {BINARIES}/pg_rewind "$@"); exec sleep 300'
    pair.wrap("pg_rewind", f'case "$*" in *--dry-run*) ;; *) {half} ;; esac')
    lost: list[str] = []

    def loses_its_pod(command: list[str]) -> None:
        if lost or "for look in" not in command[2]:
            return
        wait_until(lambda: sleeping(pair), what="half a rewind", seconds=60)
        for process in [int((pair.copy.kept / "000001-rebuild-x" / "pid").read_text()), *sleeping(pair)]:
            os.kill(process, signal.SIGKILL)
        assert not starts(pair.copy)
        lost.append(pair.copy.log())
        pair.unwrap("pg_rewind")

    pair.apis["dublin"].on_execute = loses_its_pod
    rewind(pair.change(), pair.database)
    assert "invalid data in file" in lost[0]
    follows_again(pair)


def sleeping(pair: ApartPair) -> list[int]:
    """Processes that stand in for `pg_rewind` of this pair after it was killed half-way."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            data = f"PGDATA={pair.copy.data}\0".encode()
            if words[:2] == [b"sleep", b"300"] and data in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def reason(pair: ApartPair) -> str:
    why = failed(pair.change(), pair.database, pair.database.document())
    return f"it could not be rewound: {why}" if why else ""


@pytest.mark.requirement("a rewind goes on where the operator's machine was lost")
def test_an_operator_who_is_lost_while_it_runs(make: Make) -> None:
    pair = apart(make)

    def lost(command: list[str]) -> None:
        if command[:2] == ["sh", "-c"] and "for look in" in command[2]:
            raise KeyboardInterrupt

    pair.apis["dublin"].on_execute = lost
    with pytest.raises(KeyboardInterrupt):
        rewind(pair.change(), pair.database)
    pair.apis["dublin"].on_execute = lambda _command: None
    assert not step(2).verify(pair.change())
    rewind(pair.change(), pair.database)
    assert json.loads(pair.memory["rewind-commerce-dublin-1"])["ended"] == FOLLOWS
    follows_again(pair)


def test_a_log_that_is_gone_makes_it_a_whole_copy(make: Make) -> None:
    pair = make()
    pair.part(meanwhile=lambda: pair.first.admin("SELECT pg_switch_wal()"))
    pair.awaits_line(AHEAD)
    known = leader_apart(pair.change(), pair.database)
    assert known
    for segment in sorted((pair.copy.data / "pg_wal").glob("0000000100000000????????")):
        if int(segment.name[16:], 16) < known.fork // 2**24:
            segment.unlink()
    rewind(pair.change(), pair.database)
    assert "refused" in reason(pair)
    assert FENCE in pair.apis["dublin"].annotations, "it does not start as it is"
    assert not (pair.copy.data / "backup_label").exists(), "nothing was changed"


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_payments_that_the_active_site_lacks(make: Make) -> None:
    pair = apart(make, LEDGER)
    with pytest.raises(BlockedError, match=r"1 transactions \(rows written: ledger.orders 3\)"):
        step(2).check(pair.change())
    with pytest.raises(BlockedError, match="only copy"):
        rewind(pair.change(), pair.database)
    assert pair.apis["dublin"].fences == []
    accepted = pair.change(accept_data_loss=True)
    pair.access.record = pair.access.record.model_copy(update={"sync": Sync.ON})
    with pytest.raises(BlockedError, match="has all that was acknowledged"):
        rewind(accepted, pair.database)
    pair.access.record = pair.access.record.model_copy(update={"sync": Sync.OFF, "phase": Phase.FENCING})
    with pytest.raises(BlockedError, match="moving it"):
        rewind(pair.change(accept_data_loss=True), pair.database)
    assert pair.apis["dublin"].fences == []
    pair.access.record = pair.access.record.model_copy(update={"phase": Phase.STEADY})
    rewind(pair.change(accept_data_loss=True), pair.database)
    follows_again(pair)


def test_a_ledger_without_rows_of_its_own_is_rewound_without_a_word(make: Make) -> None:
    pair = make(LEDGER)

    def nothing_of_a_client() -> None:
        pair.first.admin("SELECT pg_switch_wal()")
        pair.first.admin("CHECKPOINT")
        written = pair.first.query("ledger", "SELECT pg_current_wal_flush_lsn()::text")[0][0]
        for _ in range(100):
            if pair.copy.query("ledger", f"SELECT pg_last_wal_replay_lsn() >= '{written}'")[0][0]:
                return
            pair.copy.query("ledger", "SELECT pg_sleep(0.1)")

    pair.part(rows=0, meanwhile=nothing_of_a_client)
    pair.awaits_line(AHEAD)
    assert "no row" in step(2).check(pair.change())
    rewind(pair.change(), pair.database)
    follows_again(pair)


def test_a_fence_of_somebody_else_stays(make: Make) -> None:
    pair = apart(make)
    pair.apis["dublin"].annotations[FENCE] = '["*"]'
    with pytest.raises(BlockedError, match="fenced by somebody else"):
        rewind(pair.change(), pair.database)
    assert pair.apis["dublin"].annotations[FENCE] == '["*"]'


@pytest.mark.requirement("nothing is rewound to what is not the active site's leader")
def test_a_source_that_follows_is_refused(make: Make) -> None:
    pair = apart(make)
    pair.wrap("psql", 'case "$*" in *"SELECT pg_is_in_recovery()"*) echo t; exit ;; esac')
    with pytest.raises(NotNowError, match="is no leader"):
        rewind(pair.change(), pair.database)
    assert pair.apis["dublin"].fences == []
    assert pair.copy.rows(COMMERCE.name) == 1003, "it still answers readers"


def test_a_source_that_is_gone_after_the_fence(make: Make) -> None:
    pair = apart(make)
    pair.wrap("psql", 'case "$*" in *tcp_user_timeout*) echo no route >&2; exit 2 ;; esac')
    with pytest.raises(NotNowError, match="no route"):
        rewind(pair.change(), pair.database)
    assert FENCE in pair.apis["dublin"].annotations, "it does not start as it is"
    assert not step(2).verify(pair.change()), "it goes on when its source is there"
    pair.unwrap("psql")
    rewind(pair.change(), pair.database)
    follows_again(pair)


@pytest.mark.requirement("an instance beside the leading one of a recovery site is rewound after it")
def test_an_instance_beside_is_rewound_from_the_leading_one(make: Make) -> None:
    pair = make(beside=True)
    pair.part()
    pair.awaits_line(AHEAD)
    two, change = step(2), pair.change()
    assert two.act is not None
    two.act(change)
    assert two.verify(change)
    assert pair.apis["dublin"].fences == ["commerce-dublin-1", "commerce-dublin-2"]
    follows_again(pair)
    assert pair.beside
    pair.beside.awaits(COMMERCE.name, 1011)
    assert contents(pair.beside, COMMERCE.name) == contents(pair.second, COMMERCE.name)
