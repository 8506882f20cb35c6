"""The host's firewall: an nftables table that lets in who belongs there, and has all else noted and refused.

It judges what is for the host itself (`input`). Packets of pods and for pods are forwarded: the fence, kube-proxy and
the policies judge those. What nobody waits for is refused, not dropped, so that a client fails at once
(docs/adr/0043-hosts-let-in-who-belongs-there.md).

What follows from topology stands in rules, and `shopsphere drift` compares them. What no file of this repository says,
such as networks of operators, is in the sets `let_in` and `let_in6`, which are filled by the text that a host loads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TypeVar

from shopsphere.estate.host_openings import Opening, Protocol, SitePorts, site_openings
from shopsphere.estate.nftables import ACCEPT, DROP, Chain, NamedSet, Rule, Statement, Table, match, payload
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import Site, Topology

FIREWALL_TABLE = "shopsphere_firewall"
LET_IN, LET_IN6 = "let_in", "let_in6"
"""Sets of protocol, port and source, for each version of IP."""
LOG_GROUP = 100
"""NFLOG group of refused packets: the one in which kube-router tells what policies refuse, so one reader has both."""
LOG_PREFIX = "refused:"
_HEADERS = 128
"""Bytes of a packet that are told: its headers, and little of what is in it."""
_LINES_PER_SECOND, _LINES_AT_ONCE = 100, 200
"""A stranger can ask without end; packets beyond it are refused and counted without a line."""
_LINES_OF_ONE_PER_SECOND, _LINES_OF_ONE_AT_ONCE = 10, 50
"""Lines of one source (an IPv4 address, an IPv6 /64), so that a noisy one hides no other."""
_NOISY, _NOISY6 = "noisy", "noisy6"
_NOISY_SECONDS = 10
"""So long after its last packet (s) a source is forgotten: twice what an empty bound needs to be full again."""
_NOISY_SOURCES = 4096
"""Most sources that are known at once, about 1 MB; each further one shares the bound of all."""
_ONE_OF_IPV6 = "ffff:ffff:ffff:ffff::"
_ECHOES_PER_SECOND, _ECHOES_AT_ONCE = 100, 200
"""Each ping from a new source is a record of the kernel's for 30 s: 3,000 at once, and no flood fills its table."""
_REFUSE = "refuse"
_RAW = -300  # before the kernel begins to track a connection
_AFTER_KUBE_PROXY = -10  # it answers at -110 for Services that have no pod; kube-router is at 0

_ICMP = ("destination-unreachable", "parameter-problem", "time-exceeded")
_ICMP6 = (
    "destination-unreachable",
    "mld-listener-query",
    "nd-neighbor-advert",
    "nd-neighbor-solicit",
    "nd-router-advert",
    "packet-too-big",
    "parameter-problem",
    "time-exceeded",
)
_LET_IN_WORDS = re.compile(r"(?P<protocol>tcp|udp):(?P<port>[0-9]{1,5})=(?P<network>[0-9a-f.:/]+)")
_PORTS = 65536
_Network = TypeVar("_Network", IPv4Network, IPv6Network)
_COUNTED: Statement = {"counter": None}
_NOTRACK: Statement = {"notrack": None}


@dataclass(frozen=True)
class LetIn:
    """A port that is open for a network beside what topology says.

    Attributes:
        protocol: of the port.
        port: which.
        source: who may come.
    """

    protocol: Protocol
    port: int
    source: IPv4Network | IPv6Network

    def __str__(self) -> str:
        """As an element of the set."""
        return f"{self.protocol} . {self.port} . {self.source}"


def let_in_of(words: str) -> LetIn:
    """Return what `tcp:9100=198.51.100.0/28` or `tcp:22=2001:db8::/64` says.

    Raises:
        UsageError: it says something else.
    """
    found = _LET_IN_WORDS.fullmatch(words)
    try:
        if found and 0 < int(found["port"]) < _PORTS:
            protocol: Protocol = "udp" if found["protocol"] == "udp" else "tcp"
            return LetIn(protocol, int(found["port"]), ip_network(found["network"]))
    except ValueError:
        pass
    raise UsageError.build(
        "who else is let in cannot be read",
        expected="as in tcp:9100=198.51.100.64/28 or tcp:22=2001:db8::/64",
        found=repr(words),
        action="correct --let-in",
    )


def firewall(openings: Iterable[Opening]) -> Table:
    """Return the firewall of a host with these openings."""
    given = list(openings)
    rules: tuple[Rule, ...] = (
        (match(_meta("iif"), "==", "lo"), ACCEPT),
        (_is_state("established", "related"), ACCEPT),
        (match(payload("icmp", "type"), "==", _set(_ICMP)), ACCEPT),
        (match(payload("icmpv6", "type"), "==", _set(_ICMP6)), ACCEPT),
        *((match(payload(each, "type"), "==", "echo-request"), _ECHOES, ACCEPT) for each in ("icmp", "icmpv6")),
        # A server's answer about the host's own IPv6 address: it is not from where the question went, to a multicast.
        (
            match(payload("ip6", "saddr"), "==", {"prefix": {"addr": "fe80::", "len": 10}}),
            match(payload("udp", "sport"), "==", 547),
            match(payload("udp", "dport"), "==", 546),
            ACCEPT,
        ),
        *map(_rule, given),
        *((match(_named(version), "==", f"@{name}"), ACCEPT) for version, name in (("ip", LET_IN), ("ip6", LET_IN6))),
        (match(_meta("pkttype"), "==", _set(("broadcast", "multicast"))), DROP),
        # A late packet of a connection that is over. A reset in answer to one out of order would end a living one.
        (_is_state("invalid"), _COUNTED, DROP),
        (_is_over(_NOISY, payload("ip", "saddr")), {"goto": {"target": _REFUSE}}),
        (_is_over(_NOISY6, {"&": [payload("ip6", "saddr"), _ONE_OF_IPV6]}), {"goto": {"target": _REFUSE}}),
        (
            _limit(_LINES_PER_SECOND, _LINES_AT_ONCE),
            {"log": {"prefix": LOG_PREFIX, "snaplen": _HEADERS, "group": LOG_GROUP}},
        ),
        ({"goto": {"target": _REFUSE}},),
    )
    refuse: tuple[Rule, ...] = (
        (match(_meta("l4proto"), "==", "tcp"), _COUNTED, {"reject": {"type": "tcp reset"}}),
        (_COUNTED, {"reject": {"type": "icmpx", "expr": "port-unreachable"}}),
    )
    sets = (
        *(
            NamedSet(name, ("inet_proto", "inet_service", kind), ("interval",))
            for name, kind in ((LET_IN, "ipv4_addr"), (LET_IN6, "ipv6_addr"))
        ),
        *(
            NamedSet(name, kind, ("dynamic", "timeout"), _NOISY_SECONDS, _NOISY_SOURCES)
            for name, kind in ((_NOISY, "ipv4_addr"), (_NOISY6, "ipv6_addr"))
        ),
    )
    refusing = Chain(_REFUSE, "", 0, refuse)
    chains = (*_untracked(given), refusing, Chain("input", "input", _AFTER_KUBE_PROXY, rules))
    return Table("inet", FIREWALL_TABLE, chains, sets)


def _untracked(openings: Iterable[Opening]) -> list[Chain]:
    """Return the chains that keep some openings out of the kernel's table of connections, on both ways.

    Who asks on the host itself goes by loopback, where a packet that is tracked once stays so.
    """
    loose = [each for each in openings if not each.tracked and each.at]
    if not loose:
        return []
    own = match(_meta("oif"), "==", "lo")
    asked = [_place(each, "daddr", "dport") for each in loose]
    answered = [_place(each, "saddr", "sport") for each in loose]
    out = (*((*each, _NOTRACK) for each in answered), *((own, *each, _NOTRACK) for each in asked))
    return [
        Chain("untracked_in", "prerouting", _RAW, tuple((*each, _NOTRACK) for each in asked)),
        Chain("untracked_out", "output", _RAW, out),
    ]


def firewall_of(site: Site, topology: Topology, named: SitePorts | None = None) -> Table:
    """Return the firewall of each host of a site; `named` are ports that its stack names."""
    return firewall(site_openings(site, topology, named))


def firewall_text(table: Table, let_in: Iterable[LetIn] = ()) -> str:
    """Return the input of `nft -f` that loads a host's firewall, also where one is loaded already.

    The kernel refuses elements of which one contains the other, so networks of a port are joined.
    """
    given = list(let_in)
    old = [(each.protocol, each.port, each.source) for each in given if isinstance(each.source, IPv4Network)]
    new = [(each.protocol, each.port, each.source) for each in given if isinstance(each.source, IPv6Network)]
    return table.text({LET_IN: ", ".join(_joined(old)), LET_IN6: ", ".join(_joined(new))})


def _joined(given: Iterable[tuple[Protocol, int, _Network]]) -> list[str]:
    sources: dict[tuple[Protocol, int], list[_Network]] = {}
    for protocol, port, network in given:
        sources.setdefault((protocol, port), []).append(network)
    return [
        str(LetIn(protocol, port, source))
        for (protocol, port), networks in sorted(sources.items())
        for source in collapse_addresses(networks)
    ]


def let_in_each(ports: Iterable[int], sources: Iterable[IPv4Network]) -> list[LetIn]:
    """Return TCP ports that are each open for each of some networks, which may overlap."""
    networks = list(sources)
    return [LetIn("tcp", port, source) for port in sorted(set(ports)) for source in networks]


def _rule(opening: Opening) -> Rule:
    conditions: list[Statement] = []
    if opening.sources is not None:
        conditions.append(match(payload("ip", "saddr"), "==", _any_of([_network(each) for each in opening.sources])))
    return (*conditions, *_place(opening, "daddr", "dport"), ACCEPT)


def _place(opening: Opening, address: str, port: str) -> tuple[Statement, ...]:
    """Return that a packet is from or to the place of an opening."""
    at = (
        [match(payload("ip", address), "==", _any_of([str(each) for each in sorted(opening.at)]))] if opening.at else []
    )
    return (*at, match(payload(opening.protocol, port), "==", _any_of(sorted(opening.ports))))


def _named(version: str) -> dict[str, object]:
    return {"concat": [_meta("l4proto"), payload("th", "dport"), payload(version, "saddr")]}


def _is_over(known: str, source: object) -> Statement:
    """Return that a source had its lines; where no more sources can be known, it is not."""
    bound = _limit(_LINES_OF_ONE_PER_SECOND, _LINES_OF_ONE_AT_ONCE, over=True)
    return {"set": {"op": "update", "elem": source, "set": f"@{known}", "stmt": [bound]}}


def _limit(rate: int, burst: int, *, over: bool = False) -> Statement:
    return {"limit": {"rate": rate, "burst": burst, "per": "second", **({"inv": True} if over else {})}}


_ECHOES = _limit(_ECHOES_PER_SECOND, _ECHOES_AT_ONCE)


def _network(network: IPv4Network) -> object:
    if network.num_addresses == 1:
        return str(network.network_address)
    return {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}


def _any_of(values: list[object] | list[str] | list[int]) -> object:
    return values[0] if len(values) == 1 else {"set": [*values]}


def _set(values: Iterable[str]) -> object:
    return {"set": [*values]}


def _meta(key: str) -> dict[str, object]:
    return {"meta": {"key": key}}


def _is_state(*states: str) -> Statement:
    wanted = [*states] if len(states) > 1 else states[0]
    return match({"ct": {"key": "state"}}, "in", wanted)
