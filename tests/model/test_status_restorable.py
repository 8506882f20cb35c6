"""`status` says to which times each database can be restored, and is not kept by an archive that is silent."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cli import main as cli
from runbooks.restore import restorable
from runbooks.restore.archives import Backup
from runbooks.restore.restorable import Archives, judged
from runbooks.restore.stretches import Stretch
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.status import edge_names, pairs, render, sites
from shopsphere.status.model import PairStatus, Problem, Restorable, Status
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("`status` says since when and until when any time can be restored")
TOPOLOGY = load_topology()
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def backup(site: str, *days: float, hole: str = "", problem: str = "", database: str = "ledger") -> Backup:
    """A bucket with one stretch from so many days ago until noon; of two numbers, between them."""
    if not days:
        return Backup(database, site, problem=problem, kept_days=30)
    begins, ends = (NOON - timedelta(days=each) for each in (*days, *([0] if len(days) == 1 else [])))
    return Backup(database, site, stretches=(Stretch(begins, ends, "last", hole),), kept_days=30)


def test_either_sites_bucket_is_enough() -> None:
    found = judged("rdc-a", "ledger", {"frankfurt": backup("frankfurt", 9, 2), "dublin": backup("dublin", 3)})
    assert found == Restorable("rdc-a", "ledger", "2026-11-21T12:00:00+00:00", "2026-11-30T12:00:00+00:00", 30)


def test_a_hole_in_both_buckets_begins_anew() -> None:
    found = judged("rdc-a", "ledger", {"frankfurt": backup("frankfurt", 9, 4), "dublin": backup("dublin", 3)})
    assert found.since == "2026-11-27T12:00:00+00:00"


def test_a_bucket_that_is_silent_is_said_beside_what_the_other_tells() -> None:
    silent = backup("dublin", problem="no answer")
    found = judged("rdc-a", "ledger", {"frankfurt": backup("frankfurt", 3), "dublin": silent})
    assert found.since == "2026-11-27T12:00:00+00:00"
    assert found.problem == "to which times ledger can be restored is not known at dublin: no answer"
    nothing = judged("rdc-a", "ledger", {"frankfurt": backup("frankfurt"), "dublin": backup("dublin")})
    assert (nothing.since, nothing.note, nothing.problem) == ("", "no base backup with its WAL yet", "")


class Silent:
    """An archive that takes questions and gives no answer until it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()

    def backup_at(self, _topology: Any, _pair: Any, _environment: Any, database: DatabaseModel, site: str) -> Backup:
        self.asked.append(database.cluster(site))
        if site == "dublin":
            self.answers.wait(30)
        return backup(site, 3, database=database.name)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    archive = Silent()
    monkeypatch.setattr(restorable, "backup_at", archive.backup_at)
    monkeypatch.setattr(restorable, "bucket_of", lambda *_: None)
    yield archive
    archive.answers.set()


def test_an_archive_that_is_silent_costs_its_bound_and_keeps_nothing_alive(silent: Silent) -> None:
    archives = Archives(TOPOLOGY, Environment.LAB, seconds=0.4)
    began = time.monotonic()
    archives.ask(["rdc-a"])
    assert time.monotonic() - began < 0.3, "the answers are not waited for"
    commerce, ledger = archives.told(["rdc-a"])
    assert 0.3 < time.monotonic() - began < 5
    cause = "not known at dublin: the archive did not answer within 0 s"
    assert [each.problem.partition(" is ")[2] for each in (commerce, ledger)] == [cause, cause]
    assert commerce.since
    waiting = [each for each in threading.enumerate() if each.name.startswith("archive of ")]
    assert len(waiting) == 2
    assert all(each.daemon for each in waiting), "the process would wait for them"


def test_what_was_asked_and_is_not_answered_is_not_asked_again(silent: Silent) -> None:
    archives = Archives(TOPOLOGY, Environment.LAB, seconds=0.2)
    for _ in range(3):
        archives.ask(["rdc-a"])
        archives.told(["rdc-a"])
    assert silent.asked.count("ledger-dublin") == 1
    assert silent.asked.count("ledger-frankfurt") == 3
    silent.answers.set()
    archives.ask(["rdc-a"])
    assert [each.problem for each in archives.told(["rdc-a"])] == ["", ""]


def test_who_has_no_key_of_the_archive_is_told_so_and_it_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def bucket_of(*_: object) -> None:
        raise ShopSphereError("the secret of the operator's account at the archive is not here")

    monkeypatch.setattr(restorable, "bucket_of", bucket_of)
    archives = Archives(TOPOLOGY, Environment.LAB)
    archives.ask(["rdc-a"])
    note = "not known on this machine: the secret of the operator's account at the archive is not here"
    assert archives.told(["rdc-a"]) == tuple(Restorable("rdc-a", each, note=note) for each in ("commerce", "ledger"))


SHOWN = (
    Restorable("rdc-a", "commerce", "2026-10-31T12:00:00+00:00", "2026-11-30T12:00:09+00:00", 30),
    Restorable("rdc-a", "ledger", kept_days=30, problem="silent"),
)


def test_it_is_shown_and_counts() -> None:
    status = Status((), (), (), (), SHOWN)
    sink = io.StringIO()
    render.show(status, Console(file=sink, width=160))
    rows = [line.split() for line in sink.getvalue().splitlines()]
    moments = ["2026-10-31", "12:00:00", "UTC", "2026-11-30", "12:00:09", "UTC"]
    assert ["rdc-a", "commerce", *moments, "30"] in rows
    assert ["rdc-a", "ledger", "unknown", "-", "30"] in rows
    assert status.problems == (Problem("rdc-a", "silent"),)
    document = json.loads(render.as_json(status))
    assert document["well"] is False
    assert document["restorable"][0]["since"] == "2026-10-31T12:00:00+00:00"


def test_the_verb_asks_for_the_pairs_of_its_target(
    silent: Silent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent.answers.set()
    monkeypatch.setattr(sites, "site_statuses", lambda *_: ())
    monkeypatch.setattr(edge_names, "ask_names", lambda *_: ())
    monkeypatch.setattr(pairs, "ask_witnesses", lambda *_: (PairStatus("rdc-a", epoch=1),))
    assert cli.run(["status", "rdc-a", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["restorable"]
    assert [(each["pair"], each["database"], each["until"]) for each in told] == [
        ("rdc-a", "commerce", "2026-11-30T12:00:00+00:00"),
        ("rdc-a", "ledger", "2026-11-30T12:00:00+00:00"),
    ]
    assert {each.rpartition("-")[2] for each in silent.asked} == {"frankfurt", "dublin"}
