"""A rebuilt image keeps its tag: what runs it is rolled, and what ran it is done again as it was declared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import bring_up
from lab.cluster import addons, images, rebuilt
from lab.hosts import load_hosts
from shopsphere.foundation.process import CommandError
from shopsphere.topology import load_topology

SHOP, OTHER = "localhost/shopsphere/shop:0.1.0", "localhost/shopsphere/gateway:2.6"
LABELS = {"app.kubernetes.io/name": "ledger-migration"}
MADE = {"batch.kubernetes.io/controller-uid": "1", "controller-uid": "1", "batch.kubernetes.io/job-name": "it"}


def running(name: str, image: str, **metadata: Any) -> dict[str, Any]:
    pods = {"metadata": {"labels": {**LABELS, **MADE}}, "spec": {"containers": [{"name": "it", "image": image}]}}
    spec = {"backoffLimit": 1000, "completions": 1, "selector": {"matchLabels": MADE}, "template": pods}
    return {"metadata": {"name": name, "namespace": "data-ledger", "labels": LABELS, **metadata}, "spec": spec}


JOB_AS_DECLARED = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "ledger-migration", "namespace": "data-ledger", "labels": LABELS},
    "spec": {
        "backoffLimit": 1000,
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "it", "image": SHOP}]}},
    },
}
DELETE = (
    "delete", "job/ledger-migration", "-n", "data-ledger", "--cascade=foreground", "--timeout=60s",
    "--ignore-not-found",
)  # fmt: skip
APPLY = ("apply", "--server-side", "--field-manager=pulumi-kubernetes-1", "-f", "-")


class Api:
    """A cluster with one job, at which a call may break off or be refused."""

    def __init__(self) -> None:
        self.found = {
            "deployments": [running("payments", SHOP), running("gateway", OTHER)],
            "statefulsets": [running("kafka", SHOP), running("other", OTHER)],
            "jobs": [self.job("1")],
            "namespaces": [{"metadata": {"name": "data-ledger", "uid": "n1"}}],
        }
        self.changes: list[tuple[tuple[str, ...], str | None]] = []
        self.breaks_at = ""
        self.refuses = ""

    @staticmethod
    def job(uid: str) -> dict[str, Any]:
        authors = [{"manager": "kube-controller-manager", "subresource": "status"}, {"manager": "pulumi-kubernetes-1"}]
        return running("ledger-migration", SHOP, uid=uid, resourceVersion="7", managedFields=authors)

    def kubectl(self, site: str, *words: str, stdin: str | None = None) -> str:
        assert site == "frankfurt"
        if words[:2] == ("get", "job/ledger-migration"):
            return json.dumps(self.found["jobs"][0]) if self.found["jobs"] else ""
        if words[0] == "get":
            return json.dumps({"items": self.found[words[1]]})
        if words[0] == self.breaks_at:
            raise KeyboardInterrupt
        if words[0] == "apply" and self.refuses:
            raise CommandError(self.refuses)
        self.changes.append((words, stdin))
        if words[0] == "delete":
            self.found["jobs"] = []
        if words[0] == "apply":
            self.found["jobs"] = [self.job("2")]
        return ""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    made = Api()
    monkeypatch.setattr(rebuilt, "kubectl", made.kubectl)
    monkeypatch.setattr(rebuilt, "disk_directory", lambda site: tmp_path / site)
    return made


def broken_off(api: Api, where: str) -> None:
    """A bring-up that breaks off at the deletion of the job, or at the making of the new one."""
    api.breaks_at = where
    with pytest.raises(KeyboardInterrupt):
        rebuilt.repeat_jobs("frankfurt", [SHOP])
    api.breaks_at, api.changes = "", []


def changes(api: Api) -> list[tuple[str, ...]]:
    return [words for words, _ in api.changes]


def test_workloads_roll_and_a_migration_runs_again_in_the_name_of_its_author(api: Api) -> None:
    rebuilt.roll_workloads("frankfurt", [SHOP])
    rebuilt.repeat_jobs("frankfurt", [SHOP])
    rolled = [
        ("rollout", "restart", each, "-n", "data-ledger") for each in ("deployment/payments", "statefulset/kafka")
    ]
    assert changes(api) == [*rolled, DELETE, APPLY]
    assert json.loads(api.changes[-1][1] or "") == JOB_AS_DECLARED
    rebuilt.repeat_jobs("frankfurt", [])
    assert len(api.changes) == 4, "what is done is not done again"


def test_nothing_is_asked_of_a_cluster_whose_images_are_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rebuilt, "disk_directory", lambda _site: tmp_path)
    monkeypatch.setattr(rebuilt, "kubectl", lambda *_words: pytest.fail("asked"))
    rebuilt.roll_workloads("frankfurt", [])
    rebuilt.repeat_jobs("frankfurt", [])


@pytest.mark.parametrize(("breaks_at", "again"), [("delete", [DELETE, APPLY]), ("apply", [APPLY])])
def test_what_breaks_off_between_the_old_job_and_the_new_one_is_finished(
    api: Api, breaks_at: str, again: list[tuple[str, ...]]
) -> None:
    broken_off(api, breaks_at)
    rebuilt.repeat_jobs("frankfurt", [])
    assert changes(api) == again
    assert json.loads(api.changes[-1][1] or "") == JOB_AS_DECLARED


@pytest.mark.parametrize("breaks_at", ["delete", "apply"])
def test_a_newer_job_is_left_as_it_is(api: Api, breaks_at: str) -> None:
    broken_off(api, breaks_at)
    api.found["jobs"] = [api.job("of a deployment since")]
    rebuilt.repeat_jobs("frankfurt", [])
    assert api.changes == []


def test_a_newer_job_of_an_image_that_was_rebuilt_again_is_repeated_as_it_is_now(api: Api) -> None:
    broken_off(api, "apply")
    newer = api.job("of a deployment since")
    newer["spec"]["backoffLimit"] = 7
    api.found["jobs"] = [newer]
    rebuilt.repeat_jobs("frankfurt", [SHOP])
    assert changes(api) == [DELETE, APPLY]
    assert json.loads(api.changes[-1][1] or "")["spec"]["backoffLimit"] == 7


def _destroyed(api: Api) -> None:
    api.found["namespaces"] = []


def _ending(api: Api) -> None:
    api.found["namespaces"][0]["metadata"]["deletionTimestamp"] = "2026-11-29T20:00:00Z"


def _deployed_again(api: Api) -> None:
    api.found["namespaces"][0]["metadata"]["uid"] = "n2"


@pytest.mark.parametrize("since", [_destroyed, _ending, _deployed_again])
def test_a_job_of_a_stack_that_was_destroyed_is_not_made_again(api: Api, since: Callable[[Api], None]) -> None:
    broken_off(api, "apply")
    since(api)
    for _ in range(2):
        rebuilt.repeat_jobs("frankfurt", [])
    assert api.changes == []


def test_a_job_that_is_refused_now_is_said_once(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.refuses = "ValidatingAdmissionPolicy 'shopsphere-migrations' denied request: SEC-002"
    rebuilt.repeat_jobs("frankfurt", [SHOP])
    said = capsys.readouterr()
    assert "data-ledger/ledger-migration is refused" in said.out + said.err
    api.changes, api.refuses = [], ""
    rebuilt.repeat_jobs("frankfurt", [])
    assert api.changes == []


def test_a_job_that_an_api_server_did_not_take_now_is_made_later(api: Api) -> None:
    api.refuses = "connection refused"
    with pytest.raises(CommandError):
        rebuilt.repeat_jobs("frankfurt", [SHOP])
    api.refuses = ""
    rebuilt.repeat_jobs("frankfurt", [])
    assert changes(api) == [DELETE, APPLY]


class Runtime:
    """A node's container runtime, which takes archives or breaks off at one."""

    def __init__(self) -> None:
        self.imported: list[str] = []
        self.breaks_at = ""

    def run(self, command: list[str | Path], **_: Any) -> None:
        name = Path(command[-1]).name
        if name == self.breaks_at:
            raise KeyboardInterrupt
        self.imported.append(name)


def test_a_replaced_image_is_known_until_what_runs_it_was_done_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = Runtime()
    monkeypatch.setattr(images, "run", runtime.run)
    monkeypatch.setattr(images, "containerd_socket", lambda _site: "socket")
    monkeypatch.setattr(images, "disk_directory", lambda _site: tmp_path)
    first = {SHOP: Path("shop-1.tar"), OTHER: Path("gateway-1.tar")}
    assert images.bring_in("frankfurt", first) == []
    second = {SHOP: Path("shop-2.tar"), OTHER: Path("gateway-2.tar")}
    runtime.breaks_at = "gateway-2.tar"
    with pytest.raises(KeyboardInterrupt):
        images.bring_in("frankfurt", second)
    runtime.breaks_at = ""
    for _ in range(2):  # also of a bring-up that broke off after the last import
        assert images.bring_in("frankfurt", second) == [OTHER, SHOP]
    assert runtime.imported == ["shop-1.tar", "gateway-1.tar", "shop-2.tar", "gateway-2.tar"]
    images.forget_replaced("frankfurt")
    assert images.bring_in("frankfurt", second) == []


def test_deployments_roll_before_nodes_are_waited_for_and_jobs_are_repeated_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    topology = load_topology(environment="lab")

    def note(what: str, answer: object = None) -> Callable[..., Any]:
        def noted(*_words: object, **_more: object) -> object:
            done.append(what)
            return answer

        return noted

    monkeypatch.setattr(bring_up, "_answers", lambda _: True)
    monkeypatch.setattr(bring_up, "_is_ready", note("ready", answer=True))
    monkeypatch.setattr(addons, "apply_rights", lambda *_: None)
    monkeypatch.setattr(addons, "apply", note("add-ons"))
    monkeypatch.setattr(images, "bring_in", note("images", [SHOP]))
    monkeypatch.setattr(images, "forget_replaced", note("forgotten"))
    monkeypatch.setattr(rebuilt, "roll_workloads", lambda _, found: done.append(f"rolled {found}"))
    monkeypatch.setattr(rebuilt, "repeat_jobs", lambda _, found: done.append(f"repeated {found}"))
    bring_up._finish_cluster("frankfurt", topology, load_hosts(topology), {})  # noqa: SLF001
    assert done == ["images", f"rolled {{'{SHOP}'}}", "add-ons", "ready", f"repeated {{'{SHOP}'}}", "forgotten"]
