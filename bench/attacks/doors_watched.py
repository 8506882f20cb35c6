"""A look at a pair's agents twice a second, while strangers try everything."""

from __future__ import annotations

import json
import threading
import urllib.request
from datetime import UTC, datetime

from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.topology import Pair, Topology


class DoorsWatched:
    """Looks at a pair's agents from the operators' machine twice a second, and keeps what was not as it should be."""

    def __init__(self, pair: Pair, topology: Topology) -> None:
        self.problems: list[str] = []
        self.looks = 0
        self._ends = threading.Event()
        self._doors = {site: f"http://{topology.site(site).address}:{SITE_AGENT_PORT}/state" for site in pair.sites}
        self._active = pair.primary
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ends.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._ends.wait(0.5):
            for site, url in self._doors.items():
                now = datetime.now(UTC).isoformat(timespec="seconds")
                try:
                    with self._opener.open(url, timeout=5) as answer:
                        state = json.load(answer)
                except (OSError, ValueError) as error:
                    self.problems.append(f"{now} {site}'s agent says nothing: {error}")
                    continue
                if state["writes"] is not (site == self._active):
                    self.problems.append(f"{now} {site}: writes {state['writes']}: {state['because']}")
            self.looks += 1
