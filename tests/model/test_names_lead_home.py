"""The program behind `www` is read, and judged by where it leads each jurisdiction's customers."""

from __future__ import annotations

import pytest
from policy_cases import kubernetes as k8s

from policies.edge import res_031_names_and_cdn_carry_public as res_031
from policies.judging import judge
from shopsphere.topology import load_topology

MODEL = load_topology()
GOOD = res_031.steering(MODEL, "www")
AMERICA, ASIA = "netmask({'10.99.80.0/20'}) then pair='rdc-b'", "netmask({'10.99.96.0/20'}) then pair='rdc-c'"
ABROAD = {
    "everybody else": (GOOD.replace("local pair='rdc-a'", "local pair='rdc-b'"), "eu in 10.99.64.0/20 led to rdc-b"),
    "two exchanged": (
        GOOD.replace("pair='rdc-b'", "pair='x'").replace("pair='rdc-c'", "pair='rdc-b'").replace("'x'", "'rdc-c'"),
        "us in 10.99.80.0/20 led to rdc-c",
    ),
    "nobody of Asia": (
        GOOD.replace(ASIA, ASIA.replace("10.99.96.0", "10.99.112.0")),
        "apac in 10.99.96.0/20 led to rdc-a",
    ),
    "cut where nobody looks": (
        GOOD.replace(AMERICA, "netmask({'10.99.80.0/20'})\" \"then pair='rdc-c'"),
        "us in 10.99.80.0/20 led to rdc-c",
    ),
    "two for everybody else": (
        GOOD.replace("local pair='rdc-a'", "local pair='rdc-a' local pair='rdc-b'"),
        "eu in 10.99.64.0/20 led to no pair",
    ),
    "no pair": (GOOD.replace("local pair='rdc-a'", ""), "eu in 10.99.64.0/20 led to no pair"),
}


def test_the_words_that_are_exchanged_stand_there() -> None:
    assert AMERICA in GOOD
    assert ASIA in GOOD
    assert all(program != GOOD for program, _ in ABROAD.values())


@pytest.mark.requirement("customers are led to their own jurisdiction, also where the code that writes names is wrong")
@pytest.mark.parametrize("name", ["www.shopsphere.test.", "shopsphere.test."])
@pytest.mark.parametrize("case", ABROAD)
def test_a_program_that_leads_abroad_is_refused(case: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program, found = ABROAD[case]
    monkeypatch.setattr(res_031, "steering", lambda *_: program)  # what writes it and what expects it are wrong alike
    resource = k8s.DNS.but("type", "LUA").but("name", name).but("records", [program]).resource()
    assert any(found in each.found for each in judge([res_031.RULE], [resource]))


def test_customers_of_a_jurisdiction_without_a_pair_are_led_by_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no shop of one's own is served by the first: nothing to be judged by."""
    pairs = {name: pair for name, pair in MODEL.pairs.items() if name != "rdc-c"}
    smaller = MODEL.model_copy(update={"pairs": pairs})
    monkeypatch.setattr(res_031, "topology_of", lambda _: smaller)
    program = res_031.steering(smaller, "www")
    assert program != GOOD
    resource = k8s.DNS.but("type", "LUA").but("name", "www.shopsphere.test.").but("records", [program]).resource()
    assert judge([res_031.RULE], [resource]) == []


def test_the_program_of_the_topology_leads_home() -> None:
    resource = k8s.DNS.but("type", "LUA").but("name", "www.shopsphere.test.").but("records", [GOOD]).resource()
    assert judge([res_031.RULE], [resource]) == []


def test_each_steered_name_has_its_own_program_and_others_have_none() -> None:
    assert res_031.steering(MODEL, "") == GOOD
    assert "include('state.rdc-b')" in res_031.steering(MODEL, "rdc-b")
    assert res_031.steering(MODEL, "dublin") == ""
