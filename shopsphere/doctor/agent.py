"""A site's agent, which holds the right to take writes."""

from __future__ import annotations

from shopsphere.clients.site_agent import SiteAgentError, agent_address, ask_agent
from shopsphere.doctor.question import failed
from shopsphere.estate.access import site_access
from shopsphere.estate.stack import StackId
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.foundation.finding import Finding, passes
from shopsphere.topology import Site


def agent(stack: StackId, site: Site) -> Finding:
    """Ask the agent for its state."""
    where = agent_address(site_access(stack, wanted_configuration), site)
    try:
        state = ask_agent(where)
    except SiteAgentError as error:
        return failed(error, "start it at the site; docs/failover.md says how")
    return passes(f"{where}: {state.get('because') or state.get('role') or 'it answers'}")
