"""Which address a name answers with, as PowerDNS LUA records."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from shopsphere.estate.site_health import SERVING_PATH, SERVING_PORT
from shopsphere.topology import Topology

_SEGMENT = 240
"""A text segment in DNS holds 255 bytes; PowerDNS joins segments with a space, so they are cut at spaces."""


@dataclass(frozen=True)
class RegionRule:
    """Clients of these networks go to this pair.

    Attributes:
        pair: name of the pair.
        networks: where the clients' addresses, or those of their resolvers, are.
    """

    pair: str
    networks: tuple[IPv4Network, ...]


def state_label(pair: str) -> str:
    """Return the name, inside the zone, of a pair's state record."""
    return f"state.{pair}"


def lua_content(type_: str, code: str) -> str:
    """Return the content of a LUA record that answers questions for `type_`."""
    parts = textwrap.wrap(code, _SEGMENT, break_long_words=False, break_on_hyphens=False)
    return f"{type_} " + " ".join(f'"{part}"' for part in parts)


_BY_CLIENT = "include('state.'..pair)"
_CHOICE = (
    "local up=ifurlup('{url}',{{sites[1][2],sites[2][2]}},{{selector='all',backupSelector='all',timeout='1'}}) "
    "if #up==1 then return up end return pickwhashed(sites)"
)
"""The active site, by weight; the other one while it is the only one of the two whose shop says that it can be read.

Asked is the gateway, which knows whether its shop answers from its database: a site that takes connections and has no
shop behind them is as good as away. The other site answers reads of the catalogue and refuses everything else until it
is active, so a check that is wrong costs writes a retry and nothing more: who may write is never decided here. With
both up, both down, or none checked yet, the role decides.
"""


def _choice(shop_host: str) -> str:
    return _CHOICE.format(url=f"http://{shop_host}:{SERVING_PORT}{SERVING_PATH}")


def pair_content(pair: str, shop_host: str) -> str:
    """Return the record of a pair's own name: its active site, by weight, the same one for the same client.

    Without a state record there is no `sites`, and the question fails: better no answer than one from an old role.
    """
    return lua_content("A", f";include('{state_label(pair)}') {_choice(shop_host)}")


def follows(content: str, pair: str) -> bool:
    """Whether a LUA record's content includes the state record of a pair, by its name or by the client's network."""
    return f"include('{state_label(pair)}')" in content or (_BY_CLIENT in content and f"pair='{pair}'" in content)


def region_rules(topology: Topology) -> tuple[RegionRule, ...]:
    """Return one rule per jurisdiction; the first one is also for clients whose network nobody knows."""
    rules = []
    for name, jurisdiction in topology.jurisdictions.items():
        pairs = [pair.name for pair in topology.pairs.values() if pair.jurisdiction == name]
        if pairs:
            rules.append(RegionRule(pairs[0], tuple(jurisdiction.client_networks)))
    return tuple(rules)


def geo_content(rules: Sequence[RegionRule], shop_host: str) -> str:
    """Return the record that leads each client network to its region, and everyone else to the first one."""
    default, *others = rules
    code = [f";local pair='{default.pair}'"]
    for index, rule in enumerate(others):
        networks = ",".join(f"'{network}'" for network in rule.networks)
        code.append(f"{'elseif' if index else 'if'} netmask({{{networks}}}) then pair='{rule.pair}'")
    if others:
        code.append("end")
    code.append(f"{_BY_CLIENT} {_choice(shop_host)}")
    return lua_content("A", " ".join(code))
