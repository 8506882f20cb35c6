"""The bench of drifts by somebody else judges what drift, admission and Pulumi say, and tells it in a table."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
import compared_table
import pulumi_words
from drift_bench_world import GROUND, finding
from findings import Look, judge, refusal, strangers
from injected_databases import databases
from injections import Injection, Prepared
from pulumi_words import Said
from quiet_runs import judged

Document = dict[str, Any]
SINCE = "2026-11-28T10:00:00Z"
CHANGED = Injection("replicas", "frankfurt", "Deployment shop/shop", "spec.replicas", "kubectl", "cluster", "mallory",
                    lambda _: Prepared((), ()))  # fmt: skip


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([finding()], (True, True, "mallory", True)),
        ([finding(field="spec.other")], (True, False, "mallory", True)),
        ([finding(field="spec.other"), finding()], (True, True, "mallory", True)),
        ([finding(manager="kubectl-patch")], (True, True, "kubectl-patch", False)),
        ([finding(manager="")], (True, True, "", False)),
        ([finding(at="2026-11-28T09:59:59Z")], (True, True, "mallory", False)),
        ([finding(object="Deployment shop/other")], (False, False, "", False)),
        ([finding(site="dublin")], (False, False, "", False)),
        ([], (False, False, "", False)),
    ],
)
def test_a_finding_is_held_against_the_injection(found: list[Document], verdict: tuple[object, ...]) -> None:
    judged_ = judge(CHANGED, found, since=SINCE)
    assert (judged_.object, judged_.field, judged_.author, judged_.author_found) == verdict


def test_nobody_is_asked_for_where_nobody_is_on_record() -> None:
    injection = databases(GROUND)[0]
    found = judge(injection, [finding(object=injection.object, field="", manager="")], since=SINCE)
    assert (found.object, found.field, found.author, found.author_found) == (True, True, "", True)


def test_what_no_injection_explains_is_told_apart() -> None:
    extension = next(each for each in databases(GROUND) if "extension" in each.object)
    found = [
        finding(object=extension.object),
        finding(object="PostgreSQL commerce-frankfurt: commerce: foreign data wrapper postgres_fdw"),
        finding(object="ReplicaSet shop/drift-bench-5d8"),
        finding(object="Service shop/shop", field="spec.ports"),
    ]
    assert strangers([extension], found) == ["frankfurt Service shop/shop spec.ports"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "The deployments \"shop\" is invalid: : ValidatingAdmissionPolicy 'shopsphere-workloads' with binding "
            "'shopsphere-workloads' denied request: RES-007: hostNetwork is not listed",
            "shopsphere-workloads: RES-007: hostNetwork is not listed",
        ),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": x', 'Pod Security: "restricted:latest": x'),
        ('pods "x" is forbidden: exceeded quota: power, requested', "quota: power, requested"),
        ('admission webhook "vcluster.cnpg.io" denied the request: no', "webhook: vcluster.cnpg.io"),
        ("error: the server doesn't have a resource type", ""),
        ('deployments "shop" is forbidden: User "mallory" cannot patch', ""),
    ],
)
def test_a_refusal_names_its_policy(said: str, why: str) -> None:
    assert refusal(said) == why


def event(kind: str, op: str, type_: str, **state: object) -> Document:
    return {kind: {"metadata": {"op": op, "urn": f"urn:pulumi:a::b::{type_}::name", "type": type_, "old": state}}}


def test_what_pulumi_would_change_is_named_as_drift_names_it() -> None:
    deployment_ = "kubernetes:apps/v1:Deployment"
    dynamic = "pulumi-python:dynamic/edge:"
    record = {"name": "sydney.shop.test.", "type": "A"}
    events = [
        event("resourcePreEvent", "refresh", deployment_, id="shop/same"),
        event("resOutputsEvent", "update", deployment_, id="shop/shop"),
        event("resOutputsEvent", "same", deployment_, id="shop/other"),
        event("resourcePreEvent", "update", f"{dynamic}DnsRRset", inputs=record),
        event("resourcePreEvent", "delete", f"{dynamic}CdnDistribution", inputs={"name": "static"}),
        event("resourcePreEvent", "create", "kubernetes:core/v1:Namespace", inputs={"metadata": {"name": "shop"}}),
        {"summaryEvent": {"resourceChanges": {"update": 2}}},
    ]
    assert set(pulumi_words.changed(events)) == {
        "Deployment shop/shop", "sydney.shop.test. A", "distribution static", "Namespace shop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text", "verdict", "of_the_shop"),
    [
        (0, "", "said clean", "said clean"),
        (7, "error: no changes were expected but changes were proposed", "found", "found"),
        (255, "error: the stack is currently locked", "could not", "could not"),
    ],
)
def test_what_pulumi_said_is_judged_by_the_object(code: int, text: str, verdict: str, of_the_shop: str) -> None:
    said = pulumi_words.said(code, text, [event("resOutputsEvent", "update", "x:y/v1:Deployment", id="")], 1)
    assert said.verdict == verdict
    events = [event("resOutputsEvent", "update", "kubernetes:apps/v1:Deployment", id="shop/shop")] if code == 7 else []
    assert pulumi_words.said(code, text, events, 1).of(CHANGED) == of_the_shop


def test_a_run_that_stops_at_an_object_says_so_of_it_alone() -> None:
    type_ = "kubernetes:apps/v1:Deployment"
    failed = event("resourcePreEvent", "update", type_, id="shop/shop")
    service = "kubernetes:core/v1:Service"
    others = [event("resOutputsEvent", op, f"{service}{op}", id="shop/shop") for op in ("update", "same")]
    for each, urn in zip((failed, *others), "abc", strict=True):
        next(iter(each.values()))["metadata"]["urn"] = urn
    error = {"diagnosticEvent": {"urn": "a", "severity": "error", "message": "conflict with\n  mallory"}}
    last = {"diagnosticEvent": {"severity": "error", "message": "preview failed"}}
    said = pulumi_words.said(255, "error: preview failed", [failed, *others, error, last], 1)
    assert said.of(CHANGED) == "stopped at it"
    assert said.of(replace(CHANGED, object="Serviceupdate shop/shop")) == "found"
    assert said.of(replace(CHANGED, object="Servicesame shop/shop")) == "could not"
    assert said.problem == "conflict with mallory preview failed"


def test_changes_that_pulumi_does_not_name_say_nothing_about_an_object() -> None:
    other = Said("found", frozenset({"Service shop/shop"}))
    assert other.of(CHANGED) == "said clean"
    assert Said("found").of(CHANGED) == "could not"


LINE: Document = {
    "key": "k", "run": "2026-11-28T10:00:00+00:00", "target": "rdc-b", "machine": "2 cores", "commit": "abc",
    "kind": "sidecar added", "how": "kubectl", "object": "Deployment shop/shop", "field": "a|b", "outcome": "found",
    "problem": "", "drift": {"author": "mallory", "wanted_author": "mallory", "author_found": True},
    "pulumi": {"refresh": "said clean", "preview": "found"}, "undone_by": "repair", "clean_after": True,
}  # fmt: skip
REFUSED: Document = {**{k: v for k, v in LINE.items() if k not in {"drift", "pulumi"}}, "key": "r",
                     "outcome": "refused by admission", "problem": "shopsphere-pods: RES-007"}  # fmt: skip


def test_the_table_says_what_the_lines_say() -> None:
    missed = {**LINE, "key": "m", "object": "x", "outcome": "missed",
              "drift": {"author": "", "wanted_author": "mallory", "author_found": False}}  # fmt: skip
    old = {**LINE, "key": "o", "run": "2026-11-27T10:00:00+00:00", "object": "of an older run"}
    lines = compared_table.last_runs([old, LINE, missed, REFUSED])
    text = compared_table.text(lines, [])
    assert "2 changes of 1 kinds got in. `drift` found 1 with object, field and author, and missed 1." in text
    assert "| sidecar added | 2 | 1, 1 missed | 2 said clean | 2 found |" in text
    assert "| kubectl | Deployment shop/shop, `a\\|b` | found, by mallory | said clean | found | repair |" in text
    assert "| sidecar added | Deployment shop/shop `a\\|b` | shopsphere-pods: RES-007 |" in text
    assert "of an older run" not in text
    assert "While things change" not in text


def test_a_table_of_nothing_is_not_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "compared.md"
    assert compared_table.write(tmp_path / "none.jsonl", tmp_path / "none.jsonl", document) == 1
    assert not document.exists()
    assert "has no results" in capsys.readouterr().err
    (tmp_path / "some.jsonl").write_text(json.dumps(LINE) + "\n")
    assert compared_table.write(tmp_path / "some.jsonl", tmp_path / "none.jsonl", document) == 0
    assert "sidecar added" in document.read_text()


UNSEEN = {"site": "dublin", "what": "roles of the databases", "why": "a change is under way"}


@pytest.mark.parametrize(
    ("look", "roles_move", "is_quiet"),
    [
        (Look(0), False, True),
        (Look(0), True, True),
        (Look(4, unseen=(UNSEEN,)), True, True),
        (Look(4, unseen=(UNSEEN,)), False, False),
        (Look(7, (finding(),)), True, False),
        (Look(-1, problem="did not end"), True, False),
        (Look(1), False, False),
    ],
)
def test_quiet_is_no_finding_and_unknown_only_while_roles_move(look: Look, roles_move: bool, is_quiet: bool) -> None:
    result = judged(("a drill", roles_move), 1, look)
    assert result["is_quiet"] is is_quiet
    text = compared_table.text([LINE], [{**LINE, **result}])
    assert f"{int(is_quiet)} of 1 looks made no noise" in text
