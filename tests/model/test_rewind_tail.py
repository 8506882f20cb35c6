"""What a copy's log says of transactions is read so that no payment is missed."""

from __future__ import annotations

import pytest

from runbooks.readiness.p09_leftovers import judge_cluster
from runbooks.rewinding.tail import MOST, parsed
from shopsphere.clients.postgres import FENCE

TABLE = ("16384", "16391")


def line(manager: str, number: int, says: str, place: str = "0/0304A2D0") -> str:
    lengths = "len (rec/tot):     54/    54"
    return f"rmgr: {manager:<11} {lengths}, tx: {number:10}, lsn: {place}, prev 0/03049A80, desc: {says}"


def insert(number: int, page: int = 0, node: str = "16391") -> str:
    return line("Heap", number, f"INSERT off 4 flags 0x00, blkref #0: rel 1663/16384/{node} blk {page}")


def commit(number: int, more: str = "") -> str:
    return line("Transaction", number, f"COMMIT 2026-11-30 09:00:00.123456 UTC{more}")


def dump(*after: str, before: tuple[str, ...] = (), end: str | None = "read to the end") -> str:
    return "\n".join([*before, "fork", *after, *([end] if end else [])])


def test_rows_that_were_written_and_committed_after_the_fork() -> None:
    tail = parsed(dump(insert(742), insert(742, 1), commit(742), insert(743)))
    assert (tail.transactions, tail.early, tail.is_whole) == ({"742"}, set(), True)
    assert (tail.tables[TABLE].rows, tail.tables[TABLE].pages) == (2, {0, 1})


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
@pytest.mark.parametrize("before", [(), (insert(742, 7),)], ids=["older than what is read", "read"])
def test_a_commit_whose_rows_were_written_before_the_fork(before: tuple[str, ...]) -> None:
    tail = parsed(dump(commit(742), before=before))
    assert tail.has_rows
    assert (tail.transactions, tail.early) == ({"742"}, {"742"})
    assert [found.pages for found in tail.tables.values()] == ([{7}] if before else [])
    assert "1 transactions, of which 1 began before the fork or show no row" in str(tail)


def test_rows_on_both_sides_of_the_fork_and_within_transactions() -> None:
    after = (insert(744), commit(742, "; subxacts: 743 744"), insert(745), commit(745))
    tail = parsed(dump(*after, before=(insert(743, 3), insert(741, 9), commit(741))))
    assert (tail.transactions, tail.early) == ({"742", "745"}, {"742"})
    assert tail.numbers == {"742", "743", "744", "745"}
    assert tail.tables[TABLE].pages == {0, 3}, "nothing of what was committed before"


def test_a_prepared_transaction_counts_by_its_own_number() -> None:
    tail = parsed(dump(line("Transaction", 0, "COMMIT_PREPARED 742: 2026-11-30 09:00:00 UTC")))
    assert tail.transactions == {"742"}


def test_nothing_that_was_committed_is_no_row() -> None:
    tail = parsed(dump(insert(742), before=(insert(741), commit(741))))
    assert (tail.has_rows, str(tail)) == (False, "no row")


@pytest.mark.requirement("what may be the only copy of payments is not taken back without a word")
def test_a_log_that_was_not_read_to_its_end_is_in_doubt() -> None:
    for output in (dump(end=None), "", dump(*[insert(742)] * MOST)):
        tail = parsed(output)
        assert tail.has_rows
        assert "at least 0 transactions" in str(tail)
    assert parsed(dump(*[insert(742)] * (MOST - 1))).is_whole


@pytest.mark.parametrize(("fence", "advised"), [('["ledger-dublin-1"]', "rebuild"), ('["*"]', "failover")])
def test_a_fence_that_a_rewind_left_is_told_from_that_of_a_failover(fence: str, advised: str) -> None:
    metadata = {"name": "ledger-dublin", "annotations": {FENCE: fence}}
    assert f"`shopsphere {advised}`" in judge_cluster({"metadata": metadata, "spec": {}}).action
