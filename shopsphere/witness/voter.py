"""A voter of a witness, as it tells its own state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Voter:
    """One voter, asked by itself.

    Attributes:
        url: its client address.
        problem: why it takes no part in the quorum; empty when it does.
        size: of its store's file (B); None where it is not known, as in the two below.
        in_use: what of it holds entries (B); the rest comes back with a defragmentation.
        quota: size at which it takes no more writes (B).
        ends: when the certificate ends that it shows (UTC); None where it shows none.
    """

    url: str
    problem: str
    size: int | None = None
    in_use: int | None = None
    quota: int | None = None
    ends: datetime | None = None

    def name(self, places: Mapping[str, str]) -> str:
        """Return the site where it is, of those at these addresses; else its own address."""
        return places.get(urlsplit(self.url).hostname or "", self.url)


def sizes_in(figures: str) -> tuple[int | None, int | None, int | None]:
    """Return size, what is in use of it, and quota (B) from a voter's `/metrics`; None where it does not tell one."""
    return (
        _bytes(figures, "etcd_mvcc_db_total_size_in_bytes"),
        _bytes(figures, "etcd_mvcc_db_total_size_in_use_in_bytes"),
        _bytes(figures, "etcd_server_quota_backend_bytes"),
    )


def _bytes(figures: str, name: str) -> int | None:
    found = re.search(rf"^{name} (\d+(?:\.\d+)?(?:e[+]\d+)?)$", figures, re.MULTILINE)
    return round(float(found[1])) if found else None
