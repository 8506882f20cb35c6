"""What signs the zone now, whether it is proven, and what the parent zone has to show: for people, and for checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.zone_ds import is_checked, unchecked
from shopsphere.names.zone_proof import Proof, Vouched, prove, shown_ds

FEWEST_DAYS = 3
"""Days that a signature has left at least: an authority renews it each week, and then it has thirteen or more."""
ACT = "`shopsphere zone keys` says what signs and what the parent has to show (docs/zone-keys.md)"


@dataclass(frozen=True)
class ZoneView:
    """A zone as resolvers meet it.

    Attributes:
        vouched: what each server of the parent zone says, or why that is not known, by its address.
        proofs: what each of the zone's name servers proves to who believes the parent, or why it does not.
    """

    vouched: dict[str, Vouched | str]
    proofs: dict[str, Proof | str]

    @property
    def ds(self) -> frozenset[str]:
        """What any server of the parent zone says."""
        return frozenset().union(*(each.ds for each in self.vouched.values() if isinstance(each, Vouched)))


def look_at_zone(zone: str, servers: Iterable[IPv4Address], parents: Iterable[IPv4Address]) -> ZoneView:
    """Ask the parent's servers, then each of the zone's; nobody's silence hides another's answer."""

    def vouch(server: IPv4Address) -> Vouched | str:
        try:
            return shown_ds(server, zone)
        except ShopSphereError as error:
            return one_line(error)

    above, below = list(parents), list(servers)
    vouched = dict(zip(map(str, above), at_each(above, vouch), strict=True))
    view = ZoneView(vouched, {})
    if not is_checked(view.ds):
        return view

    def proof(server: IPv4Address) -> Proof | str:
        try:
            return prove(server, zone, view.ds, [(zone, "SOA"), (zone, "NS"), (zone, "A")])
        except ShopSphereError as error:
            return one_line(error)

    return ZoneView(vouched, dict(zip(map(str, below), at_each(below, proof), strict=True)))


def judge_zone_view(view: ZoneView, now: datetime) -> Finding:
    """Judge a zone as resolvers meet it; a parent that vouches for nothing leaves names answered, and unprotected."""
    silent = [f"{server}: {each}" for server, each in view.vouched.items() if isinstance(each, str)]
    if not view.vouched:
        return passes("no server of the parent zone is named: nobody knows whether answers are proven")
    if not view.ds:
        return (
            fails(f"the parent zone is silent: {'; '.join(silent)}", ACT)
            if silent
            else passes("the parent zone vouches for no key: answers are signed, and nobody checks them")
        )
    if not is_checked(view.ds):
        shown = f"the parent zone shows {', '.join(sorted(view.ds))}; {unchecked(view.ds)}"
        return fails(f"{shown}: for resolvers without it nothing is protected", ACT)
    if problems := list(_problems(view, now)):
        return fails("; ".join(problems), ACT)
    first = min(each.ends for each in view.proofs.values() if isinstance(each, Proof))
    return passes(f"answers of {', '.join(view.proofs)} are proven; signatures until {first:%Y-%m-%d}")


def _problems(view: ZoneView, now: datetime) -> Iterator[str]:
    for server, each in view.proofs.items():
        if isinstance(each, str):
            yield f"resolvers throw away what {server} answers: {each}"
        elif each.ends - now < timedelta(days=FEWEST_DAYS):
            yield f"{server} signs until {each.ends:%Y-%m-%d %H:%M} UTC only: is its clock right?"
