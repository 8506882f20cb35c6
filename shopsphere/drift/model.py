"""What a comparison of declared and live found, and what it could not look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shopsphere.drift.ownership import Author
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Severity


class Kind(StrEnum):
    """How something differs from what is declared."""

    CHANGED = "changed"
    """A declared field has another value."""

    ADDED = "added"
    """Somebody put something into a declared object that nobody declared."""

    REMOVED = "removed"
    """A declared field, or element of a list, is gone."""

    MISSING = "missing"
    """A declared object is gone, or on its way out."""

    UNDECLARED = "undeclared"
    """An object that nobody declared is in a namespace of the stack, or reaches into one."""

    TOUCHED = "touched"
    """Somebody changed an object that a controller makes out of a declared one."""

    UNOWNED = "unowned"
    """The record of who deployed the object is gone: somebody wrote `managedFields`, or replaced the object."""

    IGNORE = "ignore"
    """An entry of the ignores has expired, or never matched."""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One difference.

    Attributes:
        site: where; empty for an entry of the ignores.
        object: as in Deployment shop/shop, or PersistentVolume frankfurt-ledger.
        field: path in the object; empty for the whole of it.
        declared: what is declared, in one line; empty where nothing is.
        live: what there is, in one line; empty where nothing is.
        kind: how they differ.
        severity: how bad it is.
        residency: whether it can make data leave its jurisdiction, or hide that it does.
        author: who made it so; None where nobody is on record.
        is_likely: the author wrote the object last, and nothing says that it was this field.
        repair: the command that puts back what is declared, or what to do.
    """

    site: str
    object: str
    field: str
    declared: str
    live: str
    kind: Kind
    severity: Severity
    residency: bool = False
    author: Author | None = None
    is_likely: bool = False
    repair: str

    @property
    def who(self) -> str:
        """Who and when, for people."""
        if self.author is None:
            return "nobody on record; the log of the service that was written to may have it"
        return f"{'likely ' if self.is_likely else ''}{self.author}"

    def as_json(self) -> dict[str, Any]:
        """Return all of it in plain values."""
        return {
            "site": self.site,
            "object": self.object,
            "field": self.field,
            "declared": self.declared,
            "live": self.live,
            "kind": self.kind.value,
            "severity": self.severity.value,
            "residency": self.residency,
            "author": self.author.as_json() if self.author else None,
            "authorIsLikely": self.is_likely,
            "repair": self.repair,
        }


@dataclass(frozen=True)
class Unseen:
    """Something that could not be looked at, so that nothing is known of it.

    Attributes:
        site: where; `edge` for names and CDN.
        what: a kind of objects, or all of the site.
        why: one line.
    """

    site: str
    what: str
    why: str


@dataclass(frozen=True)
class SiteDrift:
    """One site.

    Attributes:
        site: its name.
        declared: number of objects that its stack declares.
        live: number of live objects that were looked at.
        drifts: what differs.
        unseen: what could not be looked at.
        seconds: how long it took (s).
    """

    site: str
    declared: int = 0
    live: int = 0
    drifts: tuple[Drift, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Report:
    """All of a run.

    Attributes:
        target: what was asked about.
        environment: where its stacks live.
        sites: one entry for each site, and for the edge.
        drifts: of all of them after the ignores, the worst first.
        ignored: number of differences that entries of the ignores cover.
    """

    target: str
    environment: str
    sites: tuple[SiteDrift, ...]
    drifts: tuple[Drift, ...]
    ignored: int = 0

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """What could not be looked at."""
        return tuple(each for site in self.sites for each in site.unseen)

    @property
    def exit_code(self) -> ExitCode:
        """Drifted outweighs not known; clean is only what was seen whole."""
        if self.drifts:
            return ExitCode.CHANGES
        return ExitCode.UNKNOWN if self.unseen else ExitCode.GOOD

    @property
    def verdict(self) -> str:
        """The exit code as a word."""
        return {ExitCode.CHANGES: "drifted", ExitCode.UNKNOWN: "unknown"}.get(self.exit_code, "clean")


_ORDER = [*reversed(Severity)]


def worst_first(drifts: list[Drift]) -> list[Drift]:
    """Return findings in the order in which somebody should read them: residency, then by severity."""
    return sorted(
        drifts, key=lambda each: (not each.residency, _ORDER.index(each.severity), each.site, each.object, each.field)
    )
