"""The providers' decisions, against services in memory."""

from typing import Any

import pytest
from edge_declaration import CDN, DNS, RDC_A, STATE, ZONE
from edge_fakes import FakeAuthority, FakeCdn
from present import present
from pulumi.dynamic import ResourceProvider

from components.edge.providers.cdn_distribution import CdnDistributionProvider
from components.edge.providers.powerdns_pair_state import AS_DECLARED, PowerDnsPairStateProvider
from components.edge.providers.powerdns_rrset import PowerDnsRRsetProvider
from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from shopsphere.clients.edge_errors import AdoptionError, PairStateError, ServiceError, VerificationError
from shopsphere.clients.powerdns import RRset
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import write_record

A = DNS.fixed_names()["frankfurt"]
PROVIDERS: dict[type[ResourceProvider], dict[str, Any]] = {
    PowerDnsZoneProvider: DNS.zone_inputs(),
    PowerDnsRRsetProvider: A,
    PowerDnsPairStateProvider: STATE,
    CdnDistributionProvider: CDN,
}


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeAuthority]:
    """Two authorities that have the empty zone."""
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for provider in (PowerDnsZoneProvider, PowerDnsRRsetProvider, PowerDnsPairStateProvider):
        monkeypatch.setattr(provider, "connect", lambda _self, _props: found)
    PowerDnsZoneProvider().create(DNS.zone_inputs())
    return found


@pytest.fixture
def cdn(monkeypatch: pytest.MonkeyPatch) -> FakeCdn:
    found = FakeCdn()
    monkeypatch.setattr(CdnDistributionProvider, "connect", lambda _self, _props: found)
    return found


def has_changes(
    provider: ResourceProvider,
    outs: dict[str, Any],
    news: dict[str, Any],
) -> bool:
    return bool(provider.diff("id", outs, news).changes)


@pytest.mark.requirement("a second preview shows no change, nor does a refresh")
@pytest.mark.parametrize("kind", PROVIDERS)
def test_created_is_settled(
    kind: type[ResourceProvider],
    servers: list[FakeAuthority],
    cdn: FakeCdn,
) -> None:
    provider, inputs = kind(), PROVIDERS[kind]
    assert provider.check({}, inputs).failures == []
    outs = present(provider.create(inputs).outs)
    assert not has_changes(provider, outs, inputs)
    read = provider.read("id", outs)
    assert read.id == "id"
    assert read.outs == outs


@pytest.mark.requirement("what exists is adopted only when it is equal")
@pytest.mark.parametrize("kind", PROVIDERS)
def test_equal_is_adopted_without_a_write(
    kind: type[ResourceProvider],
    servers: list[FakeAuthority],
    cdn: FakeCdn,
) -> None:
    kind().create(PROVIDERS[kind])
    writes = [server.writes for server in servers]
    kind().create(PROVIDERS[kind])
    assert [server.writes for server in servers] == writes


@pytest.mark.requirement("keys are named by file only, and a provider in state is a name, not a copy")
@pytest.mark.parametrize("kind", PROVIDERS)
def test_state_has_no_key_and_never_changes(
    kind: type[ResourceProvider],
) -> None:
    from pulumi.dynamic.dynamic import serialize_provider  # noqa: PLC0415 - what the SDK itself puts in state

    assert kind.serialize_as_secret_always is False
    assert len(serialize_provider(kind())) < 200
    assert serialize_provider(kind()) == serialize_provider(kind())


@pytest.mark.parametrize("server", [0, 1])
@pytest.mark.parametrize(
    "found", [RRset(A["name"], "A", 60, ("10.0.0.66",)), RRset(A["name"], "A", 1, ("10.99.0.11",))]
)
def test_other_record_is_not_adopted(servers: list[FakeAuthority], server: int, found: RRset) -> None:
    servers[server].replace(ZONE, [found])
    with pytest.raises(AdoptionError, match=f"ns{server + 1}"):
        PowerDnsRRsetProvider().create(A)


@pytest.mark.requirement("refresh sees a record changed by hand at either authority")
@pytest.mark.parametrize("server", [0, 1])
def test_change_at_either_authority_is_seen_and_repaired(servers: list[FakeAuthority], server: int) -> None:
    provider = PowerDnsRRsetProvider()
    outs = present(provider.create(A).outs)
    servers[server].replace(ZONE, [RRset(A["name"], "A", 60, ("10.0.0.66",))])
    read = provider.read("id", outs)
    assert present(read.outs)["live"][f"ns{server + 1}"] == "60 A 10.0.0.66"
    assert has_changes(provider, present(read.outs), A)
    repaired = present(provider.update("id", present(read.outs), A).outs)
    assert not has_changes(provider, repaired, A)


def test_removed_at_one_is_drift_and_removed_at_all_is_gone(servers: list[FakeAuthority]) -> None:
    provider = PowerDnsRRsetProvider()
    outs = present(provider.create(A).outs)
    servers[0].remove(ZONE, A["name"], "A")
    read = provider.read("id", outs)
    assert read.id
    assert has_changes(provider, present(read.outs), A)
    servers[1].remove(ZONE, A["name"], "A")
    assert not provider.read("id", outs).id


def test_authority_that_does_not_answer_is_an_error_not_clean(servers: list[FakeAuthority]) -> None:
    outs = present(PowerDnsRRsetProvider().create(A).outs)
    servers[1].fails_on.add("rrset")
    with pytest.raises(ServiceError):
        PowerDnsRRsetProvider().read("id", outs)


def test_authority_that_forgets_is_found_out(servers: list[FakeAuthority]) -> None:
    servers[1].loses = True
    with pytest.raises(VerificationError, match="ns2"):
        PowerDnsRRsetProvider().create(A)


@pytest.mark.parametrize(("key", "value"), [("zone", "other.test."), ("name", "x.shopsphere.test."), ("type", "TXT")])
def test_identity_replaces(servers: list[FakeAuthority], key: str, value: str) -> None:
    outs = present(PowerDnsRRsetProvider().create(A).outs)
    assert PowerDnsRRsetProvider().diff("id", outs, {**A, key: value}).replaces == [key]


def test_another_authority_is_an_update(servers: list[FakeAuthority]) -> None:
    outs = present(PowerDnsRRsetProvider().create(A).outs)
    more = [*A["authorities"], {"name": "ns3", "url": "https://10.0.0.4:8081"}]
    result = PowerDnsRRsetProvider().diff("id", outs, {**A, "authorities": more})
    assert (result.changes, result.replaces) == (True, [])


@pytest.mark.requirement("wrong input gets an error with expected and found before anything is created")
@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (PowerDnsRRsetProvider, "ttl", 0),
        (PowerDnsRRsetProvider, "records", []),
        (PowerDnsRRsetProvider, "records", ["10.0.0.1", "10.0.0.1"]),
        (PowerDnsRRsetProvider, "name", "frankfurt"),
        (PowerDnsRRsetProvider, "name", "frankfurt.other.test."),
        (PowerDnsRRsetProvider, "type", "SOA"),
        (PowerDnsRRsetProvider, "authorities", []),
        (PowerDnsRRsetProvider, "authorities", [{"name": "ns1", "url": "10.0.0.1"}]),
        (PowerDnsRRsetProvider, "keysFolder", ""),
        (PowerDnsRRsetProvider, "colour", "red"),
        (PowerDnsPairStateProvider, "recovery", "frankfurt"),
        (PowerDnsPairStateProvider, "addresses", {"frankfurt": "10.0.0.1"}),
        (PowerDnsPairStateProvider, "activeWeight", 50),
        (PowerDnsZoneProvider, "nameservers", []),
        (PowerDnsZoneProvider, "nameservers", ["ns1"]),
        (PowerDnsZoneProvider, "negativeTtl", 86400),
        (CdnDistributionProvider, "dataClass", "personal"),
        (CdnDistributionProvider, "paths", ["/"]),
        (CdnDistributionProvider, "paths", ["/static/../x/"]),
        (CdnDistributionProvider, "origins", []),
        (CdnDistributionProvider, "originName", ""),
        (CdnDistributionProvider, "originName", None),
        (CdnDistributionProvider, "originName", "www"),
        (CdnDistributionProvider, "staleSeconds", 3600),
        (CdnDistributionProvider, "endpoint", "cdn"),
    ],
)
def test_wrong_input(
    kind: type[PowerDnsRRsetProvider]
    | type[PowerDnsPairStateProvider]
    | type[PowerDnsZoneProvider]
    | type[CdnDistributionProvider],
    key: str,
    value: int | str | list[str | dict[str, str]] | dict[str, str],
) -> None:
    failures = kind().check({}, {**PROVIDERS[kind], key: value}).failures
    assert key in {failure.property for failure in failures}
    assert all("expected:" in failure.reason and "found:" in failure.reason for failure in failures)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_missing_input(
    kind: type[ResourceProvider],
) -> None:
    for key in PROVIDERS[kind]:
        rest = {name: value for name, value in PROVIDERS[kind].items() if name != key}
        assert [failure.property for failure in kind().check({}, rest).failures] == [key]


@pytest.mark.requirement("a failover is no drift; Pulumi repairs what a flip left half done, without lowering an epoch")
def test_state_after_a_failover(servers: list[FakeAuthority]) -> None:
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    write_record(servers, RDC_A, PairState(2, "dublin"))
    read = provider.read("id", outs)
    assert read.outs == outs
    assert not has_changes(provider, present(read.outs), STATE)
    servers[0].replace(ZONE, [RDC_A.rrset(PairState(3, "frankfurt"))])
    read = provider.read("id", outs)
    assert has_changes(provider, present(read.outs), STATE)
    assert set(present(provider.update("id", present(read.outs), STATE).outs)["live"].values()) == {AS_DECLARED}
    assert {RDC_A.valid(server.rrset(ZONE, RDC_A.name, "LUA")) for server in servers} == {PairState(3, "frankfurt")}


def test_new_weights_keep_epoch_and_role(servers: list[FakeAuthority]) -> None:
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    write_record(servers, RDC_A, PairState(2, "dublin"))
    news = {**STATE, "activeWeight": 90, "passiveWeight": 10}
    assert has_changes(provider, outs, news)
    provider.update("id", outs, news)
    assert PairDeclaration.of(news).valid(servers[0].rrset(ZONE, RDC_A.name, "LUA")) == PairState(2, "dublin")


def test_valid_state_is_adopted_in_either_role(servers: list[FakeAuthority]) -> None:
    servers[1].replace(ZONE, [RDC_A.rrset(PairState(7, "dublin"))])
    PowerDnsPairStateProvider().create(STATE)
    assert RDC_A.valid(servers[0].rrset(ZONE, RDC_A.name, "LUA")) == PairState(7, "dublin")


def test_authorities_that_differ_in_a_change_under_way_are_brought_to_rest(servers: list[FakeAuthority]) -> None:
    outs = present(PowerDnsPairStateProvider().create(STATE).outs)
    servers[1].replace(ZONE, [RDC_A.rrset(PairState(1, "frankfurt", leaving=True))])
    PowerDnsPairStateProvider().update("id", outs, STATE)
    assert {RDC_A.valid(server.rrset(ZONE, RDC_A.name, "LUA")) for server in servers} == {RDC_A.first}


@pytest.mark.parametrize("states", [(), (PairState(4, "dublin"), PairState(4, "frankfurt"))])
def test_unknown_role_is_never_guessed(servers: list[FakeAuthority], states: tuple[PairState, ...]) -> None:
    outs = present(PowerDnsPairStateProvider().create(STATE).outs)
    for server in servers:
        server.remove(ZONE, RDC_A.name, "LUA")
    for server, state in zip(servers, states, strict=False):
        server.replace(ZONE, [RDC_A.rrset(state)])
    assert has_changes(PowerDnsPairStateProvider(), present(PowerDnsPairStateProvider().read("id", outs).outs), STATE)
    with pytest.raises(PairStateError, match="witness"):
        PowerDnsPairStateProvider().update("id", outs, STATE)


@pytest.mark.requirement("a deletion never takes the state record of a pair that names follow out of DNS")
@pytest.mark.parametrize("label", ["rdc-a", "www"])
def test_a_state_record_that_a_name_follows_is_not_deleted(servers: list[FakeAuthority], label: str) -> None:
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    steered = DNS.steered_names()
    name = PowerDnsRRsetProvider().create(steered[label])
    PowerDnsRRsetProvider().create(steered["rdc-b"])
    # Renamed in the program: the successor takes the record over, and the old resource is deleted.
    provider.create(STATE)
    with pytest.raises(PairStateError, match=f"{label}.{ZONE} at ns1, {label}.{ZONE} at ns2") as caught:
        provider.delete("id", outs)
    assert "rdc-b" not in str(caught.value)
    assert all(RDC_A.valid(server.rrset(ZONE, RDC_A.name, "LUA")) for server in servers)
    PowerDnsRRsetProvider().delete("id", present(name.outs))
    provider.delete("id", outs)
    assert not any(server.rrset(ZONE, RDC_A.name, "LUA") for server in servers)


def test_delete_is_repeatable(servers: list[FakeAuthority], cdn: FakeCdn) -> None:
    for kind in (PowerDnsRRsetProvider, PowerDnsPairStateProvider, CdnDistributionProvider):
        outs = present(kind().create(PROVIDERS[kind]).outs)
        kind().delete("id", outs)
        kind().delete("id", outs)
    PowerDnsZoneProvider().delete("id", DNS.zone_inputs())
    assert [server.zones for server in servers] == [{}, {}]


@pytest.mark.requirement("an epoch that cannot be is spread to no other authority")
def test_an_epoch_that_is_too_far_ahead_is_no_truth(servers: list[FakeAuthority]) -> None:
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    write_record(servers[:1], RDC_A, PairState(2, "dublin"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [2, 2], "a change of role that one authority missed"
    write_record(servers[:1], RDC_A, PairState(4, "frankfurt"))
    with pytest.raises(PairStateError, match="too far ahead: ns1"):
        provider.update("id", outs, STATE)
    assert epochs(servers) == [4, 2]


@pytest.mark.requirement("an epoch that cannot be by the witness is spread nowhere, and written anew")
def test_the_witness_says_which_epoch_is_true(
    servers: list[FakeAuthority], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    monkeypatch.setenv("SHOPSPHERE_WITNESSED_EPOCHS", '{"rdc-a": 7, "rdc-b": 900}')
    write_record(servers[:1], RDC_A, PairState(900, "dublin"))
    write_record(servers[1:], RDC_A, PairState(7, "frankfurt"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [7, 7]
    assert "DNS authority ns1 shows epoch 900 of rdc-a" in capsys.readouterr().err
    write_record(servers[:1], RDC_A, PairState(3, "frankfurt"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [7, 7], "one that was away for several changes is brought along"
    write_record(servers[:1], RDC_A, PairState(8, "dublin"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [8, 8], "a change that began after the witness was asked"
    write_record(servers, RDC_A, PairState(900, "dublin"))
    with pytest.raises(PairStateError, match="the witness's 7"):
        provider.update("id", outs, STATE)
    assert epochs(servers) == [900, 900]


@pytest.mark.requirement("two authorities that agree outvote a third one, where the witness does not answer")
@pytest.mark.parametrize("told", ["", "nonsense", "[]", '{"rdc-a": "x"}'])
def test_one_of_three_is_outvoted(servers: list[FakeAuthority], monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("SHOPSPHERE_WITNESSED_EPOCHS", told)
    servers.append(FakeAuthority("ns3"))
    servers[2].create_zone(ZONE, [])
    provider = PowerDnsPairStateProvider()
    outs = present(provider.create(STATE).outs)
    write_record(servers, RDC_A, PairState(7, "dublin"))
    write_record(servers[2:], RDC_A, PairState(900, "frankfurt"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [7, 7, 7]
    write_record(servers[2:], RDC_A, PairState(8, "frankfurt"))
    provider.update("id", outs, STATE)
    assert epochs(servers) == [8, 8, 8], "one ahead may be a change under way"
    for number, server in enumerate(servers):
        write_record([server], RDC_A, PairState(8 + 10 * number, "frankfurt"))
    with pytest.raises(PairStateError, match="too far ahead: ns2, ns3"):
        provider.update("id", outs, STATE)


def epochs(servers: list[FakeAuthority]) -> list[int]:
    return [present(RDC_A.valid(server.rrset(ZONE, RDC_A.name, "LUA"))).epoch for server in servers]


@pytest.mark.requirement("a distribution of an older version is brought to fetch with proof, and to nothing else")
def test_what_an_older_version_deployed_is_updated(cdn: FakeCdn) -> None:
    old = {key: value for key, value in CDN.items() if key != "originName"}
    shown = {key: value for key, value in old.items() if key not in {"endpoint", "keysFolder"}} | {"originName": None}
    cdn.put("static", shown)
    provider = CdnDistributionProvider()
    read = provider.read("static", {**old, "live": "of before"})
    assert read.id == "static"
    found = provider.diff("static", present(read.outs), CDN)
    assert (found.changes, found.replaces) == (True, [])
    after = provider.update("static", present(read.outs), CDN)
    assert present(cdn.get("static"))["originName"] == "www.shopsphere.test"
    assert not has_changes(provider, present(after.outs), CDN)
