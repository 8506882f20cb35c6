"""Where a pair's witness is, as the edge's configuration says."""

from __future__ import annotations

from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.client import Witness


def witness_of(pair: str, environment: Environment) -> Witness:
    """Return a pair's witness, as the edge's configuration names its voters.

    Raises:
        ShopSphereError: it names none.
    """
    stack = edge_stack(environment)
    urls = stack_files.configuration(stack).get(stack_files.WITNESS_KEY, {}).get(pair)
    if not urls:
        raise ShopSphereError.build(
            f"{pair}: where its witness is, is not known here",
            expected=f"{stack_files.WITNESS_KEY} with {pair} in {stack_files.project_file(stack).name}",
            found="nothing",
            action="`shopsphere up edge` writes it for the lab; for your own sites, add the voters' addresses",
        )
    return Witness(pair, urls)
