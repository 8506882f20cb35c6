"""What becomes of every record, batch and event: a closed set, counted in the transaction that moves past it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum


class Outcome(StrEnum):
    """What something comes to. LATE and UNKNOWN are parts of COUNTED."""

    COUNTED = "counted"
    LATE = "late"
    """It came more than LATE_MS after it happened; it counts in the minute in which it happened."""
    UNKNOWN = "unknown"
    """Its product or category is none of the catalogue; it counts without one."""
    PROBE = "probe"
    """A record without a batch: a collector saw whether brokers acknowledge."""
    DUPLICATE = "duplicate"
    """A batch of this tab with this number, or a later one, was counted before."""
    FORMAT = "format"
    """A record of a version that this program cannot read, or without one."""
    JSON = "json"
    """A record that is no JSON array."""
    SHAPE = "shape"
    """Part of a record that is no batch."""
    EVENT = "event"
    """Part of a batch that is no event, or that happened at no moment that it can have happened at."""
    CLOCK = "clock"
    """A batch that was received at another time than its record was written."""
    MISSING = "missing"
    """Records that the log gave up before they were read."""
    CUT = "cut"
    """Records that were counted and that the log does not have any more."""
    GIVEN_UP = "given_up"
    """Events that browsers say they gave up before they could send them."""


class Unit(StrEnum):
    """Of what there are so many: a column of the balance."""

    RECORDS = "records"
    BATCHES = "batches"
    EVENTS = "events"


Balance = Counter[tuple[int, Outcome, Unit]]
"""How many of what came to what, by UTC day (days since 1970)."""
