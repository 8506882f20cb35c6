"""One list of what was done, from journals, records of drills and lines of deployments."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import main as cli
from runbooks.engine import Journal, RunFacts
from runbooks.history.listing import as_lines, listing
from runbooks.readiness.drill_record import DrillRecord, Result, save
from shopsphere.estate.stack import Environment

DEPLOYMENT = {
    "format": 1,
    "began": "2026-11-01T08:00:00+00:00",
    "who": "ben at ops-2",
    "verb": "up",
    "target": "rdc-a",
    "environment": "lab",
    "plan": "",
    "result": "failed",
    "seconds": 61.25,
    "stacks": [],
    "errors": {"rdc-a": "frankfurt: no answer"},
}
DRILL = DrillRecord(
    pair="rdc-a",
    environment=Environment.LAB,
    home="frankfurt",
    away="dublin",
    epoch=1,
    actor="anna at ops-1",
    reason="weekly",
    began=datetime(2026, 11, 2, 9, 0, tzinfo=UTC),
    ended=datetime(2026, 11, 2, 9, 1, tzinfo=UTC),
    result=Result.GREEN,
)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    folder = tmp_path / "runbooks"
    folder.mkdir()
    other = {**DEPLOYMENT, "target": "rdc-b", "began": "2026-11-03T08:00:00+00:00", "result": "succeeded"}
    (folder / "deployments.jsonl").write_text(f"{json.dumps(DEPLOYMENT)}\n{json.dumps(other)}\n" + '{"began": "20')
    save(folder, DRILL)
    with Journal.start(folder, RunFacts("failover", "planned", "rdc-a", "anna at ops-1", "incident 4711")) as run:
        run.finish()
    Journal.start(folder, RunFacts("break_glass", None, "rdc-b", "anna at ops-1", "witness lost")).close()
    return folder


@pytest.mark.requirement("runs, drills and deployments in one list by time")
def test_everything_is_in_one_list_by_time(records: Path) -> None:
    found = listing(records)
    assert [(each.what, each.on, each.result) for each in found.entries] == [
        ("up", "rdc-a", "failed"),
        ("drill", "rdc-a", "green"),
        ("up", "rdc-b", "succeeded"),
        ("failover planned", "rdc-a", "finished"),
        ("break-glass", "rdc-b", "unfinished"),
    ]
    assert [each.seconds for each in found.entries[:3]] == [61.2, 60.0, 61.2]
    assert found.entries[-1].seconds is None
    assert found.unreadable == (f"{records / 'deployments.jsonl'}: line 3 is damaged",)


def test_a_damaged_journal_hides_no_other(records: Path) -> None:
    (records / "000009-failover-20260101T000000Z.jsonl").write_text("{}\n")
    found = listing(records, ["rdc-a"])
    assert len(found.entries) == 3
    assert any("000009" in each for each in found.unreadable)


def test_the_verb(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["history", "rdc-b", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["what"] for each in document["entries"]] == ["up", "break-glass"]
    assert document["entries"][0]["began"] == "2026-11-03T08:00:00+00:00"
    assert cli.run(["history", "--last", "1"]) == 0
    shown = capsys.readouterr().out
    assert "break-glass" in shown
    assert "drill" not in shown
    assert cli.run(["history", "mars"]) == 2


def test_80_columns(records: Path) -> None:
    lines = [line.plain for line in as_lines(listing(records), 80)]
    assert lines[0].split() == ["began", "(UTC)", "what", "on", "result", "seconds", "who"]
    assert all(len(line) <= 80 for line in lines if str(records) not in line)
    assert "  why: frankfurt: no answer" in lines


def test_nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    assert cli.run(["history"]) == 0
    assert capsys.readouterr().out == "nothing was done here yet\n"
