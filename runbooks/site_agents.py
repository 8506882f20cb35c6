"""What steps that wait for a site's agent ask of it: the agent acts by itself, on what the witness or a permit says."""

from __future__ import annotations

from runbooks.change import RoleChange
from shopsphere.estate import site_agent


def agent_says(change: RoleChange, site: str) -> str:
    """Return what a site's agent gives as its reason, or gave when a step asked it a moment ago.

    Raises:
        SiteAgentError: it does not answer.
    """
    return f"the agent of {site} says: {change.access.last_agent_state(site)['because']}"


def lets_writes_through(change: RoleChange, site: str) -> bool:
    """Whether a site's agent says that the gateway lets writes through; one that soon does is waited for a little."""
    return site_agent.lets_writes_through(change.access.agent_state(site, until=site_agent.OPEN_FOR_WRITES))


def has_lease(change: RoleChange, site: str) -> bool:
    """Whether a site's agent says that it holds the lease to write; one that soon does is waited for a little."""
    return site_agent.has_lease(change.access.agent_state(site, until=site_agent.HAS_LEASE))


def how_synchrony_returns(leader: str, follower: str) -> str:
    """Say who switches it on: one process alone does, so that no second one can switch it off meanwhile."""
    return f"the agent of {leader} lets the ledger wait for {follower}, sees it do so, and tells the witness"
