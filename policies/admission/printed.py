"""As YAML: what a site's API server applies, by which it lets nobody change that, and who may do what there."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import yaml

from policies.admission.declared_images import committed_configuration, declared_images, has_event_log
from policies.admission.guard import configuration, guard
from policies.admission.language import manifests
from policies.admission.site_policies import site_policies
from shopsphere.estate.access import HostPortsAccess, read_access
from shopsphere.estate.cluster_rights import site_rights, way_in_for_up
from shopsphere.estate.cluster_role import Manifest
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.topology import Topology


def site_yaml(model: Topology, site: str, environment: Environment) -> str:
    """Return the policies of a site with their bindings, as its stack declares them but for the labels.

    Raises:
        StackFileError: the stack's file cannot be read.
    """
    config = committed_configuration(model, site, environment)
    policies = site_policies(model, site, environment, declared_images(config), event_log=has_event_log(config))
    return yaml.safe_dump_all(manifests(policies), sort_keys=False, width=120)


def rights_yaml(model: Topology, site: str, environment: Environment) -> str:
    """Return what lets agents and programs do their work at a site's API server; the owner of the cluster applies it.

    Raises:
        ShopSphereError: the stack's file cannot be read.
    """
    return yaml.safe_dump_all(rights(model, site, environment), sort_keys=False)


def rights(model: Topology, site: str, environment: Environment) -> list[Manifest]:
    """Return the roles of a site and their bindings for the whole cluster; raises as `rights_yaml`."""
    event_log = has_event_log(committed_configuration(model, site, environment))
    declared = site_policies(model, site, environment, {}, event_log=event_log)  # their names follow from no image
    ports = read_access(HostPortsAccess, site_stack(model, site, environment), wanted_configuration)
    port = ports.site_agent_port
    return site_rights(model, site, [each.full_name for each in declared], agent_port=port, event_log=event_log)


def way_in_yaml(model: Topology, site: str, environment: Environment) -> str:
    """Return what lets `up` into the namespaces of a site's stack, with these; the owner of the cluster applies it."""
    event_log = has_event_log(committed_configuration(model, site, environment))
    return yaml.safe_dump_all(way_in_for_up(model, site, event_log=event_log), sort_keys=False)


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
