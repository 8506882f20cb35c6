"""The programs of host `edge`, and the files they start with."""

from __future__ import annotations

from lab.component import Component
from lab.edge.authority import authority_component, prepare_authority
from lab.edge.cache import cache_component, prepare_cache, tls_component
from lab.edge.door import door_components, prepare_door
from lab.edge.pulls import prepare_pulls, pulls_component
from lab.edge.resolver import prepare_resolver, resolver_component
from lab.edge.settings import EdgeSettings
from lab.own_program import own_program
from lab.paths import disk_directory, pki_directory, run_directory
from shopsphere.edge_door.keys import puller_files
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.names.pair_state import zone_of
from shopsphere.topology import Topology

EDGE_HOST = "edge"


def lab_settings() -> EdgeSettings:
    """Return the settings of the lab's one edge host."""
    pki = pki_directory()
    return EdgeSettings(
        disk=disk_directory(EDGE_HOST),
        run=run_directory(EDGE_HOST),
        certificate=pki / "cdn" / "tls.crt",
        key=pki / "cdn" / "tls.key",
        edge_keys=pki / "edge",
        origin_authority=pki / "public-ca.crt",
    )


def prepare(settings: EdgeSettings, topology: Topology) -> None:
    """Write every file that the programs start with; safe to repeat, and keeps zones and distributions."""
    for name in settings.authorities:
        prepare_authority(settings, name, zone_of(topology))
    prepare_resolver(settings, topology)
    prepare_door(settings, topology)
    prepare_pulls(settings, topology)
    prepare_cache(settings)


def edge_components(settings: EdgeSettings) -> list[Component]:
    """Return the programs of an edge host; `prepare` has to have run."""
    return [
        *(authority_component(settings, name) for name in settings.authorities),
        resolver_component(settings),
        pulls_component(settings),
        cache_component(settings),
        agent_component(settings),
        tls_component(settings),
        *door_components(settings),
    ]


def agent_component(settings: EdgeSettings) -> Component:
    """Return the CDN's configuration API."""
    arguments = (
        *("--listen", f"127.0.0.1:{settings.cdn_inner_port}"),
        *("--distributions", str(settings.distributions)),
        *("--vcl-file", str(settings.vcl_file)),
        *("--varnish-directory", str(settings.varnish_directory)),
        *("--token-file", str(settings.cdn_token_file)),
        *("--origins-file", str(settings.origins_file)),
        *("--pulls-socket", str(settings.pulls_socket)),
        *("--pulls-certificate", str(puller_files(settings.edge_keys)[1])),
    )
    environment = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY)}
    packages = ("lab", "shopsphere")
    return own_program(
        "cdn-agent", "lab.edge.cdn.agent", *arguments, packages=packages, environment=environment, priority=31
    )
