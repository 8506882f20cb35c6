"""`shopsphere env`."""

from __future__ import annotations

import shlex
import sys

from cli.common import Of, Target
from shopsphere.deploy.environment import pack_variables, prepare, variables
from shopsphere.deploy.programs import ensure_kubernetes_plugin
from shopsphere.estate.stack import EDGE, Environment, check_target, edge_stack, site_stack, sites_of
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology


def env(target: Target, environment: Of = Environment.LAB) -> None:
    """Print what `pulumi` needs to work by hand, judged by the policy pack: `eval "$(shopsphere env rdc-a)"`."""
    topology = load_topology(environment=environment)
    check_target(topology, target)
    stacks = [site_stack(topology, site, environment) for site in sites_of(topology, target)]
    stacks = [edge_stack(environment)] if target == EDGE else stacks
    owners = sorted({stack.jurisdiction for stack in stacks})
    if len(owners) != 1:
        raise UsageError(
            f"{target} has no one environment\n  expected: a target in one jurisdiction: each has its own state and "
            f"passphrase\n  found:    {', '.join(owners)}\n  do:       name a region, a site or edge"
        )
    prepare(stacks[0])
    ensure_kubernetes_plugin()
    exported = {**variables(stacks[0]), **pack_variables()}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(exported.items())]
    sys.stdout.write("\n".join(lines) + "\n")
