"""The rows of a page with what goes with what its visitor looks at, and with what they looked at before.

The recommender is asked when a page begins, and answers while the page reads what it needs anyway; at the end the page
waits for the rest of the deadline at most. Whatever was answered, cards come from the database of this moment, so that
nothing hidden or sold out is shown, and a number that no product has is no card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from app.catalogue import repository
from app.errors import DatabaseUnavailableError
from app.recommendations.because import Recommendation
from app.recommendations.bounds import LARGEST_NUMBER, MOST_VIEWED
from app.recommendations.question import Page, Question
from app.recommendations.trial import WITHOUT
from app.web.remembering import remembered
from app.web.rows import NO_ROWS, Rows, Suggested
from app.web.services import Request, services_of

SHOWN = 4
"""Products of a row."""
ASKED = 6
"""Products that are asked for: some may be sold out since the recommender looked."""
CARDS_SECONDS = 0.25
"""Longest time of the question for cards; a page that has everything else does not wait for a row."""


def question_of(page: Page, latest: Sequence[int], product: int | None, group: str) -> Question:
    """Return what a page asks; a product that no index has room for is left out, or the whole question was refused."""
    usable = [each for each in latest if 1 <= each <= LARGEST_NUMBER][-MOST_VIEWED:]
    known = product if product is not None and 1 <= product <= LARGEST_NUMBER else None
    return Question(page=page, count=ASKED, viewed=tuple(usable), product=known, group=group)


class Suggesting:
    """Asks for the rows of a page while the page is made.

    Args:
        request: of the page.
        page: which one.
        product: number of the product that it shows.
        beside: numbers of other products that it shows, such as those of a cart; the visitor's latest ones.
    """

    def __init__(self, request: Request, page: Page, *, product: int | None = None, beside: Sequence[int] = ()) -> None:
        self._services = services_of(request)
        self._shown = {*beside, product}
        viewed = remembered(request)
        self._recently = tuple(each for each in reversed(viewed) if each not in self._shown)
        latest = (*(each for each in viewed if each not in beside), *dict.fromkeys(beside))
        trial = self._services.settings.trial
        session = self._services.cookie.read(request.cookies)
        group = "" if trial is None else trial.group_of(session, datetime.now(UTC).date())
        self._question = None if group == WITHOUT else question_of(page, latest, product, group)
        self._asking: asyncio.Task[tuple[Recommendation, ...]] | None = None

    async def __aenter__(self) -> Self:
        """Ask."""
        recommender = self._services.recommender
        if recommender is not None and self._question is not None:
            self._asking = asyncio.create_task(recommender.row(self._question))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for no answer any more."""
        if self._asking is not None:
            self._asking.cancel()

    async def rows(self) -> Rows:
        """Return the rows, as far as they are known in time."""
        row = () if self._asking is None else await self._asking
        because = {each.product: each.because for each in row if each.product not in self._shown}
        numbers = [*dict.fromkeys((*because, *self._recently))]
        currency = self._services.settings.region.currency
        try:
            async with asyncio.timeout(CARDS_SECONDS):
                cards = await repository.available(self._services.commerce, currency, numbers)
        except (DatabaseUnavailableError, TimeoutError):
            return NO_ROWS
        suggested = [Suggested(cards[each], why) for each, why in because.items() if each in cards]
        return Rows(tuple(suggested[:SHOWN]), tuple(cards[each] for each in self._recently if each in cards)[:SHOWN])
