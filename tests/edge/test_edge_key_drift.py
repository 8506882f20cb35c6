"""Keys and settings that a stranger changes at the real authorities: what drift says, and that its commands work."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_host import EdgeHost
from present import present

from components.edge.global_dns import GlobalDnsModel
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from shopsphere.clients import powerdns
from shopsphere.drift.edge import judge_edge
from shopsphere.drift.edge_declared import declared_edge
from shopsphere.drift.model import Drift
from shopsphere.foundation.finding import Severity
from shopsphere.foundation.process import run
from shopsphere.names.key_record import LINES, TYPE, read_record, record_name
from shopsphere.names.zone_keys import ZoneKey, ZoneKeyError, kept_keys, key_file, make_key, private_text, retire
from shopsphere.names.zone_proof import Vouched
from shopsphere.names.zone_signing import take_key

ZONE = "shopsphere.test."
PROVIDER = PowerDnsZoneKeysProvider()


def found(zone: GlobalDnsModel, state: dict[str, Any]) -> list[Drift]:
    """Return what drift says of keys and settings; names are others' matter."""
    keys = {**zone.key_inputs(), "parentServers": ["10.99.0.53"]}
    resources = [
        {"type": "pulumi-python:dynamic/edge:DnsZone", "inputs": zone.zone_inputs()},
        {"type": "pulumi-python:dynamic/edge:DnsZoneKeys", "inputs": keys, "outputs": state},
    ]
    edge = declared_edge({"deployment": {"resources": resources}})
    seen = judge_edge(edge, "up", parent=lambda _server, _zone: Vouched(frozenset(), 60))
    assert seen.unseen == ()
    return [each for each in seen.drifts if each.object.startswith(("keys of", "settings of", "_zone-keys"))]


@pytest.fixture
def state(zone: GlobalDnsModel) -> Iterator[dict[str, Any]]:
    """What the stack's state knows; nothing differs before and after a test."""
    known = present(PROVIDER.create(zone.key_inputs()).outs)
    assert found(zone, known) == []
    yield known
    assert found(zone, present(PROVIDER.read("", known).outs)) == []


@pytest.fixture
def host(edge: EdgeHost) -> list[str]:
    """What begins a command at the host of ns2."""
    return ["pdnsutil", f"--config-dir={edge.settings.disk / 'ns2'}"]


@pytest.mark.requirement(
    "a stranger's key at every real authority is critical, and goes by the command that drift says"
)
def test_a_stranger(
    zone: GlobalDnsModel, state: dict[str, Any], authorities: list[powerdns.DnsAuthority], tmp_path: Path
) -> None:
    stranger = make_key(tmp_path)
    for authority in authorities:
        authority.add_zone_key(ZONE, private_text(key_file(tmp_path, stranger)))
    drifts = found(zone, state)
    assert [(each.field, each.severity) for each in drifts] == [(f"key {stranger.tag}", Severity.CRITICAL)] * 2
    with pytest.raises(ZoneKeyError, match=f"nobody here knows(?s:.*)key {stranger.tag} at ns1"):
        PROVIDER.update("", state, zone.key_inputs())
    for each in drifts:
        run(["bash", "-c", each.repair], seconds=20)
    assert found(zone, state) == []


@pytest.mark.requirement("a key that was switched off at a real authority is found, and `up` lets it sign again")
def test_switched_off(
    zone: GlobalDnsModel, state: dict[str, Any], authorities: list[powerdns.DnsAuthority], host: list[str]
) -> None:
    (key,) = authorities[1].zone_keys(ZONE)
    for word in ("deactivate-zone-key", "unpublish-zone-key"):
        run([*host, word, ZONE, str(authorities[1].zone_keys(ZONE)[0].number)], seconds=20)
        assert Severity.CRITICAL in [each.severity for each in found(zone, state)]
        read = present(PROVIDER.read("", state).outs)
        assert read["live"]["ns2"] == f"without key {ZoneKey(key.dnskey).tag}, which does not sign there"
        PROVIDER.update("", read, zone.key_inputs())
        assert [each.signs for each in authorities[1].zone_keys(ZONE)] == [True]


@pytest.mark.requirement(
    "settings that a stranger changed at a real authority are found, and what drift says undoes them"
)
def test_settings(zone: GlobalDnsModel, state: dict[str, Any], host: list[str]) -> None:
    for words, kind, severity in (
        (["set-nsec3", ZONE, "1 1 5 ab"], "NSEC3PARAM", Severity.HIGH),
        (["set-presigned", ZONE], "PRESIGNED", Severity.CRITICAL),
        (["set-publish-cds", ZONE], "PUBLISH-CDS", Severity.HIGH),
        (["set-meta", ZONE, "SOA-EDIT", "EPOCH"], "SOA-EDIT", Severity.MEDIUM),
        (["set-meta", ZONE, "SOA-EDIT-API"], "SOA-EDIT-API", Severity.MEDIUM),
        (["set-kind", ZONE, "slave"], "KIND", Severity.CRITICAL),
    ):
        run([*host, *words], seconds=20)
        (drift,) = found(zone, state)
        assert (drift.object, drift.field) == (f"settings of zone {ZONE} at ns2", kind)
        assert drift.severity is severity
        run(["bash", "-c", drift.repair.replace("pdnsutil ", " ".join(host) + " ")], seconds=20)
        assert found(zone, state) == []


@pytest.mark.requirement("a key that was retired is refused and taken away by a machine that has its file and no list")
def test_another_machine(
    edge: EdgeHost,
    zone: GlobalDnsModel,
    state: dict[str, Any],
    authorities: list[powerdns.DnsAuthority],
    tmp_path: Path,
) -> None:
    own = edge.settings.edge_keys / "zone-keys"
    (present_key,) = map(ZoneKey, kept_keys(own))
    shutil.copytree(edge.settings.edge_keys, tmp_path / "ci")
    folder = tmp_path / "ci" / "zone-keys"
    old = make_key(folder)
    retire(own, old)
    PROVIDER.update("", state, zone.key_inputs())
    assert [read_record(each, ZONE).is_ended_by(ZONE, old, present_key) for each in authorities] == [True, True]
    authorities[1].add_zone_key(ZONE, private_text(key_file(folder, old)))  # an old store came back
    assert {each.field for each in found(zone, state)} == {f"key {old.tag}"}
    (folder / "retired").unlink(missing_ok=True)
    outs = present(PROVIDER.update("", state, {**zone.key_inputs(), "keysFolder": str(tmp_path / "ci")}).outs)
    assert outs["retired"] == sorted({*state["retired"], old.dnskey})
    assert [{each.dnskey for each in one.zone_keys(ZONE)} for one in authorities] == [{present_key.dnskey}] * 2
    assert outs["live"] == {"ns1": "signed", "ns2": "signed"}
    with pytest.raises(ZoneKeyError, match="no other key"):
        take_key(authorities[0], ZONE, present_key)


@pytest.mark.requirement(
    "a false line and a flood of them at a real authority are refused, found, and go as it is said"
)
def test_false_lines(
    zone: GlobalDnsModel, state: dict[str, Any], authorities: list[powerdns.DnsAuthority], host: list[str]
) -> None:
    (key,) = authorities[1].zone_keys(ZONE)
    before = authorities[1].rrset(ZONE, record_name(ZONE), TYPE)
    for lines, words, field in (
        ((f'"retired {key.dnskey}"',), "were retired which are in use", "retired"),
        (tuple(f'"retired 257 3 13 {n:088d}"' for n in range(LINES + 1)), "ns2 is larger than any", "records"),
    ):
        authorities[1].replace(ZONE, [powerdns.RRset(record_name(ZONE), TYPE, 60, lines)])
        assert (field, Severity.CRITICAL) in [(each.field, each.severity) for each in found(zone, state)]
        read = present(PROVIDER.read("", state).outs)
        assert read["retired"] == state["retired"]
        with pytest.raises(ZoneKeyError, match=words) as refused:
            PROVIDER.update("", read, zone.key_inputs())
        repairs = [each.repair for each in found(zone, state) if each.field == field and each.object.endswith("ns2")]
        if command := re.search(r"`(pdnsutil delete-rrset [^`]*)`", str(refused.value)):
            repairs = [command[1].replace("pdnsutil ", " ".join(host) + " ")]
        run(["bash", "-c", repairs[0]], seconds=20)
        assert authorities[1].rrset(ZONE, record_name(ZONE), TYPE) is None
        PROVIDER.update("", state, zone.key_inputs())
        assert authorities[1].rrset(ZONE, record_name(ZONE), TYPE) == before
