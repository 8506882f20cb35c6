"""Brings a region's releases to headquarters: in turns, from where headquarters stands, for as long as it takes.

What headquarters has is asked of it, never assumed: after a start, after every failure, and after a promotion, when the
database may lack what was sent last, by this process or by another one. Such releases are taken back from headquarters
with the region's own signature on them, so that none is drawn a second time. Until that is settled nothing may be drawn
(`gone` is None, or of another database). A process whose database only follows asks nothing, so that it ends nobody's
session.

Headquarters may be away for as long as it likes: releases wait in the database, and a turn costs one question.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import structlog

from app.bounded_http import NoAnswerError
from app.export.outbox import SESSION_BYTES, Batch, BehindError, Receipt, Standing, batch_of
from app.export.release import Sealed
from app.export.verifying import Verdict
from app.loops import portions

MOST_BATCHES = 20
"""Batches of one turn; the next turn goes on."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Pauses after headquarters did not answer: doubled each time, up to a minute."""
REFUSED_SECONDS = 300.0
"""Pause after headquarters refused a release: a person has to look, and asking sooner changes nothing."""


class Line(Protocol):
    """The way to headquarters."""

    async def mark(self, session: bytes) -> int:
        """Return the number of the latest release that headquarters has; from now on it takes this session's only.

        Raises:
            NoAnswerError: it did not say.
        """

    async def send(self, batch: Batch) -> Receipt:
        """Send releases and return what headquarters says to them.

        Raises:
            NoAnswerError: it did not say; it may have them or not.
        """

    async def fetch(self, after: int) -> Sequence[Sealed]:
        """Return the releases of this region that headquarters has after a number, at most a batch of them.

        Raises:
            NoAnswerError: it did not say.
        """


class Outbox(Protocol):
    """What the region's database has."""

    async def standing(self) -> Standing:
        """Return the number of the latest release, and of which database that is."""

    async def after(self, seq: int) -> Sequence[Sealed]:
        """Return the releases after a number in their order, at most a batch of them."""

    async def confirm(self, seq: int) -> str:
        """Write down that headquarters has all releases up to a number; return the lineage of the database.

        Raises:
            BehindError: the database does not have that release.
            ReadOnlyDatabaseError: it takes no writes now.
        """

    async def adopt(self, releases: Sequence[Sealed]) -> None:
        """Take back releases that were sent and that this database lost.

        Raises:
            StrangeReleaseError: one is not this region's, or not the next one.
        """


class StrangeReleaseError(Exception):
    """Headquarters has a release that this region cannot take back: a person has to look."""


class State(StrEnum):
    """How the delivery stands, for logs and metrics."""

    ASKING = "asking"  # where headquarters stands is not known
    IN_STEP = "in step"  # it is, and this database has all that was sent
    AWAY = "away"  # headquarters does not answer
    REFUSED = "refused"  # it refused a release, or has one that is not ours


class Delivery:
    """Sends what waits.

    Args:
        outbox: what there is to send.
        line: the way.

    Attributes:
        state: how it stands.
        gone: the latest release that has left, or may have, and of which database; None while that is not known.
            Nothing may be made then, nor while the database has fewer releases than that or is another one.
    """

    def __init__(self, outbox: Outbox, line: Line) -> None:
        self._outbox = outbox
        self._line = line
        self._mark: int | None = None
        self._session = b""
        self.gone: Standing | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._log = structlog.get_logger("export-delivery")
        self.state = State.ASKING

    def forget(self) -> None:
        """Begin anew: the database follows another one now, and may lack what was sent last when it leads again."""
        self._mark, self.gone, self.state = None, None, State.ASKING

    async def turn(self) -> float | None:
        """Send what waits; return how long to rest after it (s), None for the usual wait.

        Raises:
            DatabaseUnavailableError: the database did not answer; the next turn goes on.
        """
        if self.gone is not None:
            here = await self._outbox.standing()
            if here.lineage != self.gone.lineage or here.seq < self.gone.seq:
                self.forget()  # another one leads now, or an older copy of the database took its place
        try:
            for _ in portions(MOST_BATCHES):
                if self._mark is None:
                    self._mark = await self._in_step()
                if not await self._send(self._mark):
                    break
        except NoAnswerError as error:
            return self._away(error)
        except StrangeReleaseError as error:
            return self._refused(str(error))
        except BehindError:
            self.forget()  # the database was replaced in the middle of this turn
            return FIRST_PAUSE_SECONDS
        self._pause = FIRST_PAUSE_SECONDS
        return REFUSED_SECONDS if self.state is State.REFUSED else None

    async def _in_step(self) -> int:
        """Return where headquarters stands, after this database has all that it stands for."""
        await self._outbox.confirm(0)  # who only follows, or was replaced, cannot: it asks nothing and sends nothing
        self._session = secrets.token_bytes(SESSION_BYTES)
        mark, last = await self._line.mark(self._session), (await self._outbox.standing()).seq
        while last < mark:
            lost = await self._line.fetch(last)
            if not lost:
                raise NoAnswerError(f"headquarters has {mark} releases, and shows none after {last}")
            await self._outbox.adopt(lost)
            before, last = last, (await self._outbox.standing()).seq
            if last <= before:
                raise StrangeReleaseError(f"releases after {before} were taken back, and are not there")
            self._log.warning("releases taken back", up_to=last, of=mark)
        self._left(mark, await self._outbox.confirm(mark))  # a site that was replaced by now cannot
        self.state = State.IN_STEP
        return mark

    def _left(self, seq: int, lineage: str) -> None:
        """Note that a release has left, or may have. What was known of another database is of no use any more."""
        before = self.gone.seq if self.gone is not None and self.gone.lineage == lineage else 0
        self.gone = Standing(max(seq, before), lineage)

    async def _send(self, mark: int) -> bool:
        """Send one batch; whether another one may follow."""
        waiting = await self._outbox.after(mark)
        batch = batch_of(self._session, waiting)
        if batch is None:
            return False
        sent = mark + len(batch.releases)
        if self.gone is not None:  # before: an answer that is lost leaves open whether they are there
            self._left(sent, self.gone.lineage)
        receipt = await self._line.send(batch)
        if receipt.verdict is Verdict.SUPERSEDED:
            self._mark = None
            return True
        if receipt.last < (sent if receipt.verdict is None else mark):
            raise NoAnswerError(f"headquarters says {receipt.last} to releases {mark + 1} to {sent}, and not why")
        if receipt.last > sent:
            self._mark = None  # somebody else sends for this region too: ask again
            return True
        if receipt.last > mark:
            await self._outbox.confirm(receipt.last)
        self._mark = receipt.last
        if receipt.verdict is not None:
            self._refused(f"release {receipt.seq or receipt.last + 1}: {receipt.verdict}")
            return False
        return True

    def _away(self, error: NoAnswerError) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._mark, self.state = None, State.AWAY
        self._log.warning("headquarters does not answer", problem=str(error), next_seconds=pause)
        return pause

    def _refused(self, problem: str) -> float:
        self._mark, self.gone, self.state = None, None, State.REFUSED
        self._log.error("headquarters and this region disagree", problem=problem)
        return REFUSED_SECONDS
