"""Reading and writing a pair's state at authorities; which state, the caller has decided."""

from __future__ import annotations

from collections.abc import Sequence

from shopsphere.clients.edge_errors import EdgeError, UnknownOutcomeError, VerificationError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import one_line
from shopsphere.names.pair_state import PairDeclaration, PairState


def read_records(authorities: Sequence[DnsAuthority], declaration: PairDeclaration) -> dict[str, RRset | None]:
    """Return the state record at each authority by the authority's name."""
    return {each.name: each.rrset(declaration.zone, declaration.name, "LUA") for each in authorities}


_READS = 3
"""Looks at what became of a change whose answer was lost: what was sent late is there a moment later."""
_PAUSE_SECONDS = 0.3


def write_record(authorities: Sequence[DnsAuthority], declaration: PairDeclaration, state: PairState) -> None:
    """Write a state where it is not yet, then ask every authority for it.

    Where a change was sent and no answer came, it is looked at what stands there, and sent once more if it is the
    former state.

    Raises:
        VerificationError: an authority accepted it and shows something else.
        UnknownOutcomeError: no answer came twice; the message says what stands there, if it can be read.
        ServiceError: an authority does not answer, or refuses.
    """
    wanted = declaration.rrset(state)
    for authority in authorities:
        if authority.rrset(declaration.zone, declaration.name, "LUA") != wanted:
            _replace(authority, declaration, wanted)
    for name, found in read_records(authorities, declaration).items():
        if found != wanted:
            raise VerificationError.build(
                f"DNS authority {name} does not show the state of {declaration.pair} that it accepted",
                expected=str(wanted),
                found=str(found or "nothing"),
                action="look at that authority; then repeat, which is safe",
            )


def _replace(authority: DnsAuthority, declaration: PairDeclaration, wanted: RRset, clock: Clock = SYSTEM_CLOCK) -> None:
    """Write at one authority; an authority that is silent at once afterwards is not asked again and again."""
    try:
        authority.replace(declaration.zone, [wanted])
    except UnknownOutcomeError:
        if _stands(authority, declaration, wanted, clock):
            return
    else:
        return
    try:
        authority.replace(declaration.zone, [wanted])
    except UnknownOutcomeError as error:
        if not _stands(authority, declaration, wanted, clock):
            raise _unknown(authority, declaration, wanted, error) from error


def _stands(authority: DnsAuthority, declaration: PairDeclaration, wanted: RRset, clock: Clock) -> bool:
    """Whether a change without an answer was made, as the authority shows it within a second.

    Raises:
        UnknownOutcomeError: it does not show anything.
    """
    for _ in range(_READS):
        clock.sleep(_PAUSE_SECONDS)
        try:
            if authority.rrset(declaration.zone, declaration.name, "LUA") == wanted:
                return True
        except EdgeError as error:
            raise _unknown(authority, declaration, wanted, error) from error
    return False


def _unknown(authority: DnsAuthority, declaration: PairDeclaration, wanted: RRset, error: EdgeError) -> Exception:
    try:
        found = str(authority.rrset(declaration.zone, declaration.name, "LUA") or "nothing")
    except EdgeError:
        found = "no answer"
    return UnknownOutcomeError.build(
        f"nobody knows whether DNS authority {authority.name} has made, or will make, a change of {declaration.pair}",
        expected=str(wanted),
        found=f"{found}; {one_line(error)[:300]}",
        action="bring it back, and look at what it shows: `shopsphere ready`; then repeat, which is safe",
    )
