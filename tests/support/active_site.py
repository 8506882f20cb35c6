"""A witness in memory that calls one site of rdc-a active."""

from __future__ import annotations

from shopsphere.witness import PairRecord
from shopsphere.witness.seen import Seen


class ActiveSite:
    """Answers as the witness of rdc-a does while one site of it is active and holds the lease."""

    def __init__(self, site: str) -> None:
        self._site = site

    def see(self) -> Seen:
        return Seen(PairRecord.first("rdc-a", self._site, actor="test"), 1, self._site)

    def close(self) -> None:
        """Nothing to close."""
