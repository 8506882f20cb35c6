"""A voter whose disk is lost is replaced by one with an empty disk, in an order in which no quorum is lost.

The lost one leaves first. If the new one came first, four members would be counted, of which two are up: no quorum. The
new one begins as a learner, which is counted for nothing until it has what the others have, and is promoted then. Until
that no further voter may be lost, as since the loss itself.

Each call looks where that stands, and does what comes next; so it may be killed anywhere, and repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness.gateway import WitnessUnreachableError
from shopsphere.witness.store import Store
from shopsphere.witness.voter import hears, is_of, tells_lines

DOCS = "docs/witness.md, “A voter is replaced”"
_TOO_EARLY = ("in sync with leader", "unhealthy cluster")
"""What voters say of a change of members that they may allow a moment later: a learner that is behind; and others that
have not heard each other for 5 s."""
_MEANWHILE = ("member not found", "Peer URLs already exists", "can only promote a learner", "too many learner members")
"""What they say where somebody else has changed the members since they were read."""
_PATIENCE_SECONDS, _TRY_EVERY = 30.0, 0.5
_LOOKS, _LOOK_EVERY = 3, 1.0
"""How often a voter is asked before it counts as not well: one that is busy for a moment is not lost."""


class ReplacementError(ShopSphereError):
    """A voter cannot be replaced now."""


@dataclass(frozen=True)
class Member:
    """One member as the witness counts it.

    Attributes:
        number: of it, in decimal.
        address: where other voters reach it.
        started: whether it has ever run.
        learns: it has no vote yet.
    """

    number: str
    address: str
    started: bool
    learns: bool

    @classmethod
    def of(cls, document: dict[str, Any]) -> Member:
        """Return it from etcd's answer."""
        return cls(
            str(document["ID"]),
            str((document.get("peerURLs") or [""])[0]),
            bool(document.get("name")),
            bool(document.get("isLearner")),
        )


@dataclass(frozen=True)
class VoterReplacement:
    """The replacement of one voter.

    Args:
        store: the witness, asked as root.
        pair: whose witness it is.
        seat: the site of the voter.
        address: where other voters reach it.
        others: where they reach the other voters, by seat.
        told: gets a line per change.
        clock: replaceable in tests.
    """

    store: Store
    pair: str
    seat: str
    address: str
    others: Mapping[str, str]
    told: Callable[[str], object]
    clock: Clock = SYSTEM_CLOCK

    def go_on(self, *, again: bool = False) -> bool:
        """Do what comes next; returns whether the voter takes part, else it has to be started now.

        Args:
            again: the new one was lost before it had a vote: let another one join with an empty disk.

        Raises:
            ReplacementError: it must not be done now; says why.
            WitnessUnreachableError: no quorum answered: another voter is lost, too.
        """
        own = self._own_member()
        if own is not None and own.learns and again:
            figures = self._figures()
            self._require_others(figures)
            self._require_silent(own, figures, "call it without --again: it learns; or stop that voter for good first")
            self._let_go(own)
            own = None
        if own is not None and (not own.started or own.learns):
            return own.started and self._promote(own)
        figures = self._figures()
        if own is not None and len(figures) == len(self.store.gateway.order.in_order()):
            self.told(f"{self.seat}: takes part, nothing is to be replaced")
            return True
        self._require_others(figures)
        if own is not None:
            self._require_silent(own, figures, "name the seat that is lost, or stop that voter for good first")
            self._let_go(own)
        self._change("add", {"peerURLs": [self.address], "isLearner": True})
        self.told(f"{self.seat}: a new one may join at {self.address}; it learns first, and does not vote yet")
        return False

    def _own_member(self) -> Member | None:
        """Return the member of this seat; None where it was removed.

        Raises:
            ReplacementError: there are others than those of the seats, or another one is being replaced.
        """
        members = [Member.of(each) for each in self.store.call("/v3/cluster/member/list", {}).get("members", [])]
        own = [each for each in members if each.address == self.address]
        beside = [each for each in members if each.address != self.address]
        others = {each.address: each for each in beside}
        missing = [seat for seat, address in self.others.items() if address not in others]
        if len(own) == len(missing) == 1 and len(beside) == len(self.others) - 1 == len(others):
            raise self._refused("every other voter to be a member", f"the replacement of {missing[0]} was begun",
                                f"`shopsphere witness replace {self.pair} --voter {missing[0]}` first")  # fmt: skip
        if len(own) > 1 or len(others) < len(beside) or set(others) != set(self.others.values()):
            raise self._refused(
                f"members at {', '.join(sorted([self.address, *self.others.values()]))}, and no other",
                ", ".join(sorted(each.address for each in members)),
                f"remove a member that is none of the seats, as root: `etcdctl member remove` ({DOCS})",
            )
        if unready := [each.address for each in beside if not each.started or each.learns]:
            raise self._refused("every other voter to take part", f"{unready[0]} was added, and has no vote yet",
                                "finish that replacement first")  # fmt: skip
        return own[0] if own else None

    def _figures(self) -> dict[str, str]:
        """Return `/metrics` of each voter that is well, by where clients reach it."""
        urls = sorted(self.store.gateway.order.in_order())
        found: dict[str, str] = {}
        for left in reversed(range(_LOOKS)):
            silent = [url for url in urls if url not in found]
            found |= {url: text for url, text in zip(silent, at_each(silent, self._figures_of), strict=True) if text}
            if len(found) == len(urls) or not left:
                break
            self.clock.sleep(_LOOK_EVERY)
        return found

    def _figures_of(self, url: str) -> str:
        try:
            if self.store.gateway.get(url, "/health").json().get("health") != "true":
                return ""
            answer = self.store.gateway.get(url, "/metrics")
        except (httpx.HTTPError, ValueError, AttributeError):
            return ""
        return answer.text if answer.status_code == httpx.codes.OK and tells_lines(answer.text) else ""

    def _require_others(self, figures: dict[str, str]) -> None:
        if len(figures) < len(self.others):
            silent = [url for url in sorted(self.store.gateway.order.in_order()) if url not in figures]
            raise self._refused(
                "every other voter to be well: of two members both are needed",
                f"not {', '.join(silent)}",
                f"bring the others back first, with their disks ({DOCS})",
            )

    def _require_silent(self, own: Member, figures: dict[str, str], action: str) -> None:
        """Refuse to remove a voter that others hear: the wrong seat, or a way that is cut only from here."""
        number = f"{int(own.number):x}"
        hearing = [url for url, text in figures.items() if hears(text, number) or is_of(text, number)]
        if hearing:
            raise self._refused(
                f"a voter at {self.seat} that is lost",
                f"{', '.join(hearing)} has a line to it, or is it",
                action,
            )

    def _let_go(self, own: Member) -> None:
        self._change("remove", {"ID": own.number})
        self.told(f"{self.seat}: the lost voter is no member any more")

    def _promote(self, own: Member) -> bool:
        self._change(
            "promote",
            {"ID": own.number},
            expected="a new voter that has what the others have",
            action="look at its log, then call the same command again; with --again where its disk is lost, too",
        )
        self.told(f"{self.seat}: has what the others have, and votes from now on")
        return True

    def _change(
        self,
        what: str,
        body: Mapping[str, object],
        *,
        expected: str = "voters that have heard each other for 5 s",
        action: str = "see to the other voters and the way between them, then call the same command again",
    ) -> None:
        """Change the members, and again for a while where the voters say that it is too early.

        Raises:
            ReplacementError: they still do.
            WitnessUnreachableError: no quorum answered.
        """
        until = self.clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.store.call(f"/v3/cluster/member/{what}", body)
            except WitnessUnreachableError as error:
                if not any(each in str(error) for each in _TOO_EARLY):
                    if any(each in str(error) for each in _MEANWHILE):
                        raise self._refused("members as they were just read", f"changed meanwhile: {one_line(error)}",
                                            "call the same command again") from error  # fmt: skip
                    raise
                if self.clock.monotonic() >= until:
                    raise self._refused(
                        expected, f"after {_PATIENCE_SECONDS:.0f} s: {one_line(error)}", action
                    ) from error
                self.clock.sleep(_TRY_EVERY)
            else:
                return

    def _refused(self, expected: str, found: str, action: str) -> ShopSphereError:
        return ReplacementError.build(
            f"the voter at {self.seat} was not replaced", expected=expected, found=found, action=action
        )
