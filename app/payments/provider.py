"""The payment provider as the payments service sees it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from app.payments.model import Payment

_OK, _CREATED, _NOT_FOUND = 200, 201, 404


class ProviderSilentError(Exception):
    """No usable answer: the charge may or may not have been made."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What the provider did."""

    id: str
    is_captured: bool
    decline_reason: str


class Provider:
    """Charges by idempotency key."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def charge(self, payment: Payment) -> Charge:
        """Authorise and capture; the same key never charges twice.

        Raises:
            ProviderSilentError: no usable answer.
        """
        body = {
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "token": payment.token,
            "reference": payment.reference,
            "capture": True,
        }
        charge = await self._ask("POST", "/v1/charges", json=body, headers={"idempotency-key": payment.key})
        if charge is None:
            raise ProviderSilentError("the provider answered a charge with 404")
        return charge

    async def find(self, key: str) -> Charge | None:
        """Return what became of a key; None if the provider never saw it.

        Raises:
            ProviderSilentError: no usable answer.
        """
        return await self._ask("GET", f"/v1/charges/by-key/{key}")

    async def _ask(self, method: str, path: str, **rest: object) -> Charge | None:
        try:
            answer = await self._client.request(method, path, **rest)  # type: ignore[arg-type]
            if answer.status_code == _NOT_FOUND:
                return None
            if answer.status_code not in {_OK, _CREATED}:
                raise ProviderSilentError(f"status {answer.status_code}")
            body = answer.json()
            return Charge(str(body["id"]), body["status"] == "captured", str(body.get("decline_reason") or ""))
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise ProviderSilentError(type(error).__name__) from error
