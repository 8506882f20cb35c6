"""What has to run on hosts before a pair is deployed to: its witness, and the agent of each site.

Without an agent a site's fence stays closed, so that its shop would never become ready; without a witness no agent
opens. Found out after the first resources exist, that looks like a fault of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shopsphere.clients.site_agent import agent_address, ask_agent
from shopsphere.estate.access import site_access
from shopsphere.estate.stack import Environment, StackId
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import Topology
from shopsphere.witness.access import see_once

Ask = Callable[[str], Mapping[str, Any]]


class UnattendedError(ShopSphereError):
    """A witness or an agent that a deployment relies on does not answer."""


def require_attended(
    topology: Topology,
    stacks: Iterable[StackId],
    see: Callable[[str, Environment], object] = see_once,
    ask: Ask = ask_agent,
) -> None:
    """Refuse sites of production whose witness has no quorum, or whose agent does not answer as theirs.

    Asked are the sites that are deployed to and no others: a lost site does not keep its peer from being deployed to.

    Args:
        topology: pairs and addresses.
        stacks: that are deployed.
        see: returns what a pair's witness says.
        ask: returns what the agent at an address says.

    Raises:
        UnattendedError: with all that do not answer.
    """
    sites = {
        each.site: each
        for each in stacks
        if each.site and each.environment is Environment.PROD and each.region in topology.pairs
    }
    pairs = list(dict.fromkeys(each.region for each in sites.values()))

    def witness(pair: str) -> str:
        try:
            see(pair, Environment.PROD)
        except ShopSphereError as error:
            return f"the witness of {pair}: {one_line(error)}"
        return ""

    def agent(site: str) -> str:
        try:
            where = agent_address(site_access(sites[site], wanted_configuration), topology.site(site))
            told = ask(where).get("site")
        except ShopSphereError as error:
            return f"the agent of {site}: {one_line(error)}"
        return "" if told in {None, site} else f"the agent of {site}: the one of {told} answers at {where}"

    silent = [line for line in (*at_each(pairs, witness), *at_each(sites, agent)) if line]
    if silent:
        raise UnattendedError.build(
            "nothing was deployed, because what has to run on hosts does not answer",
            expected=f"a quorum of the witness of {', '.join(pairs)}, and an agent at {', '.join(sites)}",
            found="\n            ".join(silent),
            action="install and start them (docs/production.md); `up SITE` deploys to the other site of a pair alone",
        )
