"""One line for each deployment, whatever its end, and none is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from shopsphere.deploy import history
from shopsphere.deploy.outcomes import EngineRun, PlanOutcome, RegionOutcome, StackOutcome, Verb
from shopsphere.estate.stack import Environment

BEGAN = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)


def outcome(error: str = "") -> PlanOutcome:
    run = EngineRun(counts={"same": 90, "update": 3}, changed=3, total=93)
    dublin = StackOutcome(stack="dublin", name="lab-dublin", planned=run, applied=run, seconds=12.5)
    unchanged = EngineRun(counts={"same": 91}, total=91)
    frankfurt = StackOutcome(stack="frankfurt", name="lab-frankfurt", planned=unchanged, error=error, seconds=4.0)
    region = RegionOutcome(region="rdc-a", stacks=(dublin, frankfurt), error=error)
    return PlanOutcome(verb=Verb.UP, regions=(region,))


def record(result: PlanOutcome | None) -> history.DeploymentRecord:
    return history.record_of(
        result,
        verb=Verb.UP,
        target="rdc-a",
        environment=Environment.PROD,
        who="anna at ops-1",
        began=BEGAN,
        seconds=17.25,
        plan="ab" * 32,
    )


def test_a_record_says_who_did_what_where_and_with_which_result(tmp_path: Path) -> None:
    history.append(tmp_path / "records", record(outcome()))
    document = json.loads((tmp_path / "records" / "deployments.jsonl").read_text())
    assert document == {
        "format": 1,
        "began": "2026-11-26T22:00:00Z",
        "who": "anna at ops-1",
        "verb": "up",
        "target": "rdc-a",
        "environment": "prod",
        "plan": "ab" * 32,
        "result": "succeeded",
        "seconds": 17.25,
        "stacks": [
            {
                "stack": "dublin",
                "counts": {"same": 90, "update": 3},
                "changed": 3,
                "total": 93,
                "seconds": 12.5,
                "error": "",
            },
            {"stack": "frankfurt", "counts": {}, "changed": 0, "total": 91, "seconds": 4.0, "error": ""},
        ],
        "errors": {},
    }


def test_records_are_read_in_their_order(tmp_path: Path) -> None:
    for result in (outcome(), outcome("no answer\n  do: wait"), None):
        history.append(tmp_path, record(result))
    found = history.read(tmp_path)
    assert found.unreadable == ()
    assert [each.result for each in found.records] == ["succeeded", "failed", "interrupted"]
    assert found.records[1].errors == {"rdc-a": "no answer do: wait"}
    assert found.records[1].stacks[1].error == "no answer do: wait"


def test_where_nothing_was_deployed_the_history_is_empty(tmp_path: Path) -> None:
    assert history.read(tmp_path / "none") == history.History(records=(), unreadable=())


def test_a_line_that_was_torn_is_named_and_costs_no_other_record(tmp_path: Path) -> None:
    file = history.append(tmp_path, record(outcome()))
    with file.open("a") as sink:
        sink.write('{"format": 1, "began": "2026-')
    history.append(tmp_path, record(None))
    found = history.read(tmp_path)
    assert found.unreadable == (2,)
    assert [each.result for each in found.records] == ["succeeded", "interrupted"]
