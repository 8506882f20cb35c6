"""Where a pair's witness is, as the edge's configuration says."""

from __future__ import annotations

from shopsphere.estate.access import AccessError, EdgeAccess, edge_access
from shopsphere.estate.stack import Environment
from shopsphere.witness.client import Witness


def witness_of(pair: str, environment: Environment) -> Witness:
    """Return a pair's witness, as the edge's configuration names its voters.

    Raises:
        AccessError: it names none.
    """
    return witness_in(edge_access(environment), pair)


def witness_in(edge: EdgeAccess, pair: str) -> Witness:
    """Return a pair's witness from a configuration that was read already.

    Raises:
        AccessError: it names none.
    """
    urls = edge.witness.get(pair)
    if not urls:
        raise AccessError.build(
            f"{pair}: where its witness is, is not known here",
            expected=f"status:witness with {pair} in the edge's stack file",
            found="nothing",
            action="`shopsphere up edge` writes it for the lab; for your own sites, add the voters' addresses",
        )
    return Witness(pair, list(urls))
