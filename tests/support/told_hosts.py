"""A site's API as far as it leads to the agents of its hosts, and real listings of a host's kernel."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.host_rules import NODES, rules_path
from shopsphere.estate.site_agent import SITE_AGENT_PORT

Document = dict[str, Any]
LISTINGS = Path(__file__).with_name("nft_listings")
"""What nft 1.0.6 printed of Frankfurt's fence and guard, and of tables like kube-proxy's, in a namespace of its own."""


def listing(name: str) -> list[Document]:
    """Return a listing: `closed`, or `open` for seven seconds."""
    found: list[Document] = json.loads((LISTINGS / f"{name}.json").read_text())["nftables"]
    return found


def told(rules: list[Document], *, site: str = "frankfurt", **fence: Any) -> Document:
    """Return an agent's answer; the fence is closed unless something else is said of it."""
    return {
        "format": 1,
        "site": site,
        "loads": ["inet shopsphere_fence", "ip shopsphere_pod_guard"],
        "fence": {"port": 5432, "changing": False, "seconds_left": 0, **fence},
        "nftables": rules,
    }


class ToldHosts:
    """A site's API; each host's agent is a function that answers or raises.

    Args:
        agents: by name of the host.
    """

    def __init__(self, agents: Mapping[str, Callable[[], Document]]) -> None:
        self.agents = {rules_path(host, SITE_AGENT_PORT): agent for host, agent in agents.items()}
        self.nodes = [{"metadata": {"name": host}} for host in agents]
        self.asked = 0

    def items_of_known_kind(self, path: str, **_query: str) -> list[Document]:
        assert path == NODES
        return self.nodes

    def get(self, path: str, **_query: str) -> Document:
        self.asked += 1
        if path not in self.agents:
            raise NotFoundError(f"frankfurt: GET {path}: 404 Not Found")
        return copy.deepcopy(self.agents[path]())
