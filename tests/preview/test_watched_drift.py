"""A real API server under watch: what a stranger does is told within seconds, and a repair takes it back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kube_api import DEPLOYER, KubeApi
from rbac_of_site import RIGHTS
from test_drift import api, apply, compared, deployed, path_of, state  # noqa: F401 three are fixtures

from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.deploy.state_version import StateLook
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.judging import object_name
from shopsphere.drift.kinds import KINDS, SECRET
from shopsphere.drift.model import SiteDrift
from shopsphere.drift.ownership import APPLY, Ownership
from shopsphere.drift.place import parsed
from shopsphere.drift.repair import Repair
from shopsphere.drift.repairing import Place, carry_out, plan
from shopsphere.drift.site_watch import SiteWatch
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.clock import wait_until

Document = dict[str, Any]
ANYWHERE = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}


class Watched:
    """A watch of the deployed site."""

    def __init__(self, api_: KubeApi, state_: Document) -> None:
        self.said: list[SiteDrift] = []
        self.stopped = threading.Event()
        repair = Repair("frankfurt", "lab", SiteKubectl(str(api_.kubeconfig), DEPLOYER))
        self._watch = SiteWatch(
            repair, RIGHTS, api_.cluster(), lambda: StateLook("1"), lambda: state_, self.said.append
        )
        threading.Thread(target=self._watch.run, args=(self.stopped,), daemon=True).start()

    def _told(self) -> set[tuple[str, str]]:
        return {(each.object, each.field) for each in self.said[-1].drifts}

    def becomes(self, told: set[tuple[str, str]]) -> None:
        """Wait until exactly this is found; bench/drift_watch.py measures how many seconds that takes."""
        wait_until(
            lambda: self.said and not self.said[-1].unseen and self._told() == told,
            what=f"the findings {told}",
            seconds=120,
            interval=0.05,
            explain=lambda: str(self.said[-1:])[:2000],
        )


@pytest.fixture
def watched(deployed: KubeApi, state: Document) -> Iterator[Watched]:  # noqa: F811 they are fixtures
    found = Watched(deployed, state)
    found.becomes(set())
    yield found
    found.stopped.set()


@pytest.mark.requirement("a watch reports drift within seconds, and its end")
def test_a_stranger_is_told_of_within_seconds_and_so_is_the_end(deployed: KubeApi, watched: Watched) -> None:  # noqa: F811 see above
    out = json.dumps([{"op": "add", "path": "/spec/egress/-", "value": ANYWHERE}])
    back = json.dumps([{"op": "remove", "path": "/spec/egress/2"}])
    policy = ("patch", "networkpolicy", "to-dns", "--namespace=shop", "--type=json")
    deployed.kubectl(*policy, f"--patch={out}")
    watched.becomes({("NetworkPolicy shop/to-dns", "spec.egress[2]")})
    (found,) = watched.said[-1].drifts
    assert (found.residency, found.author and found.author.manager) == (True, "kubectl-patch")
    deployed.kubectl(*policy, f"--patch={back}")
    # The deployment's own record of the list is gone with the stranger's hand on it; the values are as declared.
    watched.becomes(set())
    deployed.kubectl("create", "configmap", "mine", "--namespace=shop")
    watched.becomes({("ConfigMap shop/mine", "")})
    deployed.kubectl("delete", "configmap", "mine", "--namespace=shop")
    watched.becomes(set())
    assert watched.said[-1].unseen == ()


def test_bookmarks_and_a_version_that_is_gone_are_what_the_server_says(deployed: KubeApi) -> None:  # noqa: F811 see above
    kind = next(each for each in KINDS if each.kind == SECRET)
    lines = deployed.cluster().lines(kind.path("shop"), resourceVersion="0", allowWatchBookmarks="true")
    assert next(lines) == b""
    event = json.loads(next(lines))
    assert (event["type"], event["object"]["kind"]) == ("ADDED", SECRET)


@pytest.mark.requirement("a repair takes fields back from the manager that took them")
def test_a_repair_takes_fields_back(deployed: KubeApi, state: Document) -> None:  # noqa: F811 see above
    tap = {"spec": {"template": {"spec": {"containers": [{"name": "tap", "image": "evil/tap"}]}}}}
    evil = {"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "evil/shop"}]}}}}
    wide = json.dumps([{"op": "add", "path": "/spec/egress/-", "value": ANYWHERE}])
    for body in (tap, evil):
        deployed.kubectl("patch", "deployment", "shop", "--namespace=shop", f"--patch={json.dumps(body)}")
    deployed.kubectl("patch", "networkpolicy", "to-dns", "--namespace=shop", "--type=json", f"--patch={wide}")
    deployed.kubectl("create", "service", "externalname", "out", "--external-name=us.example", "--namespace=shop")
    host = {"spec": {"externalClusters": [{"name": "us", "connectionParameters": {"host": "10.9.9.9"}}]}}
    before = deployed.cluster().get("/apis/postgresql.cnpg.io/v1/namespaces/data-ledger/clusters/ledger-frankfurt")
    host["spec"]["externalClusters"] = [*before["spec"]["externalClusters"], *host["spec"]["externalClusters"]]
    deployed.kubectl(
        "patch", "cluster.postgresql.cnpg.io", "ledger-frankfurt", "--namespace=data-ledger", "--type=merge",
        f"--patch={json.dumps(host)}",
    )  # fmt: skip
    drifts = compared(deployed, state).drifts
    assert len(drifts) == 5, drifts

    declared = {object_name(each.kind, each.namespace, each.name): each for each in declared_objects(state)}
    repair = Repair("frankfurt", "lab", SiteKubectl(str(deployed.kubeconfig), DEPLOYER))
    places = {"frankfurt": Place(repair, deployed.cluster(), declared, str)}
    outcomes = {each.drift.object: (each.done, each.why) for each in carry_out(plan(drifts, places), places, ())}
    assert outcomes == {
        "Deployment shop/shop": ("put back", ""),
        "NetworkPolicy shop/to-dns": ("put back", ""),
        "Service shop/out": ("deleted", ""),
        "Cluster data-ledger/ledger-frankfurt": ("taken out", ""),
    }
    assert compared(deployed, state).drifts == ()
    shop = declared["Deployment shop/shop"]
    live = deployed.cluster().get(path_of(shop))
    owners = Ownership(live).of(parsed("spec.template.spec.containers"))
    assert [each.manager for each in owners if each.operation == APPLY] == [shop.manager]
    after = deployed.cluster().get(path_of(declared["Cluster data-ledger/ledger-frankfurt"]))
    assert after["spec"]["replica"] == before["spec"]["replica"]


def test_an_apply_of_an_old_version_is_refused(deployed: KubeApi, state: Document) -> None:  # noqa: F811 see above
    policy = next(each for each in declared_objects(state) if (each.kind, each.name) == ("NetworkPolicy", "to-dns"))
    cluster, path = deployed.cluster(), path_of(policy)
    old = cluster.get(path)["metadata"]["resourceVersion"]
    deployed.kubectl("annotate", "networkpolicy", policy.name, f"--namespace={policy.namespace}", f"at={time.time()}")
    metadata = {**policy.body["metadata"], "resourceVersion": old}
    document = {"apiVersion": policy.version, "kind": policy.kind, **policy.body, "metadata": metadata}
    with pytest.raises(ConflictError):
        cluster.apply(path, document, manager=policy.manager)
    deployed.kubectl("annotate", "networkpolicy", policy.name, f"--namespace={policy.namespace}", "at-")
