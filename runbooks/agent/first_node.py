"""The agent on a site's first node, or its only one: what it knows without the site's API while all follow.

Its doors are the way of the instances on the other nodes to each other, so they must not shut because only the API is
silent: what confirms payments at a site that follows would lose the copy that follows it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from runbooks.agent.agent import Agent
from runbooks.agent.databases import Role
from runbooks.agent.in_site import InSiteMoves
from runbooks.agent.loops import Loop
from runbooks.agent.node import PART_OF_SITE_SECONDS
from runbooks.agent.own_servers import Server, servers_here
from runbooks.agent.place import Servers
from shopsphere.estate.databases import DATABASES


class FirstAgent(Agent):
    """Takes what `Agent` takes.

    While the API was heard and said that all databases are standbys, the kernel showed a server of each that followed.
    As long as those same servers are seen to follow, and no other one is seen, nothing here takes writes.

    Args:
        servers: what the kernel shows.
        in_site: lets another instance of the site lead at once where the node of the old one is shut; None for a site
            whose agent does not.
    """

    def __init__(
        self, *arguments: Any, servers: Servers = servers_here, in_site: InSiteMoves | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._servers, self._in_site = servers, in_site
        self._succession = Loop(self.let_others_lead, in_site.pause if in_site else lambda: math.inf, self._tell)
        if in_site:
            self._beside = (*self._beside, self._succession)
        self._proven: frozenset[str] = frozenset()

    def let_others_lead(self) -> None:
        """Have an instance that is to lead not wait for one on a node that is shut."""
        if self._in_site:
            self._in_site.look(self._known, self._lease.number)

    def _look_at_role(self) -> None:
        asked, servers = self._clock.monotonic(), self._following()
        if self._proven and self._proven == servers.keys() and self._known.role is Role.REPLICA:
            self._learn(follows_until=max(self._known.follows_until, asked + PART_OF_SITE_SECONDS))
        self._succession.ring()  # the databases may have changed
        super()._look_at_role()
        proven = self._known.role is Role.REPLICA and len(servers) >= len(DATABASES)
        self._proven = frozenset(servers) if proven else frozenset()

    def _following(self) -> Mapping[str, Server]:
        """Return the servers here if the kernel shows that all of them follow, or none."""
        with suppress(OSError):
            servers = self._servers()
            return servers if all(each.follows for each in servers.values()) else {}
        return {}
