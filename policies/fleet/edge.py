"""Flows of the edge: where public names lead customers, and what a CDN fetches."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.edge.res_030_cdn_static_only import PLAIN_PATH
from policies.edge.res_031_names_and_cdn_carry_public import steering
from policies.fleet.estate import Estate
from policies.fleet.flow import Flow, Kind, Store
from policies.reading import mapping, nodes, text, texts
from policies.resource import Resource
from shopsphere.estate.workloads import GATEWAY
from shopsphere.topology import HEADQUARTERS, HeldAt
from shopsphere.topology.public_names import STATIC

NO_CUSTOMERS = re.compile(rf"{STATIC}|ns[0-9]+")
CDN = "the CDN"


def flows(estate: Estate, resource: Resource) -> Iterator[Flow]:
    """Yield each flow that a resource of the edge declares."""
    match resource.kind:
        case "DnsRRset":
            yield from _names(estate, resource)
        case "DnsPairState":
            yield from _pair(estate, resource)
        case "CdnDistribution":
            yield from _distribution(estate, resource)


def customers(estate: Estate, jurisdiction: str) -> Store:
    """Return the customers of a jurisdiction, who send to wherever its names lead."""
    at_home = {name for name, each in estate.model.data_classes.items() if each.held_at is HeldAt.HOME}
    return Store(
        name=f"customers of {jurisdiction}", classes=frozenset({"personal"} & at_home), jurisdiction=jurisdiction
    )


def _names(estate: Estate, resource: Resource) -> Iterator[Flow]:
    model, type_ = estate.model, text(resource.props, "type")
    label = text(resource.props, "name").removesuffix(f"{model.domain}.").removesuffix(".")
    if NO_CUSTOMERS.fullmatch(label) or type_ in {"CAA", "TXT"}:
        return
    for at, content in enumerate(texts(resource.props, "records")):
        if type_ == "LUA" and content == steering(model, label):
            continue
        if type_ == "LUA":
            targets = [estate.outside("wherever a program leads that is not our own")]
        else:
            targets = estate.reached(content.lower().rstrip("."), 0, model.headquarters)
        yield from _led(estate, resource, _led_by(estate, label), targets, f"records[{at}]")


def _led_by(estate: Estate, label: str) -> list[str]:
    """Return the jurisdictions whose customers a name leads."""
    model = estate.model
    if label in model.sites:
        return [model.jurisdiction_of(label)]
    if label in model.pairs:
        return [model.jurisdiction_of(model.pairs[label].primary)]
    return list(model.jurisdictions)


def _pair(estate: Estate, resource: Resource) -> Iterator[Flow]:
    pair = text(resource.props, "pair")
    if pair not in estate.model.pairs:
        return  # RES-031 refuses it
    addresses = mapping(resource.props, "addresses")
    for site in addresses:
        targets = estate.reached(text(addresses, site), 0, estate.model.headquarters)
        yield from _led(estate, resource, _led_by(estate, pair), targets, f"addresses.{site}")


def _led(
    estate: Estate, resource: Resource, jurisdictions: list[str], targets: list[Store], place: str
) -> Iterator[Flow]:
    for jurisdiction in jurisdictions:
        if jurisdiction != HEADQUARTERS:
            for target in targets:
                yield Flow(customers(estate, jurisdiction), target, Kind.DNS, resource, place)


def _distribution(estate: Estate, resource: Resource) -> Iterator[Flow]:
    """Yield what a CDN fetches: its class where only static paths are served, else all that the gateway hands out."""
    cdn, data_class = estate.model.cdn, text(resource.props, "dataClass")
    paths = texts(resource.props, "paths")
    is_static = data_class in cdn.carries and bool(paths) and all(_is_static(each, cdn.paths) for each in paths)
    for at, origin in enumerate(nodes(resource.props, "origins")):
        for target in estate.reached(text(origin, "address"), 0, estate.model.headquarters):
            sources = estate.inside(target.site, GATEWAY.namespace.name) or estate.inside(target.site)
            for source in sources if target.site else ():
                carries = frozenset({data_class}) if is_static else None
                yield Flow(source, estate.outside(CDN), Kind.CDN, resource, f"origins[{at}]", carries)


def _is_static(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a path is a plain prefix below one of those that a CDN may serve."""
    return any(path.startswith(each) for each in prefixes) and bool(PLAIN_PATH.match(path))
