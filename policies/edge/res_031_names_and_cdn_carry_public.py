"""Public names lead to the sites of the topology and say nothing else; a CDN fetches from them alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from policies.edge.res_030_cdn_static_only import CDN_TYPE
from policies.listing.edge import COMPONENTS, DYNAMIC, ENGINE
from policies.reading import mapping, nodes, text, texts, whole_number
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.names.steering import geo_content, pair_content, region_rules
from shopsphere.topology import Topology
from shopsphere.topology.public_names import STATIC, WWW

OURS = frozenset(
    f"{DYNAMIC}:{name}" for name in ("DnsZone", "DnsZoneKeys", "DnsRRset", "DnsPairState", "CdnDistribution")
)
DNS_TYPE = re.compile(r"dns|route53|rrset|recordset|record$|zone$|cloudflare|ns1:|akamai|gtm|domain", re.IGNORECASE)
PUBLISHING = frozenset({"records", "rrdatas", "origins", "origin", "hostnames", "zone", "zoneid", "cname", "txt"})
"""Properties, in small letters, that say that a resource publishes names or fetches from origins."""
DEFAULT_PAIR = re.compile(r"local pair='([^']*)'")
ISSUER = re.compile(r'0 (issue|issuewild) "(;|[a-z0-9-]{1,40}(\.[a-z0-9-]{1,40}){1,3})"')
LED = re.compile(r"netmask\(\{([^}]*)\}\) then pair='([^']*)'")


def applies(resource: Resource) -> bool:
    """Return whether it publishes names or carries content, whatever its type is called."""
    token = resource.token
    if resource.is_kubernetes or token in COMPONENTS or token in ENGINE or token.startswith("pulumi:providers:"):
        return False
    named = bool(DNS_TYPE.search(token) or CDN_TYPE.search(token))
    return token in OURS or named or any(key.lower() in PUBLISHING for key in resource.props)


def check(resource: Resource) -> Iterator[Finding]:
    """Find names, contents and origins that the topology does not have."""
    model = topology_of(resource)
    if resource.token not in OURS:
        yield violation(
            f"{resource.token}, of which nobody knows what it publishes", known(sorted(OURS)), "use components.edge"
        )
        return
    if resource.kind == "CdnDistribution":
        yield from _distribution(resource, model)
        return
    zone = text(resource.props, "zone")
    if zone != f"{model.domain}.":
        yield violation(f"zone: {zone or 'missing'}", f"{model.domain}.")
    if resource.kind == "DnsRRset":
        yield from _rrset(resource, model)
    if resource.kind == "DnsPairState":
        yield from _pair_state(resource, model)


def _rrset(resource: Resource, model: Topology) -> Iterator[Finding]:
    name, type_ = text(resource.props, "name"), text(resource.props, "type")
    label = name.removesuffix(f"{model.domain}.").removesuffix(".")
    if type_ == "CAA" and not label:
        yield from _issuers(resource)
        return
    if type_ not in {"A", "LUA"}:
        yield violation(f"type: {type_ or 'missing'}, whose content may be any text", "A or LUA")
        return
    for at, content in enumerate(texts(resource.props, "records")):
        if type_ == "LUA" and content != steering(model, label):
            yield violation(
                f"records[{at}]: a program that is not the one of {name or 'no name'}", "components.edge's own"
            )
        elif type_ == "LUA" and label in {WWW, ""}:
            yield from _led_abroad(model, f"records[{at}]", content)
        elif type_ == "A" and not _leads_there(model, label, content):
            yield violation(f"records[{at}]: {content} as {name or 'no name'}", _described(model, label))


def _issuers(resource: Resource) -> Iterator[Finding]:
    """Find text beside the names of authorities that may issue certificates."""
    for at, content in enumerate(texts(resource.props, "records")):
        if not ISSUER.fullmatch(content):
            yield violation(f"records[{at}]: {content} as CAA", "a certificate authority's domain, or nobody")


def steering(model: Topology, label: str) -> str:
    """Return the one program that a steered name may have; empty for a name that none steers."""
    if label in {WWW, ""}:
        return geo_content(region_rules(model), model.shop_host)
    return pair_content(label, model.shop_host) if label in model.pairs else ""


def _led_abroad(model: Topology, place: str, content: str) -> Iterator[Finding]:
    """Find customers whom a program leads abroad, as it reads: the program and `steering` are made by the same code."""
    program = content.replace('" "', " ")
    defaults = DEFAULT_PAIR.findall(program)
    default = defaults[0] if len(defaults) == 1 else ""  # of two, the program decides which counts
    led = {network: pair for networks, pair in LED.findall(program) for network in re.findall(r"'([^']+)'", networks)}
    served = {pair.jurisdiction for pair in model.pairs.values()}
    for name in (each for each in model.jurisdictions if each in served):
        own = [pair.name for pair in model.pairs.values() if pair.jurisdiction == name]
        for network in map(str, model.jurisdictions[name].client_networks):
            pair = led.get(network, default)
            if pair not in own:
                yield violation(f"{place}: customers of {name} in {network} led to {pair or 'no pair'}", known(own))


def _leads_there(model: Topology, label: str, content: str) -> bool:
    if label in model.sites:
        return content == _address(model, label)
    return bool(re.fullmatch(rf"{STATIC}|ns[0-9]+", label)) and _is_address(content)


def _described(model: Topology, label: str) -> str:
    if label in model.sites:
        return _address(model, label)
    return f"an address, for a site, a name server or {STATIC}"


def _is_address(content: str) -> bool:
    try:
        ip_address(content)
    except ValueError:
        return False
    return True


def _pair_state(resource: Resource, model: Topology) -> Iterator[Finding]:
    name, addresses = text(resource.props, "pair"), mapping(resource.props, "addresses")
    pair = model.pairs.get(name)
    if pair is None:
        yield violation(f"pair: {name or 'missing'}", known(model.pairs))
        return
    for site in addresses:
        address = text(addresses, site)
        own = _address(model, site) if site in pair.sites else ""
        if address != own:
            yield violation(f"addresses.{site}: {address}", own or known(pair.sites))


def _distribution(resource: Resource, model: Topology) -> Iterator[Finding]:
    for host in texts(resource.props, "hostNames"):
        if host != model.static_host:
            yield violation(f"hostNames: {host}", model.static_host)
    for at, origin in enumerate(nodes(resource.props, "origins")):
        site, address = text(origin, "name"), text(origin, "address")
        own = _address(model, site) if _serves_customers(model, site) else ""
        if address != own or whole_number(origin, "port", default=0) == 0:
            yield violation(f"origins[{at}]: {address or 'missing'} as {site or 'no site'}", own or "a site of a pair")


def _address(model: Topology, site: str) -> str:
    return str(model.site(site).faces_customers_at)


def _serves_customers(model: Topology, site: str) -> bool:
    return site in model.sites and model.pair_of(site) is not None


RULE = ResourceRule(
    id="RES-031",
    name="names-and-cdn-carry-public",
    reason="DNS and a CDN are outside every jurisdiction: a name that leads elsewhere, or a text in it, has left.",
    severity=Severity.CRITICAL,
    remediation="declare names and origins with components.edge; addresses stand in topology.yaml",
    applies=applies,
    check=check,
)
