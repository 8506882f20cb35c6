"""A site under watch: what is found and gone within seconds, and what is no finding, through the real client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from declared_site import declared_bodies, exported
from live_objects import live_objects, set_by
from rbac_of_site import RIGHTS
from watched_api import WatchedApi, serving

from shopsphere.clients import watch as watch_client
from shopsphere.deploy.state_version import StateLook
from shopsphere.drift import live_watch, site_watch
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.kinds import KINDS
from shopsphere.drift.model import Drift, Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.drift.site_watch import SiteWatch
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError

Document = dict[str, Any]
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
QUIET_SECONDS = 0.8
"""Longer than everything below takes to be judged."""


class Watched:
    """A watch that runs, what it says of the site, and the stack's state."""

    def __init__(self, api: WatchedApi, cluster: Any) -> None:
        self.api = api
        self.state = StateLook("1")
        self.bodies = declared_bodies()
        self.reads = 0
        self.problem = ""
        self.said: list[SiteDrift] = []
        self.watch = SiteWatch(REPAIR, RIGHTS, cluster, self.look, self.export, self.said.append, reopen_after=0.05)

    def look(self) -> StateLook:
        if self.problem:
            raise ShopSphereError(self.problem)
        return self.state

    def export(self) -> Document:
        self.reads += 1
        return exported(self.bodies)

    @property
    def drifts(self) -> tuple[Drift, ...]:
        return self.said[-1].drifts if self.said else ()

    def told(self) -> set[tuple[str, str]]:
        return {(each.object, each.field) for each in self.drifts}

    def becomes(self, condition: Callable[[], object], what: str = "the finding") -> None:
        wait_until(condition, what=what, seconds=40, interval=0.02, explain=lambda: str(self.said[-1:]))

    def stays_quiet(self) -> None:
        said = len(self.said)
        threading.Event().wait(QUIET_SECONDS)
        assert self.said[said:] == []

    def change(self, kind: str, name: str, path: tuple[Any, ...], value: Any, namespace: str = "shop") -> None:
        live = self.api.get(kind, name, namespace)
        set_by(live, path, value)
        self.api.put(kind, live)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_client, "REOPEN_AFTER_AT_MOST", 0.2)
    monkeypatch.setattr(live_watch, "SETTLE_SECONDS", 0.15)
    monkeypatch.setattr(live_watch, "SETTLE_AT_MOST_SECONDS", 0.6)
    monkeypatch.setattr(live_watch, "CLOSED_SECONDS", 3.0)
    monkeypatch.setattr(site_watch, "TICK_SECONDS", 0.03)
    monkeypatch.setattr(site_watch, "STATE_SECONDS", 0.1)
    for module in (site_watch, live_watch):
        monkeypatch.setattr(module, "START_SECONDS", 60.0)
    monkeypatch.setattr(site_watch, "EXPORT_AGAIN_SECONDS", 0.2)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    yield from _watched(tmp_path)


def _watched(folder: Path, *refused: str) -> Iterator[Watched]:
    with serving(folder) as (api, cluster):
        api.refused |= set(refused)
        found, stopped = Watched(api, cluster), threading.Event()
        thread = threading.Thread(target=found.watch.run, args=(stopped,), daemon=True)
        thread.start()
        try:
            found.becomes(lambda: found.said and len(found.said[-1].unseen) == len(refused), "a first word")
            yield found
        finally:
            stopped.set()
            thread.join(5)


CIDR = ("spec", "egress", 1, "to", 0, "ipBlock", "cidr")
OPENED = ("NetworkPolicy shop/to-dns", "spec.egress[1].to[0].ipBlock.cidr")


@pytest.mark.requirement("a watch reports drift within seconds without listing again and again, and its end")
def test_a_change_is_found_and_its_end_is_told_after_one_list_of_each_kind(watched: Watched) -> None:
    wanted = len(RIGHTS(declared_objects(exported())))
    assert (watched.said[0].drifts, watched.said[0].unseen, watched.said[0].declared) == ((), (), 11 + wanted)
    before = watched.api.get("NetworkPolicy", "to-dns", "shop")
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    watched.becomes(lambda: watched.told() == {OPENED})
    (found,) = watched.drifts
    assert (found.residency, found.author and found.author.manager) == (True, "kubectl-patch")
    watched.api.put("NetworkPolicy", before)
    watched.becomes(lambda: not watched.drifts, "its end")
    assert set(watched.api.lists.values()) == {1}
    assert watched.reads == 1


def test_what_is_put_right_at_once_is_no_finding(watched: Watched) -> None:
    with watched.api.news:  # no watch hears of one without the other
        before = watched.api.get("NetworkPolicy", "to-dns", "shop")
        watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
        watched.api.put("NetworkPolicy", before)
    watched.stays_quiet()


def test_an_object_that_never_rests_is_judged_all_the_same(watched: Watched) -> None:
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    for number in range(800):
        live = watched.api.get("NetworkPolicy", "to-dns", "shop")
        live["status"] = {"observed": number}
        watched.api.put("NetworkPolicy", live)
        threading.Event().wait(0.05)
        if watched.drifts:
            return
    pytest.fail("it hid by being written again and again")


def test_objects_that_come_and_go_are_judged_with_their_owners(watched: Watched) -> None:
    set_id = {"name": "shop-1", "namespace": "shop", "uid": "set-of-shop"}
    owned = {"ownerReferences": [{"uid": "deployment", "kind": "Deployment"}]}
    pod = {"name": "shop-1-a", "namespace": "shop", "uid": "pod-of-shop"}
    of_set = {"ownerReferences": [{"uid": "set-of-shop", "kind": "ReplicaSet"}]}
    watched.api.put("Pod", {"metadata": {**pod, **of_set}})
    watched.becomes(lambda: watched.told() == {("Pod shop/shop-1-a", "")}, "a pod without its owner")
    watched.api.put("ReplicaSet", {"metadata": {**set_id, **owned}})
    watched.becomes(lambda: not watched.drifts, "its owner to be seen")
    watched.api.put("ConfigMap", {"metadata": {"name": "mine", "namespace": "shop", "uid": "m"}})
    watched.becomes(lambda: watched.told() == {("ConfigMap shop/mine", "")})
    watched.api.put("ConfigMap", {"metadata": {"name": "mine", "namespace": "of-others", "uid": "n"}})
    watched.api.delete("ConfigMap", "mine", "shop")
    watched.api.delete("NetworkPolicy", "to-dns", "shop")
    watched.becomes(lambda: watched.told() == {("NetworkPolicy shop/to-dns", "")})
    assert watched.drifts[0].kind is Kind.MISSING


@pytest.mark.requirement("a right of an agent that grew at the cluster is drift")
def test_rights_of_agents_are_watched_in_every_namespace(watched: Watched) -> None:
    role = watched.api.get("ClusterRole", "shopsphere:agent")
    watched.change("ClusterRole", "shopsphere:agent", ("rules", 0, "verbs"), ["*"], namespace="")
    watched.becomes(lambda: watched.told() == {("ClusterRole shopsphere:agent", "rules[0].verbs")})
    watched.api.put("ClusterRole", role)
    binding = {"metadata": {"name": "more", "namespace": "cnpg-system", "uid": "more"}}
    watched.api.put("RoleBinding", {**binding, "subjects": [{"kind": "Group", "name": "shopsphere:agents"}]})
    watched.becomes(lambda: watched.told() == {("RoleBinding cnpg-system/more", "")})
    watched.api.put("RoleBinding", {**binding, "subjects": [{"kind": "Group", "name": "others"}]})
    watched.becomes(lambda: not watched.drifts, "its end")


@pytest.mark.requirement("a deployment that is under way makes no noise")
def test_a_deployment_is_waited_for_and_then_declares(watched: Watched) -> None:
    watched.state = StateLook("2", held_by="process 7")
    bodies = declared_bodies()
    bodies["policy"]["spec"]["egress"][1]["to"][0]["ipBlock"]["cidr"] = "10.2.0.6/32"
    watched.api.put("NetworkPolicy", live_objects(bodies)["policy"])
    watched.change("Service", "shop", ("spec", "externalIPs"), ["203.0.113.7"])
    watched.stays_quiet()
    watched.bodies, watched.state = bodies, StateLook("3")
    watched.becomes(lambda: watched.told() == {("Service shop/shop", "spec.externalIPs")}, "what is drift still")
    assert [each for said in watched.said for each in said.drifts if "NetworkPolicy" in each.object] == []


def test_a_lock_does_not_hide_drift_for_ever(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_watch, "HOLD_SECONDS", 1.0)
    watched.state = StateLook("1", held_by="process 7")
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    watched.becomes(lambda: watched.told() == {OPENED})
    assert [each.what for each in watched.said[-1].unseen] == ["a stack that is locked"]


def test_what_changed_while_a_line_was_down_is_found_from_the_version_before(watched: Watched) -> None:
    watched.api.break_lines()
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    watched.becomes(lambda: watched.told() == {OPENED})
    assert set(watched.api.lists.values()) == {1}


def test_a_version_that_is_forgotten_makes_a_list(watched: Watched) -> None:
    with watched.api.news:  # nothing of it reaches a watch that is open
        watched.api.break_lines(forget=True)
        live = watched.api.get("NetworkPolicy", "to-dns", "shop")
        set_by(live, CIDR, "0.0.0.0/0")
        live["metadata"]["resourceVersion"] = "999"
        watched.api.objects["NetworkPolicy", "shop", "to-dns"] = live
        del watched.api.objects["ConfigMap", "shop", "pair-authority"]
        watched.api.version += 1
        watched.api.oldest = watched.api.version
    watched.becomes(lambda: watched.told() == {OPENED, ("ConfigMap shop/pair-authority", "")})
    assert watched.api.lists["/apis/networking.k8s.io/v1/networkpolicies"] == 2


def test_a_bookmark_moves_the_version_on(watched: Watched) -> None:
    watched.change("Service", "shop", ("spec", "externalIPs"), ["203.0.113.7"])
    watched.api.bookmark("NetworkPolicy")
    watched.becomes(lambda: watched.drifts)
    with watched.api.news:
        watched.api.oldest = watched.api.version
    watched.api.break_lines()
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    watched.becomes(lambda: OPENED in watched.told())
    watched.becomes(lambda: watched.api.lists["/apis/apps/v1/deployments"] == 2, "a list of what had no bookmark")
    assert watched.api.lists["/apis/networking.k8s.io/v1/networkpolicies"] == 1


def test_a_kind_that_cannot_be_watched_is_unknown_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (site_watch, live_watch):
        monkeypatch.setattr(module, "START_SECONDS", 5.0)
    for watched in _watched(tmp_path, "Secret"):
        (unseen,) = watched.said[-1].unseen
        assert (unseen.what, "403" in unseen.why) == ("objects of the kind Secret in shop", True)
        watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
        watched.becomes(lambda: watched.told() == {OPENED})  # noqa: B023 there is one
        watched.api.refused.clear()
        watched.becomes(lambda: not watched.said[-1].unseen, "the kind to be known again")  # noqa: B023 there is one
        assert watched.told() == {OPENED}


def test_a_site_that_is_gone_is_unknown_as_a_whole_and_its_findings_stay(watched: Watched) -> None:
    watched.change("NetworkPolicy", "to-dns", CIDR, "0.0.0.0/0")
    watched.becomes(lambda: watched.told() == {OPENED})
    kinds = {kind for kind, _, _ in watched.api.objects}
    watched.api.refused |= kinds | {kind.kind for kind in KINDS}
    watched.api.break_lines()
    watched.becomes(lambda: watched.said[-1].unseen)
    watched.becomes(lambda: [each.what for each in watched.said[-1].unseen] == ["the whole site"])
    assert watched.told() == {OPENED}


def test_a_state_that_cannot_be_read_is_unknown(watched: Watched) -> None:
    watched.problem = "no backend"
    watched.becomes(lambda: [each.why for each in watched.said[-1].unseen] == ["no backend"])
    watched.problem = ""
    watched.becomes(lambda: not watched.said[-1].unseen)
