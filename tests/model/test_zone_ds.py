"""DS of other digests than SHA-256: they lead to a key, may lead to it, or do not, and are never taken for none."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from edge_declaration import ZONE
from zone_world import World, left, zone_world

from shopsphere.names.zone_ds import is_checked, leads, leads_alone, may_lead, strange, unchecked
from shopsphere.names.zone_keys import ZoneKey, key_file
from shopsphere.names.zone_proof import Proof, Vouched
from shopsphere.names.zone_view import ZoneView, judge_zone_view

# The key, and its DS with SHA-1, SHA-256 and SHA-384, as PowerDNS 4.7.3 printed them for the zone s.test.
KEY = ZoneKey("257 3 13 AhfmF/C2RDkoJ4+WmZ5pojpPLBUr321s32bluAKC1O0ZSn3ry5dxLS3aPKhaqHZaVvRfx1hZllLyiXxlMG5XlA==")
SHA1 = "9285 13 1 922195662fa5207502e16be258a3b171ed7685b4"
SHA256 = "9285 13 2 e3e802c8d3d440038314b976ae0dc7498f7d2e202ec0100b94ac90e5dcbb2286"
SHA384 = "9285 13 4 d051b3c2a868134c4b99bf575625ab6e7b23addeef676fe55e9db1d5b601ba005ce71da240da3535c2c58a136a888350"
GOST = "9285 13 5 " + "ab" * 32
FOREIGN = SHA256.replace("9285", "9286")
S = "s.test."


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return zone_world(tmp_path / "keys", monkeypatch)


def test_digests_are_those_of_powerdns() -> None:
    assert [KEY.ds(S, each) for each in (1, 2, 4)] == [SHA1, SHA256, SHA384]


@pytest.mark.parametrize(
    ("shown", "all_resolvers", "some", "alone"),
    [
        ({SHA256}, True, True, True),
        ({SHA384}, True, True, True),
        ({SHA1, SHA256, SHA384}, True, True, True),
        ({SHA1}, False, True, False),
        ({GOST}, False, True, False),
        ({SHA256, GOST}, True, True, False),
        ({SHA384, FOREIGN}, True, True, False),
        ({FOREIGN, GOST.replace("9285", "9286"), GOST.replace(" 13 ", " 8 "), SHA384[:-1] + "1"}, False, False, False),
        (set[str](), False, False, False),
    ],
)
def test_what_leads_to_a_key(shown: set[str], all_resolvers: bool, some: bool, alone: bool) -> None:
    assert (leads(shown, S, KEY), may_lead(shown, S, KEY), leads_alone(shown, S, KEY)) == (all_resolvers, some, alone)


def test_what_is_said_of_digests() -> None:
    assert unchecked({SHA256, SHA384}) == unchecked(()) == ""
    assert unchecked({SHA256, SHA1, GOST}).startswith("digest type 1 (SHA1, ignored by many), 5 is none that all")
    assert strange({SHA384, GOST, FOREIGN}, S, [KEY]) == [FOREIGN]
    assert (is_checked({SHA1, GOST}), is_checked({SHA1, SHA384}), is_checked(())) == (False, True, False)


@pytest.mark.requirement("a new key is not taken back while the parent shows it by any digest, or by one unknown here")
@pytest.mark.parametrize("digest", [1, 2, 4, 6])
@pytest.mark.parametrize("beside", ["alone", "beside the old one"])
def test_no_way_back(world: World, tmp_path: Path, digest: int, beside: str) -> None:
    old, new = asked_for_ds(world, tmp_path)
    shown = new.ds(ZONE, digest) if digest != 6 else f"{new.tag} 13 6 {'ab' * 32}"
    world.ds = {shown, *({old.ds(ZONE)} if beside != "alone" else ())}
    world.go(tmp_path, rf"shows the new key {new.tag} at 10\.0\.0\.1: .*{new.tag} 13 {digest} ", abort=True)
    assert world.tags() == [{old.tag, new.tag}] * 2


@pytest.mark.requirement("a parent that makes SHA-384 digests, alone or beside SHA-256, is rolled like any other")
@pytest.mark.parametrize("digests", [(4,), (2, 4), (1, 2)])
def test_a_roll_with_other_digests(world: World, tmp_path: Path, digests: tuple[int, ...]) -> None:
    (old,) = world.kept()
    world.ds = {old.ds(ZONE, each) for each in digests}
    old, new = asked_for_ds(world, tmp_path)
    world.ds = {new.ds(ZONE, each) for each in digests} | {old.ds(ZONE, 4)}
    world.go(tmp_path, f"IN DS {new.ds(ZONE)}, and no other; now .*{old.ds(ZONE, 4)}")
    world.ds = {new.ds(ZONE, each) for each in digests}
    world.go(tmp_path, "caches may hold")
    world.later(86405)
    world.go(tmp_path)
    assert world.tags() == [{new.tag}] * 2


@pytest.mark.requirement("an old DS that was shown again while a roll was to be taken back is waited for anew")
@pytest.mark.parametrize("digest", [2, 4])
def test_an_old_ds_that_came_back(world: World, tmp_path: Path, digest: int) -> None:
    old, new = asked_for_ds(world, tmp_path)
    world.ds = {new.ds(ZONE)}
    world.go(tmp_path, "caches may hold")
    world.later(80000)
    world.ds = {old.ds(ZONE, digest)}
    world.go(tmp_path, "caches may hold", abort=True)
    world.ds = {new.ds(ZONE)}
    world.later(10000)
    world.go(tmp_path, "caches may hold")
    assert world.tags() == [{old.tag, new.tag}] * 2


@pytest.mark.requirement("a DS that resolvers do not all go by is told, and no roll goes on with it")
@pytest.mark.parametrize("digest", ["1 " + "ab" * 20, "3 " + "ab" * 32])
def test_no_roll_with_weak_digests(world: World, tmp_path: Path, digest: str) -> None:
    (old,) = world.kept()
    world.ds = {f"{old.tag} 13 {digest}"}
    world.go(tmp_path, "digest type [13].* is none that all resolvers check")
    assert left(tmp_path) is None
    world.ds = {old.ds(ZONE)}
    old, new = asked_for_ds(world, tmp_path)
    world.ds = {new.ds(ZONE, 1)}
    world.go(tmp_path, r"and no other; now .*digest type 1 \(SHA1, ignored by many\)")
    assert world.tags() == [{old.tag, new.tag}] * 2


@pytest.mark.requirement("no second new key is made while the parent shows the first one by SHA-384")
def test_a_lost_file_that_the_parent_shows(world: World, tmp_path: Path) -> None:
    old, new = asked_for_ds(world, tmp_path)
    key_file(world.folder, new).unlink()
    for server in world.servers:
        server.keys = {number: each for number, each in server.keys.items() if each == old.dnskey}
    world.ds = {old.ds(ZONE), new.ds(ZONE, 4)}
    world.go(tmp_path, f"{new.tag} is lost: .*10.0.0.1")
    assert world.kept() == [old]


@pytest.mark.requirement("a zone whose DS no resolver goes by is no zone without a DS")
@pytest.mark.parametrize("shown", [SHA1, GOST])
def test_a_view_of_weak_digests(shown: str) -> None:
    found = judge_zone_view(ZoneView({"10.0.0.1": Vouched(frozenset({shown}), 60)}, {}), datetime.now(UTC))
    assert not found.passed
    assert shown in found.found
    proof = Proof(frozenset({9285}), frozenset({9285}), datetime(2126, 1, 1, tzinfo=UTC), 60)
    both = ZoneView({"10.0.0.1": Vouched(frozenset({shown, SHA384}), 60)}, {"10.0.0.1": proof})
    assert judge_zone_view(both, datetime.now(UTC)).passed


def asked_for_ds(world: World, records: Path) -> tuple[ZoneKey, ZoneKey]:
    """Roll until a person is asked to change the DS, and return the old and the new key."""
    (old,) = world.kept()
    world.go(records, "caches may hold")
    world.later(3605)
    world.go(records, "IN DS")
    return old, world.only_new(old)
