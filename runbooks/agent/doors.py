"""What is open at a site: what its agent decides, publishes and enforces."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Doors:
    """What is open.

    Attributes:
        databases: clients reach the databases; those of a proven replica are open for reading without a lease.
        writes: the gateway lets requests through that change something.
        because: one line for people.
        until: monotonic time at which the databases are shut off whatever happens.
    """

    databases: bool
    writes: bool
    because: str
    until: float = math.inf
