"""The pair's state record at every DNS authority, as runbooks write and look at it."""

from __future__ import annotations

from runbooks.pair_access import PairAccess
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.pair_state import PairState
from shopsphere.names.state_record import read_records, write_record


def write_at_each(access: PairAccess, state: PairState) -> list[str]:
    """Write a state at each authority by itself: a dead one must not keep the others; returns what went wrong."""
    declaration = access.declaration()

    def write(authority: DnsAuthority) -> str:
        try:
            write_record([authority], declaration, state)
        except EdgeError as error:
            return f"{authority.name}: {one_line(error)}"
        return ""

    return [problem for problem in at_each(access.authorities(), write) if problem]


def shows(access: PairAccess, state: PairState) -> bool:
    """Whether every authority that answers shows a state, and at least one does."""
    declaration = access.declaration()
    found = shown_records(access)
    return bool(found) and all(declaration.valid(record) == state for record in found)


def shown_records(access: PairAccess) -> list[RRset | None]:
    """Return the pair's state record, or its absence, at every authority that answers."""
    declaration = access.declaration()

    def read(authority: DnsAuthority) -> list[RRset | None]:
        try:
            return [*read_records([authority], declaration).values()]
        except EdgeError:
            return []

    return [record for records in at_each(access.authorities(), read) for record in records]
