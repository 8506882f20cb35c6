"""What a region's exporter does, turn by turn: it sends what waits, and makes the releases of days that are over.

It draws nothing before it knows what may have left (`Delivery.gone`), and only where the database leads. A day that
cannot be made is set aside: later days go on, and each turn tries it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, Protocol

import structlog

from app.database import Connection, Database
from app.errors import DatabaseUnavailableError, ShopError, UnknownOutcomeError
from app.export import region_rows
from app.export.behaviour import Cell
from app.export.delivery import Delivery
from app.export.noise import DiscreteGaussian, Sampler
from app.export.outbox import BehindError, Standing
from app.export.publishing import Publisher
from app.export.release import Sealed
from app.export.vocabulary import Kind
from app.loops import STANDBY_SECONDS, portions

COUNTS_KEPT_DAYS = 7
"""So long after a day its counts of visitors are asked for."""
SOON_SECONDS = 0.1
"""Until the turn that sends what this one has made."""
Draw = Callable[[Connection, Standing], Awaitable[tuple[Sealed, ...]]]


class Due(NamedTuple):
    """Something that is to be made: its name, the way to make it, and the day on which it looked for what came late."""

    what: str
    draw: Draw
    corrects: date | None = None


class Counts(Protocol):
    """What is known of visitors, bounded as `Contributions` bounds it."""

    async def of(self, day: date) -> Mapping[Cell, int] | None:
        """Return the counts of a day; None where there are none."""


class NoCounts:
    """Stands for a region in which nobody counts visitors."""

    async def of(self, day: date) -> Mapping[Cell, int] | None:  # noqa: ARG002 the same for each day
        """Return that there are none."""
        return None


class Exporter:
    """Makes and sends releases.

    Args:
        commerce: the region's database.
        publisher: makes them.
        delivery: sends them.
        since: first day of which one is made (UTC).
        counts: of visitors.
        sampler: makes the source of noise, at the first need of it.

    Attributes:
        delivery: sends them.
        follows: whether the database only follows, so that nothing is to be done here.
        failed: what could not be made at the latest turn.
    """

    def __init__(
        self,
        commerce: Database,
        publisher: Publisher,
        delivery: Delivery,
        since: date,
        counts: Counts | None = None,
        sampler: Callable[[], Sampler] = DiscreteGaussian,
    ) -> None:
        self._commerce, self._publisher, self._since = commerce, publisher, since
        self._counts, self._sampler = counts or NoCounts(), sampler
        self._corrected: date | None = None
        self._log = structlog.get_logger("export")
        self.delivery = delivery
        self.follows = False
        self.failed: tuple[str, ...] = ()

    async def turn(self) -> float | None:
        """Send what waits, and make what is due; return how long to rest after it (s), None for the usual wait.

        Raises:
            DatabaseUnavailableError: the database did not answer; the next turn goes on.
            UnknownOutcomeError: it is not known whether a release was made; the next turn finds it, or makes it.
        """
        self.follows = await self._commerce.is_standby()
        if self.follows:
            self.delivery.forget()
            return STANDBY_SECONDS
        rest = await self.delivery.turn()
        made = await self._make()
        return SOON_SECONDS if made and rest is None else rest

    async def days_without(self, kind: Kind) -> list[date]:
        """Return the days that are over and have no release of a kind, oldest first."""
        return (await self._open())[1][kind]

    async def _open(self) -> tuple[date, dict[Kind, list[date]]]:
        """Return the database's day, and by kind those before it that have no release, oldest first."""
        today = await region_rows.today(self._commerce)
        days = [self._since + timedelta(days=each) for each in range((today - self._since).days)]
        said = {(kind, day) for kind, day, _ in await region_rows.said(self._commerce, days)}
        return today, {kind: [day for day in days if (kind, day) not in said] for kind in Kind}

    async def _make(self) -> int:
        """Make what is due; return how many releases that were."""
        failed: list[str] = []
        made, due = 0, await self._due()
        for _, each in zip(portions(len(due)), due, strict=False):
            try:
                made += await self._drawn(each.draw)
                self._corrected = each.corrects or self._corrected
            except BehindError as error:
                self._log.warning("nothing is made now", problem=str(error))
                break
            except (DatabaseUnavailableError, UnknownOutcomeError):
                raise
            except ShopError as error:
                failed.append(each.what)
                self._log.error("a release could not be made", what=each.what, problem=str(error))
        self.failed = tuple(failed)
        return made

    async def _due(self) -> Sequence[Due]:
        """Return what is to be made now."""
        if self.delivery.gone is None:
            return ()
        today, open_ = await self._open()
        due = [Due(f"money of {day}", self._money(day)) for day in open_[Kind.MONEY]]
        for day in open_[Kind.BEHAVIOUR]:
            is_kept = day >= today - timedelta(days=COUNTS_KEPT_DAYS)
            if is_kept and (counts := await self._counts.of(day)) is not None:
                due.append(Due(f"behaviour of {day}", self._behaviour(day, counts)))
        if self._corrected != today:  # once a day: it reads the orders of ten weeks
            due.append(Due(f"correction of {today}", self._correction(today), today))
        return due

    async def _drawn(self, draw: Draw) -> int:
        gone = self.delivery.gone  # as it is at this moment
        if gone is None:
            raise BehindError("nobody knows any more what may have left")
        async with self._commerce.write() as connection:
            made = await draw(connection, gone)
        return len(made)

    def _money(self, day: date) -> Draw:
        return lambda connection, gone: self._publisher.money(connection, day, gone)

    def _behaviour(self, day: date, counts: Mapping[Cell, int]) -> Draw:
        return lambda connection, gone: self._publisher.behaviour(connection, day, counts, self._sampler(), gone)

    def _correction(self, today: date) -> Draw:
        return lambda connection, gone: self._publisher.correction(connection, today, gone)
