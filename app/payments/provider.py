"""The payment provider as the payments service sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

import msgspec

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.payments.answers import STATUSES, VOIDING, Kind, Outcome, alarm, judge, unknown
from app.payments.model import Payment
from app.settings import PaymentsSettings

_OK = 200
LARGEST_PAGE = 1024 * 1024
MOST_PAGES = 10_000


class SettlementLine(msgspec.Struct, frozen=True):
    """One captured charge as the provider settles it, and how much of it was given back until now."""

    charge: str
    key: str
    reference: str
    amount_minor: int
    currency: str
    refunded_minor: int = 0


class _Page(msgspec.Struct, frozen=True):
    lines: list[SettlementLine]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a day, and where the next ones begin; None after the last."""

    lines: tuple[SettlementLine, ...]
    after: str | None


class Provider:
    """Charges by idempotency key."""

    def __init__(self, settings: PaymentsSettings) -> None:
        key = settings.psp_api_key
        self._client = BoundedClient(
            settings.psp_url,
            settings.psp_timeout_seconds,
            headers={"authorization": f"Bearer {key}"} if key else None,
            authority=settings.psp_authority,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def settle(self, payment: Payment) -> Outcome:
        """Return what became of a payment: look first if it may have been asked for before, charge if it never was.

        What is only authorised is captured. What the provider refused to take is looked up: no money will move only if
        it has no charge by this key either.
        """
        outcome = await self.find(payment) if payment.may_have_been_charged else Outcome(Kind.ABSENT)
        if outcome.kind is Kind.ABSENT:
            outcome = await self._charge(payment)
        if outcome.kind is Kind.REFUSED:
            found = await self.find(payment)
            outcome = Outcome(Kind.DECLINED, reason=outcome.reason) if found.kind is Kind.ABSENT else found
        if outcome.kind is Kind.AUTHORISED:
            outcome = await self._capture(payment, outcome.charge)
        if outcome.kind not in {Kind.CAPTURED, Kind.DECLINED, Kind.UNKNOWN}:
            return alarm(f"the provider left the charge {outcome.kind.value}")
        return outcome

    async def find(self, payment: Payment) -> Outcome:
        """Return what the provider has by the payment's key."""
        return await self._look(payment, STATUSES)

    async def find_voided(self, payment: Payment) -> Outcome:
        """Return what the provider has by the key of a payment that is no longer wanted: it may be refunded by now."""
        return await self._look(payment, VOIDING)

    async def refund(self, payment: Payment, charge: str) -> Outcome:
        """Give back a captured charge; asking again gives back nothing more."""
        return await self._end(payment, charge, "refund")

    async def release(self, payment: Payment, charge: str) -> Outcome:
        """Give up the hold of an authorised charge."""
        return await self._end(payment, charge, "void")

    async def _look(self, payment: Payment, statuses: Mapping[str, Kind]) -> Outcome:
        return await self._ask(payment, "GET", f"/v1/charges/by-key/{quote(payment.key, safe='')}", statuses=statuses)

    async def _end(self, payment: Payment, charge: str, verb: str) -> Outcome:
        ended = await self._ask(payment, "POST", f"/v1/charges/{quote(charge, safe='')}/{verb}", statuses=VOIDING)
        if ended.kind in {Kind.REFUNDED, Kind.DECLINED} and ended.charge != charge:
            return alarm("the provider ended another charge than the one that was asked for")
        return ended

    async def _charge(self, payment: Payment) -> Outcome:
        """Authorise and capture; the same key never charges twice."""
        body = {
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "token": payment.token,
            "reference": payment.reference,
            "capture": True,
        }
        return await self._ask(payment, "POST", "/v1/charges", body, {"idempotency-key": payment.key})

    async def _capture(self, payment: Payment, charge: str) -> Outcome:
        captured = await self._ask(payment, "POST", f"/v1/charges/{quote(charge, safe='')}/capture")
        if captured.kind is Kind.CAPTURED and captured.charge != charge:
            return alarm("the provider captured another charge than the one that was authorised")
        return captured

    async def _ask(
        self,
        payment: Payment,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        statuses: Mapping[str, Kind] = STATUSES,
    ) -> Outcome:
        try:
            answer = await self._client.ask(method, path, body=body, headers=headers)
        except NoAnswerError as error:
            return unknown(str(error))
        return judge(answer, payment, statuses)

    async def settlement(self, day: str, after: str | None) -> Page:
        """Return a page of what was captured on a day (YYYY-MM-DD, UTC), from `after` on.

        Raises:
            NoAnswerError: the provider did not give it.
        """
        path = f"/v1/settlements/{day}" + (f"?after={quote(after, safe='')}" if after else "")
        return await self._client.read("GET", path, partial(_page, day), largest=LARGEST_PAGE)


def _page(day: str, answer: Answer) -> Page:
    if answer.status != _OK:
        raise NoAnswerError(f"settlement of {day}: status {answer.status}")
    try:
        page = msgspec.json.decode(answer.body, type=_Page)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NoAnswerError(f"settlement of {day}: lines that cannot be read") from error
    return Page(tuple(page.lines), page.next)
