"""Certificates of a pair's event log in the configuration of both its stacks, made once."""

from __future__ import annotations

from shopsphere.deploy.secrets import Read, Write, read_secrets, set_secrets
from shopsphere.estate import stack_files
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES, wanted_secrets
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Pair, Topology


def event_log_keys(stack: StackId) -> list[str]:
    """Return the keys of the secrets that `up` makes for a stack's own broker; none where it has none."""
    names = wanted_secrets(stack_files.wanted_configuration(stack).get(stack_files.KAFKA_KEY))
    return [f"{stack_files.NAMESPACE}:{name}" for name in names if name in EVENT_LOG_SECRET_NAMES]


def ensure_event_log_secrets(
    topology: Topology, pair: Pair, environment: Environment, *, write: Write = set_secrets, read: Read = read_secrets
) -> bool:
    """See to it that each stack of a pair with a broker of its own has certificates; return whether any was written.

    The authority's key is gone, so a set is whole or of no use: a stack without one gets the other's, and where none
    has one a new one is made.

    Raises:
        ShopSphereError: a stack has a part of a set.
    """
    stacks = [site_stack(topology, site, environment) for site in pair.sites]
    wanted = [stack for stack in stacks if event_log_keys(stack)]
    have = {stack: _present(stack) for stack in wanted}
    for stack, names in have.items():
        if 0 < len(names) < len(EVENT_LOG_SECRET_NAMES):
            missing = [name for name in EVENT_LOG_SECRET_NAMES if name not in names]
            raise ShopSphereError.build(
                f"{stack.label}: a part of the event log's certificates is missing",
                expected="all of them, or none: their authority can sign no more",
                found=f"missing: {', '.join(missing)}",
                action="remove the others with `pulumi config rm` in both stacks of the pair to have new ones made",
            )
    without = [stack for stack in wanted if not have[stack]]
    if not without:
        return False
    source = next((stack for stack in wanted if have[stack]), None)
    found = read(source) if source else generate_event_log_secrets(pair.name)
    for stack in without:
        write(stack, {name: found[name] for name in EVENT_LOG_SECRET_NAMES})
    return True


def _present(stack: StackId) -> set[str]:
    config = stack_files.configuration(stack)
    keys = {name: f"{stack_files.NAMESPACE}:{name}" for name in EVENT_LOG_SECRET_NAMES}
    return {name for name, key in keys.items() if stack_files.is_encrypted(config.get(key))}
