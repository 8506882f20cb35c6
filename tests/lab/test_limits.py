"""Racks, power and pinned storage, refused by the clusters themselves."""

import json
import time

import pytest

from lab.cluster.addons import kubectl
from shopsphere.process import CommandError

NAMESPACE = "shop"
LABELS = {
    "shopsphere.io/data-class": "operational",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/owner": "platform",
}


def pod(name, watts):
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


def create(site, document):
    return kubectl(site, "create", "-f", "-", stdin=json.dumps(document))


@pytest.mark.requirement("a deployment that would exceed 150 kW is refused with a message that names watts")
def test_more_than_the_sites_power_is_refused(lab):
    with pytest.raises(CommandError) as refused:
        create("frankfurt", pod("too-hot", 150_001))
    message = str(refused.value)
    assert "exceeded quota" in message
    assert "shopsphere.io/watts" in message


@pytest.mark.requirement("a pod without a place in the power budget is given the default of its namespace")
def test_pod_without_watts_does_not_run_unbudgeted(kube):
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
def test_claim_of_another_sites_class_stays_pending(kube):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "stray", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "frankfurt-pinned",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    create("dublin", claim)
    try:
        time.sleep(5)
        assert kube("dublin", "pvc", "stray", "-n", NAMESPACE)["status"]["phase"] == "Pending"
    finally:
        kubectl("dublin", "delete", "pvc", "stray", "-n", NAMESPACE)


@pytest.mark.requirement("volumes and their claims cannot bind at another site")
@pytest.mark.parametrize("site", ["frankfurt", "dublin", "ashburn", "chicago"])
def test_every_volume_names_its_site(kube, site):
    volumes = kube(site, "pv")["items"]
    assert volumes
    for volume in volumes:
        (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        values = {e["key"]: e["values"] for e in term["matchExpressions"]}
        assert values["shopsphere.io/site"] == [site]
        assert volume["spec"]["storageClassName"] == f"{site}-pinned"
