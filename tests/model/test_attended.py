"""`up` in production asks for witness and agents before it deploys anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cli import main as cli
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.deploy import arming, attended, filling_in, verbs
from shopsphere.deploy.attended import UnattendedError, require_attended
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.topology import Topology, load_topology
from shopsphere.witness import WitnessUnreachableError

FRANKFURT, DUBLIN = "http://198.51.100.11:8405", "http://198.51.100.12:8405"


@pytest.fixture
def topology(monkeypatch: pytest.MonkeyPatch) -> Topology:
    monkeypatch.setattr(attended, "site_access", lambda _stack, _configured: SiteAccess())
    return load_topology(environment=Environment.PROD)


class Hosts:
    """Agents by address; every witness has a quorum but those that are named."""

    def __init__(self, agents: Mapping[str, str], *, silent: tuple[str, ...] = ()) -> None:
        self.agents, self.silent = agents, silent
        self.asked: list[str] = []

    def see(self, pair: str, environment: Environment) -> object:
        self.asked.append(f"{pair} in {environment}")
        if pair in self.silent:
            raise WitnessUnreachableError("no quorum answers")
        return object()

    def ask(self, address: str) -> dict[str, Any]:
        self.asked.append(address)
        if address not in self.agents:
            raise SiteAgentError(f"the agent at {address} does not answer")
        return {"site": self.agents[address]}


def stacks(topology: Topology, *sites: str, environment: Environment = Environment.PROD) -> list[StackId]:
    return [site_stack(topology, each, environment) for each in sites]


def test_pair_with_witness_and_agents_is_deployed_to(topology: Topology) -> None:
    hosts = Hosts({FRANKFURT: "frankfurt", DUBLIN: "dublin"})
    require_attended(topology, stacks(topology, "dublin", "frankfurt"), hosts.see, hosts.ask)
    assert sorted(hosts.asked) == [FRANKFURT, DUBLIN, "rdc-a in prod"]


@pytest.mark.requirement("up refuses where witness or agents are missing")
def test_all_that_is_silent_is_named_at_once(topology: Topology) -> None:
    hosts = Hosts({DUBLIN: "dublin"}, silent=("rdc-a",))
    with pytest.raises(UnattendedError) as refused:
        require_attended(topology, stacks(topology, "dublin", "frankfurt"), hosts.see, hosts.ask)
    assert "the witness of rdc-a: no quorum answers" in str(refused.value)
    assert f"the agent of frankfurt: the agent at {FRANKFURT} does not answer" in str(refused.value)
    assert "the agent of dublin" not in str(refused.value)


def test_agent_of_another_site_is_refused(topology: Topology) -> None:
    hosts = Hosts({DUBLIN: "frankfurt"})
    with pytest.raises(UnattendedError, match="the one of frankfurt answers at"):
        require_attended(topology, stacks(topology, "dublin"), hosts.see, hosts.ask)


def test_lost_site_does_not_keep_its_peer_from_a_deployment(topology: Topology) -> None:
    hosts = Hosts({DUBLIN: "dublin"})
    require_attended(topology, stacks(topology, "dublin"), hosts.see, hosts.ask)
    assert FRANKFURT not in hosts.asked


@pytest.mark.parametrize(("site", "environment"), [("newyork", Environment.PROD), ("dublin", Environment.LAB)])
def test_headquarters_and_the_lab_are_not_asked(topology: Topology, site: str, environment: Environment) -> None:
    hosts = Hosts({})
    require_attended(topology, stacks(topology, site, environment=environment), hosts.see, hosts.ask)
    assert hosts.asked == []


def test_up_deploys_nothing_to_a_pair_that_nobody_attends(
    topology: Topology, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert topology.pairs
    monkeypatch.setattr(arming, "require_armed_pack", lambda: 24)
    monkeypatch.setattr(filling_in, "require_filled_in", lambda _stacks: None)

    def refuse(_topology: Topology, asked: tuple[StackId, ...]) -> None:
        raise UnattendedError(f"silent: {', '.join(each.name for each in asked)}")

    def never(*_given: object, **_named: object) -> None:
        raise AssertionError("up went on")

    monkeypatch.setattr(attended, "require_attended", refuse)
    monkeypatch.setattr(verbs, "up_work", never)
    monkeypatch.setattr(verbs, "preview_work", never)
    assert cli.run(["up", "rdc-a", "--environment", "prod", "--yes"]) == 1
    assert "silent: prod-dublin, prod-frankfurt, prod" in capsys.readouterr().err
