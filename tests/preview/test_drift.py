"""A site's real declarations on a real API server: clean after a deployment, and what a stranger does with kubectl."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from kube_api import DEPLOYER, KubeApi, api_with_databases
from rbac_of_site import RIGHTS
from site_graph import build

from shopsphere.deploy.declared_graph import Registered
from shopsphere.drift.declared import Declared, declared_objects
from shopsphere.drift.kinds import find_kind, resource_of
from shopsphere.drift.looking import judge_site
from shopsphere.drift.model import Drift, Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.clock import wait_until

Document = dict[str, Any]
CHANGED, ADDED, REMOVED = Kind.CHANGED, Kind.ADDED, Kind.REMOVED
ROUNDS = 3
SHOP = "spec.template.spec.containers[name=shop]"


class Patch(NamedTuple):
    """What a stranger does to a declared object, and the field that has to be named."""

    kind: str
    namespace: str
    name: str
    body: Any
    field: str
    how: Kind

    @property
    def type(self) -> str:
        """A list is a JSON patch; a mapping is merged, as Kubernetes merges what it knows."""
        if isinstance(self.body, list):
            return "json"
        return "merge" if self.kind == "Cluster" else "strategic"


def _pod(body: Document) -> Document:
    return {"spec": {"template": {"spec": body}}}


def _shop(body: Document) -> Document:
    return _pod({"containers": [{"name": "shop", **body}]})


ANYWHERE = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
OF_A_STRANGER = {"name": "us", "connectionParameters": {"host": "10.9.9.9"}}
EVERY_NIGHT = {"barmanObjectStore": {"destinationPath": "s3://us/ledger"}}
OVER_SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
MALLORY = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}
# fmt: off
PATCHES = (
    Patch("Deployment", "shop", "shop", _shop({"image": "evil/shop"}), f"{SHOP}.image", CHANGED),
    Patch("Deployment", "shop", "shop", _shop({"command": ["sh"]}), f"{SHOP}.command", CHANGED),
    Patch("Deployment", "shop", "shop", _shop({"env": [{"name": "HTTPS_PROXY", "value": "http://10.9.9.9"}]}),
          f"{SHOP}.env[name=HTTPS_PROXY]", ADDED),
    Patch("Deployment", "shop", "shop", _shop({"envFrom": [{"secretRef": {"name": "other"}}]}),
          f"{SHOP}.envFrom[0]", ADDED),
    Patch("Deployment", "shop", "shop",
          _shop({"securityContext": {"privileged": True, "allowPrivilegeEscalation": True}}),
          f"{SHOP}.securityContext.privileged", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"containers": [{"name": "tap", "image": "evil/tap"}]}),
          "spec.template.spec.containers[name=tap]", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}),
          "spec.template.spec.volumes[name=host]", ADDED),
    Patch("Deployment", "shop", "shop", _shop({"volumeMounts": [{"name": "host", "mountPath": "/host"}]}),
          f"{SHOP}.volumeMounts[name=host]", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"hostNetwork": True}), "spec.template.spec.hostNetwork", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"hostAliases": [{"ip": "10.9.9.9", "hostnames": ["ledger"]}]}),
          "spec.template.spec.hostAliases[0]", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"serviceAccountName": "admin"}),
          "spec.template.spec.serviceAccountName", ADDED),
    Patch("Deployment", "shop", "shop", _pod({"nodeSelector": {"shopsphere.io/site": "ashburn"}}),
          'spec.template.spec.nodeSelector["shopsphere.io/site"]', CHANGED),
    Patch("Deployment", "shop", "shop", _pod({"tolerations": [{"operator": "Exists"}]}),
          "spec.template.spec.tolerations[0]", ADDED),
    Patch("Deployment", "shop", "shop", {"spec": {"template": {"metadata": {"annotations": {"inject": "yes"}}}}},
          "spec.template.metadata.annotations.inject", ADDED),
    Patch("Deployment", "shop", "shop", {"metadata": {"labels": {"shopsphere.io/data-class": "public"}}},
          'metadata.labels["shopsphere.io/data-class"]', CHANGED),
    Patch("Deployment", "payments", "payments", [{"op": "remove", "path": "/spec/template/spec/securityContext"}],
          "spec.template.spec.securityContext.runAsNonRoot", REMOVED),
    Patch("Deployment", "payments", "payments", [{"op": "remove", "path": "/spec/template/spec/nodeSelector"}],
          "spec.template.spec.nodeSelector", REMOVED),
    Patch("Service", "shop", "shop", {"spec": {"externalIPs": ["203.0.113.7"]}}, "spec.externalIPs", ADDED),
    Patch("Service", "payments", "payments", {"spec": {"type": "LoadBalancer"}}, "spec.type", ADDED),
    Patch("Service", "shop", "shop", {"spec": {"ports": [{"name": "db", "port": 5432}]}}, "spec.ports[name=db]", ADDED),
    Patch("NetworkPolicy", "shop", "to-dns", [{"op": "add", "path": "/spec/egress/-", "value": ANYWHERE}],
          "spec.egress[2]", ADDED),
    Patch("NetworkPolicy", "payments", "to-dns",
          [{"op": "add", "path": "/spec/egress/0/to/-", "value": ANYWHERE["to"][0]}], "spec.egress[0].to[1]", ADDED),
    Patch("NetworkPolicy", "shop", "default-deny", {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}},
          "spec.podSelector.matchLabels.a", ADDED),
    Patch("Secret", "shop", "shop-settings", {"data": {"EXTRA": "eA=="}}, "data.EXTRA", ADDED),
    Patch("ConfigMap", "shop", "pair-authority", {"data": {"ca.crt": "another"}}, 'data["ca.crt"]', CHANGED),
    Patch("ResourceQuota", "shop", "objects", {"spec": {"hard": {"pods": "5000"}}}, "spec.hard.pods", CHANGED),
    Patch("ResourceQuota", "payments", "objects", [{"op": "remove", "path": "/spec/hard/services.nodeports"}],
          'spec.hard["services.nodeports"]', REMOVED),
    Patch("LimitRange", "shop", "power", [{"op": "remove", "path": "/spec/limits/1"}], "spec.limits[1]", REMOVED),
    Patch("PodDisruptionBudget", "shop", "shop", {"spec": {"maxUnavailable": 5}}, "spec.maxUnavailable", CHANGED),
    Patch("Namespace", "", "shop", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}},
          'metadata.labels["pod-security.kubernetes.io/enforce"]', CHANGED),
    Patch("Namespace", "", "payments", {"metadata": {"labels": {"shopsphere.io/jurisdiction": "us"}}},
          'metadata.labels["shopsphere.io/jurisdiction"]', CHANGED),
    Patch("StorageClass", "", "frankfurt-pinned", {"allowVolumeExpansion": True}, "allowVolumeExpansion", ADDED),
    Patch("ClusterRole", "", "shopsphere:agent", [{"op": "add", "path": "/rules/-", "value": OVER_SECRETS}],
          "rules[3]", ADDED),
    Patch("ClusterRole", "", "shopsphere:agent-in-databases", {"rules": [{**OVER_SECRETS, "resources": ["pods/exec"]}]},
          "rules[0].verbs", CHANGED),
    Patch("ClusterRoleBinding", "", "shopsphere:agent", [{"op": "add", "path": "/subjects/-", "value": MALLORY}],
          "subjects[name=mallory]", ADDED),
    Patch("Cluster", "data-ledger", "ledger-frankfurt", {"spec": {"imageName": "evil/pg"}}, "spec.imageName", CHANGED),
    Patch("Cluster", "data-ledger", "ledger-frankfurt", {"spec": {"backup": EVERY_NIGHT}},
          "spec.backup.barmanObjectStore.destinationPath", ADDED),
    Patch("Cluster", "data-ledger", "ledger-frankfurt", {"spec": {"enableSuperuserAccess": True}},
          "spec.enableSuperuserAccess", CHANGED),
    Patch("Cluster", "data-ledger", "ledger-frankfurt",
          [{"op": "add", "path": "/spec/externalClusters/-", "value": OF_A_STRANGER}],
          "spec.externalClusters[name=us]", ADDED),
    Patch("Cluster", "data-commerce", "commerce-frankfurt",
          {"spec": {"postgresql": {"pg_hba": ["host all all all trust"]}}}, "spec.postgresql.pg_hba", CHANGED),
    Patch("Cluster", "data-commerce", "commerce-frankfurt",
          {"metadata": {"annotations": {"cnpg.io/hibernation": "on"}}},
          'metadata.annotations["cnpg.io/hibernation"]', ADDED),
)
# fmt: on
BY_HAND = (
    ("create", "configmap", "mine", "--namespace=shop"),
    ("create", "role", "all", "--verb=*", "--resource=secrets", "--namespace=payments"),
    ("create", "rolebinding", "me", "--role=all", "--user=mallory", "--namespace=payments"),
    ("create", "serviceaccount", "mine", "--namespace=data-ledger"),
    ("create", "service", "externalname", "out", "--external-name=us.example", "--namespace=shop"),
    ("create", "deployment", "miner", "--image=evil/miner", "--namespace=shop"),
    ("create", "cronjob", "nightly", "--image=evil/dump", "--schedule=0 3 * * *", "--namespace=data-ledger"),
    ("create", "rolebinding", "in", "--clusterrole=edit", "--group=shopsphere:agents", "--namespace=kube-system"),
    ("create", "clusterrolebinding", "way-in", "--clusterrole=admin", "--serviceaccount=shop:default"),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    with api_with_databases(tmp_path_factory.mktemp("kube")) as started:
        yield started


@pytest.fixture(scope="module")
def state() -> Document:
    """The state of the lab's Frankfurt after a deployment, from the program's own declarations.

    Admission would refuse most of what is done here: what gets past it, or came before it, is found all the same.
    """
    return state_of(lambda each: not is_admission(each))


def is_admission(each: Registered) -> bool:
    return "admissionregistration" in each.type


def state_of(wanted: Callable[[Registered], bool]) -> Document:
    resources = [
        {
            "type": each.type,
            "custom": True,
            "inputs": as_exported(each.state),
            "outputs": {"__fieldManager": f"pulumi-kubernetes-{at:08x}"},
            "ignoreChanges": list(each.ignored),
        }
        for at, each in enumerate(build("rdc-a", "lab-frankfurt").objects)
        if each.kind != "kubernetes" and wanted(each)
    ]
    return {"deployment": {"resources": resources}}


@pytest.fixture(scope="module")
def deployed(api: KubeApi, state: Document) -> KubeApi:
    """Every declared object, applied as Pulumi's provider does it: by the server, each under a manager of its own."""
    apply(api, state)
    apply_rights(api, state)
    # A new kind of objects cannot be listed for its first moments: that is unknown, and no subject of these tests.
    wait_until(lambda: not compared(api, state).unseen, what="all lists", seconds=60, interval=0.5)
    return api


def apply_rights(api: KubeApi, state: Document) -> None:
    """As the owner of the cluster does it: what each stack needs, and no way in for `up` as a role of its own."""
    for each in RIGHTS(declared_objects(state)):
        if not each.may_be_missing:
            document = {"apiVersion": each.version, "kind": each.kind, **each.body}
            api.cluster().apply(path_of(each), document, manager="kubectl")


def apply(api: KubeApi, state: Document) -> None:
    cluster = api.cluster()
    for each in sorted(declared_objects(state), key=lambda each: each.kind != "Namespace"):
        document = {"apiVersion": each.version, "kind": each.kind, **each.body}
        cluster.apply(path_of(each), document, manager=each.manager)


def as_exported(value: Any) -> Any:
    """Secrets as the engine writes them to a state, in place of those that it is told."""
    match value:
        case {"4dabf18193072939515e22adb298388d": mark, "value": secret}:
            return {"4dabf18193072939515e22adb298388d": mark, "plaintext": json.dumps(secret)}
        case dict():
            return {key: as_exported(part) for key, part in value.items()}
        case list():
            return [as_exported(part) for part in value]
        case _:
            return value


def path_of(declared: Declared) -> str:
    kind = find_kind(declared.version, declared.kind)
    assert kind, declared.kind
    return f"{kind.path(declared.namespace)}/{declared.name}"


def compared(api: KubeApi, state: Document) -> SiteDrift:
    return judge_site(
        state, api.cluster(), Repair("frankfurt", "lab", SiteKubectl(str(api.kubeconfig), DEPLOYER)), RIGHTS
    )


def look(api: KubeApi, state: Document) -> tuple[Drift, ...]:
    found = compared(api, state)
    assert found.unseen == ()
    assert found.declared > 50
    return found.drifts


def told(found: tuple[Drift, ...]) -> list[tuple[str, str, str, str]]:
    return [(each.object, each.field, each.kind.value, each.live) for each in found]


@pytest.mark.requirement("defaults that the API server fills in make no noise")
def test_a_deployed_site_is_clean(deployed: KubeApi, state: Document) -> None:
    assert told(look(deployed, state)) == []


@pytest.mark.requirement("drift by another identity with kubectl is found, with object, field and author")
def test_what_a_stranger_does_is_found_and_repaired(deployed: KubeApi, state: Document) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    for patch in PATCHES:
        place = [f"--namespace={patch.namespace}"] if patch.namespace else []
        words = (f"--type={patch.type}", f"--patch={json.dumps(patch.body)}")
        deployed.kubectl("patch", resource_of(patch.kind), patch.name, *place, *words)
    for by_hand in BY_HAND:
        deployed.kubectl(*by_hand)
    found = look(deployed, state)
    by_place = {(each.object, each.field): each for each in found}
    missed = []
    for patch in PATCHES:
        name = f"{patch.namespace}/{patch.name}" if patch.namespace else patch.name
        drift = by_place.get((f"{patch.kind} {name}", patch.field))
        if drift is None or drift.kind is not patch.how:
            missed.append((patch.kind, name, patch.field, patch.how.value))
            continue
        if patch.how is REMOVED and drift.author is None:  # who only takes away owns nothing, and leaves no record
            continue
        assert drift.author, drift
        assert drift.author.manager == "kubectl-patch", drift
        assert datetime.fromisoformat(drift.author.at) >= began, drift
    assert missed == [], told(found)
    undeclared = {each.object: each for each in found if each.kind is Kind.UNDECLARED}
    assert len(undeclared) == len(BY_HAND), sorted(undeclared)
    assert {each.author.manager for each in undeclared.values() if each.author} == {"kubectl-create"}

    # The commands of each report, as somebody would call them. One may have to wait for another: an element that an
    # earlier one took away moves those after it, and a container is not both privileged and unable to escalate.
    for _ in range(ROUNDS):
        for drift in look(deployed, state):
            if drift.repair.startswith("kubectl "):
                deployed.kubectl(*shlex.split(drift.repair)[5:], context=DEPLOYER, check=False)
    left = [each for each in told(look(deployed, state)) if each[0] != "Secret shop/shop-settings"]  # for `up`
    assert left == []


@pytest.mark.requirement("an admission policy that somebody weakened or removed is found")
def test_admission_policies_are_compared(deployed: KubeApi) -> None:
    policies = state_of(lambda each: is_admission(each) or each.kind == "Namespace")
    apply(deployed, policies)

    def about_policies() -> set[tuple[str, str, Kind]]:
        drifts = compared(deployed, policies).drifts
        return {(each.object, each.field, each.kind) for each in drifts if "Admission" in each.object}

    assert about_policies() == set()
    weaker = '--patch={"spec": {"validationActions": ["Audit"]}}'
    deployed.kubectl("patch", "validatingadmissionpolicybindings", "shopsphere-pods", "--type=merge", weaker)
    ignored = '--patch={"spec": {"failurePolicy": "Ignore"}}'
    deployed.kubectl("patch", "validatingadmissionpolicies", "shopsphere-pods", "--type=merge", ignored)
    deployed.kubectl("delete", "validatingadmissionpolicybindings", "shopsphere-claims")
    assert about_policies() == {
        ("ValidatingAdmissionPolicyBinding shopsphere-pods", "spec.validationActions", CHANGED),
        ("ValidatingAdmissionPolicy shopsphere-pods", "spec.failurePolicy", CHANGED),
        ("ValidatingAdmissionPolicyBinding shopsphere-claims", "", Kind.MISSING),
    }
