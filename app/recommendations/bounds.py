"""Bounds that every part of the recommendations holds to."""

from __future__ import annotations

LARGEST_NUMBER = 2**20 - 1
"""The largest product number (`catalogue.product.id`) that is recommended: tables by number have 1 MiB."""
MOST_VIEWED = 8
"""Products of one visitor that are remembered and looked at."""
MOST_ASKED = 24
"""Products in one row of recommendations."""
DAY_SECONDS = 86_400
