"""What bench/clickstream does to a lab: whom it kills, whose processor time it counts, and what it writes down."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import clickstream_world  # noqa: F401 the folders of benchmarks come onto the path with it
import pytest
import stream_kills
from stream_check import Verdict
from stream_kills import PARTS, Killing, kill
from stream_latency import latencies
from stream_ledger import PROBE, Entry, Ledger, begin_line, end_line
from stream_usage import Usage

from lab.host import cgroups
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import CommandError, Result

pytestmark = pytest.mark.requirement("a kill of the bench is one part of one site, and what it cost is written down")
Said = list[tuple[str, ...]]


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clickstream_program", REPOSITORY / "bench/clickstream/__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pod(name: str, *, phase: str = "Running", leaves: bool = False) -> dict[str, Any]:
    meta = {"name": name, **({"deletionTimestamp": "now"} if leaves else {})}
    return {"metadata": meta, "status": {"phase": phase}, "spec": {"nodeName": f"node-of-{name}"}}


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], Said]:
    """Pods of every namespace, and what was said to sites and hosts."""
    pods: list[dict[str, Any]] = []
    said: Said = []

    def kubectl(site: str, *words: str, **_: object) -> str:
        said.append((site, *words))
        return json.dumps({"items": pods}) if words[0] == "get" else ""

    def run_inside(host: str, command: Sequence[str], **_: object) -> Result | None:
        said.append((host, *command))
        return None

    monkeypatch.setattr(stream_kills, "kubectl", kubectl)
    monkeypatch.setattr(stream_kills, "run_inside", run_inside)
    return pods, said


def test_parts_are_the_workloads_of_a_site() -> None:
    assert {name: part.namespace for name, part in PARTS.items()} == {
        "collector": "collector", "broker": "kafka", "worker": "insight", "gateway": "gateway",
    }  # fmt: skip


def test_a_kill_is_sigkill_on_the_pods_node_and_then_its_end(lab: tuple[list[dict[str, Any]], Said]) -> None:
    pods, said = lab
    pods += [pod("gone", phase="Succeeded"), pod("leaving", leaves=True), pod("there")]
    assert kill("frankfurt", PARTS["broker"], Random(1)) == 1
    assert said[1] == ("node-of-there", "pkill", "-KILL", "-f", r"kafka\.Kafka")
    assert said[2][:6] == ("frankfurt", "delete", "pod", "-n", "kafka", "there")
    assert {"--force", "--grace-period=0", "--wait=false"} <= set(said[2])
    pods[:] = pods[:2]
    said.clear()
    assert kill("frankfurt", PARTS["broker"], Random(1)) == 0
    assert len(said) == 1, "nobody runs: nothing is killed"


def test_kills_go_on_where_one_could_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_kills, "FIRST_SECONDS", 0.01)
    done: list[str] = []
    looks = iter([False, False, True])
    monkeypatch.setattr(stream_kills, "LOOK_SECONDS", 0.01)
    killing = Killing("frankfurt", ["worker", "collector"], 0.01, Random(2), lambda: next(looks), 30)

    def killed(_site: str, part: object, _chance: Random) -> int:
        done.append("x")
        if len(done) == 1:
            raise CommandError.build("no answer", expected="a", found="b", action="c")
        killing.ended.set()
        assert part in PARTS.values()
        return 1

    monkeypatch.setattr(stream_kills, "kill", killed)
    killing.go_on()
    assert sum(killing.killed.values()) == 1
    assert len(killing.failed) == 1
    assert "no answer" in killing.failed[0]
    assert list(looks) == [], "nothing was killed before something was acknowledged"


def test_processor_time_is_that_of_the_parts_own_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "processes", lambda _host: {os.getpid(), 2**22 + 1})
    usage = Usage(["frankfurt"], {"nobody": "no such program", "tests": "python"})
    with usage:
        sum(number * number for number in range(3_000_000))
    seconds = usage.seconds()
    assert seconds.keys() == {"tests"}
    assert 0 < seconds["tests"] < 60


def test_ways_to_rows_are_told_with_those_that_never_came() -> None:
    probes = [
        Entry(f"{number:016x}", 0, (("view", "tee-1", 1_000),), {"204": 1}, 1, 2, 1, PROBE) for number in range(4)
    ]
    other = Entry("f" * 16, 0, (("view", "tee-1", 1_000),), {"204": 1}, 1, 2, 1)
    seen = {probes[0].tab: 1_900.0, probes[1].tab: 2_500.0, probes[2].tab: 3_000.0, other.tab: 9_000.0}
    assert latencies([*probes, other], seen) == {"clicks": 4, "rows": 3, "p50": 1500, "p99": 2000, "p100": 2000}


Parsed = Callable[[Sequence[str]], argparse.Namespace]


@pytest.mark.parametrize(
    "words",
    [
        ["load", "--rate", "0"],
        ["load", "--seconds", "99999"],
        ["load", "--url", "http://x"],
        ["load", "--rate", "1000", "--seconds", "3000"],
        ["kill"],
        ["kill", "--part", "database"],
        ["kill", "--part", "broker", "--every", "1"],
        ["kill", "--part", "broker", "--url", "http://x", "--dsn", "y"],
        ["check"],
    ],
)
def test_words_that_mean_nothing_are_refused(program: ModuleType, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.arguments(words)
    assert ended.value.code == 2


def test_a_result_has_what_was_played_killed_and_found(program: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    begin = begin_line(run="a", pair="rdc-a", rate=500, counts={"kind/view": 7})
    file.write_text("\n".join([begin, end_line(made=9, gap_seconds=4.5), '{"cpu_seconds": {"worker": 1.5}}']))
    verdict = Verdict(lost=1, problems=["one"], facts={"duplicates": 3})
    line = program.result(Ledger.read(file), verdict, parts=["broker"], kills={"broker": 2})
    expected = {
        "pair": "rdc-a", "rate": 500, "made": 9, "gap_seconds": 4.5, "cpu_seconds": {"worker": 1.5}, "lost": 1,
        "kills": {"broker": 2}, "problems": ["one"], "duplicates": 3,
    }  # fmt: skip
    assert expected.items() <= line.items()
    assert {"at", "machine", "commit"} <= line.keys()
    assert "counts" not in line
    program.append(tmp_path / "results" / "all.jsonl", line)
    assert json.loads((tmp_path / "results" / "all.jsonl").read_text()) == line
