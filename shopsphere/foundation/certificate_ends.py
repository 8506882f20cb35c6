"""When certificates end, and what is said of it: a month before it is told, a week before it is a fault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from shopsphere.foundation.finding import Finding, fails, passes

SAID_BEFORE, FAILS_BEFORE = timedelta(days=30), timedelta(days=7)


def ending(name: str, end: datetime, now: datetime) -> str:
    """Return when a certificate ends, or that it has ended (UTC)."""
    return f"{name} {'ENDED' if end <= now else 'ends'} {end:%Y-%m-%d %H:%M} UTC"


def judge_certificates(ends: Mapping[str, datetime | None], now: datetime, renew: str) -> Finding:
    """Judge certificates by what they are: a month before it is said, a week before it fails.

    Args:
        ends: when each ends (UTC), by what messages call it; None where it is no certificate.
        now: UTC.
        renew: what to do.
    """
    unreadable = [f"{name} is no certificate" for name, end in ends.items() if end is None]
    known = {name: end for name, end in ends.items() if end is not None}
    soon = {name: end for name, end in known.items() if end - now <= SAID_BEFORE}
    told = ", ".join([*unreadable, *(ending(name, end, now) for name, end in soon.items())])
    if unreadable or any(end - now <= FAILS_BEFORE for end in soon.values()):
        return fails(told, renew)
    if soon:
        return passes(f"RENEW SOON, {told}: {renew}")
    if not known:
        return passes("no certificates")
    first = min(known, key=known.__getitem__)
    return passes(f"the first certificate to end is {first}, in {(known[first] - now).days} days")
