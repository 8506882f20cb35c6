"""The proof that the fence has effect: its rules are loaded, the bridge's packets pass them, and packets are dropped.

What is compared is what the agent orders. Who can load rules can also deceive it; this finds what somebody did, or what
a start of the host left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from runbooks.agent.fence import FirewallFence, Ordered
from runbooks.agent.proving import NoEffectError
from shopsphere.estate.host_rules import PERMITTED
from shopsphere.estate.nftables import Document, canonical, essential
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.process import Result, run

BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
"""Whether packets between pods of one bridge pass the forward hook; absent while the kernel filters no bridge."""
LATE_SECONDS = 3.0
"""So much later (s) than ordered an opening may end: the kernel lists whole seconds, from when it was told."""
_SECONDS = 2
_TRIES = 3
"""Listings in which a fence that is renewed every second and a half may be found at rest."""


class UnprovenError(NoAnswerError):
    """Whether the fence has effect cannot be told now."""


def list_fence(name: str) -> Result:
    """Run `nft`, which ends with an error when the table is not there; raises CommandError when it does not end."""
    return run(["nft", "-j", "list", "table", "inet", name], check=False, seconds=_SECONDS)


def list_bridges() -> str:
    """Return the host's bridges as `ip` prints them; raises CommandError."""
    return run(["ip", "-json", "link", "show", "type", "bridge"], seconds=_SECONDS).stdout


class KernelProof:
    """One proof, as `proving.Proof`.

    Args:
        fence: the site's.
        packets: tries packets that a closed fence drops; None where no such proof is made.
        listing: lists the fence's table.
        bridges: lists the host's bridges.
        bridged: the kernel's switch for them.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        fence: FirewallFence,
        packets: Callable[[], None] | None = None,
        *,
        listing: Callable[[], Result] | None = None,
        bridges: Callable[[], str] = list_bridges,
        bridged: Path = BRIDGED,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._fence, self._packets, self._clock = fence, packets, clock
        self._name = fence.table.name
        self._listing, self._bridges, self._bridged = listing or partial(list_fence, self._name), bridges, bridged

    def __call__(self) -> None:
        """Return when the fence has effect.

        Raises:
            NoEffectError: it has none.
            UnprovenError: that cannot be told now.
            CommandError: a program is missing or does not end.
        """
        self._require_bridges()
        ordered = self._require_rules()
        if self._packets and ordered.until == 0:
            self._try_packets(self._packets, ordered)

    def _try_packets(self, packets: Callable[[], None], ordered: Ordered) -> None:
        """Try packets; whatever came of it says nothing if the fence was opened meanwhile."""
        moved = "it was opened while packets were tried"
        try:
            packets()
        except NoEffectError:
            if self._fence.ordered() != ordered:
                raise _unproven(moved) from None
            raise
        if self._fence.ordered() != ordered:
            raise _unproven(moved)

    def _require_bridges(self) -> None:
        try:
            switch = self._bridged.read_text().strip()
        except OSError:
            switch = ""
        if switch == "1":
            return
        if not switch and not json.loads(self._bridges() or "[]"):
            return  # no bridge, so that every packet between pods is forwarded
        raise NoEffectError.build(
            "pods of one bridge reach each other past the fence",
            expected=f"1 in {self._bridged}",
            found=switch or "no such file, and a bridge",
            action="on the host: `modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1`",
        )

    def _require_rules(self) -> Ordered:
        """Require that the kernel has what was ordered last, and return that order."""
        for _ in range(_TRIES):
            before, asked = self._fence.ordered(), self._clock.monotonic()
            listing = self._listing()
            if before is not None and before == self._fence.ordered():
                self._judge(listing, before, asked)
                return before
        raise _unproven("it was being changed at each of three looks")

    def _judge(self, listing: Result, ordered: Ordered, asked: float) -> None:
        """Compare a listing, which was asked for at that moment: however long it took, no opening ends later for it."""
        if listing.code != 0 and "No such file" in listing.stderr:
            raise self._without_effect("no table")
        if listing.code != 0:
            raise _unproven(listing.stderr.strip()[:200] or f"nft ended with {listing.code}")
        try:
            found = essential(json.loads(listing.stdout)["nftables"], whole=[self._fence.table.key])
            elements = [each for entry in found if "set" in entry for each in entry["set"].pop("elem", [])]
        except (ValueError, KeyError, TypeError) as error:
            raise _unproven(f"a listing that cannot be read: {type(error).__name__}: {error}") from error
        wanted = self._fence.table.listing()
        if _sorted(found) != _sorted(wanted) or _rules(found) != _rules(wanted):
            other = [canonical(each) for each in found if each not in wanted]
            raise self._without_effect("; ".join(other)[:300] or "fewer rules, or in another order")
        left = max(0.0, ordered.until - asked + LATE_SECONDS) if ordered.until else 0.0
        if wrong := [each for each in elements if not self._is_ordered(each, left)]:
            raise self._without_effect(f"{PERMITTED}: {canonical(wrong)}, ordered: {left:.0f} s at most")

    def _is_ordered(self, element: Any, left: float) -> bool:
        """Whether an element of the set is the opening that was ordered, or the rest of it."""
        if left == float("inf"):
            return element in self._fence.permitted
        body = element.get("elem") if isinstance(element, dict) else None
        if not isinstance(body, dict) or body.get("val") not in self._fence.permitted:
            return False
        expires = body.get("expires", body.get("timeout"))
        return isinstance(expires, int | float) and expires < left

    def _without_effect(self, found: str) -> Exception:
        return NoEffectError.build(
            "the kernel has another fence than was ordered",
            expected=f"the table inet {self._name} as it is declared",
            found=found,
            action="the agent loads it again; find out with `shopsphere drift` who changed it",
        )


def _sorted(listing: Sequence[Document]) -> list[str]:
    return sorted(canonical(each) for each in listing)


def _rules(listing: Sequence[Document]) -> list[Document]:
    return [each for each in listing if "rule" in each]


def _unproven(found: str) -> Exception:
    return UnprovenError.build(
        "whether the fence has effect cannot be told",
        expected="the kernel's rules, at rest",
        found=found,
        action="look at the host's load, and at `nft list ruleset` there",
    )
