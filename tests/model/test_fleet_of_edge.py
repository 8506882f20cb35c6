"""The flows that names and the CDN declare, each with the place that declares it."""

from __future__ import annotations

import pytest
from fleet_by_hand import ADDRESSES, declared_by, distribution, pair_state, program, resource, rrset
from fleet_planted import at_the_first_port

from policies.edge.res_031_names_and_cdn_carry_public import steering
from policies.fleet.edge import customers
from policies.fleet.estate import Estate
from policies.fleet.flow import Store
from policies.resource import Resource
from shopsphere.topology import HeldAt, load_topology

MODEL = load_topology()
NOT_OUR_OWN = "wherever a program leads that is not our own"
GATEWAY_TO_CDN = "gateway at frankfurt -> cdn -> the CDN (origins[0])"
PUBLIC_TO_CDN = "gateway at frankfurt -> cdn -> the CDN (origins[0], public only)"
EVERYBODY = ("eu", "us", "apac")


def led(to: str, place: str, *jurisdictions: str) -> list[str]:
    return [f"customers of {each} -> dns -> {to} ({place})" for each in jurisdictions]


def origin(address: str) -> Resource:
    """What the CDN fetches from an address."""
    props = {"dataClass": "public", "paths": ["/static/"], "origins": [{"address": address}]}
    return resource("lab", "pulumi-python:dynamic/edge:CdnDistribution", "static", props)


DECLARED: dict[str, tuple[list[Resource], list[str]]] = {
    "a site's name": (
        [at_the_first_port("dublin"), rrset("dublin.shopsphere.test.", "A", ADDRESSES["dublin"])],
        led("dublin", "records[0]", "eu"),
    ),
    "the shop's name": (
        [rrset("www.shopsphere.test.", "CNAME", "Shop.example.net.")],
        led("shop.example.net", "records[0]", *EVERYBODY),
    ),
    "the domain itself": (
        [rrset("shopsphere.test.", "A", "198.51.100.9")],
        led("198.51.100.9", "records[0]", *EVERYBODY),
    ),
    "headquarters' name": ([rrset("newyork.shopsphere.test.", "A", ADDRESSES["newyork"])], []),
    "the name of static files": ([rrset("static.shopsphere.test.", "A", "198.51.100.9")], []),
    "a name server": ([rrset("ns1.shopsphere.test.", "A", "198.51.100.9")], []),
    "who issues certificates": ([rrset("shopsphere.test.", "CAA", '0 issue "ca.example"')], []),
    "who may send mail": ([rrset("www.shopsphere.test.", "TXT", "v=spf1 include:mail.example.net -all")], []),
    "our own program": ([rrset("rdc-a.shopsphere.test.", "LUA", steering(MODEL, "rdc-a"))], []),
    "another region's program": (
        [rrset("rdc-a.shopsphere.test.", "LUA", steering(MODEL, "rdc-b"))],
        led(NOT_OUR_OWN, "records[0]", "eu"),
    ),
    "our own program, then another": (
        [rrset("rdc-a.shopsphere.test.", "LUA", steering(MODEL, "rdc-a"), "A \"return '10.99.0.40'\"")],
        led(NOT_OUR_OWN, "records[1]", "eu"),
    ),
    "a region's two sites": (
        [at_the_first_port("dublin"), pair_state(frankfurt=ADDRESSES["frankfurt"], dublin=ADDRESSES["dublin"])],
        [*led("frankfurt", "addresses.frankfurt", "eu"), *led("dublin", "addresses.dublin", "eu")],
    ),
    "static files": ([distribution("/static/", "/media/")], [PUBLIC_TO_CDN]),
    "static files and every page": ([distribution("/static/", "/")], [GATEWAY_TO_CDN]),
    "a pattern below static files": ([distribution("/static/*/")], [GATEWAY_TO_CDN]),
    "a way up from static files": ([distribution("/static/../orders/")], [GATEWAY_TO_CDN]),
    "plain paths of something else": ([distribution("/orders/")], [GATEWAY_TO_CDN]),
    "no path": ([distribution()], [GATEWAY_TO_CDN]),
    "another class": ([distribution("/static/", data_class="personal")], [GATEWAY_TO_CDN]),
    "an origin outside": ([origin("198.51.100.9")], []),
    "an origin without a gateway": (
        [program("newyork", "report", "aggregate"), origin(ADDRESSES["newyork"])],
        [
            "reporting at newyork -> cdn -> the CDN (origins[0], public only)",
            "report at newyork -> cdn -> the CDN (origins[0], public only)",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARED)
def test_the_edge_declares_flows_each_with_its_place(name: str) -> None:
    planted, flows = DECLARED[name]
    assert sorted(declared_by(*planted)) == sorted(flows)


def test_customers_send_what_has_to_stay_at_home() -> None:
    """Where personal data may be anywhere, nobody has to ask where names lead."""
    sent = customers(Estate(MODEL, {}), "eu")
    assert sent == Store("customers of eu", classes=frozenset({"personal"}), jurisdiction="eu")
    anywhere = MODEL.data_classes["personal"].model_copy(update={"held_at": HeldAt.ANYWHERE})
    free = MODEL.model_copy(update={"data_classes": {**MODEL.data_classes, "personal": anywhere}})
    assert customers(Estate(free, {}), "eu").classes == frozenset()
