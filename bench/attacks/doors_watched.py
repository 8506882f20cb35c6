"""A look at a pair's agents twice a second, while strangers try everything.

Each is asked from the pair's other site: attackers use the operators' machine as well, and a door answers each address
only so often.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from datetime import UTC, datetime

from lab.host import power
from lab.network.tap import network_namespace_of
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.topology import Pair, Topology


class DoorsWatched:
    """Looks at a pair's agents twice a second, and keeps what was not as it should be."""

    def __init__(self, pair: Pair, topology: Topology) -> None:
        self.problems: list[str] = []
        self.looks = 0
        self._ends, self._active = threading.Event(), pair.primary
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._threads = [
            threading.Thread(target=self._watch, args=(site, asker, topology.site(site).address), daemon=True)
            for site, asker in (pair.sites, pair.sites[::-1])
        ]
        for each in self._threads:
            each.start()

    def end(self) -> None:
        """Look no more."""
        self._ends.set()
        for each in self._threads:
            each.join(10)

    def _watch(self, site: str, asker: str, address: object) -> None:
        host = power.identity(asker)
        if host is None:
            self.problems.append(f"{asker} has no power, so nobody looks at {site}'s agent")
            return
        with network_namespace_of(host.pid):
            while not self._ends.wait(0.5):
                self._look(site, f"http://{address}:{SITE_AGENT_PORT}/state")

    def _look(self, site: str, url: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.looks += 1
        try:
            with self._opener.open(url, timeout=5) as answer:
                state = json.load(answer)
        except (OSError, ValueError) as error:
            self.problems.append(f"{now} {site}'s agent says nothing: {error}")
            return
        if state["writes"] is not (site == self._active):
            self.problems.append(f"{now} {site}: writes {state['writes']}: {state['because']}")
