"""Where a pair's witness is, as the edge's configuration says."""

from __future__ import annotations

from contextlib import closing

from shopsphere.estate.access import AccessError, witness_access
from shopsphere.estate.stack import Environment
from shopsphere.witness.client import Seen, Witness


def witness_of(pair: str, environment: Environment) -> Witness:
    """Return a pair's witness, as the edge's configuration names its voters.

    Raises:
        AccessError: it names none.
    """
    urls = witness_access(environment).witness.get(pair)
    if not urls:
        raise AccessError.build(
            f"{pair}: where its witness is, is not known here",
            expected=f"status:witness with every voter of {pair} in the edge's stack file",
            found="nothing, or a placeholder",
            action="`shopsphere up edge` writes it for the lab; for your own sites, add the voters' addresses",
        )
    return Witness(pair, list(urls))


def see_once(pair: str, environment: Environment) -> Seen:
    """Return record and lease of a pair, with connections for this one question.

    Raises:
        AccessError: where the witness is, is not known here.
        WitnessUnreachableError: no quorum answered.
    """
    with closing(witness_of(pair, environment)) as witness:
        return witness.see()
