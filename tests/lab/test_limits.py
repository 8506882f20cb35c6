"""Racks, power and pinned storage, refused by the clusters themselves."""

import json
from typing import Any

import pytest
from lab_access import Kube, Lab
from lab_command import as_controller

from lab.cluster.addons import kubectl
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import CommandError

NAMESPACE = "shop"
DECLARED = "localhost/shopsphere/shop:0.1.0"
"""An image of the site's stack: a Deployment of another one is refused before it is charged."""
LABELS = {
    "shopsphere.io/data-class": "personal",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/owner": "platform",
}


def pod(name: str, watts: int) -> dict[str, Any]:
    container = {
        "name": "load",
        "image": "localhost/shopsphere/pause:1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "1m", "memory": "8Mi", "shopsphere.io/watts": str(watts)},
            "limits": {"memory": "8Mi", "shopsphere.io/watts": str(watts)},
        },
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security, "terminationGracePeriodSeconds": 0}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": spec,
    }


def create(site: str, document: dict[str, Any]) -> str:
    """Create as whoever makes such objects: pods and claims come from controllers, and from nobody else."""
    maker = {"Pod": "replicaset", "PersistentVolumeClaim": "statefulset"}.get(document["kind"])
    identity = [as_controller(maker)] if maker else []
    return kubectl(site, "create", *identity, "-f", "-", stdin=json.dumps(document))


def stray_claim(namespace: str) -> dict[str, Any]:
    """A claim of Frankfurt's storage class, for a cluster that is not Frankfurt's."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "stray", "namespace": namespace, "labels": LABELS},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "frankfurt-pinned",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }


@pytest.mark.requirement("a namespace without a database has no claims")
def test_claim_of_a_workload_without_storage_is_refused(lab: Lab) -> None:
    with pytest.raises(CommandError, match="exceeded quota: objects"):
        create("frankfurt", stray_claim(NAMESPACE))


@pytest.mark.requirement("no pod may take more power than a rack has")
def test_pod_above_a_racks_power_is_refused(lab: Lab) -> None:
    with pytest.raises(CommandError, match=r"maximum shopsphere\.io/watts usage per Pod"):
        create("frankfurt", pod("too-hot", 18_751))


@pytest.mark.requirement(
    "a deployment that would exceed 150 kW is refused by the cluster with a message that names watts"
)
def test_deployment_above_the_sites_power_is_refused(kube: Kube) -> None:
    template = pod("hot", 18_000)
    template["spec"]["containers"][0]["image"] = DECLARED
    template["metadata"]["labels"] = {**LABELS, "app": "hot"}
    document: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "hot", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "replicas": 9,  # 162 kW
            "selector": {"matchLabels": {"app": "hot"}},
            "template": {"metadata": template["metadata"], "spec": {**template["spec"]}},
        },
    }
    del document["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    create("frankfurt", document)
    try:
        wait_until(lambda: refusal(kube), what="the quota's refusal", seconds=30, explain=lambda: str(status(kube)))
        assert "exceeded quota: power" in refusal(kube)
        assert "requests.shopsphere.io/watts" in refusal(kube)
        site = kube("frankfurt", "pods", "-A")["items"]
        assert sum(watts(p) for p in site) <= 150_000
    finally:
        kubectl("frankfurt", "delete", "deployment", "hot", "-n", NAMESPACE, "--wait=false")


def status(kube: Kube) -> Any:
    return kube("frankfurt", "deployment", "hot", "-n", NAMESPACE).get("status", {})


def refusal(kube: Kube) -> str:
    return next((c["message"] for c in status(kube).get("conditions", []) if c["type"] == "ReplicaFailure"), "")


def watts(pod: dict[str, Any]) -> int:
    containers = pod["spec"]["containers"]
    return sum(
        int(c["resources"].get("requests", {}).get("shopsphere.io/watts", "0").replace("k", "000")) for c in containers
    )


@pytest.mark.requirement("a pod without a place in the power budget is given the default of its namespace")
def test_pod_without_watts_does_not_run_unbudgeted(kube: Kube) -> None:
    document = pod("no-watts", 1)
    for part in ("requests", "limits"):
        del document["spec"]["containers"][0]["resources"][part]["shopsphere.io/watts"]
    create("frankfurt", document)
    try:
        created = kube("frankfurt", "pod", "no-watts", "-n", NAMESPACE)
        assert int(created["spec"]["containers"][0]["resources"]["requests"]["shopsphere.io/watts"]) > 0
    finally:
        kubectl("frankfurt", "delete", "pod", "no-watts", "-n", NAMESPACE, "--wait=false")


@pytest.mark.requirement("volumes and their claims cannot bind at another site")
def test_claim_of_another_sites_class_is_refused(lab: Lab) -> None:
    claim = stray_claim("data-commerce")
    claim["metadata"]["labels"] = {**LABELS, "shopsphere.io/site": "dublin"}
    with pytest.raises(CommandError, match=r"RES-005: .*dublin-pinned"):
        create("dublin", claim)


@pytest.mark.requirement("volumes and their claims cannot bind at another site")
@pytest.mark.parametrize("site", ["frankfurt", "dublin", "ashburn", "chicago"])
def test_every_volume_names_its_site(kube: Kube, site: str) -> None:
    volumes = kube(site, "pv")["items"]
    assert volumes
    for volume in volumes:
        (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        values = {e["key"]: e["values"] for e in term["matchExpressions"]}
        assert values["shopsphere.io/site"] == [site]
        assert volume["spec"]["storageClassName"] == f"{site}-pinned"
