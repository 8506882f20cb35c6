"""A payment and what can be asked for."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec

from app.limits import LARGEST_ORDER_MINOR

CREATED, UNKNOWN, CAPTURED, DECLINED = "created", "unknown", "captured", "declined"
REFUNDED = "refunded"
"""What callers see of a captured payment that was given back."""
FINAL = frozenset({CAPTURED, DECLINED})
KEY = re.compile(r"[A-Za-z0-9._:~-]{16,255}")
"""What an idempotency key looks like: letters that mean nothing in a path, a header or a log."""


class VoidRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which payment is no longer wanted, as its caller knows it."""

    reference: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}\Z")]
    amount_minor: Annotated[int, msgspec.Meta(gt=0)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]


class PaymentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller wants to be paid. `token` stands for a card that only the provider knows."""

    reference: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,64}\Z")]
    amount_minor: Annotated[int, msgspec.Meta(gt=0, le=LARGEST_ORDER_MINOR)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    token: Annotated[str, msgspec.Meta(pattern=r"^tok_[a-z0-9_]{1,60}\Z")]

    def fingerprint(self) -> bytes:
        """Return a digest that is equal for equal requests only."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment's row."""

    id: UUID
    key: str
    fingerprint: bytes
    reference: str
    amount_minor: int
    currency: str
    token: str
    state: str
    charge_id: str | None
    decline_reason: str | None
    attempts: int
    problem: str | None
    void_asked_seconds: float | None = None  # since it is no longer wanted
    is_refunded: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the provider has said yes or no; a captured one may still be given back."""
        return self.state in FINAL

    @property
    def is_voided(self) -> bool:
        """Whether no money was taken for it, or all was given back, for good."""
        return self.state == DECLINED or self.is_refunded

    @property
    def may_have_been_charged(self) -> bool:
        """Whether the provider may have been asked for it before."""
        return self.attempts > 0 or self.state != CREATED

    def public(self) -> dict[str, object]:
        """Return what callers see."""
        return {
            "id": str(self.id),
            "reference": self.reference,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "state": REFUNDED if self.is_refunded else UNKNOWN if self.state == CREATED else self.state,
            "decline_reason": self.decline_reason,
        }
