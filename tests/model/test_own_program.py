"""Programs of this repository on the lab's hosts: `lab up` restarts them when their code is another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lab.own_program
from lab.hosts import load_hosts
from lab.own_program import own_program, sources_of
from lab.plan import components_of
from runbooks.agent.config import AgentConfig, HostConfig
from runbooks.agent.door.__main__ import DoorConfig, callers_of
from shopsphere.estate.host_rules import guard_of
from shopsphere.topology import load_topology

PACKAGES = ("one", "two")


@pytest.fixture(autouse=True)
def as_in_a_new_process() -> Iterator[None]:
    sources_of.cache_clear()
    yield
    sources_of.cache_clear()


def test_other_code_is_another_component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.own_program, "REPOSITORY", tmp_path)
    for package in ("one", "two", "three"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "module.py").write_text("number = 1\n")

    def component() -> object:
        sources_of.cache_clear()
        return own_program("agent", "one.module", packages=PACKAGES)

    before = component()
    assert component() == before
    (tmp_path / "three" / "module.py").write_text("number = 2\n")
    (tmp_path / "one" / "notes.txt").write_text("no code\n")
    assert component() == before, "restarted for nothing"
    (tmp_path / "two" / "module.py").write_text("number = 2\n")
    changed = component()
    assert changed != before
    (tmp_path / "two" / "module.py").rename(tmp_path / "two" / "renamed.py")
    assert component() not in [before, changed]


@pytest.mark.parametrize("host", ["psp", "edge", "frankfurt"])
def test_hosts_run_the_code_that_is_there(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology(environment="lab")
    own = [each for each in components_of(load_hosts(topology).host(host), ["rdc-a"], topology) if "-m" in each.command]
    assert own
    assert all(each.environment.get("SHOPSPHERE_SOURCES") for each in own)


def test_a_site_without_a_pair_has_an_agent_that_tells_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology(environment="lab")
    components = components_of(load_hosts(topology).host(topology.headquarters), ["hq"], topology)
    agent, door = [each for each in components if each.name.startswith("site-")]
    assert (agent.name, door.name) == ("site-agent", "site-door")
    assert "runbooks.agent.unpaired" in agent.command
    assert "runbooks.agent.door" in door.command
    assert door.command[-1] == agent.command[-1]
    config = HostConfig.model_validate_json(Path(agent.command[-1]).read_text())
    assert config.listen == topology.site(topology.headquarters).address
    assert config.guard == guard_of(topology.site(topology.headquarters))
    assert (Path(agent.command[-1]).parent / "pod-guard.nft").read_text() == guard_of(topology.site("newyork")).text()


def test_a_site_of_a_pair_has_an_agent_and_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology(environment="lab")
    components = components_of(load_hosts(topology).host("dublin"), ["rdc-a"], topology)
    agent, door = [each for each in components if each.name.startswith("site-")]
    assert [each.command[2] for each in (agent, door)] == ["runbooks.agent", "runbooks.agent.door"]
    config = AgentConfig.model_validate_json(Path(agent.command[-1]).read_text())
    callers = callers_of(DoorConfig.model_validate_json(Path(door.command[-1]).read_text()))
    asking = ("10.99.0.1", "10.99.0.11", "10.99.0.12", "127.0.0.1", "10.99.0.21", "10.99.64.10", "10.12.0.9")
    assert str(config.listen) == "10.99.0.12"
    assert [callers.may_see_state(each) for each in asking] == [True, False, True, True, False, False, False]
    assert callers.are_known(str(config.pod_guard.pods[9])) if config.pod_guard else False
