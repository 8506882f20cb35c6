"""The door in front of the APIs of authorities and CDN: HAProxy for TLS, and a program of ours that knows rights."""

from __future__ import annotations

from ipaddress import IPv4Address

from lab.component import Component
from lab.edge.configured import digest_of
from lab.edge.settings import EdgeSettings
from lab.own_program import own_program
from shopsphere.edge_door.haproxy import haproxy_configuration
from shopsphere.edge_door.keys import door_files, make_edge_keys
from shopsphere.edge_door.plan import DoorPlan, Service, declared_states
from shopsphere.edge_door.refused import REFUSED_FILE, ensure_list
from shopsphere.foundation.files import secret_in, write_whole
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Topology


def prepare_door(settings: EdgeSettings, topology: Topology) -> None:
    """Make certificates and secrets that are missing, and write what both programs start with."""
    make_edge_keys(settings.edge_keys, (*settings.authorities.values(), settings.cdn))
    folder = settings.disk / "door"
    plan = DoorPlan(
        rights_socket=settings.rights_socket,
        secret_file=folder / "door.secret",
        refused_file=folder / REFUSED_FILE,
        services=_services(settings),
        states=tuple(dict(each) for each in declared_states(topology)),
    )
    for file in (plan.secret_file, *(each.key_file for each in plan.services.values())):
        secret_in(file)
    ensure_list(plan.refused_file)
    write_whole(folder / "plan.json", plan.model_dump_json(by_alias=True, indent=2) + "\n")
    write_whole(folder / "haproxy.cfg", haproxy_configuration(plan, settings.edge_keys), mode=0o600)


def door_components(settings: EdgeSettings) -> tuple[Component, Component]:
    """Return the two programs; `prepare_door` has to have run."""
    plan, configuration = settings.disk / "door" / "plan.json", settings.disk / "door" / "haproxy.cfg"
    rights = own_program(
        "edge-rights",
        "shopsphere.edge_door.server",
        str(plan),
        packages=("shopsphere",),
        environment={"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(REPOSITORY), **digest_of(plan)},
        priority=33,
    )
    command = ("/usr/sbin/haproxy", "-db", "-f", str(configuration))
    # With the certificates: who runs it goes on with those it has read.
    of_files = digest_of(configuration, *door_files(settings.edge_keys))
    return rights, Component("edge-door", command, of_files, priority=34)


def _services(settings: EdgeSettings) -> dict[str, Service]:
    authorities = {
        name: Service(
            kind="dns",
            address=IPv4Address(address),
            port=settings.dns_api_port,
            inner_port=settings.inner_port(name),
            key_file=settings.dns_api_key_file,
        )
        for name, address in settings.authorities.items()
    }
    cdn = Service(
        kind="cdn",
        address=IPv4Address(settings.cdn),
        port=settings.cdn_api_port,
        inner_port=settings.cdn_inner_port,
        key_file=settings.cdn_token_file,
    )
    return {**authorities, "cdn": cdn}
