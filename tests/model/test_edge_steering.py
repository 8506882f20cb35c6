"""What the steering records say, and which of them Lua would refuse."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopsphere.clients.edge_errors import PairStateError
from shopsphere.clients.powerdns import RRset
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.steering import RegionRule, geo_content, lua_content, pair_content, region_rules
from shopsphere.topology import load_topology

SHOP = "www.shopsphere.test"
RDC_A = PairDeclaration(
    zone="shopsphere.test.",
    pair="rdc-a",
    primary="frankfurt",
    recovery="dublin",
    addresses={"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"},
    active_weight=100,
    passive_weight=0,
    ttl=5,
)
FIRST = (
    "LUA \"state={pair='rdc-a',epoch=1,active='frankfurt'} "
    "sites={{100,'10.99.0.11','frankfurt'},{0,'10.99.0.12','dublin'}}\""
)
CHOICE = (
    "local up=ifurlup('http://www.shopsphere.test:80/serving',{sites[1][2],sites[2][2]},"
    "{selector='all',backupSelector='all',timeout='1'}) "
    "if #up==1 then return up end return pickwhashed(sites)"
)
GEO = (
    "A \";local pair='rdc-a' if netmask({'10.99.80.0/20'}) then pair='rdc-b' "
    f"elseif netmask({{'10.99.96.0/20'}}) then pair='rdc-c' end include('state.'..pair) {CHOICE}\""
)


def joined(content: str) -> str:
    """A record's content as PowerDNS reads it: its segments in one."""
    return content.replace('" "', " ")


@pytest.mark.requirement("www steers by the topology's client networks, the first region by default")
def test_geo_record_of_the_topology() -> None:
    assert joined(geo_content(region_rules(load_topology()), SHOP)) == GEO


def test_one_region_needs_no_condition() -> None:
    rule = RegionRule("rdc-a", (IPv4Network("10.0.0.0/8"),))
    assert joined(geo_content([rule], SHOP)) == f"A \";local pair='rdc-a' include('state.'..pair) {CHOICE}\""


def test_pair_record_includes_its_state() -> None:
    assert pair_content("rdc-b", SHOP) == f"A \";include('state.rdc-b') {CHOICE}\""


@pytest.mark.requirement("many client networks fit: a DNS text segment holds 255 bytes")
def test_long_records_are_cut_between_words() -> None:
    rules = [RegionRule(f"rdc-{n}", tuple(IPv4Network((n << 24 | m << 16, 16)) for m in range(3))) for n in range(1, 9)]
    content = geo_content(rules, SHOP)
    segments = content.removeprefix("A ").strip('"').split('" "')
    assert len(segments) > 1
    assert all(len(segment) <= 255 for segment in segments)
    assert lua_content("A", " ".join(segments)) == content


def test_first_state() -> None:
    assert RDC_A.rrset(RDC_A.first) == RRset("state.rdc-a.shopsphere.test.", "LUA", 5, (FIRST,))


@given(epoch=st.integers(1, 10**9), active=st.sampled_from(RDC_A.sites), leaving=st.booleans())
def test_what_is_written_is_read(epoch: int, active: str, leaving: bool) -> None:
    state = PairState(epoch, active, leaving)
    assert RDC_A.valid(RDC_A.rrset(state)) == RDC_A.stated(RDC_A.rrset(state)) == state


@pytest.mark.requirement("only one site of a pair is active, and no weight sends writers elsewhere")
@pytest.mark.parametrize(("active", "weights"), [("frankfurt", "100 0"), ("dublin", "0 100")])
def test_weights_follow_the_active_site(active: str, weights: str) -> None:
    (content,) = RDC_A.rrset(PairState(3, active)).records
    frankfurt, dublin = weights.split()
    assert f"{{{frankfurt},'10.99.0.11','frankfurt'}},{{{dublin},'10.99.0.12','dublin'}}" in content


@pytest.mark.parametrize("state", [PairState(0, "frankfurt"), PairState(-1, "dublin"), PairState(1, "ashburn")])
def test_impossible_states_cannot_be_written(state: PairState) -> None:
    with pytest.raises(PairStateError, match="expected"):
        RDC_A.rrset(state)


@pytest.mark.requirement("any valid state of the pair is no drift, everything else is")
@pytest.mark.parametrize(
    ("content", "stated"),
    [
        (FIRST.replace("100,", "50,").replace("{0,", "{50,"), PairState(1, "frankfurt")),
        (FIRST.replace("10.99.0.11", "10.99.0.66"), PairState(1, "frankfurt")),
        (FIRST.replace("active='frankfurt'", "active='dublin'"), PairState(1, "dublin")),
        (FIRST[:-1] + ' sites={}"', PairState(1, "frankfurt")),
        (FIRST.replace("epoch=1", "epoch=0"), None),
        (FIRST.replace("rdc-a", "rdc-b"), None),
        (FIRST.replace("active='frankfurt'", "active='ashburn'"), None),
        ('LUA ""', None),
    ],
)
def test_changed_records_are_drift(content: str, stated: PairState | None) -> None:
    found = RRset(RDC_A.name, "LUA", 5, (content,))
    assert RDC_A.valid(found) is None
    assert RDC_A.stated(found) == stated


def test_another_ttl_and_no_record_are_drift() -> None:
    assert RDC_A.valid(RRset(RDC_A.name, "LUA", 60, (FIRST,))) is None
    assert RDC_A.valid(None) is RDC_A.stated(None) is None
