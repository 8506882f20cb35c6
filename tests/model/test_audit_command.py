"""`shopsphere audit verify`: what it asks, what it says and its exit codes, with a real log and agents' files."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import main
from runbooks import audit_asking
from runbooks.engine.audit import append
from runbooks.pair_access import PairAccess
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.estate.access import AccessError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.witness import WitnessUnreachableError
from shopsphere.witness.heads import AuditHead, Heads

pytestmark = pytest.mark.requirement("audit verify: broken is 1, unknown is 4, intact is 0")


class World:
    """Witnesses and agents of all pairs, which keep the same heads unless a test says otherwise."""

    def __init__(self, records: Path) -> None:
        self.log = records / "audit.jsonl"
        self.heads: list[AuditHead] = []
        self.silent: set[str] = set()
        self.asked: list[str] = []

    def write(self, count: int) -> None:
        for _ in range(count):
            mark = append(self.log, {"event": "test"})
            place = f"{socket.gethostname()}:{self.log}"
            now = datetime.now(UTC)
            self.heads.append(AuditHead(log=mark.log, count=mark.count, head=mark.head, place=place, at=now))

    def witness_of(self, pair: str, _environment: object) -> Any:
        if f"address of {pair}" in self.silent:
            raise AccessError(f"{pair}: where its witness is, is not known here")

        def heads() -> Heads:
            self.asked.append(pair)
            if pair in self.silent:
                raise WitnessUnreachableError("no quorum")
            return Heads(tuple(self.heads[-1:]))

        return SimpleNamespace(audit=SimpleNamespace(heads=heads), close=lambda: None)

    def agent_state(self, site: str, **_more: object) -> dict[str, Any]:
        self.asked.append(site)
        if site in self.silent:
            raise SiteAgentError(f"the agent of {site} does not answer")
        return {"audit": {"heads": [each.model_dump(mode="json") for each in self.heads], "problem": ""}}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("SHOPSPHERE_RECORDS", str(tmp_path))
    made = World(tmp_path)
    monkeypatch.setattr(audit_asking, "witness_of", made.witness_of)
    monkeypatch.setattr(PairAccess, "agent_state", made.agent_state)
    return made


def verify(*words: str) -> int:
    return main.run(["audit", "verify", *words, "--environment", "prod"])


def test_an_intact_log_of_all_pairs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(3)
    assert verify() == ExitCode.GOOD
    said = capsys.readouterr().out
    assert said.endswith("audit log: intact\n")
    assert said.count("it agrees up to record 3") == 9
    assert sorted(world.asked) == [
        "ashburn", "chicago", "dublin", "frankfurt", "rdc-a", "rdc-b", "rdc-c", "singapore", "sydney",
    ]  # fmt: skip


def test_no_log_and_nobody_who_knows_one(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify("rdc-a") == ExitCode.GOOD
    assert "there is none, and nobody who answered knows of one" in " ".join(capsys.readouterr().out.split())
    assert sorted(world.asked) == ["dublin", "frankfurt", "rdc-a"]


@pytest.mark.parametrize("silent", ["rdc-a", "dublin", "address of rdc-a"])
def test_what_does_not_answer_is_unknown(world: World, silent: str, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(2)
    world.silent.add(silent)
    assert verify("rdc-a") == ExitCode.UNKNOWN
    assert capsys.readouterr().out.endswith("audit log: unknown\n")
    assert {"dublin", "frankfurt"} <= set(world.asked), "agents are asked whatever is wrong with the witness"


def test_a_deleted_log_is_broken_also_where_one_is_silent(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(2)
    world.log.unlink()
    world.silent.add("dublin")
    assert verify("rdc-a", "--json") == ExitCode.FAILED
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "broken"
    assert [each["verdict"] for each in document["findings"]] == ["fail", "fail", "fail", "unknown"]
    assert [each["subject"] for each in document["findings"]][1:] == [
        "the witness of rdc-a", "the agent of frankfurt", "the agent of dublin",
    ]  # fmt: skip


def test_a_file_that_a_site_handed_out_counts_too(world: World, tmp_path: Path) -> None:
    world.write(4)
    kept = tmp_path / "of-dublin.jsonl"
    kept.write_text("".join(f"{each.model_dump_json()}\n" for each in world.heads))
    world.heads.clear()
    assert verify("rdc-a", "--kept", str(kept)) == ExitCode.GOOD
    world.log.write_text("".join(world.log.read_text().splitlines(keepends=True)[:3]))
    assert verify("rdc-a") == ExitCode.GOOD, "nobody who was asked knows better"
    assert verify("rdc-a", "--kept", str(kept)) == ExitCode.FAILED
    assert verify("rdc-a", "--kept", str(tmp_path / "none")) == ExitCode.UNKNOWN


def test_a_word_that_is_no_pair(world: World) -> None:
    assert verify("dublin") == ExitCode.WORDS
    assert world.asked == []
