"""Amounts in minor units, shown as people in the region write them."""

from __future__ import annotations

from app.region import Region


def money(amount_minor: int, region: Region) -> str:
    """Return an amount such as `€1,190`, `€5.90` or `1.190 kr`; whole amounts are shown without minor digits."""
    whole, minor = divmod(abs(amount_minor), 10**region.minor_digits)
    text = f"{whole:,}".replace(",", region.group)
    if minor:
        text += f"{region.decimal}{minor:0{region.minor_digits}d}"
    sign = region.currency_sign
    shown = f"{text}\N{NO-BREAK SPACE}{sign}" if region.sign_after else f"{sign}{text}"
    return f"{'-' if amount_minor < 0 else ''}{shown}"


def plain_amount(amount_minor: int, region: Region) -> str:
    """Return an amount for machines, such as `1190.00`: always with the minor digits, never with a sign of currency."""
    whole, minor = divmod(amount_minor, 10**region.minor_digits)
    return f"{whole}.{minor:0{region.minor_digits}d}" if region.minor_digits else str(whole)
