"""Both sites' doors and fences, looked at in turn from before a fault until all is well again."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from alongside import Alongside
from pair import PairUnderTest

from lab.enter import HostOffError, run_inside
from shopsphere.estate.host_rules import FENCE_TABLE
from shopsphere.foundation.errors import ShopSphereError

EVERY = 0.05
_FENCE = ["nft", "list", "set", "inet", FENCE_TABLE, "permitted"]


@dataclass(frozen=True)
class Look:
    """What one site was at one moment.

    Attributes:
        began: seconds of the monotonic clock before the look.
        ended: after it.
        site: which.
        is_open: an agent there lets writes through, or a kernel lets clients reach databases that take writes.
    """

    began: float
    ended: float
    site: str
    is_open: bool


def open_together(looks: Sequence[Look]) -> list[float]:
    """Return the moments at which both sites were open.

    The sites are looked at in turn. A site that was open in two looks one after the other was open in between, as far
    as can be seen; so the other site must not have been open in a look that lies between them.
    """
    found = []
    for site in {each.site for each in looks}:
        own = [each for each in looks if each.site == site]
        spans = [(first.began, second.ended) for first, second in pairwise(own) if first.is_open and second.is_open]
        others = [each for each in looks if each.site != site and each.is_open]
        found += [
            each.began for each in others if any(began <= each.began and each.ended <= ended for began, ended in spans)
        ]
    return sorted(found)


class Watch(Alongside):
    """Looks at both sites again and again."""

    def __init__(self, pair: PairUnderTest) -> None:
        super().__init__("watch", ends_within=20)
        self._pair = pair
        self.looks: list[Look] = []

    def open_now(self) -> set[str]:
        """Return the sites that were open when they were looked at last."""
        last = {each.site: each.is_open for each in self.looks[-20:]}
        return {site for site, is_open in last.items() if is_open}

    def go_on(self) -> None:
        """Look until it ends."""
        while not self.ended.wait(EVERY):
            for site in self._pair.pair.sites:
                began = time.monotonic()
                is_open = self._is_open(site)
                self.looks.append(Look(began, time.monotonic(), site, is_open))

    def _is_open(self, site: str) -> bool:
        """Ask each node's agent; what it does not say, the kernel does: databases that lead, and an open fence."""
        access, nodes = self._pair.access, self._pair.topology.site(site).further_nodes
        asked = {site: lambda: access.agent_state(site)}
        asked |= {node.name: partial(access.node_state, site, node) for node in nodes}
        return any(_lets_through(host, state) for host, state in asked.items())


def _lets_through(host: str, ask: Callable[[], dict[str, Any]]) -> bool:
    try:
        state = ask()
    except ShopSphereError:
        state = {"writes": False, "role": "primary"}
    if state["writes"] or state["role"] == "replica":
        return bool(state["writes"])
    try:
        return "elements" in run_inside(host, _FENCE, check=False).stdout
    except HostOffError:
        return False
