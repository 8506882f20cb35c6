"""The pair's state record at every DNS authority, as runbooks write and look at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from components.edge.clients.pair_state import read_records, write_record
from components.edge.clients.powerdns import DnsAuthority
from components.edge.errors import EdgeError
from components.edge.pair_state import PairState
from runbooks.change import RoleChange
from shopsphere.errors import one_line


def write_at_each(change: RoleChange, state: PairState) -> list[str]:
    """Write a state at each authority by itself: a dead one must not keep the others; returns what went wrong."""
    declaration = change.declaration()

    def write(authority: DnsAuthority) -> str:
        try:
            write_record([authority], declaration, state)
        except EdgeError as error:
            return f"{authority.name}: {one_line(error)}"
        return ""

    authorities = change.authorities()
    with ThreadPoolExecutor(max(1, len(authorities))) as pool:
        return [problem for problem in pool.map(write, authorities) if problem]


def show(change: RoleChange, state: PairState) -> bool:
    """Whether every authority that answers shows a state, and at least one does."""
    declaration, shown = change.declaration(), []
    for authority in change.authorities():
        try:
            found = read_records([authority], declaration)[authority.name]
        except EdgeError:
            continue
        shown.append(declaration.valid(found) == state)
    return bool(shown) and all(shown)
