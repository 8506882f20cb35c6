"""The pair's state record at every DNS authority, as runbooks write and look at it."""

from __future__ import annotations

from runbooks.pair_access import PairAccess
from shopsphere.clients.edge_errors import CredentialError, EdgeError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.pair_state import PairState
from shopsphere.names.state_record import read_records, write_record


def write_at_each(access: PairAccess, state: PairState) -> list[str]:
    """Write a state at each authority by itself: a dead one must not keep the others; returns what went wrong.

    A certificate that cannot be used counts as silence of all: in the middle of a change nothing is to end by it.
    """
    declaration = access.declaration()
    try:
        authorities = access.authorities()
    except CredentialError as error:
        return [f"{name}: {one_line(error)}" for name in access.authority_names()]

    def write(authority: DnsAuthority) -> str:
        try:
            write_record([authority], declaration, state)
        except EdgeError as error:
            return f"{authority.name}: {one_line(error)}"
        return ""

    return [problem for problem in at_each(authorities, write) if problem]


def shows(access: PairAccess, state: PairState) -> bool:
    """Whether every authority that answers shows a state, and at least one does."""
    declaration = access.declaration()
    found = shown_records(access).values()
    return bool(found) and all(declaration.valid(record) == state for record in found)


def shown_records(access: PairAccess) -> dict[str, RRset | None]:
    """Return the pair's state record, or its absence, at every authority that answers, by its name."""
    declaration = access.declaration()

    def read(authority: DnsAuthority) -> dict[str, RRset | None]:
        try:
            return read_records([authority], declaration)
        except EdgeError:
            return {}

    try:
        authorities = access.authorities()
    except CredentialError:
        return {}  # as of authorities that do not answer: agents may know enough
    return {name: record for records in at_each(authorities, read) for name, record in records.items()}
