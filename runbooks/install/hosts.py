"""Which files a target's hosts need: those of a site, of the edge, of an archive, or of the operators' machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runbooks.install.agent_files import Surroundings, agent_files
from runbooks.install.archive_files import archive_files, archive_targets
from runbooks.install.edge_files import edge_hosts
from runbooks.install.files import HostFiles, Places
from runbooks.install.firewall_files import other_firewall, site_firewall, with_firewall
from runbooks.install.operations_files import operations_files
from runbooks.install.voter_files import voters_at
from shopsphere.estate.access import CdnAccess, HostPortsAccess, edge_access, read_access, witness_access
from shopsphere.estate.host_openings import Opening, archive_openings, site_ports
from shopsphere.estate.stack import Environment, edge_stack, site_stack
from shopsphere.estate.stack_files import configuration
from shopsphere.estate.witness_seats import client_urls
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import ARCHIVE_PORT, Topology

EDGE, OPERATIONS = "edge", "operations"


def hosts_of(
    target: str, topology: Topology, environment: Environment, around: Surroundings, places: Places
) -> list[HostFiles]:
    """Return the files of a target.

    Args:
        target: a site, `edge`, `operations`, or `archive-` and a jurisdiction.
        topology: of the environment.
        environment: whose stack files say where voters and APIs are.
        around: what the owner says of a site.
        places: on the hosts.

    Raises:
        UsageError: there is no such target.
        AccessError: a stack file does not say where something is.
        InstallationError: an address is not known.
    """
    archives = archive_targets(topology)
    if around.firewall and target in {EDGE, OPERATIONS, *archives, *topology.sites} and not around.operators:
        raise UsageError.build(
            "a firewall that lets no operator in would shut you out",
            expected="--operators with the networks of operators' machines",
            found="none",
            action="name them",
        )
    if target == EDGE:
        stack = edge_stack(environment)
        cdn = read_access(CdnAccess, stack)
        address = str(configuration(stack).get("shopsphere:cdnAddress", ""))
        return edge_hosts(topology, edge_access(environment), cdn, address, places, around)
    if target == OPERATIONS:
        voting = [pair for pair, voters in witness_access(environment).witness.items() if voters]
        return _closed(operations_files(topology, places, voting), [], (), around, places)
    if target in archives:
        openings = archive_openings(topology.jurisdictions[archives[target]], topology)
        return _closed(archive_files(archives[target], topology, places), openings, (ARCHIVE_PORT,), around, places)
    if target not in topology.sites:
        raise UsageError.build(
            f"no host {target!r}",
            expected=", ".join([*topology.sites, EDGE, OPERATIONS, *archives]),
            found=repr(target),
            action="name one of these",
        )
    site = topology.site(target)
    stack = site_stack(topology, target, environment)
    to_witness = witness_access(environment)
    named_ports = site_ports(site, read_access(HostPortsAccess, stack))
    around = replace(around, named=named_ports, signed=to_witness.witness_signed)
    pair = topology.pair_of(target)
    # As the stack names them, which may be by other names than their addresses; else where the voters listen.
    named = to_witness.witness.get(pair.name, ()) if pair else ()
    witness = named or (client_urls(pair, topology) if pair else ())
    found, voters = agent_files(site, topology, witness, around, places), voters_at(site, topology, places)
    if voters is not None:
        found = HostFiles(
            site.name,
            {**voters.written, **found.written},
            (*voters.brought, *found.brought),
            (*voters.units, *found.units),
            (*voters.then, *found.then),
        )
    # A node of a site without a pair has no fence to keep.
    further = [agent_files(site, topology, witness, around, places, each) for each in site.further_nodes if pair]
    if not around.firewall:
        return [found, *further]
    text = site_firewall(
        site,
        topology,
        operators=around.operators,
        api_servers=around.api_servers,
        let_in=around.let_in,
        named=around.named,
    )
    return [with_firewall(each, text, places) for each in (found, *further)]


def _closed(
    files: HostFiles, openings: Iterable[Opening], ports: Iterable[int], around: Surroundings, places: Places
) -> list[HostFiles]:
    """Return the files of one host, with its firewall where the owner wants it; `ports` are for operators."""
    if not around.firewall:
        return [files]
    return [with_firewall(files, other_firewall(openings, ports, around.operators, around.let_in), places)]
