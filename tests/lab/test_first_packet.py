"""A pod's first packet is judged: pods that connect from their first millisecond on reach what their policies allow."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from lab_access import Kube, Lab
from lab_command import as_controller

from lab.cluster.addons import kubectl
from shopsphere.foundation.clock import wait_until

PODS, MORE_PODS = 4, 10
PROVIDER = ("10.99.0.70", 8070)
OTHER_SITES = (("10.99.0.40", 6443), ("10.99.0.21", 443), ("10.99.0.12", 443))
PROGRAM = f"""
import json, socket, time
begin, found = time.monotonic(), {{}}
while time.monotonic() - begin < (5 if {PROVIDER[0]!r} in found else 60):
    for address, port in {(*OTHER_SITES, PROVIDER)}:
        try:
            socket.create_connection((address, port), timeout=0.05).close()
        except OSError:
            continue
        found.setdefault(address, round((time.monotonic() - begin) * 1000))
    time.sleep(0.005)
print(json.dumps(found), flush=True)
"""
"""Tries all ways again and again for 5 s, or until the one that is allowed is open.

It says after how many milliseconds each was open for the first time."""


@pytest.fixture
def probes(kube: Kube, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """So many pods like those of payments, one after the other, each with the program above in place of the service."""
    template = kube("frankfurt", "deployment/payments", "-n", "payments")["spec"]["template"]
    names = [f"first-packet-{request.param}-{number}" for number in range(request.param)]
    try:
        for name in names:
            document = json.dumps(_probe(name, template))
            kubectl("frankfurt", "create", "-n", "payments", as_controller("replicaset"), "-f", "-", stdin=document)
            wait_until(partial(_has_ended, kube, name), what=f"pod {name} to end", seconds=180)
        yield names
    finally:
        kubectl("frankfurt", "delete", "pod", "-n", "payments", "--ignore-not-found", "--wait=false", *names)


def _probe(name: str, template: dict[str, Any]) -> dict[str, Any]:
    spec = json.loads(json.dumps(template["spec"]))
    container = spec["containers"][0]
    for key in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports", "args"):
        container.pop(key, None)
    container["command"] = ["python3.11", "-c", PROGRAM]
    # Another name than the workload's, so that its Service and its budget do not count this pod.
    labels = {**template["metadata"]["labels"], "app.kubernetes.io/name": "first-packet"}
    spec = {**spec, "initContainers": [], "containers": [container], "restartPolicy": "Never"}
    spec.pop("topologySpreadConstraints", None)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _has_ended(kube: Kube, name: str) -> bool:
    return bool(kube("frankfurt", f"pod/{name}", "-n", "payments")["status"]["phase"] == "Succeeded")


@pytest.mark.requirement("a payments pod never reaches New York or another site, from its first millisecond on")
@pytest.mark.parametrize("probes", [PODS, pytest.param(MORE_PODS, marks=pytest.mark.long)], indirect=True)
def test_no_pod_reaches_another_site_before_its_policies_are_there(lab: Lab, probes: list[str]) -> None:
    found = [json.loads(kubectl("frankfurt", "logs", "-n", "payments", name)) for name in probes]
    assert [set(each) - {PROVIDER[0]} for each in found] == [set()] * len(probes), found
    assert all(PROVIDER[0] in each for each in found), f"the way that is allowed opens: {found}"
