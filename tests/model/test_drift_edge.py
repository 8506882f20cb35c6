"""Names and CDN: what is changed, gone or added at an authority or the CDN is found; a change of role is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from edge_declaration import CDN, DNS, RDC_A, ZONE
from edge_fakes import FakeAuthority, FakeCdn

from components.edge.providers.cdn_distribution import CdnDistributionProvider
from components.edge.providers.powerdns_pair_state import PowerDnsPairStateProvider
from components.edge.providers.powerdns_rrset import PowerDnsRRsetProvider
from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from shopsphere.clients.edge_errors import CredentialError, ServiceError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.drift import edge as drift_of_edge
from shopsphere.drift.declared import StateError
from shopsphere.drift.edge_declared import DeclaredEdge, declared_edge
from shopsphere.drift.model import Drift, Kind, Report, SiteDrift
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Severity
from shopsphere.names.pair_state import PairState
from shopsphere.names.state_record import write_record

WWW = "www.shopsphere.test."
AS_DEPLOYER = "curl -fsS --cacert '/edge keys/ca.crt' --cert '/edge keys/deployer.crt' --key '/edge keys/deployer.key'"
DEPLOY = "shopsphere up edge --environment lab --refresh"


def resource(type_: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": f"pulumi-python:dynamic/edge:{type_}", "custom": True, "inputs": {**inputs, "live": None}, **more}


def exported(*more: dict[str, Any]) -> dict[str, Any]:
    names = {**DNS.fixed_names(), **DNS.steered_names()}.values()
    resources = [
        {"type": "pulumi:pulumi:Stack"},
        *(resource("DnsRRset", inputs) for inputs in names),
        *(resource("DnsPairState", DNS.state_inputs(pair)) for pair in DNS.pairs.values()),
        resource("CdnDistribution", {**CDN, "defaultTtlSeconds": float(CDN["defaultTtlSeconds"])}),
        resource("DnsZone", DNS.zone_inputs()),
        *more,
    ]
    return {"deployment": {"resources": resources}}


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeAuthority]:
    """Two authorities that have what the edge declares."""
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for provider in (PowerDnsZoneProvider, PowerDnsRRsetProvider, PowerDnsPairStateProvider):
        monkeypatch.setattr(provider, "connect", lambda _self, _props: found)
    PowerDnsZoneProvider().create(DNS.zone_inputs())
    for pair in DNS.pairs.values():
        PowerDnsPairStateProvider().create(DNS.state_inputs(pair))
    for inputs in {**DNS.fixed_names(), **DNS.steered_names()}.values():
        PowerDnsRRsetProvider().create(inputs)
    return found


@pytest.fixture
def cdn(monkeypatch: pytest.MonkeyPatch) -> FakeCdn:
    found = FakeCdn()
    monkeypatch.setattr(CdnDistributionProvider, "connect", lambda _self, _props: found)
    CdnDistributionProvider().create(CDN)
    return found


@pytest.fixture
def look(servers: list[FakeAuthority], cdn: FakeCdn) -> Callable[[], SiteDrift]:
    authorities: list[DnsAuthority] = [*servers]
    edge = declared_edge(exported())
    return lambda: drift_of_edge.judge_edge(edge, DEPLOY, dns=lambda _: authorities, cdn=lambda _: cdn)


def told(drifts: tuple[Drift, ...]) -> list[tuple[str, str, Kind, Severity, bool]]:
    return sorted((each.object, each.field, each.kind, each.severity, each.residency) for each in drifts)


Look = Callable[[], SiteDrift]


def test_what_was_deployed_is_clean(look: Look) -> None:
    found = look()
    assert (found.drifts, found.unseen) == ((), ())
    assert found.declared == 21  # SOA, NS, 7 sites, 2 name servers, static, 3 states, 5 steered names, 1 distribution
    assert found.live == 2 * 20 + 1


@pytest.mark.parametrize("state", [PairState(7, "dublin"), PairState(7, "frankfurt", leaving=True)])
def test_a_change_of_role_is_no_drift(look: Look, servers: list[FakeAuthority], state: PairState) -> None:
    write_record([*servers], RDC_A, state)
    assert look().drifts == ()


def test_authorities_that_differ_about_the_role_are_drift(look: Look, servers: list[FakeAuthority]) -> None:
    write_record(servers[1:], RDC_A, PairState(2, "dublin"))
    (found,) = look().drifts
    assert (found.object, found.field, found.kind) == ("state.rdc-a.shopsphere.test. LUA at ns1", "state", Kind.CHANGED)
    assert found.declared == "epoch 2, active dublin, as another authority says"
    assert found.live == "epoch 1, active frankfurt"
    assert found.repair == DEPLOY


def test_a_changed_state_that_no_declaration_has_is_critical(look: Look, servers: list[FakeAuthority]) -> None:
    spoiled = str(RDC_A.rrset(RDC_A.first).records[0]).replace("10.99.0.12", "192.0.2.1")
    servers[0].replace(ZONE, [RRset("state.rdc-a.shopsphere.test.", "LUA", RDC_A.ttl, (spoiled,))])
    (found,) = look().drifts
    assert (found.severity, found.residency, found.kind) == (Severity.CRITICAL, True, Kind.CHANGED)
    assert "192.0.2.1" in found.live
    assert "10.99.0.12" in found.declared


CASES: list[tuple[RRset, str, Severity, bool]] = [
    (RRset("dublin.shopsphere.test.", "A", 60, ("192.0.2.1",)), "records", Severity.CRITICAL, True),
    (RRset("dublin.shopsphere.test.", "A", 61, ("10.99.0.12",)), "ttl", Severity.MEDIUM, False),
    (RRset("dublin.shopsphere.test.", "A", 60, ("10.99.0.12", "192.0.2.1")), "records", Severity.CRITICAL, True),
    (RRset(ZONE, "NS", 60, ("ns.evil.example.",)), "records", Severity.CRITICAL, True),
    (RRset(WWW, "LUA", 5, ("A \"return '192.0.2.1'\"",)), "records", Severity.CRITICAL, True),
    (RRset(ZONE, "SOA", 60, ("ns1.shopsphere.test. evil.example. 0 1 1 1 1",)), "records", Severity.MEDIUM, False),
]


@pytest.mark.parametrize(("spoiled", "field", "severity", "residency"), CASES, ids=str)
def test_a_changed_name_is_found_where_it_is_changed(
    look: Look, servers: list[FakeAuthority], spoiled: RRset, field: str, severity: Severity, residency: bool
) -> None:
    servers[1].replace(ZONE, [spoiled])
    found = [each for each in look().drifts if each.field == field]
    assert told(tuple(found)) == [
        (f"{spoiled.name} {spoiled.type} at ns2", field, Kind.CHANGED, severity, residency),
    ]
    assert found[0].repair == DEPLOY
    assert found[0].declared != found[0].live


@pytest.mark.parametrize(
    "name", [(WWW, "LUA"), ("static.shopsphere.test.", "A"), ("state.rdc-b.shopsphere.test.", "LUA")]
)
def test_a_missing_name_is_found(look: Look, servers: list[FakeAuthority], name: tuple[str, str]) -> None:
    servers[0].remove(ZONE, *name)
    (found,) = look().drifts
    assert (found.object, found.kind, found.live) == (f"{name[0]} {name[1]} at ns1", Kind.MISSING, "")


def test_an_rrset_whose_records_are_all_disabled_is_missing(look: Look, servers: list[FakeAuthority]) -> None:
    servers[0].replace(ZONE, [RRset("static.shopsphere.test.", "A", 60, ())])
    assert [each.kind for each in look().drifts] == [Kind.MISSING]


@pytest.mark.parametrize(
    ("added", "severity", "residency"),
    [
        (RRset("pay.shopsphere.test.", "A", 60, ("192.0.2.1",)), Severity.CRITICAL, True),
        (RRset("*.shopsphere.test.", "CNAME", 60, ("evil.example.",)), Severity.CRITICAL, True),
        (RRset(WWW, "AAAA", 60, ("2001:db8::1",)), Severity.CRITICAL, True),
        (RRset("sub.shopsphere.test.", "NS", 60, ("ns.evil.example.",)), Severity.CRITICAL, True),
        (RRset(ZONE, "MX", 60, ("10 mail.evil.example.",)), Severity.CRITICAL, True),
        (RRset("_acme-challenge.www.shopsphere.test.", "TXT", 60, ('"x"',)), Severity.HIGH, False),
    ],
    ids=str,
)
def test_a_name_that_nobody_declared_is_found_with_the_command_that_removes_it(
    look: Look, servers: list[FakeAuthority], added: RRset, severity: Severity, residency: bool
) -> None:
    servers[0].replace(ZONE, [added])
    (found,) = look().drifts
    assert told((found,)) == [(f"{added.name} {added.type} at ns1", "", Kind.UNDECLARED, severity, residency)]
    assert found.repair == (
        f"{AS_DEPLOYER} -X PATCH --json "
        f'\'{{"rrsets": [{{"name": "{added.name}", "type": "{added.type}", "changetype": "DELETE"}}]}}\' '
        "https://10.0.0.1:8081/api/v1/servers/localhost/zones/shopsphere.test."
    )


def test_a_zone_inside_of_ours_hides_names_and_is_found(look: Look, servers: list[FakeAuthority]) -> None:
    servers[1].zones |= {WWW: {}, "example.org.": {}, "notshopsphere.test.": {}}
    (found,) = look().drifts
    assert told((found,)) == [("zone www.shopsphere.test. at ns2", "", Kind.UNDECLARED, Severity.CRITICAL, True)]
    assert "DELETE" in found.repair


def test_a_lost_zone_is_one_finding_and_not_one_for_each_name(look: Look, servers: list[FakeAuthority]) -> None:
    servers[0].delete_zone(ZONE)
    assert told(look().drifts) == [("zone shopsphere.test. at ns1", "", Kind.MISSING, Severity.CRITICAL, False)]


@pytest.mark.parametrize(
    ("key", "value", "severity", "residency"),
    [
        ("paths", ["/"], Severity.CRITICAL, True),
        ("hostNames", ["www.shopsphere.test"], Severity.CRITICAL, True),
        ("origins", [{"name": "evil", "address": "192.0.2.1", "port": 443}], Severity.CRITICAL, True),
        ("defaultTtlSeconds", 1, Severity.MEDIUM, False),
        ("staleSeconds", None, Severity.MEDIUM, False),
        ("logTo", "https://evil.example", Severity.MEDIUM, False),
    ],
)
def test_a_changed_distribution_is_found_field_by_field(
    look: Look, cdn: FakeCdn, key: str, value: object, severity: Severity, residency: bool
) -> None:
    cdn.documents["static"][key] = value
    (found,) = look().drifts
    kind = Kind.ADDED if key == "logTo" else Kind.CHANGED
    assert told((found,)) == [("distribution static", key, kind, severity, residency)]


def test_a_lost_distribution_is_found(look: Look, cdn: FakeCdn) -> None:
    cdn.delete("static")
    assert told(look().drifts) == [("distribution static", "", Kind.MISSING, Severity.HIGH, False)]


def test_another_distribution_counts_when_it_has_our_names_or_asks_our_sites(look: Look, cdn: FakeCdn) -> None:
    cdn.put("names", {"hostNames": ["pay.shopsphere.test"], "origins": [{"address": "192.0.2.1"}]})
    cdn.put("sites", {"hostNames": ["shop.example"], "origins": [{"address": "10.99.0.11"}]})
    cdn.put("other", {"hostNames": ["notshopsphere.test"], "origins": [{"address": "192.0.2.1"}]})
    found = look().drifts
    assert told(found) == [
        ("distribution names", "", Kind.UNDECLARED, Severity.CRITICAL, True),
        ("distribution sites", "", Kind.UNDECLARED, Severity.CRITICAL, True),
    ]
    assert found[0].repair == (f"{AS_DEPLOYER} -X DELETE https://10.0.0.3:8082/v1/distributions/names")


def test_an_authority_that_does_not_answer_is_unknown_and_hides_no_other(
    look: Look, servers: list[FakeAuthority]
) -> None:
    servers[0].fails_on = {"rrsets"}
    servers[1].remove(ZONE, WWW, "LUA")
    found = look()
    assert [each.what for each in found.unseen] == ["zone shopsphere.test. at ns1"]
    assert [each.object for each in found.drifts] == [f"{WWW} LUA at ns2"]
    assert Report("edge", "lab", (found,), found.drifts).exit_code is ExitCode.CHANGES
    assert Report("edge", "lab", (found,), ()).exit_code is ExitCode.UNKNOWN


def test_a_cdn_and_keys_that_cannot_be_had_are_unknown() -> None:
    def refuse(_: object) -> Any:
        raise CredentialError("the certificate of watcher for the edge cannot be used")

    found = drift_of_edge.judge_edge(declared_edge(exported()), DEPLOY, dns=refuse, cdn=refuse)
    assert [each.what for each in found.unseen] == ["zone shopsphere.test.", "the CDN"]
    assert found.drifts == ()


def test_an_edge_that_was_never_deployed_is_unknown() -> None:
    found = drift_of_edge.judge_edge(declared_edge({"deployment": {}}), DEPLOY)
    assert [each.why for each in found.unseen] == [
        "its stack declares nothing: it was never deployed, or was removed",
    ]


def test_a_state_of_another_shape_and_an_unknown_type_are_refused() -> None:
    with pytest.raises(StateError, match="cannot be read"):
        declared_edge({"deployment": {"resources": [resource("DnsRRset", {"zone": "other."})]}})
    with pytest.raises(StateError, match="a Firewall"):
        declared_edge(exported(resource("Firewall", {})))
    assert declared_edge(exported(resource("Firewall", {}, delete=True))).number == declared_edge(exported()).number


def test_what_differs_is_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of role writes one authority after the other."""
    pauses: list[float] = []
    looks = iter([("x",), ()])

    def judge(_edge: DeclaredEdge, deploy: str) -> SiteDrift:
        assert deploy == DEPLOY
        return SiteDrift("edge", 1, 1, next(looks))  # type: ignore[arg-type]  # only whether there are any counts

    monkeypatch.setattr(drift_of_edge, "exported_state", lambda _: exported())
    monkeypatch.setattr(drift_of_edge, "judge_edge", judge)
    monkeypatch.setattr(SYSTEM_CLOCK, "sleep", pauses.append)
    assert drift_of_edge.look_at_edge(edge_stack(Environment.LAB)).drifts == ()
    assert pauses == [drift_of_edge.AGAIN_SECONDS]


def test_a_service_that_ends_in_the_middle_keeps_what_was_found(
    look: Look, cdn: FakeCdn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> list[str]:
        raise ServiceError("the CDN does not answer")

    cdn.documents["static"]["paths"] = ["/"]
    monkeypatch.setattr(cdn, "names", refuse)
    found = look()
    assert [each.field for each in found.drifts] == ["paths"]
    assert [each.what for each in found.unseen] == ["the CDN"]
