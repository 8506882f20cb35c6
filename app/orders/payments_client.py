"""The storefront's side of the payments service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import structlog

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.orders.model import Order
from app.sealed_calls import Seals

_OK, _CREATED, _ACCEPTED, _REFUSED = 200, 201, 202, 422


class Verdict(Enum):
    """What is known about an order's payment."""

    CAPTURED = "captured"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    REFUNDED = "refunded"  # it was captured, and given back
    REJECTED = "rejected"  # the payments service takes no such payment, has none on record, and never will


@dataclass(frozen=True, slots=True)
class Payment:
    """The payments service's answer; without an id when there was none."""

    verdict: Verdict
    id: str | None = None


class PaymentsClient:
    """Asks for an order to be paid. The order's id is the idempotency key, so asking again never charges twice."""

    def __init__(self, url: str, timeout_seconds: float, seals: Seals) -> None:
        self._client = BoundedClient(url, timeout_seconds, seals=seals)
        self._log = structlog.get_logger("payments-client")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def pay(self, order: Order) -> Payment:
        """Ask for a payment; whatever keeps a usable answer away makes it unknown, never failed."""
        return await self._ask(order, "POST", "/v1/payments", _PAID, {**_terms(order), "token": order.payment_token})

    async def look(self, order: Order) -> Payment:
        """Ask what became of a payment without asking for one."""
        return await self._ask(order, "GET", f"/v1/payments/by-key/{payment_key(order.id)}", _FOUND)

    async def void(self, order: Order) -> Payment:
        """Ask for a payment to be given up: declined when no money was taken, refunded when it was given back."""
        return await self._ask(order, "POST", "/v1/payments/void", _VOIDED, _terms(order))

    async def _ask(
        self, order: Order, method: str, path: str, expected: frozenset[int], body: dict[str, object] | None = None
    ) -> Payment:
        try:
            answer = await self._client.ask(method, path, headers={"idempotency-key": payment_key(order.id)}, body=body)
            return _read(answer, _terms(order), expected)
        except NoAnswerError as error:
            self._log.warning("payment outcome unknown", order=str(order.id), problem=str(error))
            return Payment(Verdict.UNKNOWN)


_PAID, _FOUND, _VOIDED = frozenset({_CREATED, _ACCEPTED}), frozenset({_OK}), frozenset({_OK, _ACCEPTED})
_VERDICTS = {
    verdict.value: verdict for verdict in (Verdict.CAPTURED, Verdict.DECLINED, Verdict.UNKNOWN, Verdict.REFUNDED)
}
LONGEST_ID = 64


def _terms(order: Order) -> dict[str, object]:
    return {"reference": order.number, "amount_minor": order.total_minor, "currency": order.currency}


def _read(answer: Answer, asked: dict[str, object], expected: frozenset[int]) -> Payment:
    """Return what an answer says.

    Raises:
        NoAnswerError: it is not about this payment, or says nothing that is known here.
    """
    fields = answer.fields()
    state = fields.get("state")
    if answer.status == _REFUSED and state == Verdict.REJECTED.value and expected is _PAID:
        return Payment(Verdict.REJECTED)
    if answer.status not in expected:
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


def order_of_key(key: str) -> UUID | None:
    """Return the order whose payment has a key; None if it is no order's."""
    prefix, _, number = key.partition("-")
    try:
        order = UUID(hex=number)
    except ValueError:
        return None
    return order if prefix and payment_key(order) == key else None


def payment_key(order: UUID) -> str:
    """Return the idempotency key of an order's payment."""
    return f"order-{order.hex}"
