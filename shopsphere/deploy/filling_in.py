"""What is still to be filled in before production can be deployed to: one list of all places, in all files."""

from __future__ import annotations

from collections.abc import Iterable

from shopsphere.deploy.waves import deployment_plan
from shopsphere.estate import stack_files
from shopsphere.estate.access import in_clear, witness_access
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.stack import Environment, StackId, edge_stack
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.topology import Topology, load_topology
from shopsphere.topology.overlay import NotFilledInError

FEWEST_VOTERS = 3
"""With fewer, losing one takes the quorum away."""


class UnfilledError(ShopSphereError):
    """Files of production have placeholders that nobody replaced."""


def topology_for(target: str, environment: Environment) -> Topology:
    """Return the topology that a target is deployed with.

    Raises:
        UnfilledError: it has placeholders; the target's stack files, which come next, are looked through too.
        TopologyError: it cannot be used.
        UsageError: it has placeholders, and the target is unknown.
    """
    try:
        return load_topology(environment=environment)
    except NotFilledInError as error:
        # An environment has the regions and sites of topology.yaml, so that its stacks are known already.
        stacks = deployment_plan(load_topology(), target, environment).stacks
        places = [f"{each.path} (line {each.line})" if each.line else each.path for each in error.problems]
        raise _unfilled([f"{error.file}: {', '.join(places)}", *_left_in(stacks)]) from None


def require_filled_in(stacks: Iterable[StackId]) -> None:
    """Refuse stacks of production whose files have placeholders, or whose pair has no witness, all in one message.

    Without a witness nobody may write at a site, and no failover is possible: its first one would be the wrong moment
    to find that out.

    Raises:
        UnfilledError: names the places.
    """
    wanted = tuple(stacks)
    left = [*_left_in(wanted), *_without_witness(wanted)]
    if left:
        raise _unfilled(left)


def require_plain_values(stacks: Iterable[StackId], *, secret: frozenset[str]) -> None:
    """Refuse stacks of production whose files have placeholders for anything but secrets, all in one message.

    Args:
        stacks: the stacks.
        secret: names of secrets, whose values nobody looks at.

    Raises:
        UnfilledError: names the places.
    """
    if left := _left_in(stacks, made_here=secret):
        raise _unfilled(left)


def _left_in(stacks: Iterable[StackId], *, made_here: frozenset[str] = frozenset(PAIR_SECRET_NAMES)) -> list[str]:
    found = {
        stack_files.project_file(stack).name: stack_files.left_to_fill_in(stack, made_here=made_here)
        for stack in stacks
        if stack.environment is not Environment.LAB
    }
    return [f"{name}: {places}" for name, places in found.items() if places]


def _without_witness(stacks: Iterable[StackId]) -> list[str]:
    """Return a line for each pair of production with fewer voters than can lose one, or with voters asked in clear."""
    production = [stack for stack in stacks if stack.environment is Environment.PROD]
    pairs = dict.fromkeys(stack.region for stack in production if stack.region in load_topology().pairs)
    if not pairs:
        return []
    file = stack_files.project_file(edge_stack(Environment.PROD)).name
    try:
        access = witness_access(Environment.PROD)
    except ShopSphereError as error:
        return [f"{file}: {one_line(error)}"]
    place = f"{file}: {stack_files.STATUS_NAMESPACE}:witness"
    found = {pair: access.witness.get(pair, ()) for pair in pairs}
    return [
        *(
            f"{place}.{pair} names {len(urls)} voters, not {FEWEST_VOTERS} or more"
            for pair, urls in found.items()
            if len(urls) < FEWEST_VOTERS
        ),
        *(f"{place}.{pair} names {url}, not https://" for pair, urls in found.items() for url in in_clear(urls)),
        *([] if access.witness_keys else [f"{place}Keys names no folder (docs/witness.md)"]),
    ]


def _unfilled(lines: list[str]) -> ShopSphereError:
    return UnfilledError.build(
        "files of production are not filled in",
        expected=f"your own value in place of each {stack_files.PLACEHOLDER}",
        found="\n            ".join(lines),
        action="edit these files; README.md, “Your own clusters”, says what each value is",
    )
