"""The examination before a deployment: each defect is found, and what cannot be asked is unknown."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never, cast

import httpx
import pytest

from cli import main as cli
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.doctor import (
    examination,
    programs,
    render,
    site_addons,
    site_api,
    site_images,
    site_nodes,
    state,
    witness,
)
from shopsphere.doctor.question import Question, ask_all
from shopsphere.doctor.site_api import SiteApi, judge_clock, judge_version
from shopsphere.estate.access import WitnessAccess
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, Verdict, passes
from shopsphere.topology import load_topology
from shopsphere.witness import Voter
from shopsphere.witness.own_keys import OwnKeys

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
NOON = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
Document = dict[str, Any]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("v1.36.0", PASSED), ("v1.30.1+k3s1", PASSED), ("v1.29.9", FAILED), ("v0.99", FAILED), ("devel", UNKNOWN)],
)
def test_versions_of_kubernetes(text: str, verdict: Verdict) -> None:
    assert judge_version(text).verdict is verdict


@pytest.mark.parametrize(
    ("told", "verdict", "said"),
    [
        ("Thu, 26 Nov 2026 12:00:00 GMT", PASSED, "within 2 s"),
        ("Thu, 26 Nov 2026 12:00:02 GMT", PASSED, "within 2 s"),
        ("Thu, 26 Nov 2026 11:59:58 GMT", PASSED, "within 2 s"),
        ("Thu, 26 Nov 2026 12:01:00 GMT", FAILED, "60 s ahead of"),
        ("Thu, 26 Nov 2026 11:58:59 GMT", FAILED, "60 s behind"),
        ("noon", UNKNOWN, "tells no time"),
        (None, UNKNOWN, "tells no time"),
    ],
)
def test_clocks(told: str | None, verdict: Verdict, said: str) -> None:
    found = judge_clock(told, NOON, NOON + timedelta(milliseconds=200))
    assert found.verdict is verdict
    assert said in found.found


def node(labels: dict[str, str], watts: str = "1000", ready: str = "True") -> Document:
    return {
        "metadata": {"name": "n1", "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}], "allocatable": {"shopsphere.io/watts": watts}},
    }


RIGHT = {"shopsphere.io/site": "dublin", "shopsphere.io/rack": "r1"}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "no nodes"),
        ([node({})], "shopsphere.io/site is missing, shopsphere.io/rack is missing"),
        ([node({**RIGHT, "shopsphere.io/site": "frankfurt"})], "shopsphere.io/site is frankfurt"),
        ([node(RIGHT, watts="0")], "shopsphere.io/watts is missing"),
        ([node(RIGHT), node(RIGHT, ready="False")], "1 of 2 are not ready"),
    ],
)
def test_nodes_that_workloads_cannot_be_put_on(nodes: list[Document], said: str) -> None:
    found = site_nodes.judge_nodes("dublin", nodes)
    assert found.verdict is FAILED
    assert said in found.found
    assert found.action


def test_nodes_that_are_right() -> None:
    several = {"shopsphere.io/site": "dublin", "rack.shopsphere.io/r1": "", "rack.shopsphere.io/r2": ""}
    found = site_nodes.judge_nodes("dublin", [node(RIGHT), node(several)])
    assert (found.verdict, found.found) == (PASSED, "2 ready, labelled, 2000 W to give")


def definition(*served: str, name: str = "clusters.postgresql.cnpg.io") -> Document:
    return {"metadata": {"name": name}, "spec": {"versions": [{"name": each, "served": True} for each in served]}}


def operator(image: str, available: int = 1) -> Document:
    container = {"name": "manager", "image": image}
    return {
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"availableReplicas": available},
    }


GOOD_OPERATOR = operator("ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0")


@pytest.mark.parametrize(
    ("definitions", "deployments", "verdict", "said"),
    [
        ([definition("v1")], [GOOD_OPERATOR], PASSED, "1.30.0"),
        ([], [GOOD_OPERATOR], FAILED, "no resource"),
        ([definition("v1", name="poolers.postgresql.cnpg.io")], [GOOD_OPERATOR], FAILED, "no resource"),
        ([definition("v1beta1")], [GOOD_OPERATOR], FAILED, "served as v1beta1"),
        ([definition("v1")], [], FAILED, "no operator is running"),
        ([definition("v1")], [operator("x:1.30.0", available=0)], FAILED, "no operator is running"),
        ([definition("v1")], [operator("registry:5000/cnpg:1.22.1")], FAILED, "1.22.1"),
        ([definition("v1")], [operator("registry:5000/cnpg:1.30.1@sha256:ab")], PASSED, "1.30.1"),
        ([definition("v1")], [operator("registry:5000/cnpg@sha256:ab")], UNKNOWN, "says no version"),
    ],
)
def test_the_operator(definitions: list[Document], deployments: list[Document], verdict: Verdict, said: str) -> None:
    found = site_addons.judge_operator(definitions, deployments)
    assert found.verdict is verdict
    assert said in found.found


def service(kind: str, *addresses: str) -> Document:
    ingress = [{"ip": each} for each in addresses]
    return {
        "metadata": {"namespace": "gateway", "name": "gateway"},
        "spec": {"type": kind},
        "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
    }


@pytest.mark.parametrize(
    ("services", "verdict"),
    [
        ([service("LoadBalancer", "10.0.0.1"), service("ClusterIP")], PASSED),
        ([service("LoadBalancer", "10.0.0.1"), service("LoadBalancer")], FAILED),
        ([service("ClusterIP")], UNKNOWN),
    ],
)
def test_load_balancers(services: list[Document], verdict: Verdict) -> None:
    assert site_addons.judge_load_balancer(services).verdict is verdict


@pytest.mark.parametrize(("name", "verdict"), [("calico-node", PASSED), ("cilium", PASSED), ("fluentd", UNKNOWN)])
def test_network_policy_engines(name: str, verdict: Verdict) -> None:
    daemon = {
        "metadata": {"namespace": "kube-system", "name": name},
        "spec": {"template": {"spec": {"containers": [{"name": "agent"}]}}},
    }
    assert site_addons.judge_policy_engine([daemon]).verdict is verdict


def refusing(_host: str, _name: str, _version: str) -> Never:
    raise httpx.ConnectTimeout("no")


@pytest.mark.parametrize(
    ("image", "status", "verdict"),
    [
        ("registry.eu.example/shop:1", 200, PASSED),
        ("registry.eu.example/shop@sha256:ab", 200, PASSED),
        ("registry.eu.example/shop:1@sha256:ab", 200, PASSED),
        ("registry.eu.example/shop:1", 404, FAILED),
        ("registry.eu.example/shop:1", 401, UNKNOWN),
        ("registry.eu.example/shop:1", 0, UNKNOWN),
        ("localhost/shopsphere/shop:1", 200, FAILED),
        ("REPLACE_ME/shop:1", 200, FAILED),
        ("shop", 200, UNKNOWN),
    ],
)
def test_images(image: str, status: int, verdict: Verdict) -> None:
    def answering(_host: str, _name: str, _version: str) -> int:
        return status

    assert site_images.judge_images([image], set(), answering if status else refusing).verdict is verdict
    assert site_images.judge_images([image], {image}, refusing).verdict is PASSED


def test_a_kubelet_names_an_image_by_its_digest_without_the_tag() -> None:
    wanted, at_the_nodes = "registry.eu.example/shop:1@sha256:ab", {"registry.eu.example/shop@sha256:ab"}
    assert site_images.judge_images([wanted], at_the_nodes, refusing).verdict is PASSED
    other = {"registry.eu.example/shop@sha256:cd", "registry.eu.example/shop:1"}
    assert site_images.judge_images([wanted], other, refusing).verdict is UNKNOWN


def test_state_in_a_folder(tmp_path: Path) -> None:
    assert state.judge_folder(tmp_path).verdict is PASSED
    assert "can be made" in state.judge_folder(tmp_path / "a" / "b").found
    (tmp_path / "file").touch()
    assert state.judge_folder(tmp_path / "file" / "state").verdict is FAILED


@pytest.mark.requirement("production keeps no secret under a passphrase")
def test_what_encrypts_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
    assert state.judge_provider("awskms://alias/x").verdict is UNKNOWN
    for provider in ("", "passphrase", "magic://x"):
        found = state.judge_provider(provider)
        assert found.verdict is FAILED
        assert "hunter2" not in found.found


@pytest.mark.parametrize(
    ("problems", "verdict", "said"),
    [
        (["", "", ""], PASSED, "3 voters: newyork"),
        (["timeout", "", ""], FAILED, "2 of 3 voters take part, which is a quorum; not newyork (timeout)"),
        (["timeout", "timeout", ""], FAILED, "NO QUORUM"),
    ],
)
def test_voters(problems: list[str], verdict: Verdict, said: str) -> None:
    hosts = ("10.99.0.40", "10.99.0.21", "10.99.0.31")
    found = [Voter(f"http://{host}:2480", problem) for host, problem in zip(hosts, problems, strict=True)]
    judged = witness.judge_voters(found, {"10.99.0.40": "newyork"})
    assert judged.verdict is verdict
    assert said in judged.found


@pytest.mark.requirement("an operator whose keys are not believed is told by doctor")
@pytest.mark.parametrize(
    ("own", "verdict", "said"),
    [
        (OwnKeys(), PASSED, "3 voters"),
        (OwnKeys(operator="another password"), FAILED, "an operator at this machine cannot read: another password"),
        (OwnKeys({"ca.crt": None}), FAILED, "ca.crt is no certificate"),
    ],
)
def test_keys_of_a_witness(own: OwnKeys, verdict: Verdict, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = tuple(f"https://10.99.0.{host}:2480" for host in (21, 31, 40))
    asked = SimpleNamespace(each_voter=lambda: [Voter(url, "") for url in urls], close=lambda: None)
    monkeypatch.setattr(witness, "witness_in", lambda *_: asked)
    monkeypatch.setattr(witness, "own_keys", lambda *_: own)
    judged = witness.voters("rdc-a", WitnessAccess(witness={"rdc-a": urls}), {})
    assert judged.verdict is verdict
    assert said in judged.found


def test_pulumi_agrees_with_its_library() -> None:
    assert programs.judge_pulumi("v3.259.0\n", "3.259.0", "pulumi").verdict is PASSED
    assert programs.judge_pulumi("v3.200.0", "3.259.0", "pulumi").verdict is FAILED
    assert programs.judge_pulumi("", "3.259.0", "pulumi").verdict is FAILED


def test_an_api_that_does_not_answer_is_told_once() -> None:
    def dead(_stack: object) -> Cluster:
        raise ClusterUnreachableError("dublin: no answer from https://10.99.0.12:6443")

    api = SiteApi(site_stack(load_topology(), "dublin", Environment.LAB), dead)
    own, other = ask_all(
        [
            Question("api", "the API answers", "dublin", api.answers),
            Question("nodes", "nodes are there", "dublin", lambda: site_nodes.nodes(api)),
        ]
    )
    assert (own.verdict, own.found) == (FAILED, "dublin: no answer from https://10.99.0.12:6443")
    assert (other.verdict, other.found) == (UNKNOWN, "its API does not answer")


@pytest.mark.requirement("an API that hangs is said to be silent in bounded time, and hides no other site")
def test_an_api_that_hangs_is_told_at_its_own_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_api, "VERSION_SECONDS", 2.0)
    released, asked = threading.Event(), []

    class Hanging:
        def get(self, path: str) -> Document:
            asked.append(path)
            released.wait(30)
            return {}

    class Answering:
        def get(self, _path: str) -> Document:
            return {"gitVersion": "v1.36.0"}

    topology = load_topology()
    dublin = SiteApi(site_stack(topology, "dublin", Environment.LAB), lambda _stack: cast("Cluster", Hanging()))
    sydney = SiteApi(site_stack(topology, "sydney", Environment.LAB), lambda _stack: cast("Cluster", Answering()))
    others = [Question(str(n), "nodes are there", "dublin", lambda: site_nodes.nodes(dublin)) for n in range(6)]
    start = time.monotonic()
    *waiting, silent, fine = ask_all(
        [
            *others,
            Question("api", "the API answers", "dublin", dublin.answers),
            Question("api", "the API answers", "sydney", sydney.answers),
        ]
    )
    released.set()
    assert time.monotonic() - start < 20, "each of the seven would wait 30 s for itself"
    assert (silent.verdict, fine.verdict) == (FAILED, PASSED)
    assert "no answer" in silent.found
    assert silent.action
    assert {(each.verdict, each.found) for each in waiting} == {(UNKNOWN, "its API does not answer")}
    assert asked == ["/version"]


@pytest.mark.requirement("doctor in a lab that nothing was deployed to sees what `up` would deploy with")
def test_in_a_fresh_lab_the_configuration_is_the_one_that_up_would_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    topology = load_topology()
    asked = {(each.subject, each.check): each for each in examination.questions(topology, "rdc-a", Environment.LAB)}
    api = asked["dublin", "api"].ask()
    assert api.verdict is FAILED
    assert str(tmp_path / "lab" / "kubeconfigs" / "dublin.yaml") in api.found
    keys = asked["edge", "edge-keys"].ask()
    assert keys.verdict is FAILED
    assert str(tmp_path / "lab" / "pki" / "edge") in keys.found
    assert sorted(check for subject, check in asked if subject == "edge" and check.startswith("dns-")) == [
        "dns-ns1",
        "dns-ns2",
    ]
    assert not (tmp_path / "lab").exists()


@pytest.mark.requirement("a check that hangs or breaks is unknown and hides no other")
def test_checks_that_hang_or_break() -> None:
    def hangs() -> Finding:
        time.sleep(30)
        return passes("late")

    def breaks() -> Finding:
        raise KeyError("odd")

    def refuses() -> Finding:
        raise ShopSphereError.build("it broke", expected="peace", found="war", action="talk")

    start = time.monotonic()
    asked = [
        Question(str(n), "title", "edge", ask) for n, ask in enumerate((hangs, breaks, refuses, lambda: passes("x")))
    ]
    late, broken, refused, fine = ask_all(asked, seconds=2)
    assert time.monotonic() - start < 20, "it hangs for 30 s"
    assert [each.verdict for each in (late, broken, refused, fine)] == [UNKNOWN, UNKNOWN, UNKNOWN, PASSED]
    assert late.found == "no answer within 2 s"
    assert "KeyError" in broken.found
    assert (refused.found, refused.action) == ("it broke (war)", "talk")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [([PASSED], 0), ([PASSED, UNKNOWN], 4), ([UNKNOWN, FAILED, PASSED], 1), ([], 0)],
)
def test_exit_codes(verdicts: list[Verdict], code: int) -> None:
    assert render.exit_code([Finding(verdict=each, found="x") for each in verdicts]) == code


def test_one_cause_of_several_checks_is_told_once_and_lines_are_folded() -> None:
    found = "the API of the site in Dublin does not answer within three seconds, whatever is asked of it from here"
    parts = [
        Finding(verdict=UNKNOWN, found=found, action="see to it").by(str(n), f"check {n}", subject="dublin")
        for n in (1, 2)
    ]
    text = render.as_text([*parts, passes("v1.36").by("3", "the API answers", subject="edge")], 80)
    assert max(map(len, text.splitlines())) <= 80
    assert " ".join(text.split()).count("does not answer within") == 1
    assert "  UNKNOWN  check 1\n  UNKNOWN  check 2\n" in text
    assert text.endswith("1 pass, 0 FAIL, 2 UNKNOWN")


@pytest.mark.requirement("doctor works as far as it goes where nothing is reachable: no traceback, in a bounded time")
@pytest.mark.parametrize(("target", "environment"), [("rdc-a", "lab"), ("all", "prod"), ("edge", "prod")])
def test_with_nothing_reachable(
    target: str, environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    start = time.monotonic()
    assert cli.run(["doctor", target, "-e", environment, "--json"]) == 1
    assert time.monotonic() - start < 120, "for what hangs alone: other tests share the machine"
    document = json.loads(capsys.readouterr().out)
    assert document["counts"]["fail"] > 0
    named = {(each["subject"], each["check"]) for each in document["findings"]}
    assert {("this machine", "pulumi"), ("edge", "file")} <= named
    assert all(each["action"] for each in document["findings"] if each["verdict"] != "pass")
    assert "Error: " not in json.dumps(document)


def test_placeholders_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "frankfurt", "-e", "prod"]) == 1
    assert "shopsphere:kubeconfig" in capsys.readouterr().out
