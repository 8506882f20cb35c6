"""Amounts in minor units, shown as people in the region write them."""

from __future__ import annotations

_SIGNS = {"EUR": "€", "USD": "$", "SGD": "S$"}


def money(amount_minor: int, currency: str) -> str:
    """Return an amount such as `€1,190` or `€5.90`; whole amounts are shown without cents."""
    whole, cents = divmod(abs(amount_minor), 100)
    text = f"{whole:,}" if cents == 0 else f"{whole:,}.{cents:02d}"
    return f"{'-' if amount_minor < 0 else ''}{_SIGNS.get(currency, currency + ' ')}{text}"
