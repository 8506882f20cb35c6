"""Differences that an owner accepts for a time: who accepts which one, why and until when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.drift.model import Drift, Kind
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Severity
from shopsphere.foundation.yaml_text import read_yaml_file

FILE = Path(__file__).with_name("ignores.yaml")
_LITERAL_BRACKET = str.maketrans({"[": "[[]"})
"""In a pattern a bracket is an element of a list, and no set of letters."""


class IgnoresError(ShopSphereError):
    """The file of ignores cannot be read."""


class Ignore(BaseModel):
    """One entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sites: tuple[str, ...] = Field(min_length=1, description="Names of the sites where it counts.")
    object: str = Field(min_length=1, description="The object as findings call it; * stands for anything.")
    field: str = Field(default="", description="Path in it; * stands for anything; empty: the object as a whole.")
    manager: str = Field(default="*", description="Who made it so; * stands for anybody.")
    reason: str = Field(min_length=10, description="Why it is accepted.")
    owner: str = Field(min_length=1, description="Team that answers for it.")
    expires: date = Field(description="The last day on which it counts (UTC).")

    def covers(self, drift: Drift) -> bool:
        """Whether it is about a difference; never about one that touches residency."""
        manager = drift.author.manager if drift.author else ""
        told = ((drift.object, self.object), (drift.field, self.field), (manager, self.manager))
        is_meant = all(fnmatchcase(text, pattern.translate(_LITERAL_BRACKET)) for text, pattern in told)
        return not drift.residency and drift.site in self.sites and is_meant


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    entries: tuple[Ignore, ...] = ()


@dataclass(frozen=True)
class Sifted:
    """What is left after the ignores.

    Attributes:
        drifts: the differences that count, and findings about entries.
        ignored: number of differences that entries cover.
    """

    drifts: list[Drift]
    ignored: int


def read_ignores(file: Path = FILE) -> tuple[Ignore, ...]:
    """Read the entries.

    Raises:
        IgnoresError: the file has another shape.
    """
    try:
        return _Document.model_validate(read_yaml_file(file, IgnoresError) or {}).entries
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise IgnoresError.build(
            f"{file.name}: cannot be used",
            expected="entries as the comment at the top of the file shows",
            found="; ".join(wrong),
            action=f"correct {file}",
        ) from error


def sift(drifts: Sequence[Drift], ignores: Iterable[Ignore], *, seen: Collection[str], today: date) -> Sifted:
    """Leave out what entries cover, and say which entries should go.

    Args:
        drifts: all differences.
        ignores: the entries.
        seen: sites that were looked at as a whole: only there, that an entry matches nothing means anything.
        today: the day (UTC).
    """
    left, about_entries, ignored = list(drifts), [], 0
    for entry in ignores:
        covered = [each for each in left if entry.covers(each)]
        if entry.expires < today:
            about_entries.append(_finding(entry, f"expired on {entry.expires}"))
        elif covered:
            left = [each for each in left if each not in covered]
            ignored += len(covered)
        elif set(entry.sites) <= set(seen):
            about_entries.append(_finding(entry, "matches nothing"))
    return Sifted([*left, *about_entries], ignored)


def _finding(entry: Ignore, what: str) -> Drift:
    return Drift(
        site=",".join(entry.sites),
        object=entry.object,
        field=entry.field,
        declared=f"accepted by {entry.owner}: {entry.reason}",
        live=what,
        kind=Kind.IGNORE,
        severity=Severity.MEDIUM,
        repair=f"take the entry out of {FILE.name}, or give it a new day with a new reason",
    )
