"""What drift says of keys, of DS, and of how a zone is served: a stranger's key is found, and a roll is no finding."""

import json
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import DNS, ZONE
from edge_fakes import FakeAuthority

from shopsphere.clients.dns import NameServerError
from shopsphere.clients.powerdns import RRset
from shopsphere.drift.edge import judge_edge
from shopsphere.drift.edge_declared import declared_edge
from shopsphere.drift.model import Drift, Kind, SiteDrift
from shopsphere.foundation.finding import Severity
from shopsphere.names.apex import apex
from shopsphere.names.key_record import LINES, TYPE, KeyRecord, end, endorse, record_name, write_key_record
from shopsphere.names.zone_keys import ZoneKey, key_file, make_key, private_key, private_text
from shopsphere.names.zone_proof import Vouched

DEPLOY = "shopsphere up edge --environment lab --refresh"
RSA = "256 3 8 AwEAAcw5QLr0IjC0wKbGoBPQv4qmeqHy9mvL5qGQTuaG5TSrNqEAR6b/qvxDx6my4JmEmjUPA1JeEI9YfTUieMr2UZk="
PLACE = "https://10.0.0.2:8081/api/v1/servers/localhost/zones/shopsphere.test."


@dataclass
class Edge:
    """Two authorities that sign with one key, and a state that knows it."""

    folder: Path
    key: ZoneKey
    servers: list[FakeAuthority] = field(default_factory=lambda: [FakeAuthority("ns1"), FakeAuthority("ns2")])
    outputs: dict[str, Any] = field(default_factory=dict)
    shown: frozenset[str] | None = frozenset()
    is_signed: bool = True

    def look(self) -> SiteDrift:
        resources = [{"type": "pulumi-python:dynamic/edge:DnsZone", "inputs": DNS.zone_inputs()}]
        if self.is_signed:
            keys = {**DNS.key_inputs(), "parentServers": ["10.0.0.9"]}
            resources.append(
                {"type": "pulumi-python:dynamic/edge:DnsZoneKeys", "inputs": keys, "outputs": self.outputs}
            )
        edge = declared_edge({"deployment": {"resources": resources}})
        return judge_edge(edge, DEPLOY, dns=lambda _: list(self.servers), parent=self.parent)

    def parent(self, _server: IPv4Address, _zone: str) -> Vouched:
        if self.shown is None:
            raise NameServerError("no answer")
        return Vouched(self.shown, 60)

    def drifts(self) -> list[Drift]:
        found = self.look()
        assert found.unseen == ()
        return list(found.drifts)

    def told(self) -> list[tuple[str, str, Kind, Severity]]:
        return [
            (each.object.removeprefix("keys of zone shopsphere.test.").strip(), each.field, each.kind, each.severity)
            for each in self.drifts()
        ]

    def give(self, key: ZoneKey, *places: int) -> None:
        for place in places or (0, 1):
            self.servers[place].add_zone_key(ZONE, private_text(key_file(self.folder, key)))


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    found = Edge(tmp_path, make_key(tmp_path))
    for server in found.servers:
        server.create_zone(ZONE, apex(DNS.zone_inputs()))
    found.give(found.key)
    found.outputs = {"ds": [found.key.ds(ZONE)], "retired": [], "live": {}}
    return found


@pytest.fixture
def other(tmp_path: Path) -> ZoneKey:
    return make_key(tmp_path)


@pytest.mark.requirement("a key that a stranger added everywhere is critical, with the command that removes it")
def test_a_stranger_everywhere(edge: Edge, other: ZoneKey) -> None:
    assert edge.drifts() == []
    edge.give(other)
    first, second = edge.drifts()
    field_ = f"key {other.tag}"
    assert (first.object, first.field) == ("keys of zone shopsphere.test. at ns1", field_)
    assert (second.kind, second.severity, second.residency) == (Kind.UNDECLARED, Severity.CRITICAL, True)
    assert second.live == f"key {other.tag}, which neither the stack's state nor a roll knows, signs"
    assert second.repair.endswith(f"-X DELETE {PLACE}/cryptokeys/2")
    assert second.repair.startswith("curl ")
    edge.shown = frozenset({edge.key.ds(ZONE), other.ds(ZONE, 4)})
    (_, second, parent) = edge.drifts()
    assert second.repair.startswith("shopsphere zone keys; the parent zone vouches for it: put the DS right")
    assert (parent.object, parent.severity) == ("DS of shopsphere.test. at 10.0.0.9", Severity.CRITICAL)
    assert parent.live == other.ds(ZONE, 4)
    edge.shown = None
    assert all("only if it does not, curl " in each.repair for each in edge.look().drifts), "the parent is silent"


@pytest.mark.requirement("a stranger's key is found though it does not sign, is of another kind, or alone")
def test_a_stranger_otherwise(edge: Edge, other: ZoneKey) -> None:
    edge.give(other, 1)
    edge.servers[1].idle = {2}
    assert edge.told() == [("at ns2", f"key {other.tag}", Kind.UNDECLARED, Severity.CRITICAL)]
    assert "is published or held, and does not sign" in edge.drifts()[0].live
    edge.servers[1].keys, edge.servers[1].idle = {1: edge.key.dnskey, 5: RSA}, set()
    (found,) = edge.drifts()
    assert "(RSASHA256, flags 256)" in found.live
    for server in edge.servers:
        server.keys = {3: other.dnskey}
    assert edge.told() == [
        ("at ns1", f"key {other.tag}", Kind.UNDECLARED, Severity.CRITICAL),
        ("at ns2", f"key {other.tag}", Kind.UNDECLARED, Severity.CRITICAL),
        ("", f"key {edge.key.tag}", Kind.MISSING, Severity.CRITICAL),
    ]
    assert edge.drifts()[0].repair.startswith(f"{DEPLOY}; it signs with the key in use"), "else nothing would sign"


def test_a_zone_that_is_not_to_be_signed(edge: Edge) -> None:
    edge.is_signed = False
    assert [each[2:] for each in edge.told()] == [(Kind.UNDECLARED, Severity.CRITICAL)] * 2
    for server in edge.servers:
        server.keys = {}
    assert edge.told() == []


@pytest.mark.requirement("a key of a roll is no finding, at one authority or at both, before and after its end")
def test_a_roll(edge: Edge, other: ZoneKey) -> None:
    edge.give(other)
    made = endorse(ZONE, other, edge.key, private_key(key_file(edge.folder, edge.key)))
    write_key_record(edge.servers, ZONE, KeyRecord(made=frozenset({made})))
    assert edge.drifts() == []
    edge.shown = frozenset({other.ds(ZONE)})
    assert edge.drifts() == []
    write_key_record(edge.servers, ZONE, end(ZONE, edge.key, other, private_key(key_file(edge.folder, other))))
    assert {each[:2] for each in edge.told()} == {("at ns1", f"key {edge.key.tag}"), ("at ns2", f"key {edge.key.tag}")}
    for server in edge.servers:
        server.keys = {number: each for number, each in server.keys.items() if each == other.dnskey}
    assert edge.drifts() == []
    edge.outputs = {"ds": [other.ds(ZONE)], "retired": [edge.key.dnskey]}
    assert edge.drifts() == []


@pytest.mark.requirement("a key that is missing somewhere or everywhere, switched off, or retired and back is found")
def test_other_keys(edge: Edge, other: ZoneKey) -> None:
    tag = f"key {edge.key.tag}"
    edge.outputs["ds"].append(other.ds(ZONE))
    assert edge.told() == [("", f"key {other.tag}", Kind.MISSING, Severity.HIGH)]
    edge.shown = frozenset({other.ds(ZONE, 4), edge.key.ds(ZONE)})
    assert ("", f"key {other.tag}", Kind.MISSING, Severity.CRITICAL) in edge.told()
    edge.shown = frozenset()
    edge.give(other, 0)
    assert edge.told() == [("at ns2", "keys", Kind.CHANGED, Severity.HIGH)]
    edge.give(other, 1)
    edge.servers[1].idle = {1}
    assert edge.told() == [("at ns2", tag, Kind.CHANGED, Severity.HIGH)]
    edge.servers[1].idle = {1, 2}
    assert edge.told()[0] == ("at ns2", "", Kind.MISSING, Severity.CRITICAL)
    edge.servers[1].idle = set()
    edge.outputs["retired"] = [other.dnskey]
    write_key_record(edge.servers, ZONE, KeyRecord(retired=frozenset({other.dnskey})))
    assert edge.told() == [(f"at ns{n}", f"key {other.tag}", Kind.UNDECLARED, Severity.CRITICAL) for n in (1, 2)]
    assert {each.repair for each in edge.drifts()} == {DEPLOY}
    for server in edge.servers:
        del server.keys[2]
    edge.servers[1].remove(ZONE, record_name(ZONE), TYPE)
    assert edge.told() == [("_zone-keys.shopsphere.test. TXT at ns2", "records", Kind.CHANGED, Severity.HIGH)]
    edge.servers[1].fails_on = {"zone_keys"}
    edge.outputs["ds"].append("1 13 2 " + "ab" * 32)
    assert edge.look().drifts == (), "the other one may have it"


@pytest.mark.requirement("one false line beside a second key that signs is critical, and a flood of them too")
def test_a_false_line_in_a_roll(edge: Edge, other: ZoneKey) -> None:
    edge.give(other)
    made = endorse(ZONE, other, edge.key, private_key(key_file(edge.folder, edge.key)))
    write_key_record(edge.servers, ZONE, KeyRecord(frozenset({edge.key.dnskey}), frozenset({made})))
    place = "_zone-keys.shopsphere.test. TXT at"
    assert edge.told() == [(f"{place} ns{n}", "retired", Kind.CHANGED, Severity.CRITICAL) for n in (1, 2)]
    edge.servers[0].remove(ZONE, record_name(ZONE), TYPE)
    critical = [each.object for each in edge.drifts() if each.severity is Severity.CRITICAL]
    assert critical == [f"{place} ns2"], "nothing that is true is removed at the other one"
    write_key_record(edge.servers, ZONE, KeyRecord())
    del edge.servers[0].zones[ZONE][record_name(ZONE), TYPE], edge.servers[1].zones[ZONE][record_name(ZONE), TYPE]
    write_key_record(edge.servers, ZONE, KeyRecord(made=frozenset({made})))
    flood = tuple(f'"retired 257 3 13 {n:088d}"' for n in range(LINES + 1))
    edge.servers[1].replace(ZONE, [RRset(record_name(ZONE), TYPE, 60, flood)])
    (found,) = edge.drifts()
    assert (found.object, found.field, found.severity) == (f"{place} ns2", "records", Severity.CRITICAL)
    assert '"changetype": "DELETE"' in found.repair


def test_a_false_record(edge: Edge) -> None:
    write_key_record(edge.servers, ZONE, KeyRecord(retired=frozenset({edge.key.dnskey})))
    found = [each for each in edge.drifts() if each.field == "retired"]
    assert [(each.object, each.severity) for each in found] == [
        (f"_zone-keys.shopsphere.test. TXT at {name}", Severity.CRITICAL) for name in ("ns1", "ns2")
    ]
    assert (
        json.dumps({"rrsets": [{"name": record_name(ZONE), "type": TYPE, "changetype": "DELETE"}]}) in found[0].repair
    )


@pytest.mark.requirement(
    "a parent is believed by each digest, and one that no resolver goes by, or a foreign DS, is found"
)
def test_the_parent(edge: Edge, other: ZoneKey) -> None:
    def judged(*ds: str) -> list[tuple[Kind, Severity]]:
        edge.shown = frozenset(ds)
        return [each[2:] for each in edge.told()]

    ours = [edge.key.ds(ZONE, each) for each in (1, 2, 4)]
    assert judged() == judged(ours[1]) == judged(ours[2]) == judged(*ours) == []
    assert judged(other.ds(ZONE)) == judged(other.ds(ZONE, 1)) == [(Kind.CHANGED, Severity.CRITICAL)]
    assert judged(ours[0]) == judged(f"{edge.key.tag} 13 6 {'ab' * 32}") == [(Kind.CHANGED, Severity.HIGH)]
    assert "digest type 6 is none that all resolvers check" in edge.drifts()[0].live
    assert judged(ours[1], other.ds(ZONE)) == [(Kind.ADDED, Severity.CRITICAL)]
    edge.shown = None
    assert [each.what for each in edge.look().unseen] == ["DS of shopsphere.test. at 10.0.0.9"]


@pytest.mark.requirement("a zone that is served otherwise than it was made is found, with what to type on the host")
@pytest.mark.parametrize(
    ("kind", "value", "how", "severity", "words"),
    [
        (
            "NSEC3PARAM",
            ("1 1 5 ab",),
            Kind.ADDED,
            Severity.HIGH,
            "pdnsutil unset-nsec3 shopsphere.test && pdnsutil rec",
        ),
        ("PRESIGNED", ("1",), Kind.ADDED, Severity.CRITICAL, "pdnsutil unset-presigned shopsphere.test"),
        ("PUBLISH-CDS", ("2",), Kind.ADDED, Severity.HIGH, "pdnsutil set-meta shopsphere.test PUBLISH-CDS  #"),
        ("SOA-EDIT", ("EPOCH",), Kind.ADDED, Severity.MEDIUM, "pdnsutil set-meta shopsphere.test SOA-EDIT  #"),
        ("SOA-EDIT-API", (), Kind.REMOVED, Severity.MEDIUM, "pdnsutil set-meta shopsphere.test SOA-EDIT-API INCREASE"),
        (
            "ALLOW-DNSUPDATE-FROM",
            ("0.0.0.0/0",),
            Kind.ADDED,
            Severity.CRITICAL,
            "pdnsutil set-meta shopsphere.test ALL",
        ),
        ("KIND", ("Slave",), Kind.CHANGED, Severity.CRITICAL, "pdnsutil set-kind shopsphere.test native"),
    ],
)
def test_settings(edge: Edge, kind: str, value: tuple[str, ...], how: Kind, severity: Severity, words: str) -> None:
    edge.servers[1].settings[kind] = value
    (found,) = edge.drifts()
    assert (found.object, found.field) == ("settings of zone shopsphere.test. at ns2", kind)
    assert (found.kind, found.severity) == (how, severity)
    assert found.repair.startswith(words)
    assert found.repair.endswith("# on the host of ns2")


def test_settings_that_cannot_be_read_hide_nothing(edge: Edge, other: ZoneKey) -> None:
    edge.servers[1].fails_on = {"zone_settings"}
    edge.give(other, 1)
    found = edge.look()
    assert [each.what for each in found.unseen] == ["settings of zone shopsphere.test. at ns2"]
    assert [each.severity for each in found.drifts] == [Severity.CRITICAL]


@pytest.mark.requirement("the record of keys is a name that is declared, and another one below it is not")
def test_names_beside(edge: Edge, other: ZoneKey) -> None:
    write_key_record(edge.servers, ZONE, KeyRecord(retired=frozenset({other.dnskey})))
    edge.outputs["retired"] = [other.dnskey]
    assert edge.drifts() == []
    edge.servers[0].replace(ZONE, [RRset(ZONE, "CDS", 60, (other.ds(ZONE),))])
    assert edge.told() == [("shopsphere.test. CDS at ns1", "", Kind.UNDECLARED, Severity.CRITICAL)]
