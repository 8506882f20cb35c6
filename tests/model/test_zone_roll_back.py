"""A roll that cannot end is taken back, a retired key never signs again, and two rolls do not go on at once."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from edge_declaration import ZONE
from zone_world import BEGIN, World, left, zone_world

from runbooks.engine import BlockedError, Outlook, StepFailedError, load_runbook, look_ahead
from runbooks.zone_roll.records import ROLLS, retired_in
from runbooks.zone_roll.run import ABORT, roll_key
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.zone_keys import RETIRED, ZoneKey, ZoneKeyError, key_file, make_key, retired_keys

HOUR = timedelta(seconds=3605)
"""The longest TTL of the zone, and the margin."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return zone_world(tmp_path / "keys", monkeypatch)


def rolled(world: World, records: Path) -> tuple[ZoneKey, ZoneKey]:
    """Roll once, and return the old and the new key."""
    (old,) = world.kept()
    world.go(records, "caches may hold")
    new = world.only_new(old)
    world.now += HOUR
    world.ds = {new.ds(ZONE)}
    world.go(records, "caches may hold")
    world.now += timedelta(seconds=86405)
    world.go(records)
    assert world.tags() == [{new.tag}] * 2
    return old, new


def asked_for_ds(world: World, records: Path) -> tuple[ZoneKey, ZoneKey]:
    """Roll until a person is asked to change the DS, and return the old and the new key."""
    (old,) = world.kept()
    world.go(records, "caches may hold")
    world.now += HOUR
    world.go(records, "IN DS")
    return old, world.only_new(old)


@pytest.mark.requirement("a key that was rolled away is never taken again, though its file comes back from a copy")
@pytest.mark.parametrize("record", ["beside the keys", "of rolls alone"])
def test_a_retired_key_comes_back(world: World, tmp_path: Path, record: str) -> None:
    shutil.copytree(world.folder, tmp_path / "copy")
    old, new = rolled(world, tmp_path)
    assert (world.folder / RETIRED).read_text() == f"{old.tag} {old.dnskey}\n"
    assert retired_in(tmp_path / ROLLS, ZONE) == [old.dnskey]
    if record == "of rolls alone":
        (world.folder / RETIRED).unlink()
    shutil.copytree(tmp_path / "copy", world.folder, dirs_exist_ok=True)
    stray = make_key(world.folder)  # that no run's record names
    world.go(tmp_path, "caches may hold")
    (third,) = (each for each in world.kept() if each not in {old, new, stray})
    assert world.tags() == [{new.tag, third.tag}] * 2
    assert retired_keys(world.folder) == {old.dnskey}


def test_every_copy_of_a_retired_key_goes(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    shutil.copy(key_file(world.folder, old), world.folder / "a copy.pem")
    _, new = rolled(world, tmp_path)
    assert sorted(each.name for each in world.folder.iterdir()) == [f"{new.tag}.pem", RETIRED]


@pytest.mark.parametrize("text", ["nonsense\n", "1 257 3 13 AAAA\n"])
def test_a_record_of_retired_keys_that_cannot_be_read(world: World, text: str) -> None:
    (world.folder / RETIRED).write_text(text)
    with pytest.raises(ZoneKeyError, match="retired cannot be read"):
        retired_keys(world.folder)


@pytest.mark.requirement("the file of a new key is in the run's record before it is there")
def test_a_kill_while_a_key_is_made(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = world.kept()

    def dies(*_words: object, **_more: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as killed:
        killed.setattr("shopsphere.names.zone_keys.write_whole", dies)
        world.go(tmp_path, "killed")
    assert world.kept() == [old]
    world.go(tmp_path, "caches may hold")
    new = world.only_new(old)
    assert world.tags() == [{old.tag, new.tag}] * 2


@pytest.mark.requirement("a roll whose new key file is lost says which file, and can be taken back")
def test_a_lost_file(world: World, tmp_path: Path) -> None:
    old, new = asked_for_ds(world, tmp_path)
    file = key_file(world.folder, new)
    file.unlink()
    world.go(tmp_path, f"(?s){new.tag} is lost: {file}.*zone roll --abort")
    assert world.tags() == [{old.tag, new.tag}] * 2
    begun = world.now
    world.go(tmp_path, "caches may hold", abort=True)  # the registrar may have been told: a day of its DS
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.now = begun + timedelta(seconds=86404)
    world.go(tmp_path, abort=False, words="is lost")
    world.now = begun + timedelta(seconds=86405)
    world.go(tmp_path, "caches may hold", abort=True)  # the way forward was tried meanwhile, so it is waited anew
    world.now += timedelta(seconds=86405)
    world.go(tmp_path, abort=True)
    assert world.tags() == [{old.tag}] * 2
    assert world.kept() == [old]
    assert retired_keys(world.folder) == {new.dnskey}
    assert left(tmp_path) is None
    log = (tmp_path / "audit.jsonl").read_text()
    ends = [line for line in log.splitlines() if '"event":"end"' in line]
    assert len(ends) == 1
    assert '"runbook":"abort_zone_roll"' in ends[0]
    world.go(tmp_path, "caches may hold")  # a roll begins anew, with another key
    assert world.only_new(old) != new


@pytest.mark.requirement("before the registrar was asked, a roll is taken back at once; killed in between, it goes on")
def test_taken_back_at_once(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    world.go(tmp_path, "caches may hold")
    new = world.only_new(old)

    class Dying:
        """An authority at which the process is gone right after the key was taken."""

        def __getattr__(self, name: str) -> object:
            found = getattr(world.servers[0], name)

            def change(*words: object) -> None:
                found(*words)
                raise RuntimeError("gone")

            return change if name == "remove_zone_key" else found

    dying: DnsAuthority = Dying()  # type: ignore[assignment] # as much of one as the other
    with pytest.raises(StepFailedError, match="gone"):
        roll_key(replace(world.roll(), authorities=[dying, world.servers[1]]), tmp_path, "test", abort=True)
    assert world.tags() == [{old.tag}, {old.tag, new.tag}]
    with pytest.raises(BlockedError, match="being taken back"):
        roll_key(world.roll(), tmp_path, "test")
    assert world.tags() == [{old.tag}, {old.tag, new.tag}]
    world.go(tmp_path, abort=True)
    assert world.tags() == [{old.tag}] * 2
    assert world.kept() == [old]
    with pytest.raises(ShopSphereError, match="no roll to take back"):
        roll_key(world.roll(), tmp_path, "test", abort=True)


@pytest.mark.requirement("a key that a server of the parent shows is not taken back, nor where the old one is missing")
def test_no_way_back(world: World, tmp_path: Path) -> None:
    old, new = asked_for_ds(world, tmp_path)
    for shown in ({new.ds(ZONE)}, {old.ds(ZONE), new.ds(ZONE)}):
        world.ds = shown
        world.go(tmp_path, "shows the new key", abort=True)
        values = {"old key": old.dnskey, "new key": new.dnskey}
        plan = look_ahead(load_runbook(ABORT), None, replace(world.roll(), left=values))
        assert [each.step.number for each in plan.forecasts if each.outlook is Outlook.BLOCKED] == [1, 3]
    world.ds = {old.ds(ZONE)}
    number, dnskey = next((number, each) for number, each in world.servers[1].keys.items() if each == old.dnskey)
    del world.servers[1].keys[number]
    world.go(tmp_path, f"old key {old.tag} is retired, or does not sign at ns2", abort=True)
    assert world.tags() == [{old.tag, new.tag}, {new.tag}]
    world.servers[1].keys[number] = dnskey
    world.ds = {new.ds(ZONE)}
    world.go(tmp_path, "caches may hold")
    assert left(tmp_path) is not None


@pytest.mark.requirement("a new DS that is shown while a roll is taken back begins the wait anew")
def test_shown_during_the_wait(world: World, tmp_path: Path) -> None:
    old, new = asked_for_ds(world, tmp_path)
    world.go(tmp_path, "caches may hold", abort=True)
    world.now += timedelta(seconds=86000)
    world.ds = {new.ds(ZONE)}
    world.go(tmp_path, "shows the new key", abort=True)
    world.ds = {old.ds(ZONE)}
    world.now += timedelta(seconds=405)
    world.go(tmp_path, "caches may hold", abort=True)
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.now += timedelta(seconds=86405)
    world.go(tmp_path, abort=True)
    assert world.tags() == [{old.tag}] * 2


@pytest.mark.requirement("a roll whose new key the parent shows ends without the key's file: there is no other way")
def test_forward_without_the_file(world: World, tmp_path: Path) -> None:
    _, new = asked_for_ds(world, tmp_path)
    key_file(world.folder, new).unlink()
    world.ds = {new.ds(ZONE)}
    world.go(tmp_path, "caches may hold")
    world.now += timedelta(seconds=86405)
    world.go(tmp_path)
    assert world.tags() == [{new.tag}] * 2


@pytest.mark.requirement("of two operators who roll at once, one is stopped by the other's key and takes his back")
def test_two_rolls_at_once(world: World, tmp_path: Path) -> None:
    (old,) = world.kept()
    shutil.copytree(world.folder, tmp_path / "theirs")
    ours, theirs = tmp_path / "our-records", tmp_path / "their-records"
    world.servers[0].fails_on = {"add_zone_key"}
    world.go(theirs, "does not answer", folder=tmp_path / "theirs")  # they have made a key that is nowhere yet
    world.servers[0].fails_on = set()
    world.go(ours, "caches may hold")
    new = world.only_new(old)
    world.go(theirs, f"none of this roll: {new.tag} at ns1, {new.tag} at ns2", folder=tmp_path / "theirs")
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.go(theirs, folder=tmp_path / "theirs", abort=True)
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.now = BEGIN + HOUR
    foreign = make_key(tmp_path / "third")
    world.servers[1].keys[9], world.servers[1].idle = foreign.dnskey, {9}
    world.go(ours, f"none of this roll: {foreign.tag} at ns2")  # in place of what to write at the registrar
    world.ds = {new.ds(ZONE)}
    world.go(ours, f"none of this roll: {foreign.tag} at ns2")
    assert old.tag in world.tags()[0]
    del world.servers[1].keys[9]
    world.go(ours, "caches may hold")
