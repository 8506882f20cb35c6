"""Reading and writing a pair's state at authorities; which state, the caller has decided."""

from __future__ import annotations

from collections.abc import Sequence

from shopsphere.clients.edge_errors import VerificationError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.names.pair_state import PairDeclaration, PairState


def read_records(authorities: Sequence[DnsAuthority], declaration: PairDeclaration) -> dict[str, RRset | None]:
    """Return the state record at each authority by the authority's name."""
    return {each.name: each.rrset(declaration.zone, declaration.name, "LUA") for each in authorities}


def write_record(authorities: Sequence[DnsAuthority], declaration: PairDeclaration, state: PairState) -> None:
    """Write a state where it is not yet, then ask every authority for it.

    Raises:
        VerificationError: an authority accepted it and shows something else.
    """
    wanted = declaration.rrset(state)
    for authority in authorities:
        if authority.rrset(declaration.zone, declaration.name, "LUA") != wanted:
            authority.replace(declaration.zone, [wanted])
    for name, found in read_records(authorities, declaration).items():
        if found != wanted:
            raise VerificationError.build(
                f"DNS authority {name} does not show the state of {declaration.pair} that it accepted",
                expected=str(wanted),
                found=str(found or "nothing"),
                action="look at that authority; then repeat, which is safe",
            )
