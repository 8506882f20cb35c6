"""Where clients land: the real resolver and both authorities."""

import time
from collections.abc import Callable
from typing import cast

import pytest
from edge_dig import ask, ask_twice
from edge_host import EdgeHost
from present import present

from components.edge.global_dns import GlobalDnsModel
from components.edge.providers.powerdns_pair_state import AS_DECLARED, PowerDnsPairStateProvider
from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from runbooks.names import shows, write_at_each
from runbooks.pair_access import AUTHORITY_SECONDS, PairAccess
from shopsphere.clients import powerdns
from shopsphere.clients.edge_errors import EdgeError, PairStateError
from shopsphere.clients.powerdns import RRset
from shopsphere.foundation.clock import wait_until
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import read_records, write_record
from shopsphere.topology import Topology

FRANKFURT, DUBLIN = "10.99.0.11", "10.99.0.12"
ASHBURN, SINGAPORE = "10.99.0.21", "10.99.0.31"
CLIENTS = {"10.99.64.10": FRANKFURT, "10.99.80.10": ASHBURN, "10.99.96.10": SINGAPORE, "10.99.0.1": FRANKFURT}
TTL = 5

pytestmark = pytest.mark.usefixtures("zone")


@pytest.mark.requirement("www steers by client network to the nearest region; unknown clients go to the first")
@pytest.mark.parametrize(("client", "address"), CLIENTS.items())
def test_client_lands_in_its_region(client: str, address: str) -> None:
    answer = ask("www.shopsphere.test", client=client)
    assert (answer.status, answer.addresses) == ("NOERROR", [address])
    assert present(answer.ttl) <= TTL


@pytest.mark.requirement("both authorities steer alike")
@pytest.mark.parametrize("authority", ["10.99.0.53", "10.99.0.54"])
def test_authorities_agree(authority: str) -> None:
    found = [ask("www.shopsphere.test", at=authority, subnet=f"{client}/24").addresses for client in CLIENTS]
    assert found == [[address] for address in CLIENTS.values()]


@pytest.mark.requirement("the bare domain leads where www leads")
@pytest.mark.parametrize(("client", "address"), CLIENTS.items())
def test_the_bare_domain(client: str, address: str) -> None:
    for name in ("shopsphere.test", "SHOPSPHERE.test."):
        assert ask(name, client=client).addresses == [address]


@pytest.mark.requirement("each pair has one steered name, each site its own, the CDN one")
def test_names(topology: Topology) -> None:
    for site in topology.sites.values():
        assert ask(f"{site.name}.shopsphere.test").addresses == [str(site.address)]
    for pair in topology.pairs.values():
        assert ask(f"{pair.name}.shopsphere.test").addresses == [str(topology.site(pair.primary).address)]
    assert ask("static.shopsphere.test").addresses == ["10.99.0.80"]
    assert sorted(ask("shopsphere.test", type_="NS").addresses) == ["ns1.shopsphere.test.", "ns2.shopsphere.test."]


@pytest.mark.requirement("authorities that issue certificates are told whether they may")
def test_who_issues_certificates() -> None:
    found = ask("shopsphere.test", type_="CAA").addresses
    assert sorted(found) == ['0 issue "ca.example"', '0 issuewild "ca.example"']


@pytest.mark.requirement("the resolver never asks the internet")
@pytest.mark.parametrize("name", ["example.com", "1.2.0.10.in-addr.arpa", "nothere.shopsphere.test"])
def test_unknown_names(name: str) -> None:
    assert ask(name).status == "NXDOMAIN"


@pytest.mark.requirement("losing one of two authorities is survivable")
@pytest.mark.parametrize("dead", ["ns1", "ns2"])
def test_one_authority_dead(edge: EdgeHost, dead: str) -> None:
    edge.kill(f"dns-{dead}")
    try:
        time.sleep(TTL + 1)  # nothing steered is in the cache any more
        for client, address in CLIENTS.items():
            answer = ask_twice("www.shopsphere.test", client=client)
            assert (answer.status, answer.addresses) == ("NOERROR", [address])
    finally:
        edge.restart_authority(dead)
    assert ask("www.shopsphere.test", at=edge.settings.authorities[dead], subnet="10.99.80.0/24").addresses == [ASHBURN]


@pytest.mark.requirement("an authority that is back is asked at once, so that the other one may fail next")
def test_authorities_die_one_after_the_other(edge: EdgeHost) -> None:
    for _ in range(3):
        for dead in ("ns1", "ns2"):
            edge.kill(f"dns-{dead}")
            try:
                # Names that are in no cache: a question that met the dead one must not shut out the living one.
                found = [ask_twice(f"{name}.shopsphere.test") for name in ("rdc-a", "rdc-b", "rdc-c")]
                time.sleep(TTL + 1)
                found += [ask_twice(f"{name}.shopsphere.test") for name in ("rdc-a", "rdc-b", "rdc-c")]
            finally:
                edge.restart_authority(dead)
            assert {answer.status for answer in found} == {"NOERROR"}


@pytest.mark.requirement("one atomic change per pair turns all its names within the TTL, and no other pair's")
def test_flip(authorities: list[powerdns.DnsAuthority], declaration: Callable[[str], PairDeclaration]) -> None:
    rdc_a, (epoch, active) = declaration("rdc-a"), current(authorities, declaration("rdc-a"))
    assert active == "frankfurt"
    assert ask("rdc-a.shopsphere.test").addresses == [FRANKFURT]
    write_record(authorities, rdc_a, PairState(epoch + 1, "dublin"))
    try:
        for at in ("10.99.0.53", "10.99.0.54"):
            assert ask("rdc-a.shopsphere.test", at=at).addresses == [DUBLIN]
            assert ask("www.shopsphere.test", at=at, subnet="10.99.64.0/24").addresses == [DUBLIN]
            assert ask("www.shopsphere.test", at=at, subnet="10.99.80.0/24").addresses == [ASHBURN]
        wait_until(
            lambda: ask("www.shopsphere.test", client="10.99.64.10").addresses == [DUBLIN],
            what="the resolver to follow: its copy lives for the TTL, and each look at a busy machine takes its time",
            seconds=TTL + 20,
            interval=0.2,
        )
        assert ask("www.shopsphere.test", client="10.99.80.10").addresses == [ASHBURN]
    finally:
        write_record(authorities, rdc_a, PairState(epoch + 2, "frankfurt"))


@pytest.mark.requirement("a failover is no drift, and a stale deployment never moves a role")
def test_flip_is_no_drift(
    authorities: list[powerdns.DnsAuthority],
    zone: GlobalDnsModel,
    declaration: Callable[[str], PairDeclaration],
    topology: Topology,
) -> None:
    provider, inputs = PowerDnsPairStateProvider(), zone.state_inputs(zone.pairs["rdc-b"])
    rdc_b, (epoch, _) = declaration("rdc-b"), current(authorities, declaration("rdc-b"))
    write_record(authorities, rdc_b, PairState(epoch + 1, "chicago"))
    read = provider.read("rdc-b", inputs)
    assert set(present(read.outs)["live"].values()) == {AS_DECLARED}
    assert not provider.diff("rdc-b", present(read.outs), inputs).changes
    provider.update("rdc-b", present(read.outs), inputs)
    assert current(authorities, rdc_b) == (epoch + 1, "chicago")
    write_record(authorities, rdc_b, PairState(epoch + 2, "ashburn"))


@pytest.mark.requirement("a change that one authority missed is drift, and repairing it keeps the higher epoch")
def test_half_a_flip_is_drift(
    authorities: list[powerdns.DnsAuthority],
    zone: GlobalDnsModel,
    declaration: Callable[[str], PairDeclaration],
    topology: Topology,
) -> None:
    provider, inputs = PowerDnsPairStateProvider(), zone.state_inputs(zone.pairs["rdc-c"])
    rdc_c, (epoch, _) = declaration("rdc-c"), current(authorities, declaration("rdc-c"))
    authorities[1].replace(rdc_c.zone, [rdc_c.rrset(PairState(epoch + 1, "sydney"))])
    read = provider.read("rdc-c", inputs)
    assert provider.diff("rdc-c", present(read.outs), inputs).changes
    provider.update("rdc-c", present(read.outs), inputs)
    assert current(authorities, rdc_c) == (epoch + 1, "sydney")
    write_record(authorities, rdc_c, PairState(epoch + 2, "singapore"))


@pytest.mark.requirement("an authority that hangs keeps no runbook, and no other authority")
def test_flip_with_a_hanging_authority(
    edge: EdgeHost,
    authorities: list[powerdns.DnsAuthority],
    zone: GlobalDnsModel,
    declaration: Callable[[str], PairDeclaration],
    topology: Topology,
) -> None:
    class Access:
        """As much of the ways to a pair as its names need."""

        def declaration(self) -> PairDeclaration:
            return declaration("rdc-a")

        def authorities(self) -> list[powerdns.DnsAuthority]:
            return powerdns.connect(zone.state_inputs(zone.pairs["rdc-a"]), seconds=AUTHORITY_SECONDS)

    access, (epoch, active) = cast("PairAccess", Access()), current(authorities, declaration("rdc-a"))
    there, back = PairState(epoch, active, leaving=True), PairState(epoch, active)
    edge.suspend("dns-ns2")
    try:
        start = time.monotonic()
        problems = write_at_each(access, there)
        assert shows(access, there)
        assert time.monotonic() - start < 30 + 4 * AUTHORITY_SECONDS, "it hangs for as long as nobody resumes it"
        assert [problem.partition(":")[0] for problem in problems] == ["ns2"]
    finally:
        edge.resume("dns-ns2")
    assert not shows(access, there), "the one that hung shows the old state"
    assert write_at_each(access, back) == []
    assert shows(access, back)


@pytest.mark.requirement("no answer rather than one from an unknown role")
def test_lost_state_is_no_answer_and_no_reset(
    authorities: list[powerdns.DnsAuthority],
    zone: GlobalDnsModel,
    declaration: Callable[[str], PairDeclaration],
    topology: Topology,
) -> None:
    provider, inputs = PowerDnsPairStateProvider(), zone.state_inputs(zone.pairs["rdc-b"])
    rdc_b = declaration("rdc-b")
    before = read_records(authorities, rdc_b)
    for authority in authorities:
        authority.remove(rdc_b.zone, rdc_b.name, "LUA")
    try:
        assert ask("rdc-b.shopsphere.test", at="10.99.0.53").status == "SERVFAIL"
        read = provider.read("rdc-b", inputs)
        assert read.id
        assert provider.diff("rdc-b", present(read.outs), inputs).changes
        with pytest.raises(PairStateError, match="ask the witness"):
            provider.update("rdc-b", present(read.outs), inputs)
    finally:
        for authority in authorities:
            authority.replace(rdc_b.zone, [present(before[authority.name])])


@pytest.mark.requirement("a zone with records that nobody declared is not deleted")
def test_zone_with_strangers_stays(authorities: list[powerdns.DnsAuthority], zone: GlobalDnsModel) -> None:
    stranger = RRset("legacy.shopsphere.test.", "TXT", 60, ('"by hand"',))
    authorities[0].replace("shopsphere.test.", [stranger])
    with pytest.raises(EdgeError, match="legacy"):
        PowerDnsZoneProvider().delete("shopsphere.test.", zone.zone_inputs())
    authorities[0].remove("shopsphere.test.", stranger.name, "TXT")
    assert ask("frankfurt.shopsphere.test").status == "NOERROR"


def current(authorities: list[powerdns.DnsAuthority], declaration: PairDeclaration) -> tuple[int, str]:
    (state,) = {present(declaration.valid(found)) for found in read_records(authorities, declaration).values()}
    return state.epoch, state.active
