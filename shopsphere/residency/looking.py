"""Looking at places one after the other, and what may be said of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.residency.forms import Needle, needles, plain
from shopsphere.residency.place import HOME, Place, Seen
from shopsphere.residency.search import Anchored
from shopsphere.residency.tokens import Token, new_stem, new_word

_CONTROL = "control"
_NOT_PLANTED = "no customer was planted in this jurisdiction, so nothing shows that the search works here"


class Verdict(StrEnum):
    """What may be said of a place."""

    LEAK = "leak"
    NOT_PROVEN = "not proven"
    CLEAN = "clean"


class Leak(BaseModel):
    """A token where it must not be.

    Attributes:
        token: its name.
        form: in which it is there.
        count: how often.
        positions: the first ones; they name files, keys and offsets, never what is there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str
    form: str
    count: int
    positions: tuple[str, ...]


class PlaceReport(BaseModel):
    """What was seen at a place.

    Attributes:
        place: its name.
        kind: of place.
        jurisdiction: to which it belongs; empty for the edge, which belongs to none.
        at: the host or site where it is.
        control: how often the control was found; 0 means that nothing may be concluded.
        leaks: what must not be there.
        octets: that were looked at.
        unchanged: octets of files that have not changed since before the planting.
        items: files, keys or flows.
        opened: containers (gzip, zlib, LZ4) that were looked into.
        seconds: that it took.
        problems: what could not be looked at, and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    kind: str
    jurisdiction: str
    at: str
    control: int = 0
    leaks: tuple[Leak, ...] = ()
    octets: int = 0
    unchanged: int = 0
    items: int = 0
    opened: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """A place is clean only when it was seen whole, and the search has found what had to be there."""
        if self.leaks:
            return Verdict.LEAK
        return Verdict.CLEAN if self.control and not self.problems else Verdict.NOT_PROVEN


def look_at_places(
    places: Iterable[Place],
    tokens: Sequence[Token],
    *,
    jurisdiction: str,
    at: str,
    seconds: float,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[PlaceReport]:
    """Look at each place; one that fails, or for which no time is left, is not proven and hides no other.

    Args:
        places: of one jurisdiction.
        tokens: of all jurisdictions: those of this one are its control, the others are what must not be there.
        jurisdiction: to which the places belong.
        at: how reports call the host.
        seconds: after which no further place is begun.
        monotonic: clock (s).
    """
    end = monotonic() + seconds
    home = [needle for each in tokens if each.jurisdiction == jurisdiction for needle in plain(each)]
    everybody = [(each.jurisdiction, needle) for each in tokens for needle in needles(each)]
    foreign = [needle for owner, needle in everybody if owner != jurisdiction]
    reports = []
    for place in places:
        about = PlaceReport(place=place.name, kind=place.kind, jurisdiction=jurisdiction, at=at)
        began = monotonic()
        if began > end:
            reports.append(about.model_copy(update={"problems": (f"no time was left after {seconds:g} s",)}))
            continue
        try:
            unwanted = [needle for _, needle in everybody] if place.shared else foreign
            report = _look_at(place, about, home, unwanted)
        except (ShopSphereError, OSError) as error:
            report = about.model_copy(update={"problems": (one_line(error),)})
        reports.append(report.model_copy(update={"seconds": round(monotonic() - began, 1)}))
    return reports


def _look_at(place: Place, about: PlaceReport, home: Sequence[Needle], unwanted: Sequence[Needle]) -> PlaceReport:
    word = new_word(new_stem())
    with place.control(word) as expected:
        if expected == HOME and not home:
            return about.model_copy(update={"problems": (_NOT_PLANTED,)})
        if expected == HOME:
            controls = list(home)
        else:
            controls = [Needle(_CONTROL, "UTF-8", expected.encode().lower(), folded=True)]
        seen = place.look(Anchored([*unwanted, *controls]))
    return _report(about, seen, {each.token for each in unwanted})


def _report(about: PlaceReport, seen: Seen, unwanted: set[str]) -> PlaceReport:
    found = seen.found
    leaks = [
        Leak(token=token, form=form, count=count, positions=tuple(found.positions[token, form]))
        for (token, form), count in sorted(found.counts.items())
        if token in unwanted
    ]
    problems = list(seen.problems)
    if seen.unsaid:
        problems.append(f"and {seen.unsaid} more")
    if found.left_shut:
        problems.append(f"{found.left_shut} compressed streams could not be opened to their end")
    control = sum(count for (token, _), count in found.counts.items() if token not in unwanted)
    if not control:
        problems.append("the control was not found: what must be there was not seen, so its absence says nothing")
    return about.model_copy(
        update={
            "control": control,
            "leaks": tuple(leaks),
            "octets": found.octets,
            "unchanged": seen.unchanged,
            "items": seen.items,
            "opened": found.opened,
            "problems": tuple(problems),
        }
    )
