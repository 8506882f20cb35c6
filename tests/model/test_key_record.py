"""What the zone itself says of its keys: lines that are believed only where they are signed, or only forbid."""

from pathlib import Path

import pytest
from edge_declaration import ZONE
from edge_fakes import FakeAuthority

from shopsphere.clients.edge_errors import VerificationError
from shopsphere.clients.powerdns import RRset
from shopsphere.names.key_record import (
    TYPE,
    Endorsement,
    KeyRecord,
    endorse,
    read_record,
    record_name,
    write_key_record,
)
from shopsphere.names.zone_keys import ZoneKey, key_file, make_key, private_key


@pytest.fixture
def servers() -> list[FakeAuthority]:
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for server in found:
        server.create_zone(ZONE, [])
    return found


@pytest.fixture
def keys(tmp_path: Path) -> list[ZoneKey]:
    return [make_key(tmp_path) for _ in range(3)]


def made(folder: Path, new: ZoneKey, by: ZoneKey) -> Endorsement:
    return endorse(ZONE, new, by, private_key(key_file(folder, by)))


@pytest.mark.requirement("a key that a roll made is known by the key before it, over several rolls, and no other is")
def test_known_keys(keys: list[ZoneKey], tmp_path: Path) -> None:
    first, second, third = keys
    chain = {made(tmp_path, second, first), made(tmp_path, third, second)}
    record = KeyRecord.of(KeyRecord(frozenset({first.dnskey}), frozenset(chain)).rrset(ZONE))
    assert record.made == chain
    anchors = {first.ds(ZONE)}
    assert record.known(ZONE, [third.dnskey], anchors) == {third.dnskey}, "the first one need not be there any more"
    assert record.known(ZONE, [second.dnskey, third.dnskey], {second.ds(ZONE)}) == {second.dnskey, third.dnskey}
    assert record.known(ZONE, [each.dnskey for each in keys], {third.ds(ZONE)}) == {third.dnskey}
    assert record.known(ZONE, [each.dnskey for each in keys], frozenset()) == frozenset()
    assert record.known("other.test.", [third.dnskey], {first.ds("other.test.")}) == frozenset()


@pytest.mark.requirement("who may write the record, and has no key of the zone, makes no key known")
def test_forged_lines(keys: list[ZoneKey], tmp_path: Path) -> None:
    ours, stranger, other = keys
    own = made(tmp_path, stranger, stranger)
    forged = {
        own,
        Endorsement(stranger.dnskey, ours.tag, own.signature),
        Endorsement(stranger.dnskey, ours.tag, made(tmp_path, other, ours).signature),
        Endorsement(stranger.dnskey, ours.tag, "AAAA"),
    }
    anchors = {ours.ds(ZONE)}
    there = [ours.dnskey, stranger.dnskey]
    assert KeyRecord(made=frozenset(forged)).known(ZONE, there, anchors) == {ours.dnskey}


def test_lines_of_another_shape_say_nothing() -> None:
    lines = ('"retired 1 2 3"', '"retired 257 3 13 AAAA extra"', '"made 257 3 13 !! by 1 AA"', "nonsense")
    assert KeyRecord.of(RRset(record_name(ZONE), TYPE, 60, lines)) == KeyRecord.of(None) == KeyRecord()


@pytest.mark.requirement("every authority holds what any of them knows, and a damaged record is made whole")
def test_writing(servers: list[FakeAuthority], keys: list[ZoneKey], tmp_path: Path) -> None:
    first, second, _ = keys
    write_key_record(servers, ZONE, KeyRecord())
    assert servers[0].names(ZONE) == [], "no empty record"
    servers[0].replace(ZONE, [RRset(record_name(ZONE), TYPE, 60, ('"garbage"',))])
    write_key_record(servers, ZONE, KeyRecord())
    assert servers[0].names(ZONE) == []
    write_key_record(servers[:1], ZONE, KeyRecord(retired=frozenset({first.dnskey})))
    more = KeyRecord(made=frozenset({made(tmp_path, second, first)}))
    write_key_record(servers, ZONE, more)
    assert read_record(servers[0], ZONE) == read_record(servers[1], ZONE) == KeyRecord(
        frozenset({first.dnskey}), more.made
    )  # fmt: skip
    before = [server.writes for server in servers]
    write_key_record(servers, ZONE, more)
    assert [server.writes for server in servers] == before
    whole = servers[1].zones[ZONE][record_name(ZONE), TYPE]
    servers[1].zones[ZONE][record_name(ZONE), TYPE] = RRset(whole.name, TYPE, 60, (*whole.records[:1], '"garbage"'))
    write_key_record(servers, ZONE, KeyRecord())
    assert servers[1].zones[ZONE][record_name(ZONE), TYPE] == whole
    assert all(len(line) <= 257 for line in whole.records), "one string of a TXT record has 255 bytes at most"
    servers[0].loses = True
    with pytest.raises(VerificationError, match="ns1 does not show the record of keys"):
        write_key_record(servers, ZONE, KeyRecord(retired=frozenset({second.dnskey})))
