"""The storefront's side of the payments service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import structlog

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.orders.model import Order

_CREATED, _ACCEPTED, _REFUSED = 201, 202, 422


class Verdict(Enum):
    """What is known about an order's payment."""

    CAPTURED = "captured"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    REJECTED = "rejected"  # the payments service takes no such payment, has none on record, and never will


@dataclass(frozen=True, slots=True)
class Payment:
    """The payments service's answer; without an id when there was none."""

    verdict: Verdict
    id: str | None = None


class PaymentsClient:
    """Asks for an order to be paid. The order's id is the idempotency key, so asking again never charges twice."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._client = BoundedClient(url, timeout_seconds)
        self._log = structlog.get_logger("payments-client")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def pay(self, order: Order) -> Payment:
        """Ask for a payment; whatever keeps a usable answer away makes it unknown, never failed."""
        asked = {"reference": order.number, "amount_minor": order.total_minor, "currency": order.currency}
        try:
            answer = await self._client.ask(
                "POST",
                "/v1/payments",
                headers={"idempotency-key": payment_key(order.id)},
                body={**asked, "token": order.payment_token},
            )
            return _read(answer, asked)
        except NoAnswerError as error:
            self._log.warning("payment outcome unknown", order=str(order.id), problem=str(error))
            return Payment(Verdict.UNKNOWN)


_VERDICTS = {verdict.value: verdict for verdict in (Verdict.CAPTURED, Verdict.DECLINED, Verdict.UNKNOWN)}
LONGEST_ID = 64


def _read(answer: Answer, asked: dict[str, object]) -> Payment:
    """Return what an answer says.

    Raises:
        NoAnswerError: it is not about this payment, or says nothing that is known here.
    """
    fields = answer.fields()
    state = fields.get("state")
    if answer.status == _REFUSED and state == Verdict.REJECTED.value:
        return Payment(Verdict.REJECTED)
    if answer.status not in {_CREATED, _ACCEPTED}:
        raise NoAnswerError(f"status {answer.status}")
    verdict = _VERDICTS.get(state) if isinstance(state, str) else None
    if verdict is None:
        raise NoAnswerError(f"status {answer.status} with a state that is not known here")
    differing = [name for name, value in asked.items() if fields.get(name) != value]
    if differing:
        raise NoAnswerError(f"the payment differs from the order in {', '.join(differing)}")
    identity = fields.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID:
        raise NoAnswerError("a payment without a usable id")
    return Payment(verdict, identity)


def payment_key(order: UUID) -> str:
    """Return the idempotency key of an order's payment."""
    return f"order-{order.hex}"
