"""Lines of `_zone-keys` that a stranger wrote, who has a deployer's certificate and no key: nothing is taken away."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import DNS, ZONE
from present import present
from zone_world import World, zone_world

from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from runbooks.engine import BlockedError, Outlook, load_runbook, look_ahead
from runbooks.zone_roll.run import FOLDER, roll_key
from shopsphere.clients.powerdns import RRset
from shopsphere.names import zone_keys
from shopsphere.names.key_record import (
    LINES,
    TYPE,
    Endorsement,
    KeyRecord,
    end,
    endorse,
    read_record,
    record_name,
    write_key_record,
)
from shopsphere.names.zone_keys import (
    ZoneKey,
    ZoneKeyError,
    kept_keys,
    key_file,
    make_key,
    private_key,
    private_text,
    retire,
    retired_keys,
)

PROVIDER = PowerDnsZoneKeysProvider()
FALSE = "says that key"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = zone_world(tmp_path / "first" / "zone-keys", monkeypatch)
    monkeypatch.setattr(PowerDnsZoneKeysProvider, "connect", lambda _self, _props: found.servers)
    monkeypatch.setattr("shopsphere.names.zone_choice.shown_ds", found.shown)
    return found


def outs(folder: Path, **state: Any) -> dict[str, Any]:
    inputs = {**DNS.key_inputs(), "keysFolder": str(folder), "parentServers": ["10.0.0.1"]}
    return present(PROVIDER.update("", state, inputs).outs)


def add(world: World, record: KeyRecord, *places: int) -> None:
    """Write lines beside those that are there."""
    for place in places or (0,):
        there = read_record(world.servers[place], ZONE)
        world.servers[place].replace(ZONE, [present(KeyRecord.together([there, record]).rrset(ZONE))])


def said(key: ZoneKey, tag: int, signature: str) -> KeyRecord:
    return KeyRecord(frozenset({key.dnskey}), ended=frozenset({Endorsement(key.dnskey, tag, signature)}))


def both_sign(world: World, records: Path) -> tuple[ZoneKey, ZoneKey]:
    (old,) = world.kept()
    world.go(records, "caches may hold")
    return old, world.only_new(old)


@pytest.mark.requirement("in the middle of a roll no line takes a key away which a key that stays has not signed")
@pytest.mark.parametrize("which", ["old", "new"])
@pytest.mark.parametrize("kind", ["unsigned", "forged", "by a stranger", "of what was made", "by itself"])
def test_in_a_roll(world: World, tmp_path: Path, which: str, kind: str) -> None:
    before = outs(tmp_path / "first")
    old, new = both_sign(world, tmp_path)
    false, other = (old, new) if which == "old" else (new, old)
    stranger = make_key(tmp_path / "strange")
    private = private_key(key_file(tmp_path / "strange", stranger))
    match kind:
        case "unsigned":
            line = KeyRecord(frozenset({false.dnskey}))
        case "forged":
            (signature,) = (each.signature for each in end(ZONE, false, stranger, private).ended)
            line = said(false, other.tag, signature)
        case "by a stranger":
            line = end(ZONE, false, stranger, private)
        case "of what was made":
            made = endorse(ZONE, false, other, private_key(key_file(world.folder, other)))
            line = said(false, other.tag, made.signature)
        case _:
            line = end(ZONE, false, false, private_key(key_file(world.folder, false)))
    add(world, line)
    for folder in ("first", "empty"):
        state = present(PROVIDER.read("", before).outs)
        assert state["retired"] == []
        with pytest.raises(ZoneKeyError, match=rf"keys of {ZONE} were retired(?s:.*)key {false.tag} at ns1\n"):
            outs(tmp_path / folder, **{**state, "keysFolder": str(tmp_path / folder)})
    assert world.tags() == [{old.tag, new.tag}] * 2
    assert read_record(world.servers[1], ZONE).retired == frozenset(), "it is copied to nobody"
    assert retired_keys(world.folder) == frozenset()
    for abort in (False, True):
        with pytest.raises(BlockedError, match=f"{FALSE} {false.tag} was retired"):
            roll_key(world.roll(), tmp_path, "test", abort=abort)
    assert retired_keys(world.folder) == frozenset()
    assert set(kept_keys(world.folder)) == {old.dnskey, new.dnskey}
    world.servers[0].remove(ZONE, record_name(ZONE), TYPE)
    assert outs(tmp_path / "first", **before)["live"] == {"ns1": "signed", "ns2": "signed"}


@pytest.mark.requirement("no roll begins, nor is one looked ahead, where a false line names the key that signs")
def test_before_a_roll(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    add(world, KeyRecord(frozenset({old.dnskey})), 1)
    (first, *_) = look_ahead(load_runbook(FOLDER), None, world.roll()).forecasts
    assert first.outlook is Outlook.BLOCKED
    assert f"{FALSE} {old.tag} was retired" in first.text
    with pytest.raises(BlockedError, match=FALSE):
        roll_key(world.roll(), tmp_path, "test")
    assert retired_keys(world.folder) == frozenset()


@pytest.mark.requirement("a line about a key that has a file here, though it signs nowhere, is refused")
def test_a_file_that_waits(world: World, tmp_path: Path) -> None:
    state = outs(tmp_path / "first")
    spare = make_key(world.folder)
    add(world, KeyRecord(frozenset({spare.dnskey})))
    with pytest.raises(ZoneKeyError, match=f"key {spare.tag}"):
        outs(tmp_path / "first", **state)
    assert retired_keys(world.folder) == frozenset()


@pytest.mark.requirement("who has a key that was retired retires no other one with it")
def test_by_a_retired_key(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    private = private_key(key_file(world.folder, old))
    new = make_key(world.folder)
    for server in world.servers:
        server.keys = {}
        server.add_zone_key(ZONE, private_text(key_file(world.folder, new)))
    key_file(world.folder, old).unlink()
    retire(world.folder, old)
    state = outs(tmp_path / "first", ds=[new.ds(ZONE)])
    assert read_record(world.servers[1], ZONE).is_ended_by(ZONE, old, new), "the key in use says so"
    next_ = make_key(world.folder)
    for server in world.servers:
        server.add_zone_key(ZONE, private_text(key_file(world.folder, next_)))
    add(world, end(ZONE, new, old, private))
    with pytest.raises(ZoneKeyError, match=f"key {new.tag}"):
        outs(tmp_path / "first", **{**state, "ds": [old.ds(ZONE), new.ds(ZONE)]})
    assert world.tags() == [{new.tag, next_.tag}] * 2


@pytest.mark.requirement("the file of a retired key, left on another machine, makes no stranger's key known")
@pytest.mark.parametrize("knows", ["state", "file", "record"])
def test_an_old_file_vouches_for_nobody(world: World, tmp_path: Path, knows: str) -> None:
    (old,) = world.kept()
    shutil.copytree(tmp_path / "first", tmp_path / "ci")
    private = private_key(key_file(world.folder, old))
    new, stranger = make_key(world.folder), make_key(tmp_path / "strange")
    for server in world.servers:
        server.keys = {}
        server.add_zone_key(ZONE, private_text(key_file(world.folder, new)))
        server.add_zone_key(ZONE, private_text(key_file(tmp_path / "strange", stranger)))
    state = {"ds": [new.ds(ZONE)], "retired": [old.dnskey] if knows == "state" else []}
    if knows == "file":
        retire(tmp_path / "ci" / "zone-keys", old)
    if knows == "record":
        add(world, end(ZONE, old, new, private_key(key_file(world.folder, new))), 0, 1)
    add(world, KeyRecord(made=frozenset({endorse(ZONE, stranger, old, private)})), 0, 1)
    with pytest.raises(ZoneKeyError, match=f"nobody here knows(?s:.*)key {stranger.tag} at ns1"):
        outs(tmp_path / "ci", **state)


@pytest.mark.requirement("a forged line that names the new key does not keep the real one from being written")
def test_a_forged_line_hides_nothing(world: World, tmp_path: Path) -> None:
    old, new = both_sign(world, tmp_path)
    for server in world.servers:
        server.remove(ZONE, record_name(ZONE), TYPE)
    add(world, KeyRecord(made=frozenset({Endorsement(new.dnskey, old.tag, "AAAA")})))
    roll = world.roll()
    object.__setattr__(roll, "left", {"old key": old.dnskey, "new key": new.dnskey})
    roll.tell_new_key()
    anchors = {old.ds(ZONE)}
    both = {old.dnskey, new.dnskey}
    assert [read_record(each, ZONE).known(ZONE, both, anchors) for each in world.servers] == [both] * 2
    add(world, said(new, old.tag, "AAAA"))
    roll.withdraw(new, stays=old)
    found = [read_record(each, ZONE).proven(ZONE, [old.dnskey], anchors, set()) for each in world.servers]
    assert found == [{new.dnskey}] * 2
    assert world.tags() == [{old.tag}] * 2


@pytest.mark.requirement("a flood of lines is neither read nor copied: the authority is named, and how it is cleaned")
@pytest.mark.parametrize("kind", ["many", "long"])
def test_a_flood(world: World, tmp_path: Path, kind: str) -> None:
    state = outs(tmp_path / "first")
    many = tuple(f'"retired 257 3 13 {n:088d}"' for n in range(LINES + 1))
    lines = many if kind == "many" else (f'"{"x" * 700}"',)
    world.servers[1].replace(ZONE, [RRset(record_name(ZONE), TYPE, 60, lines)])
    words = "at DNS authority ns2 is larger(?s:.*)pdnsutil delete-rrset shopsphere.test _zone-keys TXT"
    read = present(PROVIDER.read("", state).outs)
    assert read["live"]["ns2"] == "with a record of keys that is too large to be read"
    for act in (
        lambda: outs(tmp_path / "first", **read),
        lambda: roll_key(world.roll(), tmp_path, "test"),
        lambda: write_key_record(world.servers, ZONE, KeyRecord()),
    ):
        with pytest.raises(ZoneKeyError, match=words):
            act()
    assert world.servers[0].names(ZONE) == [(f"www.{ZONE}", "A")]
    assert retired_keys(world.folder) == frozenset()


@pytest.mark.requirement("lines that are too many only together are copied to nobody")
def test_a_flood_in_parts(world: World) -> None:
    half = LINES // 2 + 1
    keys = [f"257 3 13 {n:088d}" for n in range(2 * half)]
    add(world, KeyRecord(frozenset(keys[:half])), 0)
    add(world, KeyRecord(frozenset(keys[half:])), 1)
    with pytest.raises(ZoneKeyError, match="ns1, ns2 is larger"):
        write_key_record(world.servers, ZONE, KeyRecord())


@pytest.mark.requirement("a key is made though its tag was retired, and where files have all tags it is said")
def test_all_tags_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_key(tmp_path / "other")
    retire(tmp_path, first)
    monkeypatch.setattr(ZoneKey, "tag", first.tag)
    second = make_key(tmp_path)
    assert second != first
    with pytest.raises(ZoneKeyError, match="no key of the zone can be made"):
        make_key(tmp_path)
    assert list(kept_keys(tmp_path)) == [second.dnskey]
    assert zone_keys.key_file(tmp_path, second).exists()
