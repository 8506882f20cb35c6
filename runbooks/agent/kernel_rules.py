"""What the kernel of the agent's host enforces: told as it is, and loaded again as it is declared."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runbooks.agent.fence import FirewallFence, Ordered
from shopsphere.estate.host_firewall import FIREWALL_TABLE
from shopsphere.estate.nftables import Document, Table, essential
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.process import run

FORMAT = 1
"""Version of the answer."""
_SECONDS = 2
_TRIES = 3
"""Listings in which a fence that is renewed every second and a half may be found at rest."""
_AT_ITS_END = 1.0
"""Nearer (s) to the end of an opening nobody can tell whether the kernel has ended it already."""
_MOST_BYTES = 8 * 2**20

List = Callable[[], str]


class KernelRulesError(NoAnswerError):
    """The kernel's rules cannot be told now."""


def list_ruleset() -> str:
    """Return what `nft -j list ruleset` prints.

    Raises:
        CommandError: nft is not there, failed, or did not end.
    """
    return run(["nft", "-j", "list", "ruleset"], seconds=_SECONDS).stdout


class KernelRules:
    """The rules of one host, for who asks through the API server of its site.

    That server proxies to the hosts of its nodes for those who may do that, by TLS and with their own credentials. The
    door (`runbooks/agent/door/callers.py`) lets nobody else ask.

    Args:
        site: of the host.
        fence: of the site's databases; None at a site without any.
        peers: of a further node of a site: between its databases and the pair's other site.
        guard: the table that guards its pods; None where the policy engine does that itself.
        firewall: file with the host's firewall; None where it has none of ours.
        listing: lists the kernel's rules.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        site: str,
        fence: FirewallFence | None,
        guard: Table | None,
        *,
        peers: FirewallFence | None = None,
        firewall: Path | None = None,
        listing: List = list_ruleset,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._site, self._fence, self._peers, self._guard, self._firewall = site, fence, peers, guard, firewall
        self._listing, self._clock = listing, clock
        self._one = threading.Lock()

    def tell(self) -> Document:
        """Return the rules, and what the fence was told.

        `fence` has `port`, `changing` (nobody can say what it should be at this moment) and `seconds_left` of its
        opening (0 closed, None for no end). `loads` names the tables that `load` puts back.

        Raises:
            ShopSphereError: somebody else asks just now, or nft does not answer.
        """
        with self._alone():
            for _ in range(_TRIES):
                before = self._ordered()
                listing = self._listing()
                after = self._ordered()
                if before is not None and before == after:
                    break
            fence = self._state(before, after) if self._fence else None
        return {
            "format": FORMAT,
            "site": self._site,
            "loads": [*self._tables()],
            "fence": fence,
            "nftables": self._read(listing),
        }

    def load(self) -> Document:
        """Load the guard as it is declared, the fence as it was ordered last, and the firewall as its file has it.

        The file is the owner's, so it comes last: where it cannot be loaded, the firewall stays as it is, and guard and
        fence are loaded all the same.

        Returns:
            The names of the tables.

        Raises:
            ShopSphereError: somebody else asks just now, or nft refuses.
        """
        with self._alone():
            if self._guard:
                run(["nft", "-f", "-"], stdin=self._guard.text(), seconds=_SECONDS)
            for each in self._fences():
                each.again()
            if self._firewall:
                run(["nft", "-c", "-f", str(self._firewall)], seconds=_SECONDS)
                run(["nft", "-f", str(self._firewall)], seconds=_SECONDS)
        return {"format": FORMAT, "site": self._site, "loaded": [*self._tables()]}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one caller at a time start programs: the agent has the lease to keep."""
        if not self._one.acquire(timeout=_SECONDS):
            raise KernelRulesError.build(
                f"the rules of the host of {self._site} are being asked for",
                expected=f"one caller at a time, for at most {_SECONDS} s",
                found="another one, who still waits",
                action="ask again",
            )
        try:
            yield
        finally:
            self._one.release()

    def _tables(self) -> Iterator[str]:
        for each in self._fences():
            yield " ".join(each.table.key)
        if self._guard:
            yield " ".join(self._guard.key)
        if self._firewall:
            yield f"inet {FIREWALL_TABLE}"

    def _fences(self) -> Iterator[FirewallFence]:
        yield from (each for each in (self._fence, self._peers) if each)

    def _ordered(self) -> Ordered | None:
        return self._fence.ordered() if self._fence else Ordered(0.0, 0)

    def _state(self, before: Ordered | None, after: Ordered | None) -> Document:
        left = (after.until if after else 0.0) - self._clock.monotonic()
        changing = before is None or before != after or (before.until > 0 and abs(left) < _AT_ITS_END)
        seconds = None if math.isinf(left) else round(max(0.0, left), 1)
        return {"port": self._fence.ports[0] if self._fence else 0, "changing": changing, "seconds_left": seconds}

    def _read(self, listing: str) -> list[Document]:
        """Return the rules of a listing; a ruleset may be larger than a question is worth."""
        if len(listing) > _MOST_BYTES:
            raise KernelRulesError.build(
                f"the rules of the host of {self._site} are too many to be told",
                expected=f"at most {_MOST_BYTES} bytes",
                found=f"{len(listing)}",
                action="look at `nft list ruleset` on the host",
            )
        try:
            found: Any = json.loads(listing)["nftables"]
            return essential(found, whole=[self._fence.table.key] if self._fence else [])
        except (ValueError, KeyError, TypeError) as error:
            raise KernelRulesError.build(
                f"the rules of the host of {self._site} cannot be read",
                expected="what `nft -j list ruleset` prints",
                found=f"{type(error).__name__}: {error}",
                action="look at it on the host; nft has to be built with JSON",
            ) from error
