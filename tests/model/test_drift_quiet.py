"""What Kubernetes, its operators and the platform do as part of their work is no drift; what only looks like it is."""

from __future__ import annotations

from typing import Any

import pytest
from declared_site import OURS, declared_bodies, exported
from drift_injections import POD
from live_objects import DEPLOYED, LATER, live_objects, set_by
from test_drift_injections import REPAIR, findings

from runbooks.agent.ledger import MARK as SYNCHRONY_MARK
from runbooks.cluster_change import MARK as LOCK_MARK
from runbooks.databases import LOOKED_AT
from shopsphere.drift import known
from shopsphere.drift.declared import StateError, declared_objects
from shopsphere.drift.judging import judge
from shopsphere.drift.model import Kind
from shopsphere.drift.ownership import Author
from shopsphere.drift.undeclared import Live
from shopsphere.estate.databases import COMPLETE_COPIES, TOLD_TO_LEAD

Document = dict[str, Any]


@pytest.mark.requirement("fields that controllers own make no noise")
def test_a_fresh_deployment_is_clean() -> None:
    assert findings(live_objects()) == []


def test_an_autoscaler_and_a_rollout_are_no_drift() -> None:
    lives = live_objects()
    set_by(lives["deployment"], ("spec", "replicas"), 4, "kube-controller-manager", subresource="scale")
    revision = ("metadata", "annotations", "deployment.kubernetes.io/revision")
    set_by(lives["deployment"], revision, "7", "kube-controller-manager")
    restarted = ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
    set_by(lives["deployment"], restarted, LATER, "kubectl-rollout")
    set_by(lives["deployment"], ("status", "replicas"), 3, "kube-controller-manager", subresource="status")
    assert findings(lives) == []


def test_a_rollout_of_the_event_log_is_what_its_manager_does() -> None:
    restarted = ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")
    explained = [
        each for each in known.WORKS if each.covers("StatefulSet", restarted, Author("kubectl-rollout", "Update"))
    ]
    assert len(explained) == 1
    assert not explained[0].covers("StatefulSet", ("spec", "replicas"), Author("kubectl-rollout", "Update"))


@pytest.mark.requirement("what the owner makes before the first `up`, as the page says, is no drift after it")
def test_a_namespace_that_was_there_before_is_no_drift() -> None:
    lives = live_objects()
    namespace = lives["namespace"]
    name = ("metadata", "labels", "kubernetes.io/metadata.name")
    set_by(namespace, name, namespace["metadata"]["name"], "before-first-apply")
    assert findings(lives) == []
    set_by(namespace, name, "payments-of-others", "kubectl-edit")
    assert [each.field for each in findings(lives)] == ['metadata.labels["kubernetes.io/metadata.name"]']


def test_the_repair_of_a_servers_files_is_no_drift_itself() -> None:
    lives = live_objects()
    place = ("metadata", "annotations")
    set_by(lives["database"], (*place, "cnpg.io/reloadedAt"), LATER, "kubectl-annotate")
    assert findings(lives) == []
    set_by(lives["database"], (*place, "cnpg.io/hibernation"), "on", "kubectl-annotate")
    assert [each.field for each in findings(lives)] == ['metadata.annotations["cnpg.io/hibernation"]']


def test_a_default_that_came_in_where_somebody_took_a_value_out_is_no_drift() -> None:
    """Who takes a value out is on record as the owner of what the schema fills in."""
    lives = live_objects()
    delay = ("spec", "failoverDelay")
    set_by(lives["database"], delay, 0, "kubectl-patch")
    assert findings(lives) == []
    set_by(lives["database"], delay, False, "kubectl-patch")
    assert [each.field for each in findings(lives)] == ["spec.failoverDelay"]
    set_by(lives["database"], delay, 600, "kubectl-patch")
    assert [each.field for each in findings(lives)] == ["spec.failoverDelay"]


def test_a_person_who_scales_is_drift() -> None:
    lives = live_objects()
    set_by(lives["deployment"], ("spec", "replicas"), 0, "kubectl", subresource="scale")
    (found,) = findings(lives)
    assert (found.field, found.kind, str(found.author)) == (
        "spec.replicas",
        Kind.ADDED,
        f"kubectl through scale at {LATER}",
    )


def test_declared_replicas_count_whoever_moves_them() -> None:
    bodies = declared_bodies()
    bodies["deployment"]["spec"]["replicas"] = 2
    lives = live_objects(bodies)
    lives["deployment"]["spec"]["replicas"] = 2
    set_by(lives["deployment"], ("spec", "replicas"), 4, "kube-controller-manager", subresource="scale")
    declared = declared_objects(exported(bodies))
    own = [Live(each.kind, live) for each, live in zip(declared, lives.values(), strict=True)]
    (found,) = judge(declared, own, REPAIR)
    assert (found.field, found.declared, found.live) == ("spec.replicas", "2", "4")


def test_a_volume_that_is_bound_is_no_drift() -> None:
    lives = live_objects()
    claim = {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "ledger-1", "uid": "u"}
    set_by(lives["volume"], ("spec", "claimRef"), claim, "kube-scheduler")
    set_by(lives["volume"], ("metadata", "finalizers"), ["kubernetes.io/pv-protection"], "kube-controller-manager")
    assert findings(lives) == []


@pytest.mark.requirement("a failover is no drift (ADR 6)")
def test_a_change_of_role_is_no_drift() -> None:
    lives = live_objects()
    database = lives["database"]
    set_by(database, ("spec", "replica", "primary"), "ledger-dublin", known.PLATFORM)
    set_by(database, ("spec", "replica", "promotionToken"), "token", known.PLATFORM)
    set_by(database, ("spec", "postgresql", "synchronous"), {"method": "any", "number": 1}, known.PLATFORM)
    set_by(database, ("metadata", "annotations", "cnpg.io/fencedInstances"), '["*"]', known.PLATFORM)
    for mark in (SYNCHRONY_MARK, COMPLETE_COPIES, TOLD_TO_LEAD, LOCK_MARK, LOOKED_AT):
        set_by(database, ("metadata", "annotations", mark), "x", known.PLATFORM)
    assert findings(lives) == []


def test_the_marks_of_the_platform_are_no_cover_for_others() -> None:
    lives = live_objects()
    set_by(lives["database"], ("metadata", "annotations", LOCK_MARK), "x", "kubectl-annotate")
    set_by(lives["database"], ("spec", "logLevel"), "trace", known.PLATFORM)
    assert {each.field for each in findings(lives)} == {
        'metadata.annotations["shopsphere.io/operators-lock"]',
        "spec.logLevel",
    }


def test_another_notation_is_no_drift() -> None:
    lives = live_objects()
    lives["deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = "0.5Gi"
    lives["quota"]["spec"]["hard"]["requests.shopsphere.io/watts"] = "1k"
    assert findings(lives) == []
    lives["quota"]["spec"]["hard"]["pods"] = "0.02k"
    assert findings(lives) == []
    lives["quota"]["spec"]["hard"]["pods"] = "21"
    assert [each.field for each in findings(lives)] == ["spec.hard.pods"]


def test_a_declared_object_that_is_gone_is_found() -> None:
    lives = live_objects()
    declared = declared_objects(exported())
    own = [Live(each.kind, live) for each, live in zip(declared, lives.values(), strict=True)]
    found = judge(declared, [live for live in own if live.kind != "NetworkPolicy"], REPAIR)
    assert [(each.object, each.kind, each.residency) for each in found] == [
        ("NetworkPolicy shop/to-dns", Kind.MISSING, True)
    ]
    assert found[0].repair == "shopsphere up frankfurt --environment lab --refresh"


def test_an_object_on_its_way_out_is_gone() -> None:
    lives = live_objects()
    lives["secret"]["metadata"]["deletionTimestamp"] = LATER
    assert [(each.object, each.kind) for each in findings(lives)] == [("Secret shop/shop-settings", Kind.MISSING)]


def test_a_wiped_record_hides_nothing() -> None:
    """Whoever may write an object may write who wrote it."""
    lives = live_objects()
    set_by(lives["deployment"], (*POD, "hostAliases"), [{"ip": "10.9.9.9"}])
    lives["deployment"]["metadata"]["managedFields"] = []
    found = {each.field: each for each in findings(lives)}
    assert {field: each.kind for field, each in found.items()} == {
        "": Kind.UNOWNED,
        "spec.template.spec.hostAliases[0]": Kind.ADDED,
        "spec.replicas": Kind.ADDED,
    }
    assert found[""].who.startswith("nobody on record")


def test_an_object_that_holds_nothing_has_no_record() -> None:
    bodies = {"namespace": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}}
    live: Document = {"metadata": {"name": "shop", "uid": "u", "managedFields": []}}
    assert judge(declared_objects(exported(bodies)), [Live("Namespace", live)], REPAIR) == []
    set_by(live, ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "privileged")
    (found,) = judge(declared_objects(exported(bodies)), [Live("Namespace", live)], REPAIR)
    assert (found.kind, found.severity) == (Kind.ADDED, "high")


def test_a_manager_that_leaves_the_record_leaves_what_is_sensitive() -> None:
    lives = live_objects()
    set_by(lives["deployment"], (*POD, "hostPID"), value=True)
    entries = lives["deployment"]["metadata"]["managedFields"]
    lives["deployment"]["metadata"]["managedFields"] = [each for each in entries if each["manager"] == OURS]
    assert [each.field for each in findings(lives)] == ["spec.template.spec.hostPID"]


def test_who_took_something_away_is_likely_who_wrote_last() -> None:
    """A removal leaves no record of its own."""
    lives = live_objects()
    set_by(lives["deployment"], ("spec", "paused"), value=True)
    set_by(lives["deployment"], (*POD, "securityContext"), None)
    found = {each.field: each for each in findings(lives)}
    assert found["spec.paused"].who == f"kubectl-patch at {LATER}"
    assert found["spec.template.spec.securityContext"].who == f"likely kubectl-patch at {LATER}"


def test_secrets_are_never_shown() -> None:
    lives = live_objects()
    set_by(lives["secret"], ("data", "SHOP_KEY"), "c3RvbGVu")
    (found,) = findings(lives)
    told = str(found.as_json())
    assert "c3RvbGVu" not in told
    assert "YSBrZXk" not in told
    assert (found.declared, found.live) == ("a secret value", "a secret value")
    assert found.repair.startswith("shopsphere up frankfurt")


def test_a_repair_names_what_it_expects() -> None:
    lives = live_objects()
    env = (*POD, "containers", {"name": "shop"}, "env", {"name": "SHOP_SITE"}, "value")
    set_by(lives["deployment"], env, "ashburn")
    (found,) = findings(lives)
    place = "/spec/template/spec/containers/0"
    assert found.repair == (
        "kubectl --kubeconfig /kubeconfigs/frankfurt.yaml --context frankfurt --namespace shop patch deployments shop "
        f'--type=json \'--patch=[{{"op": "test", "path": "{place}/name", "value": "shop"}}, '
        f'{{"op": "test", "path": "{place}/env/0/name", "value": "SHOP_SITE"}}, '
        f'{{"op": "test", "path": "{place}/env/0/value", "value": "ashburn"}}, '
        f'{{"op": "replace", "path": "{place}/env/0/value", "value": "frankfurt"}}]\''
    )


def test_a_repair_takes_away_what_only_goes_together() -> None:
    lives = live_objects()
    set_by(lives["database"], ("spec", "backup"), {"barmanObjectStore": {"destinationPath": "s3://us"}})
    set_by(lives["deployment"], (*POD, "serviceAccountName"), "admin")
    commands = [each.repair for each in findings(lives)]
    assert '{"op": "remove", "path": "/spec/backup"}]' in commands[1]
    both = [
        f'{{"op": "remove", "path": "/spec/template/spec/{name}"}}' for name in ("serviceAccountName", "serviceAccount")
    ]
    assert ", ".join(both) in commands[0]


def test_a_state_whose_secrets_stay_encrypted_is_not_compared() -> None:
    state = exported()
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
    state["deployment"]["resources"][-1]["inputs"]["spec"]["imageName"] = secret
    with pytest.raises(StateError, match="an encrypted secret"):
        declared_objects(state)
    with pytest.raises(StateError, match="cannot be read"):
        declared_objects({"deployment": {"resources": [{"custom": True, "type": "kubernetes:core/v1:Pod"}]}})


def test_what_waits_for_its_deletion_is_not_declared() -> None:
    state = exported()
    state["deployment"]["resources"][-1]["delete"] = True
    assert "Cluster" not in {each.kind for each in declared_objects(state)}
    assert DEPLOYED < LATER
