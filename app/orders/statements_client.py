"""The storefront's questions about payments that it compares its orders with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.sealed_calls import Seals
from app.statements import AT_ONCE, LARGEST_PAGE, Keys, Statement, StatementPage

_OK = 200
MOST_PAGES = 100_000


class StatementsClient:
    """Reads payments from the payments service."""

    def __init__(self, url: str, timeout_seconds: float, seals: Seals) -> None:
        self._client = BoundedClient(url, timeout_seconds, seals=seals)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def of_keys(self, keys: Sequence[str]) -> dict[str, Statement]:
        """Return payments by their keys; no more than AT_ONCE of them are asked for.

        Raises:
            NoAnswerError: the payments service did not say.
        """
        body = Keys(list(keys[:AT_ONCE]))
        page = await self._client.read("POST", "/v1/statements/by-keys", _page, body=body, largest=LARGEST_PAGE)
        return {each.key: each for each in page.payments}

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[tuple[Statement, ...]]:
        """Yield the payments that were asked for from `since` until before `until`, a page at a time.

        Raises:
            NoAnswerError: the payments service did not say, or never came to an end.
        """
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        for _ in range(MOST_PAGES):
            page = await self._client.read("GET", f"/v1/statements?{urlencode(asked)}", _page, largest=LARGEST_PAGE)
            yield page.payments
            if page.next is None:
                return
            asked["after"] = page.next
        raise NoAnswerError(f"payments since {since}: more than {MOST_PAGES} pages")


def _page(answer: Answer) -> StatementPage:
    if answer.status != _OK:
        raise NoAnswerError(f"payments: status {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=StatementPage)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NoAnswerError("payments: an answer that cannot be read") from error
