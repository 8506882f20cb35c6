"""The bench of rotations: its operator dies in each step with all its processes, and its judges find what is wrong."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.sealed_calls import Question, Seals
from runbooks.rotation.run import steps_of
from shopsphere.estate.pair_secrets import other_name
from shopsphere.estate.renewal import CALL_KEY, KINDS, SESSION_KEYS
from shopsphere.foundation.paths import LAB_VARIABLE, REPOSITORY
from shopsphere.witness.client import Witness

sys.path.append(str(REPOSITORY / "bench" / "safety"))
sys.path.append(str(REPOSITORY / "bench" / "rotation"))
import rotating
import rotations_table
from command import CommandFailedError
from secrets_kept import COMPARING, gone_after, wrong_cluster, wrong_stacks
from secrets_tried import LOGIN, SEALED_CALLS, TRIED, of_login, of_statuses, wrong

COMMAND = """#!{python}
import os, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, {repository!r})
from runbooks.engine import Journal, RunFacts, Step
subprocess.Popen(["sleep", "300"], process_group=0)  # an engine's plugin has a group of its own
folder = Path({folder!r})
left = Journal.unfinished(folder, pair="rdc-a")
facts = RunFacts("rotate", "call-key", "rdc-a", "test", "bench")
with Journal.resume(left.path, actor="test") if left else Journal.start(folder, facts) as journal:
    for number, name, acts in {steps!r}:
        step = Step(1, name, name, 1.0, None, False, str, None, bool)
        journal.step_started(step)
        if name == os.environ.get("STOPS_AT"):
            sys.exit("refused: more than secrets would change")
        if acts and not journal.is_done(step):
            journal.step_acting(step, 0.0)
            time.sleep(0.2)
            journal.step_acted(step, 0.2)
        time.sleep(0.1)
        if os.environ.get("SHOPSPHERE_RUNBOOK_KILL", "").partition(":")[0] == number:
            os.kill(os.getpid(), 9)
        journal.step_verified(step, 0.3, already=False)
    journal.finish()
"""


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> rotating.RotatingOperator:
    "of a command that goes through the steps of call keys quickly, and keeps a real journal"
    monkeypatch.setenv(LAB_VARIABLE, str(tmp_path))
    monkeypatch.setattr(rotating, "_LATEST", 0.1)
    monkeypatch.setattr(rotating, "_TURN_LATEST", 0.1)
    steps = [(str(each.number), each.name, each.act is not None) for each in steps_of("call-key").steps]
    program = tmp_path / "shopsphere"
    text = COMMAND.format(
        python=sys.executable, repository=str(REPOSITORY), steps=steps, folder=str(tmp_path / "runbooks" / "rotations")
    )
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setattr(rotating, "SHOPSPHERE", str(program))
    witness = cast(Witness, SimpleNamespace(pair="rdc-a", rotated_by=lambda: None))
    return rotating.RotatingOperator(witness, "call-key", Random(1))


def test_the_operator_dies_in_each_step_once_and_goes_on(operator: rotating.RotatingOperator) -> None:
    for step in operator.steps:
        operator.killed_in(step)
    operator.end()
    assert [each["step"] for each in operator.kills] == [each.name for each in operator.steps]
    assert {each["after"] for each in operator.kills} <= {"step-started", "step-acting", "step-acted", "step-verified"}
    assert sum(each["after"] == "step-acting" for each in operator.kills) > 3, "most die in the middle"
    assert operator.left() is None
    operator.end()
    assert len(list(operator.records.glob("*.jsonl"))) == 1, "what is over is not begun a second time"


def test_nothing_of_it_lives_on(operator: rotating.RotatingOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: list[int] = []
    kill = rotating.kill_all_of

    def killed(process: subprocess.Popen[str]) -> None:
        sessions.append(process.pid)
        assert len(rotating.processes_of(process.pid)) >= (2 if len(sessions) == 1 else 0)
        kill(process)
        assert [each for each in rotating.processes_of(process.pid) if not rotating.is_dead(each)] == []

    monkeypatch.setattr(rotating, "kill_all_of", killed)
    operator.killed_in(operator.steps[1])
    assert sessions


def test_a_rotation_that_is_refused_is_no_kill(
    operator: rotating.RotatingOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPS_AT", operator.steps[2].name)
    with pytest.raises(CommandFailedError, match=r"code 1 before call-key-04(.|\n)*more than secrets would change"):
        operator.killed_in(operator.steps[3])
    with pytest.raises(CommandFailedError, match="more than secrets"):
        operator.end()
    assert operator.kills == []


def held(kind: str, tag: str) -> dict[str, str]:
    return {name: f"{tag} {name}" for name in KINDS[kind].names}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_is_what_the_rotation_replaced(kind: str) -> None:
    before = held(kind, "old")
    expected = {} if kind == "session-keys" else before
    assert gone_after(KINDS[kind], before) == expected
    beside = {other_name(name): f"older {name}" for name in before}
    if kind == "session-keys":
        assert gone_after(KINDS[kind], {**before, **beside}) == beside


NAME, KEY = "paymentsCallKey", "sessionSecret"


@pytest.mark.parametrize(
    ("kind", "after", "found"),
    [
        (CALL_KEY, [{NAME: "new"}, {NAME: "new"}], []),
        (CALL_KEY, [{NAME: "new"}, {NAME: "old"}], [f"stacks differ: {NAME}"]),
        (CALL_KEY, [{NAME: "old"}, {NAME: "old"}], [f"not renewed: {NAME}"]),
        (CALL_KEY, [{}, {}], [f"not renewed: {NAME}"]),
        (
            CALL_KEY,
            [{NAME: "new", f"{NAME}Other": "old"}] * 2,
            [f"beside the new {NAME}: still a second one"],
        ),
        (SESSION_KEYS, [{KEY: "new", f"{KEY}Other": "old"}] * 2, []),
        (SESSION_KEYS, [{KEY: "new"}] * 2, [f"beside the new {KEY}: another secret than the old one"]),
        (
            SESSION_KEYS,
            [{KEY: "new", f"{KEY}Other": "older"}] * 2,
            [f"beside the new {KEY}: another secret than the old one"],
        ),
    ],
)
def test_wrong_stacks_are_found(kind: Any, after: list[dict[str, str]], found: list[str]) -> None:
    assert wrong_stacks(kind, {kind.names[0]: "old"}, after) == found


def document(kind: str, data: dict[str, str], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    if kind == "Secret":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"namespace": "shop", "name": "shop-settings", "annotations": annotations}
    return {"kind": kind, "metadata": metadata, "data": data}


@pytest.mark.parametrize(
    ("documents", "found"),
    [
        ([document("Secret", {"A": "the-new"})], []),
        ([document("Secret", {"A": "x"})], ["new secret missing: a at dublin"]),
        (
            [document("Secret", {"A": "the-new", "A_OTHER": "the-old\n"})],
            ["old secret left: a in Secret shop/shop-settings A_OTHER of dublin"],
        ),
        (
            [document("Secret", {"A": "the-new"}), document("ConfigMap", {"ca.crt": "one\nthe-old\ntwo"})],
            ["old secret left: a in ConfigMap shop/shop-settings ca.crt of dublin"],
        ),
        (
            [document("Secret", {"A": "the-new"}, {"last": '{"data": "the-old"}'})],
            ["old secret left: a in Secret shop/shop-settings annotation last of dublin"],
        ),
    ],
)
def test_old_secrets_are_found_in_a_cluster(documents: list[dict[str, Any]], found: list[str]) -> None:
    assert wrong_cluster("dublin", {"a": "the-old"}, {"a": "the-new"}, documents) == found


def test_a_pod_says_which_secrets_it_began_with_and_never_their_values() -> None:
    environment = {**os.environ, "SHOP_SESSION_SECRET": "the-old\n", "SHOP_SESSION_SECRET_OTHER": "else"}
    given = json.dumps({"used before": "the-old", "gone": "older"})
    said = subprocess.run(
        [sys.executable, "-c", COMPARING], input=given, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(said) == [["used before", "SHOP_SESSION_SECRET"]]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("accepted\n", "accepted"),
        ('psql: error: FATAL:  password authentication failed for user "shop_app"\n', "refused"),
        ("psql: error: connection to server failed: Connection refused\n", "unknown"),
        ("", "unknown"),
    ],
)
def test_what_psql_says(said: str, found: str) -> None:
    assert of_login(said).partition(":")[0] == found


def test_a_password_reaches_psql_and_no_command_line(tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\necho "$PGPASSWORD" "$@"\n')
    program.chmod(0o755)
    said = subprocess.run(
        ["sh", "-c", LOGIN, "sh", "shop_app", "commerce"],
        input="se-cret_1\n", env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.startswith("se-cret_1 -XAtw host=127.0.0.1 user=shop_app dbname=commerce sslmode=require")


@pytest.mark.parametrize(
    ("statuses", "found"),
    [([404, 404], "accepted"), ([401, 401], "refused"), ([404, 401], "unknown"), ([503, 503], "unknown")],
)
def test_what_payments_say(statuses: list[int], found: str) -> None:
    assert of_statuses(statuses).partition(":")[0] == found


def test_the_sealed_call_is_one_that_the_service_would_believe() -> None:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            question = Question("GET", self.path, "", headers["idempotency-key"], b"")
            self.send_response(404 if Seals("n" * 40).problem(question, headers) is None else 401)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PAYMENTS_URL": f"http://127.0.0.1:{server.server_port}",
        }
        said = subprocess.run(
            [sys.executable, "-c", SEALED_CALLS],
            input=json.dumps(["n" * 40, "o" * 40]), env=environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        server.shutdown()
    assert json.loads(said) == [404, 401]


def test_every_kind_has_its_door() -> None:
    assert set(TRIED) == set(KINDS)


def test_what_says_nothing_of_a_secret_is_neither() -> None:
    said = {"a": "accepted", "b": "refused by the server: unknown ca", "c": "unknown: TimeoutError"}
    assert [each.partition(": ")[2][0] for each in wrong(said, wanted="accepted", which="new")] == ["b", "c"]
    assert [each.partition(": ")[2][0] for each in wrong(said, wanted="refused", which="old")] == ["a", "c"]


RESULT = {
    "fault": "rotate-call-key-killed", "at": "2026-11-30T08:45:00Z", "commit": "abc", "killed_in": 11,
    "rotation_seconds": 912.4, "orders": 900, "orders_lost": 0, "gap_seconds": 1.24,
    "failures": {"patient: cart: 500": 2, "ConnectError": 5}, "violations": ["payment lost: order-1", "x"],
}  # fmt: skip


def test_a_line_of_the_table() -> None:
    assert rotations_table.line(RESULT) == (
        "| call-key | 2026-11-30T08:45:00Z | abc | 11 steps | 912 | 900 | 0 | 1 | 2 | 1.2 s | 2 |"
    )


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([RESULT], 1),
        ([RESULT, {**RESULT, "violations": []}], 0),
        ([{**RESULT, "violations": []}, {"fault": "rotate-x", "at": "", "commit": "", "error": "refused\nso"}], 1),
    ],
)
def test_the_report_ends_badly_while_a_kinds_last_run_is_bad(
    results: list[dict[str, Any]], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rotation.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in results))
    assert rotations_table.show(file) == code
    assert "| call-key |" in capsys.readouterr().out
