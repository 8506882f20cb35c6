"""What a roll of the zone's key refuses, and how long it waits, against authorities in memory."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from edge_declaration import ZONE
from present import present
from zone_world import BEGIN, World, left, zone_world

from runbooks.engine import Outlook, StepFailedError, load_runbook, look_ahead
from runbooks.zone_roll.memory import PATIENCE_SECONDS
from runbooks.zone_roll.run import FOLDER, roll_key
from shopsphere.names.zone_keys import kept_keys, make_key, private_text


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return zone_world(tmp_path / "keys", monkeypatch)


@pytest.mark.requirement("what has to wait for hours is said, with the time, and waited for before anything goes on")
def test_a_roll_over_two_days(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (old,) = world.kept()

    def full(*_words: object, **_more: object) -> None:
        raise OSError(28, "No space left")

    def go(words: str) -> None:
        world.go(tmp_path, words)

    go("until 2026-11-29T13:00 UTC")  # an hour of the zone, and five seconds
    new = world.only_new(old)
    assert world.tags() == [{old.tag, new.tag}] * 2
    early = look_ahead(load_runbook(FOLDER), None, replace(world.roll(), left=present(left(tmp_path)).values))
    assert {each.step.number: each.outlook for each in early.forecasts}[5] is Outlook.LATER, "nobody is sent too early"
    world.now = BEGIN + timedelta(seconds=3604 - PATIENCE_SECONDS)
    go("until 2026-11-29T13:00 UTC")
    world.now = BEGIN + timedelta(seconds=3605)
    go(f"IN DS {new.ds(ZONE)}, and no other; now 10.0.0.1: {old.ds(ZONE)}")
    world.ds |= {new.ds(ZONE)}
    go("and no other")
    plan = look_ahead(load_runbook(FOLDER), None, replace(world.roll(), left=present(left(tmp_path)).values))
    assert [each.step.number for each in plan.forecasts if each.outlook is Outlook.BLOCKED] == [5]
    world.ds, world.ds_ttl = {new.ds(ZONE)}, 300
    go("until 2026-11-30T13:00 UTC")  # a day of the former DS, though the new one lives for five minutes
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.now = BEGIN + timedelta(seconds=3605 + 86405)
    world.ds = {old.ds(ZONE)}
    go("IN DS")  # somebody put the old one back: the roll does not go on
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.ds = {new.ds(ZONE)}
    go("until 2026-12-01T13:00 UTC")  # caches have the old one anew
    assert world.tags() == [{old.tag, new.tag}] * 2
    world.now = BEGIN + timedelta(seconds=3605 + 2 * 86405)
    monkeypatch.setattr("runbooks.engine.report.write_whole", full)  # it is over all the same
    roll_key(world.roll(), tmp_path, "test")
    assert world.tags() == [{new.tag}] * 2
    assert list(kept_keys(world.folder)) == [new.dnskey]
    assert left(tmp_path) is None
    log = (tmp_path / "audit.jsonl").read_text()
    assert (log.count('"begin"'), log.count('"end"')) == (8, 1)
    assert "PRIVATE" not in log


@pytest.mark.requirement("a roll begins only where one key signs everywhere and the parent vouches for it alone")
@pytest.mark.parametrize("fault", ["no ds", "two ds", "unsigned", "two keys", "different keys", "an idle key"])
def test_what_keeps_a_roll_from_beginning(world: World, tmp_path: Path, fault: str) -> None:
    other = make_key(tmp_path / "other")
    private = private_text(kept_keys(tmp_path / "other")[other.dnskey])
    match fault:
        case "no ds":
            world.ds = set()
        case "two ds":
            world.ds |= {other.ds(ZONE)}
        case "unsigned":
            world.servers[1].keys = {}
        case "two keys":
            for server in world.servers:
                server.add_zone_key(ZONE, private)
        case "an idle key":
            world.servers[1].add_zone_key(ZONE, private)
            world.servers[1].idle = {2}
        case "different keys":
            world.servers[1].keys = {}
            world.servers[1].add_zone_key(ZONE, private)
    before, files = world.tags(), list(kept_keys(world.folder))
    plan = look_ahead(load_runbook(FOLDER), None, world.roll())
    assert [each.step.number for each in plan.forecasts if each.outlook is Outlook.BLOCKED] == [1]
    with pytest.raises(StepFailedError, match="01-check-zone"):
        roll_key(world.roll(), tmp_path, "test")
    assert world.tags() == before
    assert list(kept_keys(world.folder)) == files
    assert left(tmp_path) is None, "it changed nothing"
