"""Signed answers of the real authorities, checked as a resolver does, and by the real resolver."""

import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

import dns.dnssec
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from edge_dig import SECONDS, ask
from edge_host import EdgeHost
from present import present

from components.edge.global_dns import GlobalDnsModel
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider
from lab.edge.parent import show_ds, signing_ds
from shopsphere.clients import powerdns
from shopsphere.clients.powerdns import RRset
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.process import run
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import read_records, write_record
from shopsphere.names.zone_keys import ZoneKey
from shopsphere.names.zone_proof import ProofError, prove, shown_ds

ZONE = "shopsphere.test."
SERVERS = ("10.99.0.53", "10.99.0.54")
FRANKFURT, DUBLIN = "10.99.0.11", "10.99.0.12"
ASKED = [(ZONE, "SOA"), (ZONE, "NS"), (ZONE, "CAA"), (ZONE, "A"), ("www.shopsphere.test.", "A"),
         ("rdc-a.shopsphere.test.", "A"), ("dublin.shopsphere.test.", "A")]  # fmt: skip

pytestmark = pytest.mark.usefixtures("zone")


@pytest.fixture(scope="module")
def ds(edge: EdgeHost, zone: GlobalDnsModel, authorities: list[powerdns.DnsAuthority]) -> Iterator[list[str]]:
    """What the parent shows, and the resolver trusts, while these tests run."""
    found = sorted(ZoneKey(each.dnskey).ds(ZONE) for each in authorities[0].zone_keys(ZONE))
    assert signing_ds(edge.settings, ZONE) == found
    assert shown_ds(IPv4Address(SERVERS[1]), ZONE).ds == frozenset()
    show_ds(edge.settings, ZONE, found)
    yield found
    show_ds(edge.settings, ZONE, ())


def dig(name: str, *words: str, at: str = "10.99.0.52") -> str:
    bound = ["+tries=1", f"+time={SECONDS}"]
    return run(["dig", f"@{at}", name, *words, *bound], check=False, seconds=SECONDS + 30).stdout


@pytest.mark.requirement("every answer is signed by a key that the parent vouches for, at both authorities alike")
@pytest.mark.parametrize("server", SERVERS)
def test_answers_are_proven(server: str, ds: list[str]) -> None:
    proof = prove(IPv4Address(server), ZONE, ds, ASKED)
    assert len(ds) == 1
    assert proof.signers == proof.tags == {int(ds[0].split()[0])}
    assert proof.ttl == 60
    assert proof.ends.timestamp() > time.time() + 7 * 86400
    with pytest.raises(ProofError, match="no key of shopsphere"):
        prove(IPv4Address(server), ZONE, [ds[0][:-2] + ("00" if ds[0][-2:] != "00" else "11")], ASKED)


@pytest.mark.requirement("that a name, or a type of a name, is not there is proven too")
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("name", "type_", "proofs"),
    [
        # Between two names in order, and no name that stands for all others.
        ("nothere.shopsphere.test.", "A", {("newyork", "ns1"), ("@", "ashburn")}),
        ("www.shopsphere.test.", "AAAA", {("www", "@")}),
        ("shopsphere.test.", "TXT", {("@", "ashburn")}),
    ],
)
def test_absence_is_proven(server: str, name: str, type_: str, proofs: set[tuple[str, str]], ds: list[str]) -> None:
    def asked(name: str, type_: str) -> dns.message.Message:
        return dns.query.udp(dns.message.make_query(name, type_, want_dnssec=True), server, timeout=15)

    apex = dns.name.from_text(ZONE)
    (keys,) = [each for each in asked(ZONE, "DNSKEY").answer if each.rdtype == dns.rdatatype.DNSKEY]
    answer = asked(name, type_)
    found = set()
    for each in answer.authority:
        if each.rdtype != dns.rdatatype.RRSIG:
            signature = answer.get_rrset(
                answer.authority, each.name, dns.rdataclass.IN, dns.rdatatype.RRSIG, each.rdtype
            )
            dns.dnssec.validate(each, present(signature), {apex: keys})
        if each.rdtype == dns.rdatatype.NSEC:
            follows = dns.name.from_text(str(each[0]).split()[0])
            found.add((str(each.name.relativize(apex)), str(follows.relativize(apex))))
            types = set(str(each[0]).split()[1:])
            assert each.name != dns.name.from_text(name) or type_ not in types
    assert found == proofs


@pytest.mark.requirement("an order of names follows what is added and removed")
def test_absence_after_changes(authorities: list[powerdns.DnsAuthority], ds: list[str]) -> None:
    name = "nothera.shopsphere.test."

    def proofs() -> list[str]:
        answers = [dig("nothere.shopsphere.test", "+dnssec", at=server).splitlines() for server in SERVERS]
        return [
            " ".join(line.split()[0:1] + line.split()[3:5])
            for lines in answers
            for line in lines
            if "NSEC ns1." in " ".join(line.split())
        ]

    for authority in authorities:
        authority.replace(ZONE, [RRset(name, "A", 60, ("10.99.0.99",))])
    try:
        assert proofs() == [f"{name} NSEC ns1.shopsphere.test."] * 2
    finally:
        for authority in authorities:
            authority.remove(ZONE, name, "A")
    assert proofs() == ["newyork.shopsphere.test. NSEC ns1.shopsphere.test."] * 2


@pytest.mark.requirement("the resolver says that it checked, and throws away what no trusted key signed")
def test_the_resolver_checks(edge: EdgeHost, ds: list[str]) -> None:
    assert shown_ds(IPv4Address(SERVERS[0]), ZONE).ds == set(ds)
    for client, address in {"10.99.64.10": FRANKFURT, "10.99.80.10": "10.99.0.21"}.items():
        answer = dig("www.shopsphere.test", "+adflag", "-b", client)
        assert " ad;" in answer
        assert address in answer
    assert " ad;" in dig("nothere.shopsphere.test", "+adflag")
    assert ask("example.com").status == "NXDOMAIN"
    wrong = f"{ds[0][:-2]}{'00' if ds[0][-2:] != '00' else '11'}"
    with pytest.raises(UsageError, match="no key of that DS signs at every authority"):
        show_ds(edge.settings, ZONE, [wrong])
    assert ask("rdc-b.shopsphere.test").status == "NOERROR"
    show_ds(edge.settings, ZONE, [wrong], unknown=True)
    try:
        run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])
        assert ask("rdc-b.shopsphere.test").status == "SERVFAIL"
    finally:
        show_ds(edge.settings, ZONE, ds)
        run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])
    assert ask("rdc-b.shopsphere.test").status == "NOERROR"


@pytest.mark.requirement("a parent that shows SHA-384 is believed by the real resolver, and by us")
def test_sha384(edge: EdgeHost, authorities: list[powerdns.DnsAuthority], ds: list[str]) -> None:
    (key,) = (ZoneKey(each.dnskey) for each in authorities[0].zone_keys(ZONE))
    longer = key.ds(ZONE, 4)
    with pytest.raises(UsageError, match="no key of that DS signs at every authority"):
        show_ds(edge.settings, ZONE, [key.ds(ZONE, 1)])
    show_ds(edge.settings, ZONE, [longer])
    try:
        run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])
        assert " ad;" in dig("rdc-b.shopsphere.test", "+adflag")
        shown = shown_ds(IPv4Address(SERVERS[0]), ZONE)
        assert shown.ds == {longer}
        assert prove(IPv4Address(SERVERS[0]), ZONE, shown.ds, ASKED).signers == {key.tag}
        with pytest.raises(ProofError, match=r"digest type 1 \(SHA1, ignored by many\)"):
            prove(IPv4Address(SERVERS[0]), ZONE, [key.ds(ZONE, 1)], ASKED)
    finally:
        show_ds(edge.settings, ZONE, ds)
        run(["rec_control", f"--socket-dir={edge.settings.run / 'resolver'}", "wipe-cache", "shopsphere.test$"])


@pytest.mark.requirement("a failover's one change is signed in the same moment, and proven answers follow it")
def test_flip_is_signed(
    authorities: list[powerdns.DnsAuthority], declaration: Callable[[str], PairDeclaration], ds: list[str]
) -> None:
    rdc_a = declaration("rdc-a")
    (before,) = {rdc_a.valid(found) for found in read_records(authorities, rdc_a).values()}
    epoch = present(before).epoch
    assert ask("rdc-a.shopsphere.test").addresses == [FRANKFURT]
    write_record(authorities, rdc_a, PairState(epoch + 1, "dublin"))
    try:
        for server in SERVERS:
            prove(IPv4Address(server), ZONE, ds, ASKED)
            assert ask("rdc-a.shopsphere.test", at=server).addresses == [DUBLIN]
        wait_until(
            lambda: DUBLIN in (answer := dig("rdc-a.shopsphere.test", "+adflag")) and " ad;" in answer,
            what="a checked answer that follows", seconds=30,
        )  # fmt: skip
    finally:
        write_record(authorities, rdc_a, PairState(epoch + 2, "frankfurt"))


@pytest.mark.requirement("an authority that lost its keys is seen, and gets the same ones again")
def test_lost_keys_come_back(
    authorities: list[powerdns.DnsAuthority], zone: GlobalDnsModel, edge: EdgeHost, ds: list[str]
) -> None:
    provider, inputs = PowerDnsZoneKeysProvider(), zone.key_inputs()
    tag = ds[0].split()[0]
    settled = present(provider.read("keys", inputs).outs)
    assert settled["live"] == {"ns1": "signed", "ns2": "signed"}
    assert settled["ds"] == ds
    assert not provider.diff("keys", settled, inputs).changes
    (key,) = authorities[1].zone_keys(ZONE)
    authorities[1].remove_zone_key(ZONE, key.number)
    found = present(provider.read("keys", inputs).outs)
    assert found["live"] == {"ns1": "signed", "ns2": "unsigned"}
    assert provider.diff("keys", found, inputs).changes
    assert present(provider.update("keys", found, inputs).outs)["live"] == {"ns1": "signed", "ns2": "signed"}
    assert prove(IPv4Address(SERVERS[1]), ZONE, ds, ASKED).signers == {int(tag)}
    assert [file.name for file in (edge.settings.edge_keys / "zone-keys").iterdir()] == [f"{tag}.pem"]
