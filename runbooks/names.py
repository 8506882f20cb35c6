"""The pair's state record at every DNS authority, as runbooks write and look at it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from components.edge.clients.pair_state import read_records, write_record
from components.edge.clients.powerdns import DnsAuthority, RRset
from components.edge.errors import EdgeError
from components.edge.pair_state import PairState
from runbooks.change import RoleChange
from shopsphere.errors import one_line

Answer = TypeVar("Answer")


def write_at_each(change: RoleChange, state: PairState) -> list[str]:
    """Write a state at each authority by itself: a dead one must not keep the others; returns what went wrong."""
    declaration = change.declaration()

    def write(authority: DnsAuthority) -> str:
        try:
            write_record([authority], declaration, state)
        except EdgeError as error:
            return f"{authority.name}: {one_line(error)}"
        return ""

    return [problem for problem in _at_each(change, write) if problem]


def show(change: RoleChange, state: PairState) -> bool:
    """Whether every authority that answers shows a state, and at least one does."""
    declaration = change.declaration()
    found = shown_records(change)
    return bool(found) and all(declaration.valid(record) == state for record in found)


def shown_records(change: RoleChange) -> list[RRset | None]:
    """Return the pair's state record, or its absence, at every authority that answers."""
    declaration = change.declaration()

    def read(authority: DnsAuthority) -> list[RRset | None]:
        try:
            return [*read_records([authority], declaration).values()]
        except EdgeError:
            return []

    return [record for records in _at_each(change, read) for record in records]


def _at_each(change: RoleChange, work: Callable[[DnsAuthority], Answer]) -> list[Answer]:
    """Do something at all authorities at once: one that hangs takes its own time and nobody else's."""
    authorities = change.authorities()
    with ThreadPoolExecutor(max(1, len(authorities))) as pool:
        return list(pool.map(work, authorities))
