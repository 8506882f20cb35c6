"""All sites under watch: what is told of them and when, how it ends, and what the edge and the state are asked for."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import ZONE
from edge_fakes import FakeAuthority, FakeCdn
from manual_clock import ManualClock
from test_drift_edge import DEPLOY, WWW, cdn, exported, servers  # noqa: F401 two are fixtures
from test_drift_report import drift, ignore

from cli import main as cli
from shopsphere.clients.powerdns import RRset
from shopsphere.deploy.locks import StackLockedError
from shopsphere.deploy.state_version import StateLook, StateVersionError, look_at_folder
from shopsphere.drift import watch_lines, watching
from shopsphere.drift.edge_watch import WHOLE_SECONDS, Connections, EdgeWatch
from shopsphere.drift.model import Report, SiteDrift, Unseen
from shopsphere.drift.watching import HEARTBEAT_SECONDS, SILENT_SECONDS, Event, Happening, Publish, Watching
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode

FRANKFURT = StackId("rdc-a", "frankfurt", "eu", Environment.LAB)
DUBLIN = StackId("rdc-a", "dublin", "eu", Environment.LAB)
DOWN = Unseen("dublin", "the whole site", "no answer")


class Stacks:
    """Watches that say what a test wants."""

    def __init__(self) -> None:
        self.publish: dict[str, Publish] = {}
        self.ready = threading.Barrier(3)
        self.fails = ""

    def begin(self, stack: StackId, publish: Publish, stopped: threading.Event, alive: Callable[[], object]) -> None:
        if self.fails:
            raise ShopSphereError(self.fails)
        alive()
        self.publish[stack.label] = publish
        self.ready.wait(60)
        stopped.wait(120)


def events_of(watch: Watching) -> list[tuple[str, Any]]:
    return [(event.what.value, event.about) for event in watch.turn(0.01)]


def two(clock: ManualClock, *ignores: Any) -> tuple[Watching, Callable[[SiteDrift], None]]:
    """A watch of two sites without threads, and the way to tell it something."""
    watch = Watching("rdc-a", "lab", [FRANKFURT, DUBLIN], ignores, lambda *_: None, clock=clock)
    return watch, watch.news


@pytest.mark.requirement("a watch tells what is found and gone, and what is not known is never clean")
def test_what_differs_is_told_once() -> None:
    watch, news = two(ManualClock())
    one, other = drift(), drift(field="spec.replicas")
    news(SiteDrift("frankfurt", 11, 12, (one,)))
    first = SiteDrift("frankfurt", 11, 12, (one,))
    assert events_of(watch) == [("watching", first), ("found", one)]
    news(SiteDrift("frankfurt", 11, 12, (one, other)))
    news(SiteDrift("dublin", unseen=(DOWN,)))
    assert events_of(watch) == [("found", other), ("unknown", DOWN)]
    news(SiteDrift("frankfurt", 11, 12, (other,)))
    assert events_of(watch) == [("gone", one)]
    worse = drift(field="spec.replicas", live="9")
    news(SiteDrift("frankfurt", 11, 12, (worse,)))
    news(SiteDrift("dublin", 9, 9))
    assert events_of(watch) == [("watching", SiteDrift("dublin", 9, 9)), ("found", worse), ("known again", DOWN)]
    assert events_of(watch) == []


def test_what_is_accepted_is_not_told_until_its_last_day_is_over() -> None:
    watch, news = two(ManualClock(), ignore(expires=date(9999, 1, 1)))
    news(SiteDrift("frankfurt", 1, 1, (drift(),)))
    assert [what for what, _ in events_of(watch)] == ["watching"]
    watch, news = two(ManualClock(), ignore(expires=date(2020, 1, 1)))
    news(SiteDrift("frankfurt", 1, 1, (drift(),)))
    assert [what for what, _ in events_of(watch)] == ["watching", "found", "found"]


def test_what_is_unknown_is_said_again_every_minute() -> None:
    clock = ManualClock()
    watch, news = two(clock)
    news(SiteDrift("dublin", unseen=(DOWN,)))
    assert events_of(watch) == [("unknown", DOWN)]
    clock.sleep(HEARTBEAT_SECONDS)
    assert events_of(watch) == [("unknown", DOWN)]
    assert events_of(watch) == []


def test_a_watch_that_hangs_is_unknown_and_what_it_found_is_not_gone() -> None:
    clock = ManualClock()
    watch, news = two(clock)
    news(SiteDrift("frankfurt", 1, 1, (drift(),)))
    assert len(events_of(watch)) == 2
    clock.sleep(SILENT_SECONDS)
    told = events_of(watch)
    assert {what for what, _ in told} == {"unknown"}
    assert {about.site for _, about in told} == {"frankfurt", "dublin"}


def test_a_run_ends_with_what_is_open_and_a_site_without_a_word_is_unknown() -> None:
    def run(*said: SiteDrift) -> Report:
        stacks, stopped, told = Stacks(), threading.Event(), list[Event]()
        watch = Watching("rdc-a", "lab", [FRANKFURT, DUBLIN], (), begin_one=stacks.begin)
        ended = list[Report]()
        runs = threading.Thread(
            target=lambda: ended.append(watch.run(told.append, stopped=stopped, seconds=120)), daemon=True
        )
        runs.start()
        stacks.ready.wait(60)
        for each in said:
            stacks.publish[each.site](each)
        for _ in range(3000):
            if sum(event.what is Happening.WATCHING for event in told) == len(said):
                break
            threading.Event().wait(0.02)
        stopped.set()
        runs.join(60)
        return ended[0]

    clean = SiteDrift("frankfurt", 1, 1), SiteDrift("dublin", 1, 1)
    assert run(*clean).exit_code is ExitCode.GOOD
    assert run(clean[0]).exit_code is ExitCode.UNKNOWN
    assert run(clean[0], SiteDrift("dublin", 1, 1, (drift(site="dublin"),))).exit_code is ExitCode.CHANGES


def test_a_site_that_cannot_be_reached_hides_no_other_and_the_time_is_kept() -> None:
    stacks, told = Stacks(), list[Event]()
    stacks.fails = "no kubeconfig"
    watch = Watching("rdc-a", "lab", [FRANKFURT, DUBLIN], (), begin_one=stacks.begin)
    found = watch.run(told.append, stopped=threading.Event(), seconds=0.3)
    assert {(event.what.value, getattr(event.about, "why", "")) for event in told} == {("unknown", "no kubeconfig")}
    assert (len(told), found.exit_code) == (2, ExitCode.UNKNOWN)


def test_lines_are_json_or_one_line_of_text() -> None:
    at = datetime(2026, 11, 28, 12, 30, 5, 250000, UTC)
    found = json.loads(watch_lines.as_json(Event(Happening.FOUND, at, drift())))
    assert (found["event"], found["at"], found["site"], found["kind"], found["live"]) == (
        "found", "2026-11-28T12:30:05.250+00:00", "frankfurt", "changed", "2",
    )  # fmt: skip
    text = watch_lines.as_text(Event(Happening.FOUND, at, drift()))
    assert text.startswith("12:30:05  FOUND MEDIUM frankfurt: Deployment shop/shop, spec.template")
    assert "\n" not in text
    site = watch_lines.as_text(Event(Happening.WATCHING, at, SiteDrift("frankfurt", 11, 12)))
    assert site == "12:30:05  WATCHING frankfurt: 11 declared and 12 live objects"
    unknown = Event(Happening.UNKNOWN, at, DOWN)
    assert watch_lines.as_text(unknown) == "12:30:05  UNKNOWN dublin: the whole site: no answer"
    assert json.loads(watch_lines.as_json(unknown))["why"] == "no answer"


class Edge:
    """The edge under watch with a clock of its own."""

    def __init__(self, authorities: list[FakeAuthority], cdn_: FakeCdn) -> None:
        self.authorities, self.state = authorities, StateLook("1")
        self.said: list[SiteDrift] = []
        self.clock = ManualClock(100.0)
        reach = Connections(lambda _props: [*authorities], lambda _props: cdn_)
        self.watch = EdgeWatch(
            DEPLOY, lambda: self.state, exported, self.said.append, connections=reach, clock=self.clock
        )


@pytest.fixture
def edge(servers: list[FakeAuthority], cdn: FakeCdn) -> Edge:  # noqa: F811 they are fixtures
    found = Edge(servers, cdn)
    found.watch.step()
    assert [(each.drifts, each.unseen) for each in found.said] == [((), ())]
    return found


@pytest.mark.requirement("names that somebody writes are found within seconds, without reading all of them each time")
def test_the_edge_is_asked_for_serials_until_one_moves(edge: Edge) -> None:
    for authority in edge.authorities:
        authority.fails_on.add("rrsets")  # not asked for while nothing moves
    edge.watch.step()
    assert len(edge.said) == 1
    for authority in edge.authorities:
        authority.fails_on.clear()
    edge.authorities[0].replace(ZONE, [RRset(WWW, "A", 60, ("203.0.113.7",))])
    edge.watch.step()
    assert [each.object for each in edge.said[-1].drifts] == [f"{WWW} A at ns1"]
    edge.authorities[0].remove(ZONE, WWW, "A")
    edge.watch.step()
    assert edge.said[-1].drifts, "its serial did not move: the store itself was written to"
    edge.clock.sleep(WHOLE_SECONDS)
    edge.watch.step()
    assert edge.said[-1].drifts == ()


def test_a_deployment_of_the_edge_is_waited_for(edge: Edge) -> None:
    edge.state = StateLook("2", held_by="process 7")
    edge.authorities[0].replace(ZONE, [RRset(WWW, "A", 60, ("203.0.113.7",))])
    edge.watch.step()
    assert len(edge.said) == 1
    edge.state = StateLook("3")
    edge.watch.step()
    assert [each.object for each in edge.said[-1].drifts] == [f"{WWW} A at ns1"]


def test_an_authority_that_is_silent_is_unknown_and_its_findings_stay(edge: Edge) -> None:
    edge.authorities[0].replace(ZONE, [RRset(WWW, "A", 60, ("203.0.113.7",))])
    edge.watch.step()
    edge.authorities[0].fails_on |= {"serials", "rrsets", "zone_names"}
    edge.watch.step()
    assert [each.object for each in edge.said[-1].drifts] == [f"{WWW} A at ns1"]
    assert len(edge.said[-1].unseen) == 1


def lock(place: Path, pid: int, host: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    document = {"pid": pid, "username": "ada", "hostname": host, "timestamp": "now"}
    (place / "a.json").write_text(json.dumps(document))


def test_a_folder_says_whether_a_stack_is_deployed_and_which_state_it_has(tmp_path: Path) -> None:
    with pytest.raises(StateVersionError, match="has no state"):
        look_at_folder(FRANKFURT, "rdc-a", tmp_path)
    stacks = tmp_path / ".pulumi" / "stacks" / "rdc-a"
    stacks.mkdir(parents=True)
    (stacks / "lab-frankfurt.json").write_text("{}")
    (stacks / "lab-dublin.json").write_text("{}")
    first = look_at_folder(FRANKFURT, "rdc-a", tmp_path)
    assert first == look_at_folder(FRANKFURT, "rdc-a", tmp_path)
    (stacks / "lab-dublin.json").write_text("another")
    (stacks / "lab-frankfurt.json.bak").write_text("{}")
    assert look_at_folder(FRANKFURT, "rdc-a", tmp_path) == first
    (stacks / "lab-frankfurt.json").write_text("{ }")
    second = look_at_folder(FRANKFURT, "rdc-a", tmp_path)
    assert (second.version != first.version, second.held_by) == (True, "")

    place = tmp_path / ".pulumi" / "locks" / "organization" / "rdc-a" / "lab-frankfurt"
    lock(place, 2**22 + 1, socket.gethostname())
    assert look_at_folder(FRANKFURT, "rdc-a", tmp_path).held_by == "", "its process is gone"
    lock(place, 7, "another")
    assert look_at_folder(FRANKFURT, "rdc-a", tmp_path).held_by == "process 7 of ada on another"
    (place / "a.json").write_text("?")
    with pytest.raises(StackLockedError, match="cannot be read"):
        look_at_folder(FRANKFURT, "rdc-a", tmp_path)


@pytest.fixture
def _no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.common.lab_is_here", lambda: True)


@pytest.mark.usefixtures("_no_lab")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_by_a_signal_with_what_is_open(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def watch(*_: object, stopped: threading.Event, seconds: float) -> Report:
        assert seconds > 1e9
        os.kill(os.getpid(), number)
        assert stopped.wait(60)
        return Report("rdc-a", "lab", (), (drift(),))

    monkeypatch.setattr(watching, "watch", watch)
    before = signal.getsignal(number)
    assert cli.run(["drift", "rdc-a", "--watch"]) == 7
    assert signal.getsignal(number) is before
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("_no_lab")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--for", "5"], "--for says how long to watch"),
        (["--watch", "--for", "0"], "--for 0 is no time"),
        (["--watch", "--for", "nan"], "--for nan is no time"),
    ],
)
def test_words_that_do_not_go_together(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["drift", "rdc-a", *words]) == ExitCode.WORDS
    error = capsys.readouterr().err
    assert told in error
    assert "do:" in error
