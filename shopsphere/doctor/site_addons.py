"""What a cluster needs before the first deployment: an operator, LoadBalancer services, a network policy engine."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shopsphere.clients.cluster import Document
from shopsphere.clients.document_place import place_of
from shopsphere.doctor.site_api import SiteApi
from shopsphere.foundation.finding import Finding, fails, passes, unknown

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CLUSTERS = "clusters.postgresql.cnpg.io"
OPERATOR_LABEL = "app.kubernetes.io/name=cloudnative-pg"
OPERATOR_VERSION = (1, 30)
ENGINES = ("calico", "cilium", "kube-router", "antrea", "canal", "weave", "ovn", "romana", "aws-network-policy-agent")
"""Names of network policy engines, as they stand in names of their DaemonSets and containers."""

_INSTALL = "install the CloudNativePG operator 1.30; README.md, “Your own clusters”, lists what a cluster needs"


def operator(api: SiteApi) -> Finding:
    """Look for CloudNativePG: the definition of its resource, and the operator itself."""
    definitions = api.documents(DEFINITIONS)
    return judge_operator(definitions, api.documents("/apis/apps/v1/deployments", labelSelector=OPERATOR_LABEL))


def judge_operator(definitions: Iterable[Document], deployments: Iterable[Document]) -> Finding:
    """Judge the definitions of resources and the operator's deployments."""
    own = next((each for each in definitions if each["metadata"]["name"] == CLUSTERS), None)
    if own is None:
        return fails(f"no resource {CLUSTERS}", _INSTALL)
    served = [each["name"] for each in own["spec"]["versions"] if each.get("served")]
    if "v1" not in served:
        return fails(f"{CLUSTERS} is served as {', '.join(served) or 'nothing'}", _INSTALL)
    running = [each for each in deployments if each.get("status", {}).get("availableReplicas")]
    if not running:
        return fails("its resource is defined, and no operator is running", _INSTALL)
    images = [each["image"] for each in running[0]["spec"]["template"]["spec"]["containers"]]
    found = re.search(r":v?(\d+)\.(\d+)[^/]*$", images[0])
    if not found:
        return unknown(f"the operator runs, and {images[0]} says no version", "see to it that it is 1.30 or newer")
    if (int(found[1]), int(found[2])) < OPERATOR_VERSION:
        return fails(f"the operator is {images[0]}", "upgrade it to 1.30")
    return passes(f"{images[0]}, {CLUSTERS} v1")


def load_balancer(api: SiteApi) -> Finding:
    """Look at what became of services of type LoadBalancer."""
    return judge_load_balancer(api.documents("/api/v1/services"))


def judge_load_balancer(services: Iterable[Document]) -> Finding:
    """Judge services: one with an address shows that something gives addresses."""
    balanced = [each for each in services if each["spec"].get("type") == "LoadBalancer"]
    if not balanced:
        return unknown(
            "there is no service of type LoadBalancer yet, so whether one gets an address cannot be told",
            "ask whoever runs the cluster, or create one by hand",
        )
    waiting = [place_of(each) for each in balanced if not each.get("status", {}).get("loadBalancer", {}).get("ingress")]
    if waiting:
        return fails(f"without an address: {', '.join(waiting)}", "install an implementation, such as MetalLB")
    return passes(f"{len(balanced)} services have an address")


def policy_engine(api: SiteApi) -> Finding:
    """Look for an engine that enforces network policies among what runs on each node."""
    return judge_policy_engine(api.documents("/apis/apps/v1/daemonsets"))


def judge_policy_engine(daemons: Iterable[Document]) -> Finding:
    """Judge the DaemonSets of a cluster: an engine that runs outside it does not show."""
    for each in daemons:
        name = str(each["metadata"]["name"])
        containers = [container["name"] for container in each["spec"]["template"]["spec"]["containers"]]
        known = next((engine for engine in ENGINES if any(engine in part for part in (name, *containers))), None)
        if known:
            return passes(f"{known} ({place_of(each)})")
    return unknown(
        "no engine that is known runs in the cluster; one that runs outside it does not show",
        "ask whoever runs the cluster: without one, network policies are written and nobody obeys them",
    )
