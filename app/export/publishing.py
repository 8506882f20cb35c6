"""Makes releases: what is decided or drawn is numbered, signed and stored in one transaction, before anybody sees it.

A second call for the same day returns what is stored. Two processes that make the same release wait for each other, and
the second one finds the first one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.database import Connection
from app.errors import ShopError
from app.export import money_rows, region_rows
from app.export.behaviour import Cell, cells_of, drawn
from app.export.budget import PrivacyLedger, Spending
from app.export.disclosure import Fact, Rule
from app.export.money import RULE, Decision, Group, Published, correction_rows, day_rows, decide
from app.export.noise import Sampler
from app.export.outbox import Standing
from app.export.release import Sealed, Signer
from app.export.sales import facts_of, require_words
from app.export.schema import MoneyRow, Release, Row, cut
from app.export.vocabulary import Currency, Kind, MoneyMetric, Vocabulary

CORRECTED_EVERY_DAYS = 7
"""Days between two corrections, at least."""
CORRECTED_FOR_DAYS = 70
"""So long after a day its money is corrected (days): ten times."""


class UnfinishedDayError(ShopError):
    """A release is to be made of a day that is not over: what comes later that day would be told nowhere."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """What a region publishes with.

    Attributes:
        region: its number.
        currencies: that it sells in.
        vocabulary: numbers of its catalogue.
        signer: with its key.
        rule: for money.
    """

    region: int
    currencies: frozenset[Currency]
    vocabulary: Vocabulary
    signer: Signer
    rule: Rule = RULE

    async def behaviour(
        self, connection: Connection, day: date, counts: Mapping[Cell, int], sampler: Sampler, gone: Standing
    ) -> tuple[Sealed, ...]:
        """Return the release of a day's visitors, in its parts; drawn, booked and stored at the first call.

        Args:
            connection: within a transaction of `commerce`.
            day: that is over (UTC).
            counts: as `Contributions` has them.
            sampler: makes the noise.
            gone: the latest release that has left, or may have, and where that was known (`Delivery.gone`).

        Raises:
            OverspentError: the month's budget does not have it.
            BehindError: the database lacks what headquarters has, or may.
            UnfinishedDayError: the day is not over by the database's clock.
            ShopError: counts or noise are not what a release may be made of.
        """
        last = await region_rows.lock(connection, gone)
        if stored := await region_rows.of_day(connection, Kind.BEHAVIOUR, day):
            return stored
        await _require_before(connection, day, 0)
        ledger = PrivacyLedger(await region_rows.spent(connection, self.region, day))
        ledger.require(self.region, day)
        rows = drawn(day, counts, tuple(cells_of(self.vocabulary)), sampler)
        made = await self._store(connection, Kind.BEHAVIOUR, day, rows, last)
        spending = Spending(self.region, day, last + 1, made[0].digest)
        ledger.book(spending)
        await region_rows.spend(connection, spending)
        return made

    async def money(self, connection: Connection, day: date, gone: Standing) -> tuple[Sealed, ...]:
        """Return the release of a day's money, in its parts; decided and stored at the first call.

        Args:
            connection: within a transaction of `commerce`.
            day: that is over (UTC).
            gone: the latest release that has left, or may have, and where that was known (`Delivery.gone`).

        Raises:
            BehindError: the database lacks what headquarters has, or may.
            UnfinishedDayError: the day is not over by the database's clock.
            ShopError: there are facts of a currency or a category that the region does not sell.
        """
        last = await region_rows.lock(connection, gone)
        if stored := await region_rows.of_day(connection, Kind.MONEY, day):
            return stored
        await _require_before(connection, day, 0)
        decisions = await self._decisions(connection, day, day + timedelta(days=1))
        groups = [Group(day, currency, metric) for currency in sorted(self.currencies) for metric in MoneyMetric]
        rows = [
            row
            for group in groups
            for row in day_rows(group, decisions.get(group, Decision()), self.vocabulary.categories)
        ]
        made = await self._store(connection, Kind.MONEY, day, rows, last)
        await money_rows.count(connection, _counted(decisions), last + 1)
        return made

    async def correction(self, connection: Connection, day: date, gone: Standing) -> tuple[Sealed, ...]:
        """Return the corrections that are made on a day, of the days before whose money is published; may be none.

        Less than a week after the one before there are none.

        Args:
            connection: within a transaction of `commerce`.
            day: on which they are made (UTC).
            gone: the latest release that has left, or may have, and where that was known (`Delivery.gone`).

        Raises:
            BehindError: the database lacks what headquarters has, or may.
            UnfinishedDayError: the day has not begun by the database's clock.
            ShopError: there are facts of a currency or a category that the region does not sell.
        """
        last = await region_rows.lock(connection, gone)
        if stored := await region_rows.of_day(connection, Kind.CORRECTION, day):
            return stored
        await _require_before(connection, day, 1)
        before = await region_rows.latest(connection, Kind.CORRECTION)
        if before is not None and day < before + timedelta(days=CORRECTED_EVERY_DAYS):
            return ()
        said = await money_rows.days_said(connection, day - timedelta(days=CORRECTED_FOR_DAYS), day)
        found = await self._decisions(connection, day - timedelta(days=CORRECTED_FOR_DAYS), day)
        decisions = {group: each for group, each in found.items() if group.day in said and each.sums}
        rows = [row for group, decision in decisions.items() for row in correction_rows(group, decision)]
        if not rows:
            return ()
        made = await self._store(connection, Kind.CORRECTION, day, rows, last)
        await money_rows.count(connection, _counted(decisions), last + 1)
        return made

    async def _decisions(self, connection: Connection, since: date, until: date) -> dict[Group, Decision]:
        sales = await money_rows.untaken(connection, since, until)
        require_words(sales)
        await money_rows.take(connection, [fact for sale in sales for fact in facts_of(sale)])
        published = await money_rows.published(connection, since, until)
        waiting = await money_rows.waiting(connection, since, until)
        # Also those of before: a fact without a row would be counted in a total, or in nothing, and never again.
        self._require_known(fact for facts in waiting.values() for fact in facts)
        return {group: decide(facts, published.get(group, Published()), self.rule) for group, facts in waiting.items()}

    def _require_known(self, facts: Iterable[Fact]) -> None:
        cells = {(fact.currency, fact.category) for fact in facts}
        currencies = {currency for currency, _ in cells} - self.currencies
        categories = {category for _, category in cells} - self.vocabulary.categories
        if currencies or categories:
            raise ShopError.build(
                "there are sales that the region's export has no cell for",
                expected=f"sales in {', '.join(sorted(self.currencies))}, of categories of the catalogue",
                found=", ".join([*sorted(currencies), *(f"category {each}" for each in sorted(categories))]),
                action="add the currency to the exporter's settings, or the category to app/export/vocabulary.py",
            )

    async def _store(
        self, connection: Connection, kind: Kind, day: date, rows: Sequence[Row | MoneyRow], last: int
    ) -> tuple[Sealed, ...]:
        parts = cut(rows)
        made = []
        for part, some in enumerate(parts, 1):
            release = Release(
                region=self.region, seq=last + part, kind=kind, day=day, part=part, parts=len(parts), rows=some
            )
            sealed = self.signer.seal(release)
            await region_rows.insert(connection, sealed, release)
            made.append(sealed)
        return tuple(made)


async def _require_before(connection: Connection, day: date, days: int) -> None:
    """Refuse a day that is not before so many days after today, by the database's clock.

    The caller's clock chose the day; it may be ahead, or speak of another time zone.
    """
    today = await region_rows.today(connection)
    if day >= today + timedelta(days=days):
        raise UnfinishedDayError.build(
            f"a release of {day} would be made too early",
            expected=f"a day up to {today + timedelta(days=days - 1)}",
            found=str(day),
            action="compare the clocks of the exporter and of the database; days are UTC days",
        )


def _counted(decisions: Mapping[Group, Decision]) -> list[Fact]:
    return [fact for decision in decisions.values() for fact in decision.counted]
