"""Says what follows from a region of topology.yaml, as JSON: run in a copy of the tree that has one more."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import test_edge_graph as edge
from production_topology import fill_in_production
from site_graph import build, committed_stacks
from test_policies_on_graphs import RULES, edge_resources, resources_of

from app.settings import PaymentsSettings, StorefrontSettings
from app.web.money import money
from lab.hosts import client_host, load_hosts
from lab.plan import wanted_hosts
from policies.judging import judge
from shopsphere.deploy.declared_graph import Graph
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import diagram, load_topology


def report(pair_name: str) -> dict[str, Any]:
    """Return what a region's stacks, shop, names, origins, witness, customers and picture are."""
    topology = load_topology()
    pair = topology.pair(pair_name)
    graphs = {stack: build(project, stack) for project, stack in committed_stacks() if project == pair_name}
    hosts = load_hosts(topology)
    return {
        "root": str(REPOSITORY),
        "stacks": sorted(graphs),
        "resources": {stack: len(graph.objects) for stack, graph in graphs.items()},
        "findings": [
            finding.message for stack, graph in graphs.items() for finding in judge(RULES, resources_of(graph, stack))
        ]
        + [finding.message for name in edge.ENVIRONMENTS for finding in judge(RULES, edge_resources(name))],
        "shops": {stack: shop_of(graph) for stack, graph in graphs.items()},
        "edges": {name: edge_of(name) for name in edge.ENVIRONMENTS},
        "seats": {name: seats(each, topology) for name, each in topology.pairs.items()},
        "told": stack_files.machine_facts(edge_stack(Environment.LAB))["status:witness"],
        "customers": [str(hosts.host(client_host(pair.jurisdiction)).address), pair.primary],
        "hosts": [host.name for host in wanted_hosts([pair_name], topology, hosts)],
        "picture": diagram.PICTURE.read_text() == diagram.draw(topology),
    }


def shop_of(graph: Graph) -> dict[str, Any]:
    """Return what the shop of a site makes of its Deployment's variables."""
    shop, payments = (
        {each["name"]: each.get("value", "0" * 32) for each in container["env"]}
        for name in ("shop", "payments")
        for container in graph.get("Deployment", name, name)["spec"]["template"]["spec"]["containers"]
    )
    PaymentsSettings.read(payments)
    region = StorefrontSettings.read(shop).region
    return {
        "pair": region.pair,
        "title": region.title,
        "language": region.language,
        "price": money(6400, region),
        "order_prefix": region.order_prefix,
        "delivers_to": region.delivers_to,
        "prices_include_tax": region.prices_include_tax,
    }


def edge_of(environment: str) -> dict[str, Any]:
    """Return names, steering and origins of the edge."""
    resources = edge.committed(environment)
    (distribution,) = edge.of_kind(resources, "CdnDistribution")
    domain = load_topology(environment=environment).domain
    names = {each["name"]: each["records"][0] for each in edge.of_kind(resources, "DnsRRset")}
    return {
        "origins": [each["name"] for each in distribution["origins"]],
        "states": [each["pair"] for each in edge.of_kind(resources, "DnsPairState")],
        "names": sorted(name.removesuffix(f".{domain}.") for name in names),
        "www": names[f"www.{domain}."].replace('" "', " "),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        fill_in_production(Path(directory), patch)
        sys.stdout.write(json.dumps(report(sys.argv[1])))
