"""A whole run of bench/attacks with an invented lab: what is told, kept, and returned."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shopsphere.foundation.paths import LAB_VARIABLE, REPOSITORY
from shopsphere.topology import load_topology

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
from attacked import Scene
from attempt import CLIENT, DESK, PORT, STATUS, TLS, Attempt, Control, Question, attempt

CONTROL = Control(DESK, ({"url": "https://right"},), "^http 200 ")


class Places:
    """Answers by the question's address; `refused` leaves the line of the host's firewall."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def has(self, place: str) -> bool:
        return place != "nowhere"

    def is_pod(self, _place: str) -> bool:
        return False

    def address(self, _place: str) -> str:
        return "10.99.80.10"

    def host(self, _place: str) -> str:
        return "client-us"

    def ask(self, _place: str, questions: tuple[Question, ...]) -> list[dict[str, Any]]:
        return [self._answer(each["url"].removeprefix("https://")) for each in questions]

    def _answer(self, word: str) -> dict[str, Any]:
        if word == "refused":
            with self.log.open("a") as log:
                log.write("SRC=10.99.80.10 DST=10.99.0.11 SPT=40000 DPT=6443\n")
        statuses = {"right": 200, "open": 200, "forbidden": 403}
        kind = "http" if word in statuses else word
        return {"kind": kind, "status": statuses.get(word, 0), "text": word, "port": 40000}


class Watched:
    problems: list[str] = []  # noqa: RUF012 - nobody adds to it
    looks = 3

    def __init__(self, *_: object) -> None:
        pass

    def end(self) -> None:
        pass


def tried(word: str, *by: str, place: str = CLIENT) -> Attempt:
    return attempt("X", word, place, [{"url": f"https://{word}"}], *by, control=CONTROL)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    monkeypatch.setenv(LAB_VARIABLE, str(tmp_path))
    log = tmp_path / "hosts/frankfurt/log/refused.log"
    log.parent.mkdir(parents=True)
    log.write_text("")
    spec = importlib.util.spec_from_file_location("attacks_program", REPOSITORY / "bench/attacks/__main__.py")
    assert spec is not None
    assert spec.loader is not None
    program: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    topology = load_topology(environment="lab")
    scene = Scene(topology.pair("rdc-a"), topology.pair("rdc-b"), topology, "abc")
    monkeypatch.setattr(program, "LOGGED_SECONDS", 0.6)
    monkeypatch.setattr(program, "DoorsWatched", Watched)
    monkeypatch.setattr(program, "found_scene", lambda *_: scene)
    monkeypatch.setattr(program, "Places", lambda *_: Places(log))

    def of(attempts: list[Attempt], *states: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        looked = iter([*states, *[states[-1]] * 9])
        monkeypatch.setattr(program, "state", lambda *_: next(looked))
        monkeypatch.setattr(program, "attempts_of", lambda *_, **__: attempts)
        results = tmp_path / "results.jsonl"
        monkeypatch.setattr(sys, "argv", ["attacks", "--door", "agents", "--no-drift", "--results", str(results)])
        return int(program.main()), [json.loads(line) for line in results.read_text().splitlines()]

    return of


Run = Callable[..., tuple[int, list[dict[str, Any]]]]


def test_refused_seen_and_unchanged(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, kept = run([tried("refused", PORT), tried("forbidden", STATUS, place=DESK)], {"rows": "3"})
    assert code == 0
    assert [(each["verdict"], each["seen_in"]) for each in kept] == [
        ("refused", ["frankfurt refused"]),
        ("refused", []),
    ]
    assert "2 attempts: 2 refused; 0 not tried; 0 things changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("attempts", "verdict"),
    [
        ([tried("open", STATUS)], "LET IN"),
        ([tried("silent", PORT, TLS)], "UNPROVEN"),
        ([tried("forbidden", STATUS)], "NOT SEEN"),
    ],
)
def test_anything_else_fails(run: Run, attempts: list[Attempt], verdict: str) -> None:
    code, kept = run(attempts, {"rows": "3"})
    assert (code, [each["verdict"] for each in kept]) == (1, [verdict])


def test_a_change_fails_and_its_door_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run([tried("refused", PORT)], {"rows": "3"}, {"rows": "4"})
    assert code == 1
    assert "CHANGED  after agents: rows: 3 became 4" in capsys.readouterr().out


def test_what_has_no_place_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, kept = run([tried("refused", PORT), tried("refused", PORT, place="nowhere")], {"rows": "3"})
    assert (code, len(kept)) == (0, 1)
    assert "1 not tried: rdc-b is not up" in capsys.readouterr().out
