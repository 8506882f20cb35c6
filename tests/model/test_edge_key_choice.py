"""Which key a deployment signs a zone with, where no authority says it: never one that the parent does not show."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import DNS, ZONE
from edge_fakes import FakeAuthority
from present import present

from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from shopsphere.clients.dns import NameServerError
from shopsphere.names.zone_keys import ZoneKey, ZoneKeyError, kept_keys, key_file, make_key, private_text, retire
from shopsphere.names.zone_proof import Vouched
from shopsphere.names.zone_signing import bring_key

PROVIDER = PowerDnsZoneKeysProvider()
PARENTS = ("10.0.0.1", "10.0.0.2")


class Parent:
    """What each server of the parent zone shows; None for one that is silent."""

    def __init__(self) -> None:
        self.shown: dict[str, set[str] | None] = {each: set() for each in PARENTS}

    def ask(self, server: IPv4Address, zone: str) -> Vouched:
        assert zone == ZONE
        found = self.shown[str(server)]
        if found is None:
            raise NameServerError(f"{server}: no answer")
        return Vouched(frozenset(found), 60)


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Parent:
    found = Parent()
    monkeypatch.setattr("shopsphere.names.zone_choice.shown_ds", found.ask)
    return found


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeAuthority]:
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for provider in (PowerDnsZoneProvider, PowerDnsZoneKeysProvider):
        monkeypatch.setattr(provider, "connect", lambda _self, _props: found)
    PowerDnsZoneProvider().create(DNS.zone_inputs())
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "zone-keys"


@pytest.fixture
def inputs(tmp_path: Path, parent: Parent) -> dict[str, Any]:
    return {**DNS.key_inputs(), "keysFolder": str(tmp_path), "parentServers": list(parent.shown)}


def held(servers: list[FakeAuthority]) -> list[set[str]]:
    return [set(each.keys.values()) for each in servers]


def give(server: FakeAuthority, key: ZoneKey, folder: Path) -> None:
    server.add_zone_key(ZONE, private_text(key_file(folder, key)))


@pytest.mark.requirement("no key is made, and none is taken, that the parent's DS does not lead to")
def test_a_ds_of_no_kept_key(
    servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path, parent: Parent, tmp_path: Path
) -> None:
    lost = make_key(tmp_path / "copy")
    parent.shown["10.0.0.2"] = {lost.ds(ZONE)}  # one of them is enough: the other may be behind
    with pytest.raises(ZoneKeyError, match=rf"(?s)not here.*DS {lost.ds(ZONE)}.*bring the file.*take the DS away"):
        PROVIDER.create(inputs)
    other = make_key(folder)
    with pytest.raises(ZoneKeyError, match=f"found:    {other.tag} "):
        PROVIDER.create(inputs)
    assert held(servers) == [set(), set()]
    assert set(kept_keys(folder)) == {other.dnskey}
    key_file(tmp_path / "copy", lost).rename(key_file(folder, lost))
    PROVIDER.create(inputs)
    assert held(servers) == [{lost.dnskey}] * 2


@pytest.mark.requirement("edge that is removed and comes back signs with the one key that its parent shows")
def test_removed_in_the_middle_of_a_roll(
    servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path, parent: Parent
) -> None:
    old, new = make_key(folder), make_key(folder)
    parent.shown = {each: {new.ds(ZONE)} for each in PARENTS}
    PROVIDER.create(inputs)
    assert held(servers) == [{new.dnskey}] * 2
    PROVIDER.delete("", inputs)
    parent.shown = {each: set() for each in PARENTS}
    with pytest.raises(ZoneKeyError, match="several keys") as refused:
        PROVIDER.create(inputs)
    assert {old.ds(ZONE), new.ds(ZONE)} <= set(str(refused.value).replace("(", ")").split(")"))
    assert held(servers) == [set(), set()]
    key_file(folder, old).unlink()
    PROVIDER.create(inputs)
    assert held(servers) == [{new.dnskey}] * 2


@pytest.mark.requirement("while a server of the parent is silent, no key is chosen")
def test_a_silent_parent(servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path, parent: Parent) -> None:
    parent.shown["10.0.0.2"] = None
    with pytest.raises(ZoneKeyError, match=r"not known which key.*(?s:.*)10\.0\.0\.2: no answer"):
        PROVIDER.create(inputs)
    assert kept_keys(folder) == {}
    parent.shown["10.0.0.2"] = set()
    outs = present(PROVIDER.create(inputs).outs)
    parent.shown["10.0.0.2"] = None
    servers[0].keys = {}
    PROVIDER.update("", outs, inputs)  # another authority says which one
    assert held(servers) == [set(kept_keys(folder))] * 2


@pytest.mark.requirement("a retired key that an old store brings back is spread to nobody, and taken away")
def test_an_old_store(servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path, parent: Parent) -> None:
    old, new = make_key(folder), make_key(folder)
    for server in servers:
        give(server, new, folder)
    give(servers[1], old, folder)
    retire(folder, old)
    outs = present(PROVIDER.read("", inputs).outs)
    untold = "with a record of keys that is not what others know"
    assert outs["live"] == {"ns1": untold, "ns2": f"with key {old.tag}, which was retired"}
    assert outs["ds"] == [new.ds(ZONE)]
    assert PROVIDER.diff("", outs, inputs).changes
    for shown, words in (({old.ds(ZONE)}, "vouches for key"), (None, "not known whether key")):
        parent.shown["10.0.0.1"] = shown
        with pytest.raises(ZoneKeyError, match=words):
            PROVIDER.update("", outs, inputs)
        assert held(servers) == [{new.dnskey}, {new.dnskey, old.dnskey}]
    parent.shown["10.0.0.1"] = {new.ds(ZONE)}
    assert present(PROVIDER.update("", outs, inputs).outs)["live"] == {"ns1": "signed", "ns2": "signed"}
    assert held(servers) == [{new.dnskey}] * 2


@pytest.mark.requirement("where all that signs is retired, the key of the parent's DS comes back")
def test_old_stores_everywhere(
    servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path, parent: Parent
) -> None:
    old, new = make_key(folder), make_key(folder)
    for server in servers:
        give(server, old, folder)
    retire(folder, old)
    parent.shown = {each: {new.ds(ZONE)} for each in PARENTS}
    PROVIDER.create(inputs)
    assert held(servers) == [{new.dnskey}] * 2
    with pytest.raises(ZoneKeyError, match=f"key {old.tag} of shopsphere.test. was retired"):
        bring_key(servers[0], ZONE, old, folder)


def test_a_retired_file_alone_is_no_key(servers: list[FakeAuthority], inputs: dict[str, Any], folder: Path) -> None:
    old = make_key(folder)
    retire(folder, old)
    retire(folder, old)
    PROVIDER.create(inputs)
    (made,) = held(servers)[0]
    assert made != old.dnskey
    assert set(kept_keys(folder)) == {old.dnskey, made}
