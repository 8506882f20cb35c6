"""A voter of a witness, as it tells its own state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
        members: how many members it counts, itself and those that do not vote yet among them; None where not known.
        leads: whether it leads the others, as far as is known.
    """

    url: str
    problem: str
    size: int | None = None
    in_use: int | None = None
    quota: int | None = None
    ends: datetime | None = None
    members: int | None = None
    leads: bool = False

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


def does_not_vote(figures: str) -> str:
    """Return why a voter that is well is none of the quorum, from its `/metrics`; empty where it is one."""
    learns = re.search(r"^etcd_server_is_learner 1$", figures, re.MULTILINE)
    return "learns, and does not vote yet" if learns else ""


def leads_in(figures: str) -> bool:
    """Whether a voter leads the others, from its `/metrics`."""
    return bool(re.search(r"^etcd_server_is_leader 1$", figures, re.MULTILINE))


def members_in(figures: str) -> int | None:
    """Return how many members a voter counts, from its `/metrics`; None where it does not tell."""
    known = re.findall(r"^etcd_network_known_peers\{[^}]*\} 1$", figures, re.MULTILINE)
    return len(known) or None


def hears(figures: str, member: str) -> bool:
    """Whether a voter has a line to another member with this number (hexadecimal), from its `/metrics`."""
    return bool(
        re.search(rf'^etcd_network_active_peers\{{[^}}]*Remote="{member}"[^}}]*\}} [1-9]', figures, re.MULTILINE)
    )


def is_of(figures: str, member: str) -> bool:
    """Whether these `/metrics` are those of the member with this number (hexadecimal)."""
    return f'Local="{member}"' in figures


def tells_lines(figures: str) -> bool:
    """Whether a page is a voter's `/metrics`, and says to which others it has a line."""
    names = ("etcd_network_known_peers", "etcd_network_active_peers")
    return all(re.search(rf"^{name}\{{[^}}]*\}} \d", figures, re.MULTILINE) for name in names)


def miscounted(voters: Iterable[Voter], known: int) -> str:
    """Return what is wrong with how many members voters count, of `known` voters that are asked; empty for nothing."""
    counted = sorted({each.members for each in voters if each.members is not None} - {known})
    return f"the witness counts {counted[-1]} members, and {known} are known here" if counted else ""


def _bytes(figures: str, name: str) -> int | None:
    found = re.search(rf"^{name} (\d+(?:\.\d+)?(?:e[+]\d+)?)$", figures, re.MULTILINE)
    return round(float(found[1])) if found else None
