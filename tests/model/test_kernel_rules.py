"""What an agent tells of its host's kernel, whom it tells, and how it loads its rules again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import httpx
import pytest
from manual_clock import ManualClock
from open_door import OpenDoor
from told_hosts import LISTINGS

from runbooks.agent import fence as agent_fence
from runbooks.agent import kernel_rules, rules_line, unpaired
from runbooks.agent.config import AgentConfig, HostConfig, PodNetworks
from runbooks.agent.door import answers
from runbooks.agent.door.callers import Callers
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_rules import KernelRules
from shopsphere.clients.host_rules import HostRules
from shopsphere.estate.host_rules import guard
from shopsphere.estate.site_agent import RULES_PATH
from shopsphere.foundation.process import CommandError, Result

HERE = IPv4Address("127.0.0.1")
FAR = IPv4Address("10.99.0.11")
GUARD = guard(IPv4Network("10.11.0.0/17"), IPv4Network("10.11.128.0/17"))
PRINTED = (LISTINGS / "closed.json").read_text()
HTTP = httpx.Client(trust_env=False)
Loaded = list[str]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """What nft was given to load."""
    found: Loaded = []

    def run(words: Sequence[str], *, stdin: str = "", **_more: Any) -> Result:
        assert [*words] == ["nft", "-f", "-"]
        found.append(stdin)
        return Result(0, "", "")

    monkeypatch.setattr(agent_fence, "run", run)
    monkeypatch.setattr(kernel_rules, "run", run)
    return found


def rules_with(
    clock: ManualClock, fence: FirewallFence | None, listing: Callable[[], str] = lambda: PRINTED
) -> KernelRules:
    return KernelRules("frankfurt", fence, GUARD, listing=listing, clock=clock)


@pytest.mark.usefixtures("loaded")
def test_what_it_tells_is_what_drift_reads() -> None:
    clock = ManualClock(100)
    fence = FirewallFence(5432, clock=clock)
    rules = rules_with(clock, fence)
    fence.close()
    told = HostRules.model_validate(json.loads(json.dumps(rules.tell())))
    assert told.fence is not None
    assert (told.site, told.fence.port, told.fence.changing, told.fence.seconds_left) == ("frankfurt", 5432, False, 0)
    assert told.loads == ("inet shopsphere_fence", "ip shopsphere_pod_guard")
    assert len(told.nftables) == 30, "all but what nft says of itself"
    fence.open(7)
    clock.now += 2
    assert rules.tell()["fence"]["seconds_left"] == 5
    clock.now += 60
    assert rules.tell()["fence"]["seconds_left"] == 0
    fence.open(float("inf"))
    assert json.loads(json.dumps(rules.tell()))["fence"]["seconds_left"] is None


@pytest.mark.usefixtures("loaded")
@pytest.mark.requirement("a fence that is being changed is told as such")
@pytest.mark.parametrize(("after", "changing"), [(0.0, False), (6.5, True), (7.0, True), (7.5, True), (9.0, False)])
def test_near_the_end_of_an_opening_nobody_says_what_it_should_be(after: float, changing: bool) -> None:
    clock = ManualClock(100)
    fence = FirewallFence(5432, clock=clock)
    fence.open(7)
    clock.now += after
    assert rules_with(clock, fence).tell()["fence"]["changing"] is changing


@pytest.mark.usefixtures("loaded")
def test_a_fence_that_moves_during_each_listing_is_being_changed() -> None:
    clock = ManualClock(100)
    fence = FirewallFence(5432, clock=clock)
    fence.close()
    moves = [True]

    def listing() -> str:
        if moves:
            moves.pop()
            fence.close()
        return PRINTED

    assert rules_with(clock, fence, listing).tell()["fence"]["changing"] is False, "once is listed again"
    moves += [True] * 10
    assert rules_with(clock, fence, listing).tell()["fence"]["changing"] is True
    assert len(moves) == 7, "three listings, and no more"


def test_an_order_that_failed_leaves_nobody_knowing(monkeypatch: pytest.MonkeyPatch, loaded: Loaded) -> None:
    clock = ManualClock(100)
    fence = FirewallFence(5432, clock=clock)
    fence.close()

    def fail(*_words: Any, **_more: Any) -> Result:
        raise CommandError("nft: did not end within 2 s")

    with monkeypatch.context() as patched:
        patched.setattr(agent_fence, "run", fail)
        with pytest.raises(CommandError):
            fence.open(7)
    assert fence.ordered() is None
    assert rules_with(clock, fence).tell()["fence"]["changing"] is True
    fence.again()
    assert "elements" not in loaded[-1], "what nobody knows is closed"


@pytest.mark.requirement("loading a host's rules again opens nothing")
def test_loading_again_keeps_to_the_last_order(loaded: Loaded) -> None:
    clock = ManualClock(100)
    fence = FirewallFence(5432, clock=clock)
    rules = rules_with(clock, fence)
    fence.close()
    assert rules.load()["loaded"] == ["inet shopsphere_fence", "ip shopsphere_pod_guard"]
    assert loaded[-2] == GUARD.text()
    assert "elements" not in loaded[-1]
    fence.open(7)
    clock.now += 4
    rules.load()
    assert "5432 timeout 3000ms" in loaded[-1], "no longer than it was ordered"
    assert rules.tell()["fence"]["seconds_left"] == 3
    clock.now += 4
    rules.load()
    assert "elements" not in loaded[-1]


@pytest.mark.parametrize("printed", ["", "[]", "{}", '{"nftables": [{"rule": {}}]}', '{"nftables": [1]}'])
@pytest.mark.usefixtures("loaded")
def test_what_cannot_be_read_is_no_empty_ruleset(printed: str) -> None:
    clock = ManualClock()
    with pytest.raises(kernel_rules.KernelRulesError, match="cannot be read"):
        rules_with(clock, None, lambda: printed).tell()


def test_more_rules_than_a_question_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_rules, "_MOST_BYTES", 100)
    with pytest.raises(kernel_rules.KernelRulesError, match="too many"):
        rules_with(ManualClock(), None).tell()


def test_one_caller_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_rules, "_SECONDS", 0.05)
    inner: list[Exception] = []

    def listing() -> str:
        try:
            rules.load()
        except kernel_rules.KernelRulesError as error:
            inner.append(error)
        return PRINTED

    rules = rules_with(ManualClock(), None, listing)
    rules.tell()
    assert "ask again" in str(inner[0])


@pytest.mark.requirement("a host's rules are told to the API server of its site alone")
@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("10.99.0.11", True),
        ("127.0.0.1", True),
        ("10.50.3.4", True),
        ("10.11.0.10", False),
        ("10.99.0.12", False),
        ("10.99.0.1", False),
        ("::1", False),
    ],
)
def test_who_is_answered(address: str, admitted: bool) -> None:
    pods, operators = [IPv4Network("10.11.0.0/17")], [IPv4Network("10.99.0.1/32")]
    callers = Callers(FAR, pods, [IPv4Network("10.50.0.0/16")], operators)
    assert callers.may_ask_for_rules(address) is admitted


Serve = Callable[[KernelRules], str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as doors:

        def start(rules: KernelRules) -> str:
            door = doors.enter_context(OpenDoor(tmp_path, Callers(HERE), rules=rules))
            return f"{door.url}{RULES_PATH}"

        yield start


def test_the_door(serve: Serve, loaded: Loaded) -> None:
    url = serve(rules_with(ManualClock(), None))
    answer = HTTP.get(url)
    assert answer.status_code == 200
    assert HostRules.model_validate(answer.json()).fence is None
    assert HTTP.post(url, json={}).json()["loaded"] == ["ip shopsphere_pod_guard"]
    assert HTTP.post(url, content=iter([b"{}"])).status_code == 200, "in pieces, as kubectl sends it"
    assert loaded == [GUARD.text()] * 2
    assert HTTP.post(url.removesuffix("rules") + "writes").status_code == 404


def test_a_long_listing_comes_whole(serve: Serve) -> None:
    chain = {"chain": {"family": "ip", "table": "nat", "name": "K" * 1000}}
    listing = json.dumps({"nftables": [chain] * 3000})
    assert len(HTTP.get(serve(rules_with(ManualClock(), None, lambda: listing))).json()["nftables"]) == 3000


def test_the_door_says_why_not(serve: Serve) -> None:
    def fail() -> str:
        raise CommandError("nft: not found\n  do:       install it")

    answer = HTTP.get(serve(rules_with(ManualClock(), None, fail)))
    assert (answer.status_code, answer.json()) == (503, {"message": "nft: not found do: install it"})


def test_an_agent_that_does_not_answer(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_RULES_SECONDS", 0.3)
    waiting = threading.Event()

    def hang() -> str:
        waiting.wait(20)
        return PRINTED

    url = serve(rules_with(ManualClock(), None, hang))
    answer = HTTP.get(url)
    waiting.set()
    assert answer.status_code == 503
    assert "does not tell its rules" in answer.json()["message"]
    monkeypatch.setattr(answers, "_RULES_AT_ONCE", 0)
    assert "ask again" in HTTP.get(url).json()["message"]
    (tmp_path / "rules.sock").unlink()
    monkeypatch.setattr(answers, "_RULES_AT_ONCE", 1)
    assert "FileNotFoundError" in HTTP.get(url).json()["message"]


def test_the_agent_serves_the_next_one(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_line, "_SECONDS", 1.5)
    url = serve(rules_with(ManualClock(), None))
    with ExitStack() as lines:
        for word in (b"", b"a word of another version", b"tell\n"):  # and the answer is never taken
            line = lines.enter_context(socket.socket(socket.AF_UNIX))
            line.connect(str(tmp_path / "rules.sock"))
            line.sendall(word)
        assert HTTP.get(url).status_code == 200


def test_a_host_without_a_pair_says_so(tmp_path: Path) -> None:
    publisher, line = unpaired.start(HostConfig(site="newyork", listen=HERE, run=tmp_path))
    try:
        with OpenDoor(tmp_path, Callers(HERE)) as door:
            assert HTTP.get(f"{door.url}/writes").status_code == 503
            assert HTTP.get(f"{door.url}/state").json()["site"] == "newyork"
    finally:
        publisher.stop()
        line.stop()


def test_a_configuration_from_before_is_read() -> None:
    old = {
        "pair": "rdc-a",
        "site": "frankfurt",
        "peer": "dublin",
        "first_active": "frankfurt",
        "witness": ["https://10.99.0.40:2379"],
        "witness_keys": "/none",
        "kubeconfig": "/k",
        "context": "frankfurt",
        "permit": "/p",
        "listen": "10.99.0.11",
    }
    config = AgentConfig.model_validate_json(json.dumps(old))
    assert (config.guard, config.askers, config.state_askers) == (None, (), ())
    networks = PodNetworks(pods=IPv4Network("10.11.0.0/17"), services=IPv4Network("10.11.128.0/17"))
    assert config.model_copy(update={"pod_guard": networks}).guard == GUARD
