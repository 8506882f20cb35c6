"""The flows that programs, their settings, volumes and providers declare, each with the place that declares it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from fleet_by_hand import ADDRESSES, DEPLOYMENT, declared_by, named, program, provider, resource, with_planted
from fleet_planted import KUBECONFIG, at_the_first_port, settings, stands_for, volume
from kubeconfigs import kubeconfig

from policies.fleet.graph import fleet_of
from policies.resource import Resource
from shopsphere.topology import load_topology

ENV = "containers[{}].env[{}].value"
WITHOUT_CONTEXT = yaml.safe_dump({"clusters": [{"cluster": {"server": f"https://{ADDRESSES['ashburn']}:6443"}}]})
WITHOUT_HOST = yaml.safe_dump({"clusters": [], "contexts": []})
TWO_CLUSTERS = yaml.safe_dump({
    "clusters": [
        {"name": name, "cluster": {"server": f"https://{ADDRESSES[name]}:6443"}} for name in ("dublin", "ashburn")
    ],
    "contexts": [{"name": name, "context": {"cluster": name}} for name in ("dublin", "ashburn")],
    "current-context": "ashburn",
})  # fmt: skip
ASHBURN_IS_READ = [
    "commerce-ashburn -> credential -> report at newyork (stringData.config)",
    "ledger-ashburn -> credential -> report at newyork (stringData.config)",
]
REPORT = program("newyork", "report", "aggregate")


def pod(name: str, *, namespace: str = "", kind: str = DEPLOYMENT, **spec: Any) -> Resource:
    """A program at Dublin with a whole pod."""
    props = {"metadata": named(name, namespace or name, "operational"), "spec": {"template": {"spec": spec}}}
    return resource("lab-dublin", kind, name, props)


DECLARED: dict[str, tuple[list[Resource], list[str]]] = {
    "the addresses that browsers go to": (
        [program("dublin", "shop", "personal", SHOP_PUBLIC_URL="https://a.example", SHOP_STATIC_URL="https://b.example")],
        [],
    ),
    "the payment provider": (
        [program("dublin", "payments", "payment", PSP_URL="https://psp.example/v1")],
        [f"payments at dublin -> export -> the payment provider ({ENV.format('payments', 'PSP_URL')})"],
    ),
    "the payment provider's setting at another program": (
        [program("dublin", "shop", "personal", PSP_URL="https://psp.example/v1")],
        [f"shop at dublin -> export -> psp.example ({ENV.format('shop', 'PSP_URL')})"],
    ),
    "a payment provider that is one of our sites": (
        [program("dublin", "payments", "payment", PSP_URL="https://newyork.shopsphere.test/v1")],
        [f"payments at dublin -> export -> newyork ({ENV.format('payments', 'PSP_URL')})"],
    ),
    "an image comes from somewhere and sends nothing there": (
        [
            pod(
                "tool",
                containers=[{
                    "image": "198.51.100.9:5000/tool:1", "name": "tool",
                    "env": [{"name": "TO", "value": "https://198.51.100.7"}],
                }],
            )
        ],
        [f"tool at dublin -> export -> 198.51.100.7 ({ENV.format('tool', 'TO')})"],
    ),
    "a database's password": (
        [program("dublin", "crm", "personal", PASSWORD_OF="commerce-owner")],
        ["commerce-dublin -> read -> crm at dublin (spec)"],
    ),
    "its own site and itself": (
        [program("dublin", "tool", "operational", SELF="https://10.99.0.12/", NAME="http://tool.tool.svc")],
        [],
    ),
    "itself and what is beside it": (
        [
            program("dublin", "b", "operational", namespace="tools"),
            program("dublin", "a", "operational", namespace="tools", TO="http://b.tools.svc"),
        ],
        [f"tools/b at dublin -> read -> tools/a at dublin ({ENV.format('a', 'TO')})"],
    ),
    "its own site and another, behind one name": (
        [
            stands_for("dublin", "tool", ADDRESSES["dublin"], ADDRESSES["newyork"]),
            program("dublin", "tool", "operational", TO="http://both"),
        ],
        [f"tool at dublin -> export -> newyork ({ENV.format('tool', 'TO')})"],
    ),
    "logs, by the name of a setting": (
        [program("dublin", "tool", "operational", LOKI_URL="https://a.example", LOGIN_URL="https://b.example")],
        [
            f"tool at dublin -> log shipping -> a.example ({ENV.format('tool', 'LOKI_URL')})",
            f"tool at dublin -> export -> b.example ({ENV.format('tool', 'LOGIN_URL')})",
        ],
    ),
    "a login at another site, without a port": (
        [program("newyork", "crm", "public", DSN="mysql://x@ashburn.shopsphere.test/x")],
        [
            f"crm at newyork -> export -> ashburn ({ENV.format('crm', 'DSN')})",
            f"commerce-ashburn -> credential -> crm at newyork ({ENV.format('crm', 'DSN')})",
            f"ledger-ashburn -> credential -> crm at newyork ({ENV.format('crm', 'DSN')})",
        ],
    ),
    "a kubeconfig and what stands after it": (
        [REPORT, settings("newyork", "report", config=KUBECONFIG, to="https://a.example")],
        [
            "commerce-dublin -> credential -> report at newyork (stringData.config)",
            "ledger-dublin -> credential -> report at newyork (stringData.config)",
            "report at newyork -> export -> a.example (stringData.to)",
        ],
    ),
    "a kubeconfig of two clusters": ([REPORT, settings("newyork", "report", config=TWO_CLUSTERS)], ASHBURN_IS_READ),
    "a kubeconfig without a context": (
        [REPORT, settings("newyork", "report", config=WITHOUT_CONTEXT)],
        ASHBURN_IS_READ,
    ),
    "a kubeconfig without a host": ([REPORT, settings("newyork", "report", config=WITHOUT_HOST)], []),
    "a kubeconfig of a stranger's cluster": (
        [REPORT, settings("newyork", "report", config=yaml.safe_dump(kubeconfig("lab", "https://k8s.example:6443")))],
        [],
    ),
    "the kubeconfig of a site without databases": (
        [REPORT, program("dublin", "tool", "operational"),
         settings("dublin", "tool", config=yaml.safe_dump(kubeconfig("lab", "https://10.99.0.40:6443")))],
        [
            "reporting at newyork -> credential -> tool at dublin (stringData.config)",
            "report at newyork -> credential -> tool at dublin (stringData.config)",
        ],
    ),
    "a provider that leads to its own site": ([provider("dublin", "dublin")], []),
    "a provider that leads to another site": (
        [at_the_first_port("ashburn"), provider("dublin", "ashburn")],
        [
            "commerce-dublin -> credential -> ashburn (kubeconfig)",
            "ledger-dublin -> credential -> ashburn (kubeconfig)",
        ],
    ),
    "a provider of a site without databases": (
        [provider("newyork", "ashburn")],
        ["reporting at newyork -> credential -> ashburn (kubeconfig)"],
    ),
    "a share in a pod": (
        [at_the_first_port("ashburn"),
         pod("tool", volumes=[{"name": "v", "nfs": {"server": "10.99.0.21"}}, {"name": "w", "emptyDir": {}}])],
        [
            "tool at dublin -> export -> ashburn (volumes[v].nfs.server)",
            "tool at dublin -> volume -> ashburn (volumes[v].nfs)",
        ],
    ),
    "a share at another site": (
        [volume("dublin", nfs={"server": "NFS.chicago.shopsphere.test", "path": "/v9"})],
        ["volume v9 -> volume -> chicago (spec.nfs)"],
    ),
    "a share at the same site": ([volume("dublin", nfs={"server": "10.99.0.12", "path": "/v9"})], []),
    "volumes of a driver": (
        [volume("dublin", csi={"driver": "ebs.csi.aws.com"})],
        ["volume v9 -> volume -> volumes of ebs.csi.aws.com (spec.csi)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARED)
def test_programs_declare_flows_each_with_its_place(name: str) -> None:
    planted, flows = DECLARED[name]
    assert sorted(declared_by(*planted)) == sorted(flows)


def test_of_two_programs_of_one_name_beside_a_database_nothing_leads_from_the_database_to_itself() -> None:
    """What the first of them declares counts for all of the namespace."""
    reads = [{"name": "dump", "env": [{"name": "OF", "value": "ledger-owner"}]}]
    first = pod("dump", namespace="data-ledger", containers=reads)
    second = pod("dump", namespace="data-ledger", kind="kubernetes:apps/v1:StatefulSet")
    fleet, _ = fleet_of(with_planted(first, second), load_topology())
    assert [(flow.source.name, flow.target.name) for flow in fleet.flows if flow.resource is first] == [
        ("ledger-dublin", "data-ledger/dump at dublin")
    ]
