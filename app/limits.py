"""Limits that more than one service holds to; the one place where each of them stands."""

from __future__ import annotations

LARGEST_ORDER_MINOR = 100_000_000
"""The largest amount of one order and of one payment, in minor units of its currency (1,000,000.00).

The checkout refuses what is above, and so does the payments service.
"""
