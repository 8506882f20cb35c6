"""Checks across the document: what no single field can know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.checks_archive import archive_problems
from shopsphere.topology.checks_network import network_problems
from shopsphere.topology.checks_retention import retention_problems
from shopsphere.topology.checks_storefront import storefront_problems
from shopsphere.topology.data_class import HeldAt
from shopsphere.topology.model import Topology
from shopsphere.topology.public_names import STATIC, WWW

RESERVED_NAMES = frozenset({"all", "edge", "hq", "lab", STATIC, WWW})
"""Targets of verbs beside pairs and sites, and labels of the zone that lead to none of them."""
WHOLE = 100
"""What the weights of a pair add up to (%)."""


def problems_of(topology: Topology) -> list[Problem]:
    """Return everything that is wrong across the document; empty when it can be used."""
    return [problem for check in CHECKS for problem in check(topology)]


def _references(topology: Topology) -> Iterator[Problem]:
    """Every site that is named exists."""
    named = [("headquarters", topology.headquarters)]
    for name, jurisdiction in topology.jurisdictions.items():
        named += [(f"jurisdictions.{name}.sites.{at}", site) for at, site in enumerate(jurisdiction.sites)]
    for name, pair in topology.pairs.items():
        named += [(f"pairs.{name}.primary", pair.primary), (f"pairs.{name}.recovery", pair.recovery)]
    for at, distance in enumerate(topology.wan.rtt_ms):
        named += [(f"wan.rtt_ms.{at}.between.{end}", site) for end, site in enumerate(distance.between)]
    known = ", ".join(sorted(topology.sites))
    for path, site in named:
        if site not in topology.sites:
            yield Problem(path, f"one of the sites {known}", repr(site))


def _names(topology: Topology) -> Iterator[Problem]:
    """A name means one thing: no pair and no site is called like another one, or like what verbs take besides."""
    for section, names in (("pairs", topology.pairs), ("sites", topology.sites)):
        for name in names:
            if name in RESERVED_NAMES:
                yield Problem(f"{section}.{name}", "a name that stands for nothing else", f"{name!r}")
    for name in topology.pairs.keys() & topology.sites.keys():
        yield Problem(f"pairs.{name}", "a name that no site has", f"{name!r}, which is a site, too")


def _membership(topology: Topology) -> Iterator[Problem]:
    """Every site but headquarters is in one jurisdiction and one pair; headquarters is in none."""
    jurisdictions = {name: [*each.sites] for name, each in topology.jurisdictions.items()}
    pairs = {name: [*each.sites] for name, each in topology.pairs.items()}
    for kind, groups in (("jurisdiction", jurisdictions), ("pair", pairs)):
        for site in topology.sites:
            homes = [name for name, members in groups.items() for member in members if member == site]
            if site == topology.headquarters:
                if homes:
                    yield Problem("headquarters", f"a site in no {kind}", f"{site!r}, which is in {', '.join(homes)}")
            elif len(homes) != 1:
                place = f"{kind}s.{homes[-1]}" if homes else f"sites.{site}"
                found = f"site {site!r} in {', '.join(homes) or 'none'}"
                yield Problem(place, f"each site in exactly one {kind}", found)


def _one_jurisdiction_per_pair(topology: Topology) -> Iterator[Problem]:
    """A recovery site in another jurisdiction would hold data that it may not hold."""
    for name, pair in topology.pairs.items():
        if topology.headquarters in pair.sites or not set(pair.sites) <= set(topology.sites):
            continue  # reported by another check
        here, there = topology.jurisdiction_of(pair.primary), topology.jurisdiction_of(pair.recovery)
        if here != there:
            expected = f"a site in {here!r}, the jurisdiction of the primary {pair.primary!r}"
            yield Problem(f"pairs.{name}.recovery", expected, f"{pair.recovery!r}, which is in {there!r}")


def _weights(topology: Topology) -> Iterator[Problem]:
    for name, pair in topology.pairs.items():
        total = pair.weights.active + pair.weights.passive
        if total != WHOLE:
            found = f"{pair.weights.active} + {pair.weights.passive} = {total}"
            yield Problem(f"pairs.{name}.weights", f"active + passive = {WHOLE}", found)


def _limits(topology: Topology) -> Iterator[Problem]:
    for name, site in topology.sites.items():
        if site.racks > topology.limits.racks_per_site:
            yield Problem(f"sites.{name}.racks", f"at most {topology.limits.racks_per_site} racks", str(site.racks))
        if site.kilowatts > topology.limits.kilowatts_per_site:
            expected = f"at most {topology.limits.kilowatts_per_site:g} kW"
            yield Problem(f"sites.{name}.kilowatts", expected, f"{site.kilowatts:g} kW")


def _cdn(topology: Topology) -> Iterator[Problem]:
    """The CDN is in no jurisdiction, so it may carry only what may be held anywhere."""
    anywhere = [name for name, each in topology.data_classes.items() if each.held_at is HeldAt.ANYWHERE]
    for at, name in enumerate(topology.cdn.carries):
        if name not in topology.data_classes:
            known = ", ".join(topology.data_classes)
            yield Problem(f"cdn.carries.{at}", f"one of the data classes {known}", repr(name))
        elif name not in anywhere:
            found = f"{name!r}, held at {topology.data_classes[name].held_at.value}"
            yield Problem(f"cdn.carries.{at}", f"a class held anywhere: {', '.join(anywhere)}", found)
    for at, path in enumerate(topology.cdn.paths):
        if not (path.startswith("/") and path.endswith("/") and len(path) > len("//") and ".." not in path):
            yield Problem(f"cdn.paths.{at}", "a path prefix below the root, as in '/static/'", repr(path))


def _distances(topology: Topology) -> Iterator[Problem]:
    """Each pair of two different sites is listed at most once."""
    ends = Counter(frozenset(distance.between) for distance in topology.wan.rtt_ms)
    for at, distance in enumerate(topology.wan.rtt_ms):
        pair = frozenset(distance.between)
        if len(pair) == 1:
            yield Problem(f"wan.rtt_ms.{at}.between", "two different sites", f"{distance.between[0]!r} twice")
        elif ends[pair] > 1:
            yield Problem(f"wan.rtt_ms.{at}.between", "each pair of sites once", f"{' and '.join(sorted(pair))} again")


CHECKS: tuple[Callable[[Topology], Iterator[Problem]], ...] = (
    _references,
    _names,
    _membership,
    _one_jurisdiction_per_pair,
    _weights,
    _limits,
    _cdn,
    _distances,
    storefront_problems,
    retention_problems,
    network_problems,
    archive_problems,
)
