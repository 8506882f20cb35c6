"""The storefront's side of the payments service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import httpx
import structlog

from app.orders.model import Order

_CREATED, _ACCEPTED = 201, 202


class Verdict(Enum):
    """What is known about an order's payment."""

    CAPTURED = "captured"
    DECLINED = "declined"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Payment:
    """The payments service's answer; without an id when there was none."""

    verdict: Verdict
    id: str | None = None


class PaymentsClient:
    """Asks for an order to be paid. The order's id is the idempotency key, so asking again never charges twice."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False)
        self._log = structlog.get_logger("payments-client")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def pay(self, order: Order) -> Payment:
        """Ask for a payment; whatever keeps the answer away makes it unknown, never failed."""
        try:
            answer = await self._client.post(
                "/v1/payments",
                headers={"idempotency-key": payment_key(order.id)},
                json={
                    "reference": order.number,
                    "amount_minor": order.total_minor,
                    "currency": order.currency,
                    "token": order.payment_token,
                },
            )
            if answer.status_code in {_CREATED, _ACCEPTED}:
                body = answer.json()
                return Payment(Verdict(body["state"]), body["id"])
            problem = f"status {answer.status_code}"
        except (httpx.HTTPError, ValueError, KeyError) as error:
            problem = type(error).__name__
        self._log.warning("payment outcome unknown", problem=problem)
        return Payment(Verdict.UNKNOWN)


def payment_key(order: UUID) -> str:
    """Return the idempotency key of an order's payment."""
    return f"order-{order.hex}"
