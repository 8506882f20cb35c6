"""bench/stores judges what customers, collectors and restores tell: it finds what it is there for, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks.restore.archives import Backup
from runbooks.restore.stretches import Stretch
from shopsphere.foundation.clock import WaitExpiredError
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import CommandError

sys.path.append(str(REPOSITORY / "bench" / "safety"))
sys.path.append(str(REPOSITORY / "bench" / "stores"))
import filling
import store_host
from collectors import Look, behind, between, caught_up, figures_in, first_told, most
from mistakes import judged
from order_windows import acknowledged_before, delayed, percentile, sent_after, window
from put_aside import PutAside
from restores import Said, left_behind, refused_too_late, remove, told
from scene import Scene
from staged import backups_check, compared, lacking
from store_faults import StoreFault, noted, under_load
from store_host import StoreHost

pytestmark = pytest.mark.requirement("a bench finds what it is there for")
GIB = 2**30


def order(name: str, at: float, *, took: float = 0.2, public: bool = True, paid: bool = True) -> dict[str, Any]:
    return {"order": name, "sent": at - took, "acknowledged": at, "by": "frankfurt", "public": public, "paid": paid}


def journal(*orders: dict[str, Any], **failures: list[float]) -> dict[str, Any]:
    kinds = {kind.replace("_", " "): {"count": len(at), "times": at} for kind, at in failures.items()}
    return {"orders": list(orders), "failures": kinds}


# --- orders --------------------------------------------------------------------------------------------------------
def test_a_window_has_its_own_orders_and_gaps_and_no_others() -> None:
    told_of = journal(
        order("a", 9.9), order("b", 11, took=0.5), order("c", 12), order("d", 18, public=False), order("e", 20),
        ReadTimeout=[5.0, 13.0, 14.0],
    )  # fmt: skip
    told_of["failures"]["direct: cart: 503"] = {"count": 1, "times": [15.0]}
    found = window(told_of, 10, 20)
    assert (found["orders"], found["seconds"], found["per_second"]) == (2, 10, 0.2)
    assert found["gap_seconds"] == 8, "from the last order to the end: who passes DNS by fills no gap"
    assert (found["p95_seconds"], found["max_seconds"]) == (0.5, 0.5)
    assert found["failures"] == {"ReadTimeout": 2}
    assert window(told_of, 30, 40)["gap_seconds"] == 10


BEFORE = {"seconds": 60.0, "gap_seconds": 2.0, "p95_seconds": 0.3, "failures": {"ReadTimeout": 1}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"gap_seconds": 5.0, "p95_seconds": 1.1}, ""),
        ({"gap_seconds": 5.1}, "longest gap 5.1 s, and 2.0 s before"),
        ({"p95_seconds": 1.2}, "p95 1.2 s"),
        ({"seconds": 120.0, "failures": {"ReadTimeout": 4}}, ""),
        ({"seconds": 120.0, "failures": {"ReadTimeout": 5}}, "failures"),
        ({"failures": {"checkout: 500": 3}}, "checkout: 500"),
    ],
)
def test_only_what_was_not_so_before_is_the_faults(changed: dict[str, Any], said: str) -> None:
    found = delayed(BEFORE, {**BEFORE, **changed})
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_nearest_rank() -> None:
    assert [percentile(range(1, 101), each) for each in (50, 95, 100)] == [50, 95, 100]
    assert percentile([], 95) == 0


ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{each}" for each in (1, 2, 3))
ORDERS = [order(ONE, 10), order(TWO, 20, paid=False), order(THREE, 40)]


def test_a_copy_has_what_was_acknowledged_before_and_nothing_that_was_sent_after() -> None:
    assert acknowledged_before(ORDERS, 30) == {ONE, TWO}
    assert acknowledged_before(ORDERS, 30, paid=True) == {ONE}
    assert sent_after(ORDERS, 30) == {THREE}
    assert compared(ORDERS, {ONE, TWO, "older"}, 30, "commerce")["problems"] == []
    lost = compared(ORDERS, {ONE}, 30, "commerce")
    assert (lost["acknowledged_before"], lost["lost"], len(lost["problems"])) == (2, 1, 1)
    later = compared(ORDERS, {ONE, TWO, THREE}, 30, "commerce")
    assert (later["lost"], later["of_later"], len(later["problems"])) == (0, 1, 1)


def test_the_ledger_has_payments_by_their_keys_and_only_what_was_said_to_be_paid() -> None:
    key = f"order-{ONE.replace('-', '')}"
    assert compared(ORDERS, {key}, 30, "ledger")["problems"] == []
    assert compared(ORDERS, set(), 30, "ledger")["lost"] == 1


# --- collectors ----------------------------------------------------------------------------------------------------
TEXT = """# TYPE archive_wal_age_seconds gauge
archive_wal_age_seconds 12.5
archive_waiting_bytes 33554432
archive_store_answers 1
process_other 3
"""


def look(name: str, at: float, **figures: float) -> Look:
    return Look((name, "frankfurt"), at, 1000.0 + at, figures)


def test_figures_of_a_collector() -> None:
    assert figures_in(TEXT) == {"wal_age_seconds": 12.5, "waiting_bytes": 33554432.0, "store_answers": 1.0}
    assert Look(("commerce", "dublin"), 0.0, 1000.0, figures_in(TEXT)).covered_at == 987.5


def test_all_have_caught_up_or_it_is_said_who_has_not() -> None:
    good = look("commerce", 50, wal_age_seconds=5, store_answers=1)
    assert caught_up([good], since=1045)
    assert not caught_up([good], since=1046)
    assert not caught_up([], since=0)
    assert not caught_up([good, look("ledger", 50)], since=1000)
    late, away = look("ledger", 50, wal_age_seconds=60, store_answers=1), look("x", 50, wal_age_seconds=1)
    said = behind([good, late, away, look("y", 50)], since=1000)
    assert said == (
        "ledger-frankfurt is 10 s behind, x-frankfurt: the archive does not answer, y-frankfurt does not answer"
    )


def test_what_was_told_and_what_waited_most() -> None:
    looks = [
        look("a", 1, store_answers=0, waiting_bytes=9), look("a", 12, store_answers=1, waiting_bytes=5),
        look("a", 17, store_answers=0, waiting_bytes=7), look("b", 18),
    ]  # fmt: skip
    assert first_told(looks, 10) == 7
    assert first_told(looks[:2], 10) is None
    assert most(between(looks, 10, 20), "waiting_bytes") == {"a-frankfurt": 7}


# --- buckets -------------------------------------------------------------------------------------------------------
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
WHOLE = Stretch(NOON, NOON + timedelta(hours=1), "000000010000000000000005")


def bucket(*stretches: Stretch, missing: tuple[str, ...] = (), problem: str = "") -> Backup:
    return Backup("commerce", "frankfurt", stretches=stretches, missing=missing, problem=problem)


def test_a_piece_that_is_lost_is_found_whatever_came_after() -> None:
    before = [bucket(WHOLE)]
    longer = Stretch(NOON, NOON + timedelta(hours=2), "000000010000000000000009")
    assert lacking(before, [bucket(longer)]) == []
    assert "WAL is missing" in lacking(before, [bucket(longer, missing=("000000010000000000000006",))])[0]
    assert "a hole" in lacking(before, [bucket(longer, Stretch(NOON + timedelta(hours=3), NOON, "x"))])[0]
    anew = Stretch(NOON + timedelta(hours=3), NOON + timedelta(hours=4), "x")
    assert "cannot be any more" in lacking(before, [bucket(anew)])[0]
    assert lacking(before, [bucket(problem="silent")]) != []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('warning\n{"checks": [{"number": 12, "verdict": "fail", "found": "old"}]}\nmore', ("fail", "old")),
        ('{"checks": [{"number": 1, "verdict": "pass", "found": "x"}]}', ("none", "")),
        ("no access", ("none", "")),
    ],
)
def test_what_ready_says_of_backups(text: str, found: tuple[str, str]) -> None:
    verdict, said = backups_check(text)
    assert verdict == found[0]
    assert found[1] in said


# --- pieces --------------------------------------------------------------------------------------------------------
@pytest.fixture
def aside(tmp_path: Path) -> PutAside:
    for name in ("1/wal/a", "1/base/b"):
        file = tmp_path / "store" / "commerce-frankfurt" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"0123456789")
    return PutAside(tmp_path / "store", tmp_path / "aside")


def test_an_object_is_missing_or_damaged_until_it_is_put_back(aside: PutAside, tmp_path: Path) -> None:
    wal, base = (tmp_path / "store/commerce-frankfurt" / name for name in ("1/wal/a", "1/base/b"))
    written = base.stat().st_mtime_ns
    aside.take("commerce-frankfurt", "1/wal/a")
    aside.damage("commerce-frankfurt", "1/base/b")
    assert not wal.exists()
    assert base.read_bytes() == b"012344" + b"6789"
    with pytest.raises(FileExistsError, match="--undo"):
        aside.damage("commerce-frankfurt", "1/base/b")
    again = PutAside(tmp_path / "store", tmp_path / "aside")  # of the next process
    assert sorted(again.put_back()) == ["commerce-frankfurt/1/base/b", "commerce-frankfurt/1/wal/a"]
    assert wal.read_bytes() == base.read_bytes() == b"0123456789"
    assert base.stat().st_mtime_ns == written
    assert (again.left, again.put_back(), (tmp_path / "aside").exists()) == ([], [], False)


def test_what_was_only_begun_is_no_object(aside: PutAside, tmp_path: Path) -> None:
    half = tmp_path / "aside" / "commerce-frankfurt" / "1/wal" / "a.changed"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    aside.put_back()
    assert [each.name for each in (tmp_path / "store/commerce-frankfurt/1/wal").iterdir()] == ["a"]
    with pytest.raises(FileNotFoundError, match="no such object"):
        aside.take("commerce-frankfurt", "1/wal/none")


# --- restores ------------------------------------------------------------------------------------------------------
def test_a_refusal_in_time_names_the_piece_and_leaves_nothing() -> None:
    good = Said(1, ((0.5, "commerce cannot be brought to 12:00"), (0.5, "found: 0001.gz.age cannot be opened")), 1.0)
    assert refused_too_late(good, ("0001",)) == []
    assert len(refused_too_late(good, ("0002",))) == 1
    assert len(refused_too_late(Said(0, good.lines, 1.0), ("0001",))) == 1
    assert len(refused_too_late(Said(1, ((1.0, "all pieces are here and whole"), *good.lines), 2.0), ("0001",))) == 1
    assert len(refused_too_late(Said(1, good.lines, 1.0, ("data",)), ("0001",))) == 1


def test_what_a_command_says_is_kept_with_its_time(tmp_path: Path) -> None:
    script = "echo all pieces are here and whole; sleep 0.3; echo it serves, read-only; mkdir -p $0/data; touch $0/log"
    said = told(["sh", "-c", script, str(tmp_path / "x")], tmp_path / "x", 30)
    assert (said.code, said.left) == (0, ("data",))
    assert set(said.phases) == {"fetched", "serves"}
    assert said.phases["serves"] >= said.phases["fetched"] + 0.2


def test_a_restore_that_says_nothing_more_is_ended(tmp_path: Path) -> None:
    said = told(["sh", "-c", "echo from a bucket; exec sleep 60"], tmp_path / "x", 0.5)
    assert (said.code, said.text, said.seconds < 30) == (-15, "from a bucket", True)


def test_folders_of_a_killed_run_go(tmp_path: Path) -> None:
    home = tmp_path / "shopsphere-stores-x"
    (home / "restored" / "data").mkdir(parents=True)
    (home / "restored" / "data" / "postmaster.pid").touch()
    (tmp_path / "other").mkdir()
    stopped = list[Path]()
    for each in left_behind(tmp_path):
        remove(each, stopped.append)
    assert (stopped, [each.name for each in tmp_path.iterdir()]) == ([home / "restored"], ["other"])


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("102|0|1030.5", 0),
        ("103|0|1030.5", 0),
        ("101|0|1030.5", 1),
        ("104|0|1030.5", 1),
        ("103|3|1030.5", 1),
        ("", 1),
    ],
)
def test_a_restored_table_has_the_rows_of_its_time(line: str, problems: int) -> None:
    taken = [(1010.0, 1010.1), (1020.0, 1020.1), (1030.9, 1031.1), (1040.0, 1040.1)]
    found = judged(line, taken, 100, datetime.fromtimestamp(1031, UTC))
    assert len(found["problems"]) == problems
    none = judged("100|0|1000", taken[2:], 100, datetime.fromtimestamp(1031, UTC))
    assert "no row came" in none["problems"][0]


# --- the large one -------------------------------------------------------------------------------------------------
def test_a_disk_that_would_become_full_is_refused_before_anything_is_written() -> None:
    needed = filling.bytes_needed(4, 4)
    assert needed == 4 * 8 * GIB + filling.SPARE
    assert "need up to 38 GiB" in filling.require_room(4, 4, needed)
    with pytest.raises(ShopSphereError, match=r"--gigabytes 2\.0"):
        filling.require_room(4, 4, 22 * GIB)


@pytest.mark.parametrize(
    ("lag", "waiting", "said"),
    [(0, 0, ""), (97, 0, "a follower is 97 MiB behind"), (96, 385, "385 MiB wait at archive-commerce-frankfurt")],
)
def test_filling_waits_for_whoever_is_too_far_behind(lag: int, waiting: int, said: str) -> None:
    mib = filling.MEBIBYTE
    assert filling.too_far(lag * mib, [look("commerce", 1, waiting_bytes=waiting * mib)]) == said
    assert "does not answer" in filling.too_far(0, [look("commerce", 1)])


def test_filling_gives_up_where_nobody_takes_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        def ask(self, _: str) -> list[str]:
            return [str(200 * filling.MEBIBYTE)]

    monkeypatch.setattr(filling, "STUCK_SECONDS", 0.05)
    with pytest.raises(ShopSphereError, match="a follower is 200 MiB behind"):
        filling.wait_for_others(Session(), list, lambda _: None)  # type: ignore[arg-type]


def test_what_does_not_come_about_is_a_problem_of_a_step_that_goes_on() -> None:
    scene = Scene(cast(Any, None), Random(1), "frankfurt")
    with noted(scene):
        raise WaitExpiredError("waited 900 s for the collectors")
    assert scene.problems == ["waited 900 s for the collectors"]


# --- undoing -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("when", ["prepare", "make"])
def test_a_fault_is_undone_whatever_interrupts_it(when: str) -> None:
    done: list[str] = []

    def act(name: str) -> Callable[[], None]:
        def acted() -> None:
            done.append(name)
            if name == when:
                raise KeyboardInterrupt

        return acted

    quiet = SimpleNamespace(look=list)
    stage = SimpleNamespace(
        judgements=[], collectors=quiet, kibibytes=0, calm=0.0, backups=list, ready=lambda: ("pass", ""),
        wait_until_caught_up=lambda _: 0.0,
    )  # fmt: skip
    fault = StoreFault(act("make"), act("undo"), 0.0, prepare=act("prepare"), give_back=act("give back"))
    scene = Scene(cast(Any, None), Random(1), "frankfurt")
    with pytest.raises(KeyboardInterrupt):
        under_load(cast(Any, stage), fault)(scene)
    assert done == (["prepare", "give back"] if when == "prepare" else ["prepare", "make", "undo", "give back"])


def test_everything_is_undone_although_something_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    class Host(StoreHost):
        def __init__(self) -> None:
            pass

        def _undoing(self) -> Iterator[tuple[str, Callable[[], object]]]:
            yield "first", lambda: tried.append("first")
            yield "second", self._fail
            yield "third", lambda: tried.append("third")

        def _fail(self) -> None:
            tried.append("second")
            raise CommandError("it is busy")

    monkeypatch.setattr(store_host.time, "sleep", lambda _: None)
    said: list[str] = []
    problems = Host().undo(said.append)
    assert tried == ["first", "second", "second", "second", "third"]
    assert len(problems) == 1
    assert problems[0] == "not undone: second: it is busy"
    assert len(said) == 3
