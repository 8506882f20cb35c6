"""What a new region adds to topology.yaml, and with which addresses."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network

import yaml

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Topology
from shopsphere.topology.document import Document
from shopsphere.topology.insertion import appended, lengthened

ADDRESS_STEP = 10
"""From one region to the next: of its sites' addresses, and of the second byte of their networks."""
MOST_TRIES = 250
_SECOND_BYTE = 2**16


class NewRegionError(ShopSphereError):
    """A region cannot be added as it was asked for; nothing was written."""


@dataclass(frozen=True)
class NewSite:
    """A data centre that is to be added.

    Attributes:
        city: for people; the site's name is made from it.
        country: ISO 3166-1 code.
    """

    city: str
    country: str

    @property
    def name(self) -> str:
        """The city in small letters without accents, spaces and the like."""
        plain = unicodedata.normalize("NFKD", self.city).encode("ascii", "ignore").decode()
        return re.sub(r"[^a-z0-9]", "", plain.lower())


@dataclass(frozen=True)
class NewRegion:
    """A pair that is to be added, with what only people know of it.

    Attributes:
        name: of the pair.
        primary: active site in normal operation.
        recovery: active site after a failover.
        rtt_ms: round trip between the two (ms).
        jurisdiction: an existing one, or a new one.
        legal_basis: why data may move between the two sites; for a new jurisdiction.
        title: what the shop calls the region.
        language: of its pages.
        currency: an existing one, or a new one.
        currency_sign: for a new currency.
        minor_digits: for a new currency.
        price_factor: price of one euro; for a new currency.
        prices_include_tax: whether the prices shown are what a customer pays.
        order_prefix: first letters of its order numbers.
        delivers_to: names of countries by code, the usual one first.
    """

    name: str
    primary: NewSite
    recovery: NewSite
    rtt_ms: float
    jurisdiction: str
    legal_basis: str
    title: str
    language: str
    currency: str
    currency_sign: str
    minor_digits: int
    price_factor: float
    prices_include_tax: bool
    order_prefix: str
    delivers_to: Mapping[str, str]

    @property
    def sites(self) -> tuple[NewSite, NewSite]:
        """The primary and the recovery site."""
        return (self.primary, self.recovery)


def topology_with(region: NewRegion, topology: Topology, text: str, file: str) -> str:
    """Return the text of topology.yaml with a region added; what stands there stays, comments too.

    The result has to be validated: this only writes what was asked for.

    Raises:
        NewRegionError: a name is taken, or a new jurisdiction or currency is not described.
        InsertionError: the text is written in a form that nothing can be added to.
    """
    _refuse_taken_names(region, topology)
    text = _with_jurisdiction(region, topology, text, file)
    if region.currency not in topology.currencies:
        text = appended(text, "currencies", [_currency(region)], file=file)
    text = appended(text, "pairs", _pair(region, topology), file=file)
    text = appended(text, "sites", list(_sites(region, topology)), file=file)
    between = f"[{region.primary.name}, {region.recovery.name}]"
    distance = f"    - {{between: {between}, rtt: {region.rtt_ms:g}}}"
    return appended(text, "rtt_ms", [distance], file=file, indent=2)


def _refuse_taken_names(region: NewRegion, topology: Topology) -> None:
    taken = [site.name for site in region.sites if site.name in topology.sites]
    if region.name in topology.pairs:
        raise _refused(f"{region.name}: there is such a pair", "a new name", region.name, "choose another name")
    if taken or region.primary.name == region.recovery.name:
        found = ", ".join(taken) or f"{region.primary.name} twice"
        raise _refused(f"{region.name}: a site has a name already", "two new cities", found, "choose other cities")
    if region.jurisdiction not in topology.jurisdictions and not region.legal_basis.strip():
        raise _refused(
            f"{region.name}: jurisdiction {region.jurisdiction!r} is new",
            "a legal basis: why data may move between its sites",
            "none",
            "give --legal-basis, or one of the jurisdictions " + ", ".join(topology.jurisdictions),
        )
    if region.currency not in topology.currencies and not (region.currency_sign and region.price_factor > 0):
        raise _refused(
            f"{region.name}: currency {region.currency!r} is new",
            "its sign, and the price of one euro in it",
            f"sign {region.currency_sign!r}, price factor {region.price_factor:g}",
            "give --currency-sign and --price-factor, or one of the currencies " + ", ".join(topology.currencies),
        )


def _with_jurisdiction(region: NewRegion, topology: Topology, text: str, file: str) -> str:
    names = [site.name for site in region.sites]
    if region.jurisdiction in topology.jurisdictions:
        line = Document(text, file).line_of(f"jurisdictions.{region.jurisdiction}.sites") or 1
        return lengthened(text, line, "sites", names, file=file)
    lines = [
        f"  {region.jurisdiction}:",
        f"    sites: [{', '.join(names)}]",
        f"    legal_basis: {_quoted(region.legal_basis)}",
        f"    client_networks: [{_next_client_network(topology)}]",
    ]
    return appended(text, "jurisdictions", lines, file=file)


def _currency(region: NewRegion) -> str:
    facts = f"sign: {_quoted(region.currency_sign)}, minor_digits: {region.minor_digits}"
    return f"  {region.currency}: {{{facts}, price_factor: {region.price_factor!r}}}"


def _pair(region: NewRegion, topology: Topology) -> list[str]:
    first = next(iter(topology.pairs.values()))
    shop, digits, factor = first.storefront, region.minor_digits, region.price_factor
    if region.currency in topology.currencies:
        known = topology.currency(region.currency)
        digits, factor = known.minor_digits, known.price_factor
    old = topology.currency(shop.currency)

    def here(amount_minor: int) -> int:
        """Convert an amount of the first region, whole units and not a cent more exact."""
        if region.currency == shop.currency:
            return amount_minor
        euro = Decimal(amount_minor) / 10**old.minor_digits / Decimal(str(old.price_factor))
        return int(round(euro * Decimal(str(factor))) * 10**digits)

    weights = f"{{active: {first.weights.active}, passive: {first.weights.passive}}}"
    return [
        f"  {region.name}:",
        f"    primary: {region.primary.name}",
        f"    recovery: {region.recovery.name}",
        f"    weights: {weights}",
        f"    dns_ttl_seconds: {first.dns_ttl_seconds}",
        "    storefront:",
        f"      title: {_quoted(region.title)}",
        f"      currency: {region.currency}",
        f"      language: {region.language}",
        f"      prices_include_tax: {str(region.prices_include_tax).lower()}",
        f"      shipping_minor: {here(shop.shipping_minor)}",
        f"      free_shipping_from_minor: {here(shop.free_shipping_from_minor)}",
        f"      order_prefix: {_quoted(region.order_prefix)}",
        "      delivers_to:",
        *(f"        {_quoted(code)}: {_quoted(name)}" for code, name in region.delivers_to.items()),
    ]


def _sites(region: NewRegion, topology: Topology) -> Iterable[str]:
    last = list(topology.pairs.values())[-1]
    step = _free_step(topology, last.sites)
    limits = f"racks: {topology.limits.racks_per_site}, kilowatts: {topology.limits.kilowatts_per_site:g}"
    for site, before in zip(region.sites, last.sites, strict=True):
        old = topology.site(before)
        yield (
            f"  {site.name}: {{city: {_quoted(site.city)}, country: {_quoted(site.country)}, {limits}, "
            f"address: {old.address + step}, pod_network: {_moved(old.pod_network, step)}, "
            f"service_network: {_moved(old.service_network, step)}}}"
        )


def _free_step(topology: Topology, before: tuple[str, str]) -> int:
    """Return how far from the last region's the new one's addresses and networks have to be, so that all are free."""
    addresses = {site.address for site in topology.sites.values()}
    addresses |= {each.archive.address for each in topology.jurisdictions.values() if each.archive}
    networks = [each for site in topology.sites.values() for each in (site.pod_network, site.service_network)]
    networks += [each for jurisdiction in topology.jurisdictions.values() for each in jurisdiction.client_networks]
    for step in range(ADDRESS_STEP, MOST_TRIES, ADDRESS_STEP):
        old = [topology.site(site) for site in before]
        wanted = [_moved(each, step) for site in old for each in (site.pod_network, site.service_network)]
        if not addresses.intersection(site.address + step for site in old) and not any(
            one.overlaps(other) for one in wanted for other in networks
        ):
            return step
    raise _refused(
        "no addresses are left beside those of the last region",
        "free addresses and networks for two sites",
        f"none in steps of {ADDRESS_STEP}",
        "add the region to topology.yaml by hand",
    )


def _next_client_network(topology: Topology) -> IPv4Network:
    """Return the first network behind the last jurisdiction's that is nobody's."""
    last = list(topology.jurisdictions.values())[-1].client_networks[-1]
    taken = [each for site in topology.sites.values() for each in (site.pod_network, site.service_network)]
    taken += [each for jurisdiction in topology.jurisdictions.values() for each in jurisdiction.client_networks]
    for number in range(1, MOST_TRIES):
        start = int(last.network_address) + number * last.num_addresses
        found = IPv4Network((start, last.prefixlen))
        holds_a_site = any(site.address in found for site in topology.sites.values())
        if not holds_a_site and not any(found.overlaps(other) for other in taken):
            return found
    raise _refused(
        "no network is left for its clients",
        f"a free network behind {last}",
        "none",
        "add the region to topology.yaml by hand",
    )


def _moved(network: IPv4Network, step: int) -> IPv4Network:
    return IPv4Network((IPv4Address(int(network.network_address) + step * _SECOND_BYTE), network.prefixlen))


def _quoted(text: str) -> str:
    """Return a text as YAML reads it back: with quotes where it would mean something else."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 -]*[A-Za-z0-9]|[A-Za-z]", text) and yaml.safe_load(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _refused(problem: str, expected: str, found: str, action: str) -> ShopSphereError:
    return NewRegionError.build(problem, expected=expected, found=found, action=action)
