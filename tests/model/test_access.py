"""What tools outside a deployment read of a stack's configuration: only their own keys, and those exactly."""

from __future__ import annotations

from contextlib import nullcontext
from ipaddress import IPv4Address
from typing import Any

import pytest

from shopsphere.estate import stack_files
from shopsphere.estate.access import (
    AccessError,
    CdnAccess,
    EdgeAccess,
    SiteAccess,
    WitnessAccess,
    parse_access,
    witness_access,
)
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.witness import WitnessUnreachableError
from shopsphere.witness.access import see_once, witness_of
from shopsphere.witness.seen import Seen

EDGE: dict[str, Any] = {
    "shopsphere:dnsAuthorities": [{"name": "ns1", "url": "https://10.0.0.53:8081"}],
    "shopsphere:edgeKeys": "/keys/edge",
    "shopsphere:nameservers": [{"name": "ns1", "address": "10.0.0.53"}],
    "status:resolvers": ["10.0.0.52"],
    "status:witness": {"rdc-a": ["http://10.0.0.21:2480"]},
    "pulumi:tags": {"a": "b"},
}


def test_only_named_keys_are_read() -> None:
    edge = parse_access(EdgeAccess, {**EDGE, "shopsphere:cdnAddress": "REPLACE_ME", "other:cdnUrl": 3}, "Pulumi.x.yaml")
    assert edge.dns_authorities[0].url == "https://10.0.0.53:8081"
    assert edge.nameservers[0].address == IPv4Address("10.0.0.53")
    assert edge.resolvers == (IPv4Address("10.0.0.52"),)
    assert parse_access(WitnessAccess, EDGE, "Pulumi.x.yaml").witness == {"rdc-a": ("http://10.0.0.21:2480",)}
    assert parse_access(CdnAccess, {**EDGE, "other:cdnUrl": 3}, "Pulumi.x.yaml").cdn_url is None


def test_an_absent_stack_has_no_ways() -> None:
    assert parse_access(SiteAccess, {}, "Pulumi.x.yaml").kubeconfig == ""
    with pytest.raises(AccessError, match="not known here"):
        parse_access(EdgeAccess, {}, "Pulumi.x.yaml").require_authorities()


def test_a_key_that_moved_is_refused_and_not_overlooked() -> None:
    config = {**EDGE, "shopsphere:siteAddresses": {"frankfurt": "203.0.113.9"}}
    with pytest.raises(AccessError, match=r"(?s)sites\.<site>\.public_address.*shopsphere:siteAddresses"):
        parse_access(EdgeAccess, config, "Pulumi.x.yaml")


def test_all_placeholders_are_named() -> None:
    config = {**EDGE, "shopsphere:edgeKeys": "REPLACE_ME", "status:resolvers": ["REPLACE_ME"]}
    with pytest.raises(AccessError) as raised:
        parse_access(EdgeAccess, config, "Pulumi.x.yaml")
    assert "found:    edgeKeys, resolvers[0]" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("shopsphere:nameservers", [{"name": "ns1", "address": "nowhere"}], "nameservers.0.address"),
        ("shopsphere:dnsAuthorities", "ns1", "dnsAuthorities"),
        ("status:resolvers", ["10.0.0"], "resolvers.0"),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object, place: str) -> None:
    with pytest.raises(AccessError, match="cannot be used") as raised:
        parse_access(EdgeAccess, {**EDGE, key: value}, "Pulumi.x.yaml")
    assert place in str(raised.value)
    assert "Pulumi.x.yaml" in str(raised.value)


def test_the_lab_s_file_is_read() -> None:
    committed = stack_files.read(REPOSITORY / "lab.base.yaml")["config"]
    machine = stack_files.machine_facts(edge_stack(Environment.LAB))
    lab = parse_access(EdgeAccess, {**committed, **machine}, "lab.base.yaml")
    assert [each.name for each in lab.nameservers] == ["ns1", "ns2"]
    witness = parse_access(WitnessAccess, machine, "lab.base.yaml").witness
    assert {pair: len(voters) for pair, voters in witness.items()} == {"rdc-a": 3, "rdc-b": 3, "rdc-c": 3}


@pytest.mark.requirement("nothing that is wrong elsewhere keeps a pair from moving")
def test_a_witness_is_known_whatever_else_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        **EDGE,
        "shopsphere:siteAddresses": {"frankfurt": "203.0.113.9"},
        "shopsphere:cdnUrl": "REPLACE_ME",
        "shopsphere:nameservers": "nowhere",
        "status:witness": {"rdc-a": ["http://10.0.0.21:2480"], "rdc-d": ["http://REPLACE_ME:2480"]},
    }
    monkeypatch.setattr(stack_files, "configuration", lambda _stack: config)
    assert witness_access(Environment.PROD).witness == {"rdc-a": ("http://10.0.0.21:2480",)}
    with pytest.raises(AccessError, match="rdc-d: where its witness is"):
        witness_of("rdc-d", Environment.PROD)


class OneVoter:
    """A witness that says nothing, or one thing."""

    is_closed = False

    def __init__(self, seen: Seen | None) -> None:
        self.seen = seen

    def see(self) -> Seen:
        if self.seen is None:
            raise WitnessUnreachableError("no quorum")
        return self.seen

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("seen", [Seen(None, 0, ""), None])
def test_one_look_at_a_witness_leaves_no_connection(seen: Seen | None, monkeypatch: pytest.MonkeyPatch) -> None:
    voter = OneVoter(seen)
    monkeypatch.setattr("shopsphere.witness.access.witness_of", lambda *_: voter)
    with nullcontext() if seen else pytest.raises(WitnessUnreachableError):
        assert see_once("rdc-a", Environment.LAB) == seen
    assert voter.is_closed
