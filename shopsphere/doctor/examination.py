"""Everything that is asked about a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from shopsphere.doctor import agent, edge, programs, site_addons, site_images, site_nodes, stack_file, state, witness
from shopsphere.doctor.question import Question, not_known
from shopsphere.doctor.site_api import SiteApi
from shopsphere.estate.access import CdnAccess, EdgeAccess, edge_access, read_access, witness_access
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, edge_stack, site_stack, sites_of
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding
from shopsphere.names.name_servers import name_servers
from shopsphere.names.pair_state import zone_of
from shopsphere.topology import Topology

MACHINE = "this machine"


def questions(topology: Topology, target: str, environment: Environment) -> list[Question]:
    """Return all questions about a target: the machine, its sites, and the edge where a deployment brings it along."""
    found = [
        Question("pulumi", "pulumi is there, as new as its library", MACHINE, programs.pulumi),
        Question("plugins", "the plugins that stacks need are there", MACHINE, programs.plugins),
    ]
    for site in sites_of(topology, target):
        found += _site(topology, site_stack(topology, site, environment))
    pairs = [name for name, pair in topology.pairs.items() if target in (name, EVERYTHING) or target in pair.sites]
    if target in (EDGE, EVERYTHING) or target in topology.pairs:
        found += _edge(topology, edge_stack(environment))
    found += _witnesses(topology, list(topology.pairs) if target == EDGE else pairs, environment)
    return found


def _stack(stack: StackId) -> Iterator[Question]:
    subject = stack.label
    yield Question("file", "the stack's file is filled in", subject, partial(stack_file.stack_file, stack))
    yield Question("state", "the stack's state can be kept", subject, partial(state.backend, stack))
    yield Question("secrets", "the stack's secrets can be encrypted", subject, partial(state.secrets_provider, stack))


def _site(topology: Topology, stack: StackId) -> Iterator[Question]:
    api, subject = SiteApi(stack), stack.label
    site = topology.site(subject)
    yield from _stack(stack)
    yield Question("api", "the Kubernetes API answers, and is new enough", subject, api.answers)
    yield Question("clock", "its clock and this machine's agree", subject, api.clock)
    yield Question("nodes", "nodes are labelled and offer power", subject, partial(site_nodes.nodes, api))
    yield Question("operator", "CloudNativePG is there", subject, partial(site_addons.operator, api))
    yield Question("balancer", "LoadBalancer services get an address", subject, partial(site_addons.load_balancer, api))
    yield Question("policies", "network policies are enforced", subject, partial(site_addons.policy_engine, api))
    yield Question("images", "the images can be had", subject, partial(site_images.images, api))
    if topology.pair_of(subject):
        yield Question("agent", "the site's agent answers", subject, partial(agent.agent, stack, site))


def _edge(topology: Topology, stack: StackId) -> Iterator[Question]:
    yield from _stack(stack)
    title = "the CDN's API answers"
    try:
        yield Question("cdn", title, EDGE, partial(edge.cdn, read_access(CdnAccess, stack, wanted_configuration)))
    except ShopSphereError as error:
        yield _unreadable("cdn", title, EDGE, error)
    try:
        access = edge_access(stack.environment, wanted_configuration)
    except ShopSphereError as error:
        yield _unreadable("edge", "DNS authorities and name servers answer", EDGE, error)
        return
    yield from _services(topology, access)


def _services(topology: Topology, access: EdgeAccess) -> Iterator[Question]:
    zone = zone_of(topology)
    folder = access.edge_keys
    yield Question(
        "edge-keys", "certificates for the edge's APIs can be used", EDGE, partial(edge.certificates, folder)
    )
    for each in access.dns_authorities if folder else ():
        title = f"DNS authority {each.name} answers its API"
        yield Question(f"dns-{each.name}", title, EDGE, partial(edge.authority, each, folder, zone))
    for server in name_servers(access):
        title = f"name server {server.name} ({server.address}) answers"
        yield Question("names", title, EDGE, partial(edge.name_server, server, topology.shop_host))


def _witnesses(topology: Topology, pairs: Sequence[str], environment: Environment) -> Iterator[Question]:
    places = {str(site.address): name for name, site in topology.sites.items()}
    title = "every voter of the witness takes part"
    try:
        access = witness_access(environment, wanted_configuration)
    except ShopSphereError as error:
        yield from (_unreadable("witness", title, pair, error) for pair in pairs)
        return
    for pair in pairs:
        yield Question("witness", title, pair, partial(witness.voters, pair, access, places))


def _unreadable(check: str, title: str, subject: str, error: ShopSphereError) -> Question:
    def ask() -> Finding:
        return not_known(error)

    return Question(check, title, subject, ask)
