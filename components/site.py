"""Builds a whole site from its stack's name and configuration: what a stack's `__main__.py` calls."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import Provider

from components.headquarters_site import declare_headquarters
from components.protection import protect_what_holds_data
from components.regional_pair import RegionalPair, require_member
from components.regional_site import RegionalSite, RegionalSiteArgs
from components.stack_config import (
    configured_kafka,
    environment_of_stack,
    load_site_config,
    secret,
    site_secret_names,
)
from shopsphere.estate.event_log import AUTHORITY
from shopsphere.estate.event_log_site import with_event_log
from shopsphere.estate.site_config import HeadquartersConfig, RegionalConfig, SiteConfig
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, REGIONAL_SITE, SiteDeclaration
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology


def build_regional_site(declaration: SiteDeclaration = REGIONAL_SITE) -> None:
    """Declare the site that the selected stack `<environment>-<site>` of a pair's project names.

    Args:
        declaration: workloads and databases of each of the pair's sites.

    Raises:
        pulumi.RunError: the topology or the configuration is not usable; its message says what to do.
    """
    try:
        environment = environment_of_stack()
        topology = load_topology(environment=environment)
        declaration = with_event_log(declaration, configured_kafka())
        secret_names = site_secret_names(archived=topology.archive_of(site_of_stack()) is not None)
        config = load_site_config(RegionalConfig, secrets=secret_names, site=declaration)
        pair = RegionalPair.of(topology, pulumi.get_project(), site_of_stack(), config, declaration, environment)
    except ShopSphereError as error:
        raise pulumi.RunError(str(error)) from error
    protect_what_holds_data()
    secrets = {name: secret(name) for name in secret_names}
    if config.kafka and config.kafka.authority:
        secrets[AUTHORITY] = pulumi.Output.from_input(config.kafka.authority)
    password = secret("registryPassword") if config.image_build else None
    site = RegionalSite(
        pair.placement.site,
        pair,
        RegionalSiteArgs(secrets=secrets, registry_password=password),
        pulumi.ResourceOptions(provider=site_provider(pair.placement.site, config)),
    )
    pulumi.export("site", pair.placement.site)
    pulumi.export("jurisdiction", pair.placement.jurisdiction)
    pulumi.export("clusters", site.clusters)


def build_headquarters() -> None:
    """Declare the headquarters site: namespaces and storage for aggregates.

    Raises:
        pulumi.RunError: the topology or the configuration is not usable; its message says what to do.
    """
    try:
        environment = environment_of_stack()
        topology = load_topology(environment=environment)
        config = load_site_config(HeadquartersConfig, site=HEADQUARTERS_SITE)
        require_member(site_of_stack(), (topology.headquarters,), pulumi.get_project())
    except ShopSphereError as error:
        raise pulumi.RunError(str(error)) from error
    protect_what_holds_data()
    provider = site_provider(topology.headquarters, config)
    placement = declare_headquarters(topology, config, environment, pulumi.ResourceOptions(provider=provider))
    pulumi.export("site", placement.site)
    pulumi.export("jurisdiction", placement.jurisdiction)


def site_of_stack() -> str:
    """Return the site's name out of a stack's, which is `<environment>-<site>`."""
    return pulumi.get_stack().partition("-")[2]


def site_provider(site: str, config: SiteConfig) -> Provider:
    """Return the provider of the site's cluster; every resource of the stack has it explicitly."""
    return Provider(
        site,
        kubeconfig=config.kubeconfig,
        context=config.context,
        # Identity of the cluster: a new path or certificate in the kubeconfig replaces nothing.
        cluster_identifier=site,
        enable_server_side_apply=True,
        # In place: replacing a ConfigMap would replace the Deployment that mounts it, and that is an outage. What reads
        # its files only at its start carries their checksum in its pod template.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
