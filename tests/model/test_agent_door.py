"""The door of a site's agent: questions that wait, who sees what, and that what is not known never opens."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from manual_clock import ManualClock
from open_door import CALLERS, GATEWAY, HERE, OPERATOR, STRANGER, OpenDoor, SaidSite

from runbooks.agent import published
from runbooks.agent.door import answers, heard
from runbooks.agent.door.heard import SilentAgentError, StateFile
from runbooks.agent.doors import Doors
from runbooks.agent.published import STATE_FILE
from shopsphere.clients.site_agent import SiteAgentError, ask_agent
from shopsphere.estate.site_agent import HAS_LEASE, OPEN_FOR_WRITES


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SaidSite]:
    said = SaidSite(tmp_path)
    said.speaks()
    yield said
    said.publisher.stop()


@pytest.fixture
def door(site: SaidSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenDoor]:
    monkeypatch.setattr(answers, "UNTIL_SECONDS", 30.0)
    with OpenDoor(site.folder) as opened:
        yield opened


@pytest.fixture
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that says nothing by itself for a minute, and is believed all the same."""
    monkeypatch.setattr(published, "SAID_EVERY", 60.0)
    monkeypatch.setattr(heard, "SILENT_AFTER", 120.0)


def asked(url: str, source: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=10) as client:
        return client.get(url)


@pytest.mark.usefixtures("few_words")
@pytest.mark.parametrize(
    ("until", "writes", "described"), [(HAS_LEASE, False, {"lease_seconds_left": 90.5}), (OPEN_FOR_WRITES, True, {})]
)
def test_an_answer_comes_when_it_is_so(
    site: SaidSite, door: OpenDoor, until: str, writes: bool, described: dict[str, Any]
) -> None:
    found: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: found.append(ask_agent(door.url, seconds=25, until=until)))
    asking.start()
    time.sleep(0.3)
    assert not found
    site.says(writes=writes, **described)
    asking.join(40)
    assert found, "what was said at once is heard, not what is said each minute"
    assert found[0]["writes"] is writes
    assert (found[0]["lease_seconds_left"] > 0) is bool(described)


def test_an_answer_that_does_not_come_is_the_state_as_it_is(door: OpenDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "UNTIL_SECONDS", 0.1)
    assert ask_agent(door.url, until=HAS_LEASE)["lease_seconds_left"] == 0


@pytest.mark.parametrize("until", ["", "anything else"])
def test_who_waits_for_nothing_has_the_answer_at_once(door: OpenDoor, until: str) -> None:
    assert ask_agent(door.url, seconds=10, until=until)["writes"] is False


def test_few_questions_wait_at_once(door: OpenDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_WAITING_AT_ONCE", 0)
    assert ask_agent(door.url, seconds=20, until=HAS_LEASE)["lease_seconds_left"] == 0, "a wait would take 30 s here"


@pytest.mark.requirement("names and reasons of operators are for those who may see them")
def test_who_sees_what(site: SaidSite, door: OpenDoor) -> None:
    site.says(writes=True)
    for source in (OPERATOR, str(HERE)):
        assert asked(f"{door.url}/state", source).json()["because"] == "a test"
    for source in (STRANGER, GATEWAY):
        answer = asked(f"{door.url}/state", source)
        assert (answer.status_code, list(answer.json())) == (403, ["message"])
        assert source in answer.text
        assert "state_askers" in answer.text
        assert "a test" not in asked(f"{door.url}/writes", source).text
    for source in (STRANGER, GATEWAY, OPERATOR):
        answer = asked(f"{door.url}/rules", source)
        assert answer.status_code == 403
        assert "ask through it" in answer.json()["message"]
    assert "a test" in asked(f"{door.url}/writes", OPERATOR).text
    assert asked(f"{door.url}/rules", str(HERE)).status_code == 503, "this agent answers nothing about its kernel"
    assert asked(f"{door.url}/", str(HERE)).status_code == 404
    assert not CALLERS.are_known("::1")


def test_a_refusal_is_told_as_it_is(site: SaidSite) -> None:
    with OpenDoor(site.folder, callers=CALLERS.__class__(HERE)) as door, pytest.MonkeyPatch.context() as patched:
        patched.setattr(httpx, "get", lambda url, **_options: asked(url, STRANGER))
        with pytest.raises(SiteAgentError, match=r"403: 127\.0\.0\.9 may not see this site's state"):
            ask_agent(door.url)


@pytest.mark.usefixtures("few_words")
def test_a_gateway_asks_as_haproxy_does(tmp_path: Path) -> None:
    site = SaidSite(tmp_path)  # which does not publish by itself: a file of before could come after the test's

    def status(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(GATEWAY, 0)) as line:
            line.sendall(b"GET /writes HTTP/1.0\r\n\r\n")
            return line.makefile("rb").readline().split()[1]

    with OpenDoor(tmp_path) as opened:
        for writes, expected in ((False, b"503"), (True, b"200"), (False, b"503")):
            site.doors = Doors(databases=True, writes=writes, because="a test")
            site.publisher.publish()
            assert status(opened.port) == expected, "what is published is seen with the next question"
    site.publisher.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def said(tmp_path: Path, clock: ManualClock) -> Iterator[SaidSite]:
    """An agent whose clock a test moves, and which says writes are open until 102."""
    found = SaidSite(tmp_path, clock=clock)
    found.doors = Doors(databases=True, writes=True, because="lease held", until=102.0)
    found.publisher.publish()
    yield found
    found.publisher.stop()


@pytest.mark.requirement("writes are never called open after the moment for which they were permitted")
@pytest.mark.parametrize(("now", "is_open"), [(100.0, True), (101.9, True), (102.0, False), (102.9, False)])
def test_an_opening_ends_by_itself(said: SaidSite, clock: ManualClock, now: float, is_open: bool) -> None:
    said.described["lease_seconds_left"] = 2.04
    said.publisher.publish()
    clock.now = now
    heard = StateFile(said.folder, clock).look()
    assert (heard.writes, heard.state["writes"], heard.state["databases"]) == (is_open, is_open, is_open)
    assert (heard.state["lease_seconds_left"] > 0) is is_open
    assert ("time for this is over" in heard.because) is not is_open


@pytest.mark.requirement("an agent that is silent opens nothing")
@pytest.mark.parametrize(("now", "silent"), [(101.0, False), (102.99, False), (103.0, True), (900.0, True), (99, True)])
def test_a_silent_agent_opens_nothing(said: SaidSite, clock: ManualClock, now: float, silent: bool) -> None:
    said.doors = Doors(databases=True, writes=True, because="for ever")
    said.publisher.publish()
    clock.now = now
    if silent:
        with pytest.raises(SilentAgentError, match="its last word"):
            StateFile(said.folder, clock).look()
    else:
        assert StateFile(said.folder, clock).look().writes


def test_an_agent_that_ended_opens_nothing(said: SaidSite, clock: ManualClock, tmp_path: Path) -> None:
    said.publisher.stop()
    for folder in (said.folder, tmp_path / "nowhere"):
        with pytest.raises(SilentAgentError, match="no agent that runs"):
            StateFile(folder, clock).look()
    said.publisher = SaidSite(said.folder, clock=clock).publisher


@pytest.mark.requirement("what is not known never opens")
@pytest.mark.parametrize(
    "written",
    ["", "[]", "{}", "null", '"open"', '{"format": 1}', '{"format": 2, "said_at": 100, "writes": true}', "\0"],
)
def test_what_cannot_be_read_opens_nothing(said: SaidSite, clock: ManualClock, written: str) -> None:
    (said.folder / STATE_FILE).write_text(written)
    with pytest.raises(SilentAgentError, match="nothing that can be read"):
        StateFile(said.folder, clock).look()


@pytest.mark.parametrize("writes", [1, "true", [True], None])
def test_only_true_is_open(said: SaidSite, clock: ManualClock, writes: object) -> None:
    file = said.folder / STATE_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), "writes": writes}))
    assert StateFile(said.folder, clock).look().writes is False


def test_what_was_said_grows_old(said: SaidSite, clock: ManualClock) -> None:
    said.described.update(lease_seconds_left=6.5, witness={"answered": True, "seconds_ago": 7.0, "epoch": 3})
    said.doors = Doors(databases=True, writes=True, because="lease held", until=106.5)
    said.publisher.publish()
    clock.now += 1.5
    state = StateFile(said.folder, clock).look().state
    assert state["lease_seconds_left"] == 5.0
    assert state["witness"] == {"answered": True, "seconds_ago": 8.5, "epoch": 3}
    clock.now += 1.0
    assert StateFile(said.folder, clock).look().state["witness"]["answered"] is False


def test_an_agent_that_is_gone_is_no_answer(site: SaidSite, door: OpenDoor) -> None:
    site.says(writes=True)
    site.publisher.stop()
    try:
        answer = asked(f"{door.url}/writes", GATEWAY)
        assert (answer.status_code, answer.text) == (503, "closed\n")
        with pytest.raises(SiteAgentError, match="503: nothing is known of what is open"):
            ask_agent(door.url, until=OPEN_FOR_WRITES)
    finally:
        site.publisher = SaidSite(site.folder).publisher
