"""Whether a site may be changed by anybody else than those who move its pair: unknown is no."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from shopsphere.deploy.state_version import Look
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.witness import Phase, Witness
from shopsphere.witness.access import witness_of

Guard = Callable[[], str]
"""Returns what keeps a site from being changed now; empty where nothing does."""


def guard_of(pair: str, environment: Environment, look: Look) -> Guard:
    """Return the guard of a site.

    Args:
        pair: of the site; empty where it has none.
        environment: where its stack lives.
        look: at the state of its stack.
    """

    def guard() -> str:
        try:
            if held := look().held_by:
                return f"{held} deploys this site"
            if not pair:
                return ""
            with closing(witness_of(pair, environment)) as witness:
                return change_under_way(witness)
        except ShopSphereError as error:
            return f"whether a change of role or a deployment is under way is not known: {one_line(error)}"

    return guard


def change_under_way(witness: Witness) -> str:
    """Return who changes a pair's role, or empty.

    Raises:
        ShopSphereError: the witness does not answer, or cannot be understood.
    """
    record = witness.see().record
    if record is None:
        return f"the witness has no record of {witness.pair}"
    if record.phase is not Phase.STEADY:
        return f"a change of role of {witness.pair} is under way: {record.phase}, by {record.actor}"
    lock = witness.locked_by()
    return f"{lock.value} holds the operators' lock of {witness.pair}" if lock else ""
