"""As YAML: what a site's API server applies, by which it lets nobody change that, and what its agent may do there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import yaml

from policies.admission.declared_images import declared_images
from policies.admission.guard import configuration, guard
from policies.admission.language import manifests
from policies.admission.site_policies import site_policies
from shopsphere.estate.cluster_rights import agent_rights
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology


def site_yaml(model: Topology, site: str, environment: Environment) -> str:
    """Return the policies of a site with their bindings, as its stack declares them but for the labels.

    Raises:
        StackFileError: the stack's file cannot be read.
    """
    policies = site_policies(model, site, environment, declared_images(model, site, environment))
    return yaml.safe_dump_all(manifests(policies), sort_keys=False, width=120)


def rights_yaml(site: str) -> str:
    """Return what lets a site's agent do its work at the API server; the owner of the cluster applies it."""
    return yaml.safe_dump_all(agent_rights(site), sort_keys=False)


def guard_yaml(identities: Collection[str]) -> str:
    """Return the file that the API server reads at its start.

    Args:
        identities: users that may change admission, as the API server names them.
    """
    return yaml.safe_dump_all(guard(identities))


def configuration_yaml(directory: Path) -> str:
    """Return the file that `--admission-control-config-file` of the API server names.

    Args:
        directory: folder of the guard's file and of nothing else; absolute.
    """
    return yaml.safe_dump(configuration(directory))
