"""What the bench of drifts meets in place of a lab: its ground, a cluster of one Deployment, a finding."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from typing import Any

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
from acts import Act, Answer
from injections import Ground

LABELS = {"shopsphere.io/site": "frankfurt", "shopsphere.io/jurisdiction": "eu", "shopsphere.io/data-class": "personal"}
GROUND = Ground(
    region="rdc-a",
    site="frankfurt",
    elsewhere="chicago",
    labels={"personal": LABELS, "payment": LABELS},
    image="localhost/shopsphere/shop:0.1.0",
    pod_address="10.0.1.254",
    instances={"commerce": "commerce-frankfurt-1", "ledger": "ledger-frankfurt-1"},
    domain="shopsphere.test",
    distribution="static",
    document={"name": "static", "origins": [{"name": "a"}, {"name": "b"}], "paths": ["/static/"], "hostNames": ["s.x"]},
    authorities=("ns1", "ns2"),
    varnish="/run/varnish",
)


def deployment() -> dict[str, Any]:
    """Return a Deployment as an API server shows it."""
    shop = {"name": "shop", "env": [{"name": "A", "value": "1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "shop",
            "namespace": "shop",
            "managedFields": [{"manager": "pulumi-kubernetes-1", "operation": "Apply"}],
        },
        "spec": {"replicas": 2, "template": {"spec": {"containers": [shop]}}},
    }


class ClusterHands:
    """kubectl at a cluster that has one Deployment: `get`, and patches that set one field."""

    def __init__(self) -> None:
        self.object = deployment()

    def do(self, act: Act) -> Answer:
        """Carry out what kubectl would."""
        if act.words[0] == "get":
            return Answer(done=True, said=json.dumps(self.object))
        patch = next(word for word in act.words if word.startswith("--patch="))
        for each in json.loads(patch.removeprefix("--patch=")):
            *way, last = each["path"].split("/")[1:]
            node = self.object
            for step in way:
                node = node[step]
            node[last] = deepcopy(each["value"])
        return Answer(done=True)


def finding(
    *,
    site: str = "frankfurt",
    object: str = "Deployment shop/shop",  # noqa: A002 - as the report calls it
    field: str = "spec.replicas",
    manager: str = "mallory",
    at: str = "2026-11-28T10:00:01Z",
    repair: str = "kubectl fix",
) -> dict[str, Any]:
    """Return a finding as `shopsphere drift --json` prints it."""
    author = {"manager": manager, "operation": "Update", "subresource": "", "at": at} if manager else None
    return {
        "site": site, "object": object, "field": field, "declared": "2", "live": "3", "kind": "changed",
        "severity": "medium", "residency": False, "author": author, "authorIsLikely": False, "repair": repair,
    }  # fmt: skip
