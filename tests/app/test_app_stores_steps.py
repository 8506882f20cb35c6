"""Each step of bench/stores from its beginning to its end, with a real gateway, PostgreSQL, collector and restore."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest
from archive_place import OWNERS, ArchivePlace, soon
from postgres_cluster import Cluster
from test_app_small_room import Host

from app.archive.collector import Collector
from runbooks.readiness.p12_backups import judge
from runbooks.restore import beside as restoring
from runbooks.restore.archives import Backup, look
from runbooks.restore.pieces import Pieces, Wanted, find_pieces
from shopsphere.clients.archive import ArchiveAccess, Bucket
from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, told
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run

sys.path.append(str(REPOSITORY / "bench" / "safety"))
sys.path.append(str(REPOSITORY / "bench" / "stores"))
import large_restore
import mistakes
import pieces_taken
import staged
import store_faults
import stores_table
from collectors import Look, figures_in
from put_aside import PutAside
from restores import Beside, Said
from scene import Scene
from small_room import SmallRoom
from sql_session import SqlError, SqlSession
from staged import Stage
from store_faults import StoreFault, under_load

SITE = "frankfurt"


class LocalStage(Stage):
    """One site's database, collector and bucket on this machine, in the place of a pair in the lab."""

    host: Any
    collector: Collector

    def look(self) -> list[Look]:
        text = self.collector.state.metrics()
        return [Look(("commerce", SITE), time.monotonic(), time.time(), figures_in(text))]

    def pod(self, _: object) -> SimpleNamespace:
        return SimpleNamespace(namespace="", name="")

    @property
    def bucket(self) -> Bucket:
        place: ArchivePlace = self.host.place
        return Bucket(ArchiveAccess(place.url, "owner", OWNERS, place.authority.certificate), place.bucket)

    def backup(self, database: str, site: str) -> Backup:
        self.collector._last_status = float("-inf")  # noqa: SLF001 what is told each minute is told now
        try:
            return look(self.bucket, database, site)
        except ShopSphereError as error:
            return Backup(database, site, problem=told(error))

    def backups(self) -> list[Backup]:
        return [self.backup("commerce", SITE)]

    def ready(self) -> tuple[str, str]:
        found = judge("rdc-a", self.backups(), datetime.now(UTC))
        return found.verdict.value, found.found

    def restore(self, beside: Beside, database: str, to: datetime, *words: str) -> Said:
        model = COMMERCE if database == "commerce" else LEDGER
        base = words[words.index("--base") + 1] if "--base" in words else ""
        began, lines, code = time.monotonic(), list[tuple[float, str]](), 0
        try:
            for line in restoring.restore_beside(
                cast(Any, None), cast(Any, SimpleNamespace(sites=(SITE,))), Environment.LAB, model,
                Wanted(to, base=base), beside.folder, self.host.place.key,
            ):  # fmt: skip
                lines.append((time.monotonic() - began, line))
        except ShopSphereError as error:
            lines += [(time.monotonic() - began, line) for line in str(error).splitlines()]
            code = 1
        folder = beside.folder
        left = (
            tuple(each.name for each in folder.iterdir() if each.name not in restoring.LOGS) if folder.exists() else ()
        )
        return Said(code, tuple(lines), time.monotonic() - began, left)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.power_off()


@pytest.fixture
def stage(host: Host, database: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStage]:
    words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(database.port), "-U", "postgres"]
    monkeypatch.setattr(SqlSession, "at", lambda _, name: SqlSession([*words, name]))
    monkeypatch.setattr(staged, "_IDS", {"commerce": "select 'older'", "ledger": "select 'older'"})
    monkeypatch.setattr(mistakes, "BEFORE", 2.0)
    monkeypatch.setattr(store_faults, "PASS_SECONDS", 60)
    settings = host.place.settings(database, "spool")
    with host.place.collecting(settings) as collector:
        pair = SimpleNamespace(pair=SimpleNamespace(name="rdc-a", sites=(SITE,)), topology=None)
        made = LocalStage(cast(Any, pair), cast(Any, host), cast(Any, None), calm=4.0, kibibytes=1024)
        made.collector = collector
        made.collectors = cast(Any, made)
        for module in (restoring, large_restore):
            monkeypatch.setattr(module, "bucket_of", lambda *_: made.bucket)
        soon("a base backup", lambda: len(host.place.facts()) == 1 and not collector.state.base_wanted)
        yield made


def scene_of(stage: LocalStage) -> Scene:
    return Scene(cast(Any, stage.pair), Random(1), SITE)


def journal_of(scene: Scene, gap: float) -> dict[str, Any]:
    """Customers who order every second, but for a gap that begins with the fault."""
    begin, fault, end = (scene.at[each] for each in ("calm", "fault", "caught up"))
    times = [begin + each for each in range(int(end - begin) + 1) if not fault <= begin + each < fault + gap]
    return {
        "orders": [
            {"order": str(at), "sent": at - 0.1, "acknowledged": at, "public": True, "paid": False} for at in times
        ],
        "failures": {},
    }


@pytest.mark.requirement("a backup store lost, full, or slow delays no order, and what is lost of it is told")
@pytest.mark.parametrize("kind", ["lost", "full"])
def test_a_fault_of_the_store_is_made_told_undone_and_judged(
    stage: LocalStage, host: Host, tmp_path: Path, kind: str
) -> None:
    room = SmallRoom(tmp_path / "store", tmp_path / "room.img", tmp_path / "room", host, host.inside)
    fault = StoreFault(host.stop, host.start, 14.0)
    if kind == "full":
        fault = StoreFault(room.fill, room.empty, 14.0, answers=True, prepare=lambda: room.make(256),
                           give_back=room.give_back)  # fmt: skip
    scene = scene_of(stage)
    under_load(stage, fault)(scene)
    assert scene.problems == []
    assert not room.is_left
    assert scene.facts["told_after_seconds"] is not None
    assert scene.facts["ready_during"][0] == ("unknown" if kind == "lost" else "pass"), "not yet five minutes"
    assert scene.facts["restored_inside"]["serves"] > 0
    copy_judged = {"commerce_orders_in_copy": {"acknowledged_before": 0, "lost": 0, "of_later": 0}}
    no_orders: dict[str, Any] = {"orders": [], "failures": {}}
    assert stage.judgements[1](scene, no_orders) == copy_judged
    stage.judgements.pop()
    facts = stage.measured(scene, journal_of(scene, gap=2.0))
    assert (scene.problems, facts["windows"]["during"]["gap_seconds"] >= 2.0) == ([], True)
    stage.measured(scene, journal_of(scene, gap=8.0))
    assert "longest gap" in "".join(scene.problems)
    line = stores_table.fault_line({"fault": f"store-{kind}", **scene.facts, **facts, "violations": scene.problems})
    assert line.startswith(f"| {kind} |")
    assert line.count("|") == stores_table.FAULTS.count("|")


@pytest.mark.requirement("a restore with a missing or damaged piece says so before it changes anything")
def test_each_piece_is_taken_told_and_put_back(
    stage: LocalStage, host: Host, database: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def switched(*_words: str, **_: object) -> None:
        database.admin("CREATE TABLE IF NOT EXISTS placed (i int)")
        database.admin("INSERT INTO placed SELECT generate_series(1, 1000)")
        database.admin("SELECT pg_switch_wal()")

    def pieces_of(_: object, _site: str, to: datetime) -> Pieces:
        return find_pieces(stage.bucket, to, host.place.key)

    every: Callable[[Pieces, str], Sequence[Any]] = pieces_taken.cases
    monkeypatch.setattr(pieces_taken, "shopsphere", switched)
    monkeypatch.setattr(pieces_taken, "pieces_of", pieces_of)
    monkeypatch.setattr(pieces_taken, "cases", lambda *given: every(*given)[:4])  # there is no other bucket here
    objects = PutAside(tmp_path / "store", tmp_path / "aside")
    monkeypatch.setattr(host, "objects", objects, raising=False)
    scene = scene_of(stage)
    pieces_taken.pieces_under_load(stage, scene)
    assert scene.problems == []
    assert [each["code"] for each in scene.facts["pieces"]] == [1, 1, 1, 1]
    assert objects.left == []
    assert stage.ready()[0] == "pass"
    rows = stores_table.restore_lines({"fault": "restore-pieces", **scene.facts, "violations": []})
    assert {row.count("|") for row in rows} == {stores_table.RESTORES.count("|")}


@pytest.mark.requirement("DROP TABLE and a wrong UPDATE under load are undone to the second before, RPO and RTO stated")
def test_both_mistakes_are_undone(stage: LocalStage, database: Cluster) -> None:
    scene = scene_of(stage)
    mistakes.mistakes_under_load(stage, scene)
    assert scene.problems == []
    for each in scene.facts["mistakes"].values():
        assert 0 <= each["rpo_seconds"] < 3
        assert 1 <= each["seconds_before_the_mistake"] < 2
        assert each["rto_seconds"] > each["of_it"]["restore"] > 0
        assert each["rows"] > 0
    left = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'bench_stores_%'"
    assert [database.query(each, left) for each in ("commerce", "ledger")] == [[(0,)], [(0,)]]
    rows = stores_table.restore_lines({"fault": "restore-mistakes", **scene.facts, "violations": []})
    assert {row.count("|") for row in rows} == {stores_table.RESTORES.count("|")}


@pytest.mark.requirement("a large database is restored, and refused where there is too little room for it")
def test_a_large_table_is_filled_backed_up_refused_and_restored(
    stage: LocalStage, host: Host, database: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = SimpleNamespace(document=lambda: {"spec": {"instances": 2}})
    monkeypatch.setattr(stage.pair, "access", SimpleNamespace(database=lambda *_: documents), raising=False)
    monkeypatch.setattr(large_restore, "lab_directory", lambda: tmp_path)
    monkeypatch.setattr(large_restore, "SPOOL", stage.collector.settings.spool)
    monkeypatch.setattr(large_restore, "TAKEN_UP_SECONDS", 6)
    monkeypatch.setattr(large_restore, "kubectl", lambda _, *words, **__: run(["sh", "-c", words[-1]]).stdout)
    assert shutil.disk_usage(tmp_path).free > 8 * 2**30, "the bench refuses otherwise"
    scene = scene_of(stage)
    large_restore.large_under_load(stage, scene, gigabytes=0.03)
    found = scene.facts["large"]
    assert scene.problems == []
    assert found["table_rows"] == 200_000
    assert "MiB for the base backup" in found["refused"]["said"]
    assert found["base"]["unpacked_mib"] > 30
    assert found["restored"]["rows"] > 200_000
    assert found["base_after"]["unpacked_mib"] < found["base"]["unpacked_mib"]
    assert len(host.place.facts()) == 3
    assert database.query("commerce", "SELECT to_regclass('bench_stores_large')") == [(None,)]
    rows = stores_table.restore_lines({"fault": "restore-large", **scene.facts, "violations": []})
    assert {row.count("|") for row in rows} == {stores_table.RESTORES.count("|")}


def test_a_statement_that_fails_is_told_and_a_session_that_ended_too(database: Cluster) -> None:
    words = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(database.port), "-U", "postgres"]
    with SqlSession([*words, "commerce"]) as session:
        assert session.ask("select generate_series(1, 3)") == ["1", "2", "3"]
        assert session.ask("create table placed (i int)") == []
        with pytest.raises(SqlError, match="no_such_table"):
            session.ask("select * from no_such_table")
        with pytest.raises(SqlError):
            session.ask("select 1")
