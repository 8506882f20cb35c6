"""What the payments service tells the storefront about payments, so that orders can be compared with them.

Identifiers, amount, currency, state and age: neither whom a payment is of, nor by which card it was made.
"""

from __future__ import annotations

import msgspec

AT_ONCE = 200
"""Payments in one answer, and keys in one question."""
LARGEST_PAGE = 256 * 1024
"""Bytes; a statement has less than 600."""


class Statement(msgspec.Struct, frozen=True):
    """One payment, as the ledger has it.

    Attributes:
        key: its idempotency key, which names the order.
        reference: the number of the order.
        amount_minor: in the currency's smallest unit.
        currency: three letters.
        state: captured, declined, refunded, or unknown.
        settled_seconds: since its state changed last (s).
        age_seconds: since it was asked for (s).
    """

    key: str
    reference: str
    amount_minor: int
    currency: str
    state: str
    settled_seconds: float
    age_seconds: float


class StatementPage(msgspec.Struct, frozen=True):
    """Some payments, and where the next ones begin; None after the last."""

    payments: tuple[Statement, ...]
    next: str | None = None


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which payments are asked for."""

    keys: list[str]
