"""Databases that stand beside a live one of the same server: one that is to take its place, one that it took it from.

Whoever meets such a name, in a drift finding or a disk that fills, is told what it is and how it goes away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

RESTORED, BEFORE = "restored", "before"
_STAMP = "%Y%m%dt%H%M%Sz"
SHAPE = rf"_({RESTORED}|{BEFORE})_[0-9]{{8}}t[0-9]{{6}}z"
"""How such a name ends, as an expression that PostgreSQL reads as well."""
_NAME = re.compile(rf"([a-z]+){SHAPE}")


@dataclass(frozen=True)
class KeptDatabase:
    """What the name of such a database says.

    Attributes:
        name: all of it, as in `commerce_before_20261130t053000z`.
        database: whose place it is to take, or had.
        kind: RESTORED or BEFORE.
        at: the time that it was restored to, or until when it was the live one (UTC).
    """

    name: str
    database: str
    kind: str
    at: datetime

    @classmethod
    def of(cls, name: str) -> KeptDatabase | None:
        """Return what a name says; None where it is none of these."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            at = datetime.strptime(name.rpartition("_")[2], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(name, found[1], found[2], at)

    def told(self, pair: str = "PAIR") -> str:
        """Return in words what it is, and how it goes away."""
        ends = f"`shopsphere put-in-place {pair} --database {self.database} --drop {self.name}`"
        if self.kind == RESTORED:
            return f"{self.name} is {self.database} as of {self.at:%Y-%m-%d %H:%M:%S} UTC, not live; {ends} removes it"
        back = f"`--undo {self.name}` makes it the live one again"
        return f"{self.name} was {self.database} until {self.at:%Y-%m-%d %H:%M:%S} UTC; {back}, {ends} removes it"


def restored_name(database: str, at: datetime) -> str:
    """Return the name of a database as of a time, before it takes the place of the live one."""
    return f"{database}_{RESTORED}_{at.astimezone(UTC).strftime(_STAMP)}"


def before_name(database: str, at: datetime) -> str:
    """Return the name of a database that was the live one until a time."""
    return f"{database}_{BEFORE}_{at.astimezone(UTC).strftime(_STAMP)}"
