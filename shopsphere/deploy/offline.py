"""Runs the programs of an environment's stacks where neither engine, nor state, nor any cluster is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import yaml

from shopsphere.deploy.declared_graph import Graph, declared_by
from shopsphere.deploy.filling_in import require_plain_values
from shopsphere.deploy.opening import project_name
from shopsphere.estate import stack_files
from shopsphere.estate.event_log import wanted_secrets
from shopsphere.estate.pair_secrets import ARCHIVE_SECRET_NAMES, OWNER_SECRET_NAMES, SITE_SECRET_NAMES
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.estate.stack import EVERYTHING, Environment, StackId, edge_stack, site_stack, sites_of
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Topology

KUBECONFIG = f"{stack_files.NAMESPACE}:kubeconfig"
CONTEXT = f"{stack_files.NAMESPACE}:context"


class ProgramRefusedError(ShopSphereError):
    """A stack's program does not take its configuration; the message says which stack, and why."""


def all_stacks(topology: Topology, environment: Environment) -> tuple[StackId, ...]:
    """Return every stack of an environment: those of all sites, and the edge."""
    sites = sites_of(topology, EVERYTHING)
    return (*(site_stack(topology, site, environment) for site in sites), edge_stack(environment))


def graphs_of(topology: Topology, stacks: Sequence[StackId]) -> dict[StackId, Graph]:
    """Return what each stack declares.

    Raises:
        UnfilledError: plain values of production are not filled in; all places in one message.
        ProgramRefusedError: a stack's configuration cannot be used.
        ShopSphereError: a stack has no configuration.
    """
    require_plain_values(stacks, secret=frozenset({*SITE_SECRET_NAMES, *ARCHIVE_SECRET_NAMES, *OWNER_SECRET_NAMES}))
    return {stack: _graph(topology, stack) for stack in stacks}


def file_of(stack: StackId) -> str:
    """Return the committed file of a stack's configuration, within the repository."""
    is_lab = stack.environment is Environment.LAB
    file = stack_files.base_file(stack) if is_lab else stack_files.project_file(stack)
    return file.relative_to(REPOSITORY).as_posix()


def _graph(topology: Topology, stack: StackId) -> Graph:
    config, encrypted = configuration(topology, stack)
    program = stack.folder / "__main__.py"
    try:
        return declared_by(program, project=project_name(stack), stack=stack.name, config=config, encrypted=encrypted)
    except pulumi.RunError as error:
        raise ProgramRefusedError(f"{stack.name}: {error}") from error


def configuration(topology: Topology, stack: StackId) -> tuple[dict[str, Any], list[str]]:
    """Return a stack's configuration as `up` would use it, and which keys of it are secret.

    Values of secrets are stand-ins: nothing here can decrypt them, and no rule looks at them. In a lab that was never
    started, the kubeconfig is one that leads to where the lab would make the site's cluster.
    """
    config = stack_files.wanted_configuration(stack)
    secret = {key for key, value in config.items() if stack_files.is_encrypted(value)}
    if stack.region in topology.pairs:
        archived = ARCHIVE_SECRET_NAMES if stack.site and topology.archive_of(stack.site) else ()
        owners = OWNER_SECRET_NAMES if stack.environment is Environment.PROD else ()
        of_log = wanted_secrets(config.get(stack_files.KAFKA_KEY))
        secret |= {f"{stack_files.NAMESPACE}:{name}" for name in (*SITE_SECRET_NAMES, *archived, *owners, *of_log)}
    known = {**config, **dict.fromkeys(secret, stack_files.STAND_IN)}
    if stack.site and stack.environment is Environment.LAB and not Path(known[KUBECONFIG]).exists():
        known[KUBECONFIG] = _kubeconfig(topology, stack.site, known)
    return known, sorted(secret)


def _kubeconfig(topology: Topology, site: str, config: Mapping[str, Any]) -> str:
    name = str(config.get(CONTEXT, ""))
    server = f"https://{topology.site(site).address}:{API_SERVER_PORT}"
    return yaml.safe_dump(  # a value that begins with a brace would be read as an object
        {
            "clusters": [{"name": site, "cluster": {"server": server}}],
            "contexts": [{"name": name, "context": {"cluster": site, "user": site}}],
            "users": [{"name": site, "user": {}}],
        }
    )
