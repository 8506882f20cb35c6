"""Reading and moving a pair's state at every authority; the moving is for runbooks, never for a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shopsphere.clients.edge_errors import EdgeError, PairStateError, VerificationError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.names.pair_state import PairDeclaration, PairState

Found = Mapping[str, RRset | None]


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


def set_pair_state(
    authorities: Sequence[DnsAuthority], declaration: PairDeclaration, *, expect_epoch: int, new_state: PairState
) -> None:
    """Move a pair to `new_state` at all authorities, or leave all as they were.

    An authority that has `new_state` already counts as moved, so an interrupted call can be repeated.

    Raises:
        PairStateError: an authority is at another epoch than `expect_epoch`, or the new epoch is not the next one.
        EdgeError: an authority failed; the message says whether the others could be put back.
    """
    if new_state.epoch != expect_epoch + 1:
        raise PairStateError.build(
            f"pair {declaration.pair}: an epoch may only grow by one",
            expected=str(expect_epoch + 1),
            found=str(new_state.epoch),
            action="read the state again and correct the call",
        )
    wanted = declaration.rrset(new_state)
    before = read_records(authorities, declaration)
    for name, found in before.items():
        stated = declaration.stated(found)
        if found != wanted and (stated is None or stated.epoch != expect_epoch):
            raise PairStateError.build(
                f"pair {declaration.pair}: DNS authority {name} is not at the expected epoch",
                expected=f"epoch {expect_epoch}, or {new_state} from an earlier try",
                found=str(stated or found or "no state record"),
                action="find out who moved the pair before anything else is done to it",
            )
    try:
        write_record(authorities, declaration, new_state)
    except EdgeError as error:
        left = _put_back(authorities, declaration, before)
        outcome = f"NOT put back, and so different: {', '.join(left)}" if left else "all authorities are as before"
        raise type(error)(f"{error}\n  state:    {outcome}") from error


def _put_back(authorities: Sequence[DnsAuthority], declaration: PairDeclaration, before: Found) -> list[str]:
    """Restore what was read; return the names of authorities where that failed."""
    left = []
    for authority in authorities:
        old = before[authority.name]
        try:
            if old is not None and authority.rrset(declaration.zone, declaration.name, "LUA") != old:
                authority.replace(declaration.zone, [old])
        except EdgeError:
            left.append(authority.name)
    return left
