"""The ways to a pair, as the stacks' files say them."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from cli.main import app
from runbooks import pair_access
from runbooks.pair_access import PairAccess
from shopsphere.clients import powerdns
from shopsphere.clients.cluster_errors import NoAccessError
from shopsphere.clients.powerdns import PowerDns
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.edge_door.keys import make_edge_keys
from shopsphere.estate import stack_files
from shopsphere.estate.access import AccessError
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.databases import LEDGER
from shopsphere.estate.stack import EDGE, Environment, StackId
from shopsphere.topology import load_topology
from shopsphere.witness import Witness
from shopsphere.witness import access as witness_access

TOPOLOGY = load_topology()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What the stacks' files of the edge and of the sites hold; counts how often each is read."""
    make_edge_keys(tmp_path, ["10.0.0.53"])
    found: dict[str, dict[str, Any]] = {
        EDGE: {
            "shopsphere:dnsAuthorities": [{"name": "ns1", "url": "https://10.0.0.53:8081"}],
            "shopsphere:edgeKeys": str(tmp_path),
            "shopsphere:nameservers": [{"name": "ns1", "address": "10.0.0.53"}],
            "status:resolvers": ["10.0.0.2"],
        },
        "frankfurt": {},
        "dublin": {"shopsphere:siteAgent": "192.0.2.7", "shopsphere:siteAgentPort": 9000},
        "read": {},
    }

    def configuration(stack: StackId) -> dict[str, Any]:
        found["read"][stack.label] = found["read"].get(stack.label, 0) + 1
        return found[stack.label]

    monkeypatch.setattr(stack_files, "configuration", configuration)
    return found


@pytest.fixture
def access() -> PairAccess:
    return PairAccess(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, cast("Witness", None))


@pytest.mark.requirement("what looks at a pair for hours has the certificate of watchers, and not that of runbooks")
def test_who_asks_about_names(
    tmp_path: Path, files: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(powerdns, "connect_to", lambda _servers, identity, **_bounds: asked.append(identity.user))
    witness = cast("Witness", None)
    watching = PairAccess(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, witness, role=Role.WATCH)
    watching.authorities()
    PairAccess(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, witness).authorities()
    assert asked == ["watcher", "runbooks"]
    for name in ("runbooks", "deployer"):
        (tmp_path / f"{name}.key").unlink()
    files[EDGE]["shopsphere:dnsAuthorities"] = []
    ends = watching.edge_certificates()
    assert set(ends) == {"ca.crt", "cdn.crt", "watcher.crt"}
    assert all(end and end > datetime.now(UTC) for end in ends.values())


@pytest.mark.requirement("the exporter asks the edge as a watcher")
def test_the_exporter_is_a_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Role] = []

    def make(*_words: object, role: Role = Role.OPERATE) -> PairAccess:
        made.append(role)
        raise RuntimeError("seen")

    monkeypatch.setattr(pair_access, "PairAccess", make)
    monkeypatch.setattr(witness_access, "witness_of", lambda *_words: None)
    assert isinstance(CliRunner().invoke(app, ["metrics", "rdc-a", "--once"]).exception, RuntimeError)
    assert made == [Role.WATCH]


@pytest.mark.usefixtures("files")
def test_what_the_edge_declares(access: PairAccess) -> None:
    declared = access.declaration()
    assert (declared.zone, declared.name) == ("shopsphere.test.", "state.rdc-a.shopsphere.test.")
    assert (declared.primary, declared.recovery) == ("frankfurt", "dublin")
    assert declared.addresses == {"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"}
    assert (declared.active_weight, declared.passive_weight, declared.ttl) == (100, 0, 5)


@pytest.mark.usefixtures("files")
def test_names_lead_to_where_customers_reach_a_site() -> None:
    there = load_topology(environment="prod")
    access = PairAccess(there, there.pair("rdc-a"), Environment.PROD, cast("Witness", None))
    assert access.declaration().addresses == {"frankfurt": "203.0.113.11", "dublin": "203.0.113.12"}
    assert access.declaration().zone == "shop.example."


@pytest.mark.usefixtures("files")
def test_who_is_asked_about_names(access: PairAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    (authority,) = access.authorities()
    assert isinstance(authority, PowerDns)
    assert authority.name == "ns1"
    (server,) = access.name_servers()
    assert (server.name, server.address) == ("ns1", IPv4Address("10.0.0.53")), "no resolver: it may know an old answer"
    asked: list[object] = []

    def answer(*words: object, **bounds: float) -> tuple[IPv4Address]:
        asked.append((words, bounds))
        return (IPv4Address("10.0.0.1"),)

    monkeypatch.setattr(pair_access, "ask_address", answer)
    assert access.addresses_at(server, seconds=1.5) == (IPv4Address("10.0.0.1"),)
    assert asked == [((IPv4Address("10.0.0.53"), "rdc-a.shopsphere.test"), {"seconds": 1.5})]


def test_where_agents_answer(
    access: PairAccess, files: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(address: str, *, until: str) -> dict[str, Any]:
        asked.append(until)
        if until == "broken":
            raise SiteAgentError("no answer")
        return {"address": address}

    monkeypatch.setattr(pair_access, "ask_agent", answer)
    for _ in range(2):
        assert access.agent_state("frankfurt") == {"address": "http://10.99.0.11:8405"}
        assert access.agent_state("dublin") == {"address": "http://192.0.2.7:9000"}
    assert files["read"] == {"frankfurt": 1, "dublin": 1}, "reading is expensive, and customers wait"
    assert access.last_agent_state("dublin") == {"address": "http://192.0.2.7:9000"}
    assert len(asked) == 4, "what it said last is not asked again"
    with pytest.raises(SiteAgentError):
        access.agent_state("dublin", until="broken")
    access.last_agent_state("dublin")
    assert asked[4:] == ["broken", ""], "no answer is no state"


def test_what_is_not_set_up_here_is_said(access: PairAccess, files: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(NoAccessError, match="frankfurt: not set up here"):
        access.cluster("frankfurt")
    with pytest.raises(NoAccessError):
        access.database("frankfurt", LEDGER)
    del files[EDGE]["shopsphere:edgeKeys"]
    with pytest.raises(AccessError, match="shopsphere up edge"):
        access.authorities()


@pytest.mark.requirement("nothing that is wrong about the parent zone keeps a pair from moving")
@pytest.mark.parametrize("named", ["a.gtld-servers.net", "REPLACE_ME"])
def test_a_parent_that_is_named_wrongly(access: PairAccess, files: dict[str, dict[str, Any]], named: str) -> None:
    files[EDGE]["shopsphere:parentServers"] = [named]
    assert access.authority_names() == ["ns1"]
    assert [each.name for each in access.authorities()] == ["ns1"]
    with pytest.raises(AccessError, match="parentServers"):
        access.zone_view()
