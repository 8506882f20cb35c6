"""Questions to a site's agent that wait for their answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from runbooks.agent import door as agent_door
from runbooks.agent.door import Door
from runbooks.agent.state import Doors
from shopsphere.clients.site_agent import ask_agent
from shopsphere.estate.site_agent import HAS_LEASE, OPEN_FOR_WRITES


class Site:
    """What an agent knows; a test changes it while a question waits."""

    def __init__(self) -> None:
        self.writes, self.lease_seconds_left, self.looked = False, 0.0, threading.Event()

    def decide(self) -> Doors:
        return Doors(databases=True, writes=self.writes, because="a test")

    def describe(self) -> dict[str, object]:
        self.looked.set()
        return {"lease_seconds_left": self.lease_seconds_left}


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def address(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(agent_door, "UNTIL_SECONDS", 30.0)
    door = Door("127.0.0.1", 0, site.decide, site.describe)
    door.start()
    yield f"http://127.0.0.1:{door._server.server_port}"  # noqa: SLF001
    door.stop()


@pytest.mark.parametrize(
    ("until", "change"), [(HAS_LEASE, {"lease_seconds_left": 9.5}), (OPEN_FOR_WRITES, {"writes": True})]
)
def test_an_answer_comes_when_it_is_so(site: Site, address: str, until: str, change: dict[str, object]) -> None:
    answers: list[dict[str, object]] = []
    asking = threading.Thread(target=lambda: answers.append(ask_agent(address, seconds=20, until=until)))
    asking.start()
    assert site.looked.wait(10)
    assert not answers
    vars(site).update(change)
    asking.join(10)
    assert answers[0].items() >= change.items()


def test_an_answer_that_does_not_come_is_the_state_as_it_is(
    site: Site, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_door, "UNTIL_SECONDS", 0.1)
    assert ask_agent(address, until=HAS_LEASE)["lease_seconds_left"] == 0
    site.lease_seconds_left = 3.0
    assert ask_agent(address, until=HAS_LEASE)["lease_seconds_left"] == 3


@pytest.mark.parametrize("until", ["", "anything else"])
def test_who_waits_for_nothing_has_the_answer_at_once(address: str, until: str) -> None:
    assert ask_agent(address, seconds=10, until=until)["writes"] is False


@pytest.mark.usefixtures("address")
def test_few_questions_wait_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_door, "_WAITING_AT_ONCE", 0)
    crowded = Door("127.0.0.1", 0, site.decide, site.describe)
    crowded.start()
    try:
        asked_at = time.monotonic()
        ask_agent(f"http://127.0.0.1:{crowded._server.server_port}", seconds=20, until=HAS_LEASE)  # noqa: SLF001
        assert time.monotonic() - asked_at < 10, "the bound of a wait is 30 s here"
    finally:
        crowded.stop()
