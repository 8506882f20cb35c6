"""Several machines deploy: what one of them retired, or made, every other one knows, whatever its own files say."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import DNS, ZONE
from present import present
from zone_world import World, zone_world

from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from runbooks.engine import Outlook, load_runbook, look_ahead
from runbooks.zone_roll.run import FOLDER
from shopsphere.names.key_record import TYPE, KeyRecord, end, endorse, read_record, record_name, write_key_record
from shopsphere.names.key_view import look_at_keys
from shopsphere.names.zone_keys import (
    ZoneKey,
    ZoneKeyError,
    key_file,
    make_key,
    private_key,
    private_text,
    retire,
    retired_keys,
)

PROVIDER = PowerDnsZoneKeysProvider()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A zone that the first machine deployed and rolls; `ci` has a copy of its keys of before."""
    found = zone_world(tmp_path / "first" / "zone-keys", monkeypatch)
    shutil.copytree(tmp_path / "first", tmp_path / "ci")
    monkeypatch.setattr(PowerDnsZoneKeysProvider, "connect", lambda _self, _props: found.servers)
    monkeypatch.setattr("shopsphere.names.zone_choice.shown_ds", found.shown)
    return found


def inputs(folder: Path) -> dict[str, Any]:
    return {**DNS.key_inputs(), "keysFolder": str(folder), "parentServers": ["10.0.0.1"]}


def outs(folder: Path, **more: Any) -> dict[str, Any]:
    """Return the state after a deployment of a machine."""
    return present(PROVIDER.update("", more, inputs(folder)).outs)


def rolled(world: World, records: Path) -> tuple[ZoneKey, ZoneKey]:
    (old,) = world.kept()
    world.go(records, "caches may hold")
    new = world.only_new(old)
    world.later(3605)
    world.ds = {new.ds(ZONE)}
    world.go(records, "caches may hold")
    world.later(86405)
    world.go(records)
    return old, new


@pytest.mark.requirement("a key that one machine retired is brought back by no other one, and taken away where it is")
def test_an_old_store_at_another_machine(world: World, tmp_path: Path) -> None:
    before = outs(tmp_path / "ci")
    stores = [dict(server.zones[ZONE]) for server in world.servers]
    old, new = rolled(world, tmp_path)
    assert [read_record(each, ZONE).retired for each in world.servers] == [{old.dnskey}] * 2
    world.servers[1].keys, world.servers[1].zones[ZONE] = {1: old.dnskey}, stores[1]  # an old store came back
    with pytest.raises(ZoneKeyError, match=f"ns2 lacks key {new.tag}"):
        outs(tmp_path / "ci", **before)
    assert world.tags() == [{new.tag}, {old.tag}], "its own file of the old key is of no use"
    shutil.copy(key_file(world.folder, new), tmp_path / "ci" / "zone-keys")
    found = outs(tmp_path / "ci", **before)
    assert world.tags() == [{new.tag}] * 2
    assert found["retired"] == [old.dnskey]
    assert found["ds"] == [new.ds(ZONE)]
    assert retired_keys(tmp_path / "ci" / "zone-keys") == {old.dnskey}
    assert [read_record(each, ZONE).retired for each in world.servers] == [{old.dnskey}] * 2


@pytest.mark.requirement("where all authorities are lost, the stack's state says which key must not come back")
def test_all_authorities_are_lost(world: World, tmp_path: Path) -> None:
    old, new = rolled(world, tmp_path)
    state = outs(tmp_path / "first", ds=[old.ds(ZONE)])
    for server in world.servers:
        server.keys, server.zones[ZONE] = {}, {}
    world.ds = set()
    world.ds = {old.ds(ZONE)}
    with pytest.raises(ZoneKeyError, match=r"vouches for a key that is not here(?s:.*)retired lists 1 more"):
        outs(tmp_path / "ci", **state)
    assert world.tags() == [set(), set()], "though its file is there"
    world.ds = set()
    outs(tmp_path / "ci", **state)
    (third,) = {each for tags in world.tags() for each in tags}
    assert third not in {old.tag, new.tag}
    assert [read_record(each, ZONE).retired for each in world.servers] == [{old.dnskey}] * 2


@pytest.mark.requirement("a roll that another machine began is no stranger's key, also while a third one deploys")
def test_a_deployment_in_a_roll_of_another_machine(world: World, tmp_path: Path) -> None:
    before = outs(tmp_path / "first")
    (old,) = world.kept()
    world.servers[1].fails_on = {"add_zone_key"}
    world.go(tmp_path, "does not answer")
    world.servers[1].fails_on = set()
    new = world.only_new(old)
    assert world.tags() == [{old.tag, new.tag}, {old.tag}]
    with pytest.raises(ZoneKeyError, match=f"ns2 lacks key {new.tag}"):
        outs(tmp_path / "ci", **before)
    shutil.rmtree(tmp_path / "ci")  # no file at all: the state knows the old one, and that one made the new one
    world.go(tmp_path, "caches may hold")
    found = outs(tmp_path / "ci", **before)
    assert found["live"] == {"ns1": "signed", "ns2": "signed"}
    assert found["ds"] == sorted({old.ds(ZONE), new.ds(ZONE)})
    assert len(read_record(world.servers[0], ZONE).made) == 1, "one signature, however often the step is tried"


@pytest.mark.requirement("a roll that was taken back at one machine is known at every other one")
def test_taken_back(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    world.go(tmp_path, "caches may hold")
    new = world.only_new(old)
    shutil.copytree(tmp_path / "first", tmp_path / "ci", dirs_exist_ok=True)
    world.go(tmp_path, abort=True)
    world.servers[0].add_zone_key(ZONE, private_text(key_file(tmp_path / "ci" / "zone-keys", new)))
    found = outs(tmp_path / "ci", ds=[old.ds(ZONE)])
    assert world.tags() == [{old.tag}] * 2
    assert found["retired"] == [new.dnskey]
    world.servers[0].keys[7] = new.dnskey
    world.servers[1].idle = set(world.servers[1].keys)
    there = look_at_keys(world.servers, ZONE, None, set())
    assert set(there.lines()[0].removeprefix("ns1: ").split(", ")) == {f"{new.tag} (was retired)", str(old.tag)}
    assert there.lines()[1] == f"ns2: {old.tag} (does not sign)"
    assert there.not_retired == {old.dnskey}
    world.servers[1].idle, _ = set(), world.servers[0].keys.pop(7)
    records = tmp_path / "records of ci"
    world.go(records, "caches may hold", folder=tmp_path / "ci" / "zone-keys")  # a roll there makes a third one
    assert new.tag not in set.union(*world.tags())


@pytest.mark.requirement("a key of a stranger is taken over by no deployment, and refused where nobody knows any")
def test_a_stranger(world: World, tmp_path: Path) -> None:
    state = outs(tmp_path / "first")
    (old,) = world.kept()
    stranger = make_key(tmp_path / "strange")
    for server in world.servers:
        server.add_zone_key(ZONE, private_text(key_file(tmp_path / "strange", stranger)))
    read = present(PROVIDER.read("", state).outs)
    assert read["ds"] == [old.ds(ZONE)], "a refresh does not make it known"
    assert read["live"] == dict.fromkeys(("ns1", "ns2"), f"with key {stranger.tag}, which nobody knows")
    assert PROVIDER.diff("", read, inputs(tmp_path / "first")).changes
    for folder, known in (("first", read), ("ci", read), ("first", {})):
        with pytest.raises(ZoneKeyError, match=rf"nobody here knows(?s:.*)key {stranger.tag} at ns1, key"):
            outs(tmp_path / folder, **known)
    for server in world.servers:
        server.keys = {number: each for number, each in server.keys.items() if each == stranger.dnskey}
    read = present(PROVIDER.read("", read).outs)
    assert read["ds"] == [old.ds(ZONE)], "and what is known stays known"
    with pytest.raises(ZoneKeyError, match="nobody here knows"):
        outs(tmp_path / "first", **read)
    assert world.tags() == [{stranger.tag, old.tag}] * 2, "ours signs beside it, so that it can be taken away"
    for server in world.servers:
        server.keys = {1: stranger.dnskey}
    with pytest.raises(ZoneKeyError, match="nobody here knows"):
        outs(tmp_path / "empty")
    assert world.tags() == [{stranger.tag}] * 2, "none was made in its place"


@pytest.mark.requirement("a record that says of every key in use that it was retired is refused, and poisons nothing")
@pytest.mark.parametrize("reads", [0, 1, 2], ids="{} refreshes".format)
def test_a_false_record(world: World, tmp_path: Path, reads: int) -> None:
    state = outs(tmp_path / "first")
    (old,) = world.kept()
    world.servers[0].replace(ZONE, [present(KeyRecord(retired=frozenset({old.dnskey})).rrset(ZONE))])
    for _ in range(reads):
        state = present(PROVIDER.read("", state).outs)
        assert state["retired"] == [], "a refresh takes nothing of the record for known"
        assert state["ds"] == [old.ds(ZONE)]
    with pytest.raises(ZoneKeyError, match=f"key {old.tag}"):
        outs(tmp_path / "first", **state)
    assert retired_keys(world.folder) == frozenset()
    assert read_record(world.servers[1], ZONE) == KeyRecord()
    world.servers[0].remove(ZONE, record_name(ZONE), TYPE)
    assert outs(tmp_path / "first", **state)["ds"] == [old.ds(ZONE)]


@pytest.mark.requirement("an edge that is removed leaves the list of retired keys on the machine that removed it")
def test_removed(world: World, tmp_path: Path) -> None:
    old, new = rolled(world, tmp_path)
    false = KeyRecord(retired=frozenset({make_key(tmp_path / "strange").dnskey}))
    write_key_record(world.servers, ZONE, false)
    state = present(PROVIDER.read("", {**inputs(tmp_path / "other"), "ds": [new.ds(ZONE)]}).outs)
    for server in world.servers:
        server.zones[ZONE] = {each: rrset for each, rrset in server.zones[ZONE].items() if each[1] == TYPE}
    PROVIDER.delete("", state)
    assert retired_keys(tmp_path / "other" / "zone-keys") == {old.dnskey}
    assert [server.names(ZONE) for server in world.servers] == [[], []]


@pytest.mark.requirement("a parent that shows a retired key by SHA-384 is no reason to take that key away")
def test_a_retired_key_that_the_parent_shows(world: World, tmp_path: Path) -> None:
    old, new = rolled(world, tmp_path)
    world.servers[1].keys[9] = old.dnskey
    for digest in (1, 4):
        world.ds = {new.ds(ZONE), old.ds(ZONE, digest)}
        with pytest.raises(ZoneKeyError, match="vouches for key"):
            outs(tmp_path / "first", ds=[new.ds(ZONE)])
        assert world.tags() == [{new.tag}, {new.tag, old.tag}]
    for server in world.servers:
        server.keys = {}
    world.ds = {new.ds(ZONE, 4)}
    outs(tmp_path / "first", ds=[new.ds(ZONE)])
    assert world.tags() == [{new.tag}] * 2


@pytest.mark.requirement("a list that one machine alone has, as an earlier version kept it, is told to all by `up`")
def test_a_list_of_before(world: World, tmp_path: Path) -> None:
    state = outs(tmp_path / "first")
    old = make_key(tmp_path / "old")
    retire(world.folder, old)
    read = present(PROVIDER.read("", state).outs)
    assert read["live"] == dict.fromkeys(("ns1", "ns2"), "with a record of keys that is not what others know")
    assert PROVIDER.diff("", read, inputs(tmp_path / "first")).changes
    assert outs(tmp_path / "first", **read)["live"] == {"ns1": "signed", "ns2": "signed"}
    assert [read_record(each, ZONE).retired for each in world.servers] == [{old.dnskey}] * 2


@pytest.mark.requirement("a roll at another machine knows what was retired elsewhere, before it is carried out too")
def test_a_roll_at_another_machine(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    world.go(tmp_path, "caches may hold")
    new = world.only_new(old)
    world.go(tmp_path, abort=True)
    folder = tmp_path / "ci" / "zone-keys"
    assert retired_keys(folder) == frozenset()
    world.go(tmp_path / "records of ci", "caches may hold", folder=folder)
    assert retired_keys(folder) == {new.dnskey}
    (third,) = {each for tags in world.tags() for each in tags} - {old.tag}
    assert third != new.tag


@pytest.mark.requirement("a dry run says that the key which signs was retired by another machine")
def test_a_dry_run_at_another_machine(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    new = make_key(tmp_path / "other")
    made = endorse(ZONE, new, old, private_key(key_file(world.folder, old)))
    retired = end(ZONE, old, new, private_key(key_file(tmp_path / "other", new)))
    write_key_record(world.servers, ZONE, KeyRecord.together([KeyRecord(made=frozenset({made})), retired]))
    (first, *_) = look_ahead(load_runbook(FOLDER), None, world.roll()).forecasts
    assert first.outlook is Outlook.BLOCKED
    assert f"key {old.tag}, which signs, was retired" in first.text
    assert retired_keys(world.folder) == frozenset()


@pytest.mark.requirement("a key counts as gone only when every authority knows that it was retired")
def test_when_a_key_is_gone(world: World, tmp_path: Path) -> None:
    old, _ = rolled(world, tmp_path)
    assert world.roll().is_discarded(old)
    world.servers[1].remove(ZONE, record_name(ZONE), TYPE)
    assert not world.roll().is_discarded(old)
