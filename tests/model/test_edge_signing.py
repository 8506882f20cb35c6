"""Keys that sign the zone: what is declared, brought, compared and never taken away."""

from pathlib import Path
from typing import Any

import pytest
from edge_declaration import DNS, ZONE
from edge_fakes import FakeAuthority
from present import present

from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from shopsphere.clients.edge_errors import EdgeError, ServiceError, VerificationError
from shopsphere.clients.powerdns import RRset
from shopsphere.names.zone_keys import ZoneKey, ZoneKeyError, kept_keys, make_key, private_text
from shopsphere.names.zone_signing import take_key

# A key of PowerDNS 4.7.3, with the tag and the DS that it printed for it.
DNSKEY = "257 3 13 Bw+B/rDOzY8vkAhyjfdfOTdPG2VNFcCPiQfwCR7Z7uiscYAihmFipjw10i3kfT0rclNsjyzUAvtXj7pTRchVgw=="
DS = "6499 13 2 13b96f9f37a1e9c044180fb926a4e69e488c84f55bdf41d03638d358fdfd3181"
PROVIDER = PowerDnsZoneKeysProvider()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeAuthority]:
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for provider in (PowerDnsZoneProvider, PowerDnsZoneKeysProvider):
        monkeypatch.setattr(provider, "connect", lambda _self, _props: found)
    PowerDnsZoneProvider().create(DNS.zone_inputs())
    return found


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    return {**DNS.key_inputs(), "keysFolder": str(tmp_path)}


def signed(outs: dict[str, Any] | None) -> dict[str, Any]:
    assert present(outs)["live"] == {"ns1": "signed", "ns2": "signed"}
    return present(outs)


def test_ds_is_that_of_powerdns() -> None:
    assert (ZoneKey(DNSKEY).tag, ZoneKey(DNSKEY).ds(ZONE)) == (6499, DS)
    with pytest.raises(ZoneKeyError, match="no DNSKEY"):
        _ = ZoneKey("257 3").tag


def test_a_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    key = make_key(tmp_path / "zone-keys")
    (file,) = (tmp_path / "zone-keys").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (f"{key.tag}.pem", 0o600)
    assert kept_keys(tmp_path / "zone-keys") == {key.dnskey: file}
    assert private_text(file).startswith("Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: ")
    file.write_text("nonsense")
    with pytest.raises(ZoneKeyError, match="cannot be read"):
        kept_keys(tmp_path / "zone-keys")


@pytest.mark.requirement("a deployment signs the zone with one key, the same at every authority, and says its DS")
def test_create(servers: list[FakeAuthority], inputs: dict[str, Any], tmp_path: Path) -> None:
    outs = signed(PROVIDER.create(inputs).outs)
    assert servers[0].keys == servers[1].keys
    (key,) = kept_keys(tmp_path / "zone-keys")
    assert set(servers[0].keys.values()) == {key}
    assert outs["ds"] == [ZoneKey(key).ds(ZONE)]
    assert not PROVIDER.diff("", outs, inputs).changes
    assert "PrivateKey" not in str(outs)
    assert signed(PROVIDER.create(inputs).outs)["ds"] == outs["ds"], "a second time makes no second key"


@pytest.mark.requirement("a roll of keys is no difference, and what one authority misses of it is brought to it")
def test_a_roll_is_run_time(servers: list[FakeAuthority], inputs: dict[str, Any], tmp_path: Path) -> None:
    outs = signed(PROVIDER.create(inputs).outs)
    new = make_key(tmp_path / "zone-keys")
    servers[0].add_zone_key(ZONE, private_text(kept_keys(tmp_path / "zone-keys")[new.dnskey]))
    half = present(PROVIDER.read("", outs).outs)
    assert half["live"] == {"ns1": "signed", "ns2": f"without key {new.tag}, which another authority has"}
    assert PROVIDER.diff("", half, inputs).changes
    both = signed(PROVIDER.update("", half, inputs).outs)
    assert len(both["ds"]) == 2
    assert not PROVIDER.diff("", both, inputs).changes
    for server in servers:
        take_key(server, ZONE, next(ZoneKey(each) for each in server.keys.values() if each != new.dnskey))
    alone = signed(PROVIDER.read("", both).outs)
    assert alone["ds"] == [new.ds(ZONE)]
    assert not PROVIDER.diff("", alone, inputs).changes
    with pytest.raises(ZoneKeyError, match="no other key"):
        take_key(servers[0], ZONE, new)


def test_a_key_whose_file_is_lost_is_no_guess(servers: list[FakeAuthority], inputs: dict[str, Any]) -> None:
    outs = signed(PROVIDER.create(inputs).outs)
    servers[1].keys = {4: DNSKEY}
    before = dict(servers[0].keys)
    with pytest.raises(ZoneKeyError, match="lacks key 6499"):
        PROVIDER.update("", {**outs, "ds": [*outs["ds"], DS]}, inputs)
    assert before.items() <= servers[0].keys.items()


def test_an_authority_that_forgets_is_told(servers: list[FakeAuthority], inputs: dict[str, Any]) -> None:
    servers[1].loses = True
    with pytest.raises(VerificationError, match="DNS authority ns2 does not sign"):
        PROVIDER.create(inputs)
    servers[0].fails_on = {"zone_keys"}
    with pytest.raises(ServiceError):
        PROVIDER.create(inputs)


@pytest.mark.requirement("keys are not taken from a zone whose names are asked for")
def test_delete(servers: list[FakeAuthority], inputs: dict[str, Any]) -> None:
    outs = signed(PROVIDER.create(inputs).outs)
    servers[1].replace(ZONE, [RRset(f"www.{ZONE}", "A", 60, ("10.0.0.9",))])
    with pytest.raises(EdgeError, match="still has names"):
        PROVIDER.delete("", outs)
    assert [len(each.keys) for each in servers] == [1, 1]
    servers[1].remove(ZONE, f"www.{ZONE}", "A")
    PROVIDER.delete("", outs)
    assert [each.keys for each in servers] == [{}, {}]
    assert PROVIDER.read("id", outs).id == ""


@pytest.mark.parametrize(("key", "value"), [("algorithm", "RSASHA1"), ("zone", "shopsphere.test"), ("authorities", [])])
def test_wrong_inputs(inputs: dict[str, Any], key: str, value: object) -> None:
    assert key in {each.property for each in PROVIDER.check({}, {**inputs, key: value}).failures}
    assert PROVIDER.check({}, inputs).failures == []


def idle(server: FakeAuthority) -> None:
    """Switch its keys off, as `pdnsutil deactivate-zone-key` does."""
    server.idle = set(server.keys)


@pytest.mark.requirement("a key that somebody switched off signs again, once, and keys are asked for once at rest")
def test_a_key_that_was_switched_off(servers: list[FakeAuthority], inputs: dict[str, Any]) -> None:
    outs = signed(PROVIDER.create(inputs).outs)
    (key,) = outs["ds"]
    idle(servers[1])
    found = present(PROVIDER.read("", outs).outs)
    assert found["live"]["ns2"] == f"without key {key.split()[0]}, which does not sign there"
    signed(PROVIDER.update("", found, inputs).outs)
    assert (len(servers[1].keys), servers[1].idle) == (1, set())
    for server in servers:
        idle(server)
    alone = present(PROVIDER.read("", outs).outs)
    assert alone["live"]["ns1"] == f"with key {key.split()[0]}, which does not sign"
    assert alone["ds"] == [key], "the state goes on knowing it"
    signed(PROVIDER.update("", alone, inputs).outs)
    for server in servers:
        server.asked_for_keys = 0
    signed(PROVIDER.update("", outs, inputs).outs)
    assert [server.asked_for_keys for server in servers] == [1, 1]
