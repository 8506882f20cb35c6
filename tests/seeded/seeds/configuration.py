"""Edits of topology.yaml, of production's differences, and of the stacks' configuration files."""

from __future__ import annotations

import json

import yaml
from kubeconfigs import kubeconfig

from seeds.seed import REFUSED, Seed


def stack_file(project: str, stack: str) -> str:
    """Return the configuration file of a stack."""
    return f"stacks/{project}/{stack}.base.yaml" if stack.startswith("lab") else f"stacks/{project}/Pulumi.{stack}.yaml"


def leading_to(server: str, **cluster: str) -> str:
    """Return the line of a stack's file with a kubeconfig for a server."""
    document = yaml.safe_dump(kubeconfig("production", server, **cluster))
    return f"shopsphere:kubeconfig: {json.dumps(document)}"  # a JSON text is one of YAML


TOPOLOGY, PRODUCTION = "topology.yaml", "topology.prod.yaml"
FRANKFURT, DUBLIN = stack_file("rdc-a", "prod-frankfurt"), stack_file("rdc-a", "prod-dublin")
ASHBURN, CHICAGO = stack_file("rdc-b", "prod-ashburn"), stack_file("rdc-b", "prod-chicago")
SINGAPORE, SYDNEY = stack_file("rdc-c", "prod-singapore"), stack_file("rdc-c", "prod-sydney")
NEWYORK = stack_file("hq", "prod-newyork")
KUBECONFIG = "shopsphere:kubeconfig: REPLACE_ME"
WITHIN = "  shopsphere:context: "

# fmt: off
MAP = (
    Seed("recovery site in another jurisdiction", TOPOLOGY, "recovery: dublin", "recovery: ashburn",
         "lab-frankfurt", REFUSED, "a site in 'eu'"),
    Seed("headquarters joined to a jurisdiction", TOPOLOGY, "sites: [frankfurt, dublin]",
         "sites: [frankfurt, dublin, newyork]", "prod-newyork", REFUSED, "newyork"),
    Seed("a ninth rack", TOPOLOGY, "country: DE, racks: 8", "country: DE, racks: 9",
         "prod-frankfurt", REFUSED, "at most 8 racks"),
    Seed("more power than a site may have", TOPOLOGY, "country: AU, racks: 8, kilowatts: 150",
         "country: AU, racks: 8, kilowatts: 160", "lab-sydney", REFUSED, "at most 150 kW"),
    Seed("less power than the pods draw", TOPOLOGY, "country: DE, racks: 8, kilowatts: 150",
         "country: DE, racks: 8, kilowatts: 2", "prod-frankfurt", "LIM-003", "all pods of frankfurt"),
    Seed("CDN that serves everything", TOPOLOGY, "paths: [/static/, /media/]", "paths: [/static/, /]",
         "lab", REFUSED, "a path prefix below the root"),
    Seed("CDN that carries personal data", TOPOLOGY, "carries: [public]", "carries: [public, personal]",
         "prod", REFUSED, "a class held anywhere"),
    Seed("aggregates kept at home", TOPOLOGY, "aggregate: {held_at: headquarters", "aggregate: {held_at: home",
         "prod-newyork", "RES-003", "aggregate of jurisdiction headquarters at site newyork"),
    Seed("pods of two sites with the same addresses", TOPOLOGY, "pod_network: 10.21.0.0/17",
         "pod_network: 10.11.0.0/17", "lab-ashburn", REFUSED, "a CIDR that overlaps no other"),
    Seed("address of a site where its cluster is not", TOPOLOGY, "address: 10.99.0.11,", "address: 10.99.0.13,",
         "lab-frankfurt", "RES-008", "https://10.99.0.11"),
    Seed("two sites at one address in production", PRODUCTION, "address: 198.51.100.12\n",
         "address: 198.51.100.13\n", "prod-dublin", REFUSED, "an address of its own"),
    Seed("address of Sydney in production where its cluster is not", PRODUCTION, "address: 198.51.100.16\n",
         "address: 198.51.100.99\n", "prod-sydney", "RES-008", "https://198.51.100.16"),
)
STACKS = (
    Seed("kubeconfig of another jurisdiction", FRANKFURT, KUBECONFIG, leading_to("https://198.51.100.13:6443"),
         "prod-frankfurt", "RES-008", "https://198.51.100.13"),
    Seed("kubeconfig through a proxy", DUBLIN, KUBECONFIG,
         leading_to("https://198.51.100.12:6443", **{"proxy-url": "http://proxy.example:3128"}),
         "prod-dublin", "RES-008", "so that another may answer"),
    Seed("kubeconfig without TLS", NEWYORK, KUBECONFIG, leading_to("http://198.51.100.17:6443"),
         "prod-newyork", "RES-008", "http://198.51.100.17"),
    Seed("context that the kubeconfig does not have", stack_file("rdc-c", "lab-sydney"), f"{WITHIN}sydney",
         f"{WITHIN}singapore", "lab-sydney", "RES-008", "kubeconfig"),
    Seed("payment provider at another site", DUBLIN, "pspNetworks: [REPLACE_ME]", "pspNetworks: [198.51.100.13/32]",
         "prod-dublin", "NET-002", "where ashburn is"),
    Seed("payment provider anywhere", CHICAGO, "pspNetworks: [REPLACE_ME]", "pspNetworks: [0.0.0.0/0]",
         "prod-chicago", "NET-002", "0.0.0.0/0"),
    Seed("payment provider at headquarters", stack_file("rdc-a", "lab-frankfurt"), "pspNetworks: [10.99.0.70/32]",
         "pspNetworks: [10.99.0.40/32]", "lab-frankfurt", "NET-002", "where newyork is"),
    Seed("payment provider without TLS", SYDNEY, "shopsphere:pspUrl: REPLACE_ME", "shopsphere:pspUrl: http://psp.example",
         "prod-sydney", REFUSED, "not encrypted"),
    Seed("site agent in a public network", ASHBURN, WITHIN, f"  shopsphere:siteAgent: 203.0.113.50\n{WITHIN}",
         "prod-ashburn", "NET-002", "203.0.113.50/32"),
    Seed("API server of another site", stack_file("rdc-b", "lab-chicago"), WITHIN,
         f"  shopsphere:apiServer: 10.99.0.31\n{WITHIN}", "lab-chicago", "NET-002", "where singapore is"),
    Seed("image of a public registry", FRANKFURT, "shop: REPLACE_ME/", "shop: docker.io/",
         "prod-frankfurt", "SEC-002", "of a public registry"),
    Seed("image of GitHub", SYDNEY, "gateway: REPLACE_ME/", "gateway: ghcr.io/",
         "prod-sydney", "SEC-002", "of a public registry"),
    Seed("image without a registry", stack_file("rdc-a", "lab-dublin"), "localhost/shopsphere/postgresql:15.18-1",
         "postgres:15", "lab-dublin", "SEC-002", "without a registry"),
    Seed("image of no version", CHICAGO, "shop:0.1.0@sha256:REPLACE_ME", "shop:latest",
         "prod-chicago", "SEC-002", "whatever was pushed last"),
    Seed("image by a tag that can be pushed again", DUBLIN, "gateway:0.1.0@sha256:REPLACE_ME", "gateway:0.1.0",
         "prod-dublin", "SEC-002", "pushed again"),
    Seed("image of the lab's nodes in production", ASHBURN, "postgresql: REPLACE_ME/", "postgresql: localhost/",
         "prod-ashburn", "SEC-002", "nowhere to be pulled"),
    Seed("registry at a site of another jurisdiction, by name", SINGAPORE, "shop: REPLACE_ME/",
         "shop: registry.ashburn.shop.example:5000/", "prod-singapore", "SEC-002", "of another jurisdiction"),
    Seed("registry at headquarters, by address", stack_file("rdc-c", "lab-sydney"), "gateway: localhost/",
         "gateway: 10.99.0.40:5000/", "lab-sydney", "SEC-002", "of another jurisdiction"),
    Seed("more pods than the site has power for", DUBLIN, "payments: {replicas: 3,", "payments: {replicas: 20000,",
         "prod-dublin", "LIM-002", "20000 pods"),
    Seed("a pod larger than a rack", ASHBURN, 'gateway: {replicas: 3, cpu: "2"', 'gateway: {replicas: 3, cpu: "1600"',
         "prod-ashburn", "LIM-002", "one pod of"),
    Seed("an autoscaler beyond the site", CHICAGO, "maximum: 40", "maximum: 6000",
         "prod-chicago", "LIM-003", "autoscaled ones at their most"),
    Seed("an autoscaler beyond its namespace", SINGAPORE, "maximum: 40", "maximum: 3000",
         "prod-singapore", "LIM-006", "3000 + 1 pods of shop"),
    Seed("a database larger than its volumes", FRANKFURT, "commerce: {size: 400Gi", "commerce: {size: 600Gi",
         "prod-frankfurt", "LIM-007", "no volume of 600Gi"),
    Seed("a ledger larger than its volumes", stack_file("rdc-b", "lab-chicago"), "ledger: {size: 1Gi",
         "ledger: {size: 3Gi", "lab-chicago", "LIM-007", "no volume of 3Gi"),
    Seed("volume for a class that the site does not store", stack_file("rdc-b", "lab-ashburn"),
         "path: /srv/volumes/v4, capacity: 2Gi, dataClass: payment",
         "path: /srv/volumes/v4, capacity: 2Gi, dataClass: aggregate", "lab-ashburn", REFUSED, "aggregate"),
    Seed("volume of personal data at headquarters", stack_file("hq", "lab-newyork"),
         "path: /srv/volumes/v2, capacity: 2Gi, dataClass: aggregate",
         "path: /srv/volumes/v2, capacity: 2Gi, dataClass: personal", "lab-newyork", REFUSED, "personal"),
    Seed("a workload's class in its configuration", SINGAPORE, "gateway: {replicas: 3,",
         "gateway: {dataClass: operational, replicas: 3,", "prod-singapore", REFUSED, "the class follows from"),
    Seed("commits that do not wait for the other site", stack_file("rdc-c", "lab-singapore"), "ledger: {size: 1Gi,",
         "ledger: {size: 1Gi, synchronous: false,", "lab-singapore", REFUSED, "RPO 0"),
    Seed("several instances of a database", DUBLIN, "ledger: {size: 100Gi,", "ledger: {size: 100Gi, instances: 3,",
         "prod-dublin", REFUSED, "at most 1"),
    Seed("CDN that fetches from headquarters", "Pulumi.prod.yaml", "  status:witness: #",
         "  shopsphere:origins: [{site: newyork}]\n  status:witness: #", "prod", REFUSED, "a CDN origin"),
)
# fmt: on
