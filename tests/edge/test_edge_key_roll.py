"""The zone's key is replaced at the real authorities, while the real resolver checks every answer."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from edge_host import EdgeHost

from components.edge.global_dns import GlobalDnsModel
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from lab.edge.parent import show_ds
from runbooks.engine import BlockedError, Journal, StepFailedError, load_runbook, look_ahead
from runbooks.zone_roll.records import ROLLS
from runbooks.zone_roll.run import FOLDER, answers_of, roll_key
from runbooks.zone_roll.zone_roll import ZoneRoll
from shopsphere.clients import powerdns
from shopsphere.foundation.process import run
from shopsphere.names.key_record import read_record
from shopsphere.names.zone_keys import ZoneKey, kept_keys, retired_keys
from shopsphere.names.zone_proof import ProofError, prove, published_tags
from shopsphere.topology import Topology

ZONE, RESOLVER = "shopsphere.test.", "10.99.0.52"
SERVERS = tuple(map(IPv4Address, ("10.99.0.53", "10.99.0.54")))
NAMES = (("www.shopsphere.test", "A"), ("rdc-b.shopsphere.test", "A"), ("static.shopsphere.test", "A"),
         ("shopsphere.test", "CAA"), ("nothere.shopsphere.test", "A"))  # fmt: skip

pytestmark = pytest.mark.usefixtures("zone")


class Customers:
    """Asks the resolver all the time; each answer has to be there and checked."""

    def __init__(self) -> None:
        self.answers, self.problems, self._stop = 0, list[str](), threading.Event()

    def ask(self) -> None:
        while not self._stop.is_set():
            for name, type_ in NAMES:
                question = dns.message.make_query(name, type_, flags=dns.flags.RD | dns.flags.AD)
                try:
                    answer = dns.query.udp(question, RESOLVER, timeout=20)
                except (OSError, dns.exception.DNSException) as error:
                    self.problems.append(f"{name} {type_}: {type(error).__name__} {error}")
                    continue
                wanted = dns.rcode.NXDOMAIN if name.startswith("nothere") else dns.rcode.NOERROR
                if answer.rcode() != wanted or not answer.flags & dns.flags.AD:
                    self.problems.append(f"{name} {type_}: {dns.rcode.to_text(answer.rcode())} {answer.flags:x}")
                self.answers += 1
            time.sleep(0.1)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self.ask)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(120)


class AwayError(Exception):
    """The process ends."""


def dies_after(authority: powerdns.DnsAuthority, method: str) -> powerdns.DnsAuthority:
    """Return an authority at which a process is gone right after it made one kind of change."""

    class Dying:
        def __getattr__(self, name: str) -> object:
            found = getattr(authority, name)
            if name != method:
                return found

            def change(*words: object) -> None:
                found(*words)
                raise AwayError(method)

            return change

    return Dying()  # type: ignore[return-value] # as much of an authority as the other one


@pytest.mark.requirement("a roll that stopped is taken back: the real authorities sign with the old key alone")
def test_roll_is_taken_back(
    edge: EdgeHost, authorities: list[powerdns.DnsAuthority], topology: Topology, tmp_path: Path
) -> None:
    folder = edge.settings.edge_keys / "zone-keys"
    (old,) = map(ZoneKey, kept_keys(folder))
    roll = ZoneRoll(ZONE, authorities, SERVERS, SERVERS, folder, answers_of(topology))
    dying = replace(roll, authorities=[dies_after(authorities[0], "add_zone_key"), authorities[1]])
    show_ds(edge.settings, ZONE, [old.ds(ZONE)])
    try:
        with pytest.raises(StepFailedError, match="AwayError"):
            roll_key(dying, tmp_path, "test")
        (new,) = (ZoneKey(each) for each in kept_keys(folder) if each != old.dnskey)
        assert published_tags(SERVERS[0], ZONE) == {old.tag, new.tag}
        roll_key(roll, tmp_path, "test", abort=True)
        for server in SERVERS:
            proof = prove(server, ZONE, [old.ds(ZONE)], answers_of(topology))
            assert proof.signers == proof.tags == {old.tag}
        assert list(kept_keys(folder)) == [old.dnskey]
        assert retired_keys(folder) == {new.dnskey}
        assert [read_record(each, ZONE).retired for each in authorities] == [{new.dnskey}] * 2
        assert Journal.unfinished(tmp_path / ROLLS, pair=ZONE) is None
    finally:
        show_ds(edge.settings, ZONE, ())


@pytest.mark.requirement("a key is rolled in steps, killed and resumed, and no resolver that checks misses an answer")
def test_roll(
    edge: EdgeHost,
    zone: GlobalDnsModel,
    authorities: list[powerdns.DnsAuthority],
    topology: Topology,
    tmp_path: Path,
) -> None:
    folder = edge.settings.edge_keys / "zone-keys"
    (old,) = map(ZoneKey, kept_keys(folder))
    roll = ZoneRoll(ZONE, authorities, SERVERS, SERVERS, folder, answers_of(topology))

    def held() -> list[set[int]]:
        return [{ZoneKey(each.dnskey).tag for each in one.zone_keys(ZONE)} for one in authorities]

    def left() -> set[str]:
        found = Journal.unfinished(tmp_path / ROLLS, pair=ZONE)
        return {name[:2] for name in found.done} if found else set()

    with pytest.raises(StepFailedError, match="does not vouch for key"):
        roll_key(roll, tmp_path, "test")
    assert held() == [{old.tag}, {old.tag}]
    show_ds(edge.settings, ZONE, [old.ds(ZONE)])
    run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])
    plan = look_ahead(load_runbook(FOLDER), None, roll)
    assert not plan.blockers
    customers = Customers()
    with customers.asking():
        # The process is gone when the first of two authorities has the new key.
        with pytest.raises(StepFailedError, match="AwayError"):
            roll_key(
                replace(roll, authorities=[dies_after(authorities[0], "add_zone_key"), authorities[1]]), tmp_path, "t"
            )
        (new,) = (ZoneKey(each) for each in kept_keys(folder) if each != old.dnskey)
        assert held() == [{old.tag, new.tag}, {old.tag}]
        assert left() == {"01", "02"}
        begun = time.monotonic()
        with pytest.raises(StepFailedError, match=f"IN DS {new.ds(ZONE)}, and no other"):
            roll_key(roll, tmp_path, "test")
        assert held() == [{old.tag, new.tag}] * 2
        assert time.monotonic() - begun > 60, "the longest TTL of the zone"
        assert left() == {"01", "02", "03", "04"}
        for server in SERVERS:
            for key in (old, new):
                assert prove(server, ZONE, [key.ds(ZONE)], answers_of(topology)).signers == {old.tag, new.tag}
        inputs = zone.key_inputs()
        assert (
            not PowerDnsZoneKeysProvider()
            .diff("", PowerDnsZoneKeysProvider().read("", inputs).outs or {}, inputs)
            .changes
        )
        show_ds(edge.settings, ZONE, [new.ds(ZONE)])
        begun = time.monotonic()
        with pytest.raises(StepFailedError, match="AwayError"):
            roll_key(
                replace(roll, authorities=[dies_after(authorities[0], "remove_zone_key"), authorities[1]]),
                tmp_path,
                "t",
            )
        assert time.monotonic() - begun > 30, "the TTL of the parent's DS"
        assert held() == [{new.tag}, {old.tag, new.tag}]
        assert left() == {"01", "02", "03", "04", "05", "06"}
        reports = roll_key(roll, tmp_path, "test")
        assert (reports / "report.json").exists()
        assert held() == [{new.tag}] * 2
        time.sleep(8)  # steered answers from before are in no cache any more
    assert customers.problems == []
    assert customers.answers > 100
    assert list(kept_keys(folder)) == [new.dnskey]
    assert [old.dnskey in read_record(each, ZONE).retired for each in authorities] == [True, True]
    for server in SERVERS:
        with pytest.raises(ProofError):
            prove(server, ZONE, [old.ds(ZONE)], answers_of(topology))
    assert Journal.unfinished(tmp_path / ROLLS, pair=ZONE) is None
    assert issubclass(BlockedError, Exception)
