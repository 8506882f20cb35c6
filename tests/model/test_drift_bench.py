"""The bench of drifts by somebody else: what it sends it can take back, and it judges what drift and Pulumi say."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
import batches as drift_batches
import compared_table
import pulumi_words
from acts import Act, Answer
from batches import StillThereError, World, carry_out
from drift_bench_world import GROUND, ClusterHands, deployment, finding
from findings import Look, judge, refusal, strangers
from injected_databases import databases
from injected_edge import edge
from injected_hosts import hosts
from injected_objects import objects
from injected_workloads import workloads
from injections import Injection, Prepared, patched
from patches import Edit, NoSuchPlaceError, change_of
from pulumi_words import Said
from quiet_runs import judged
from result_lines import Lines, read
from undo_journal import ABOUT, INJECTED, Entry, JournalError, UndoJournal, recover

Document = dict[str, Any]
EVERY = [*workloads(GROUND), *objects(GROUND), *databases(GROUND), *edge(GROUND), *hosts(GROUND)]
SINCE = "2026-11-28T10:00:00Z"


def test_there_are_enough_injections_and_each_has_a_name_of_its_own() -> None:
    without_hosts = [each for each in EVERY if each.family != "hosts"]
    assert len(without_hosts) >= 100
    assert len({each.kind for each in without_hosts}) >= 25
    keys = [each.key for each in EVERY]
    assert len(keys) == len(set(keys))
    assert {each.how for each in EVERY} == {"kubectl", "psql", "DNS API", "CDN API", "varnishadm", "nft"}


def applied(patch: Sequence[Document], document: Any) -> Any:
    """Return what an API server makes of a JSON patch (RFC 6902), for the operations that are used here."""
    now = deepcopy(document)
    for each in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]]
        node = now
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node[step]
        key: Any = int(last) if isinstance(node, list) else last
        match each["op"]:
            case "test":
                assert node[key] == each["value"], each
            case "remove":
                del node[key]
            case "replace":
                assert key in node if isinstance(node, dict) else key < len(node)
                node[key] = each["value"]
            case "add" if isinstance(node, list):
                assert key <= len(node)
                node.insert(key, each["value"])
            case "add":
                node[key] = each["value"]
    return now


SPEC = ("spec", "template", "spec")
SHOP = (*SPEC, "containers", {"name": "shop"})


@pytest.mark.parametrize(
    ("edits", "at", "value"),
    [
        ([Edit((*SPEC, "containers", "-"), {"name": "tap"})], "/spec/template/spec/containers/1", {"name": "tap"}),
        ([Edit((*SHOP, "env", {"name": "A"}, "value"), "2")], "/spec/template/spec/containers/0/env/0/value", "2"),
        ([Edit((*SPEC, "initContainers", "-"), {"name": "i"})], "/spec/template/spec/initContainers", [{"name": "i"}]),
        (
            [Edit(("metadata", "annotations", "a/b"), "x"), Edit(("metadata", "annotations", "c~d"), "y")],
            "/metadata/annotations",
            {"a/b": "x"},
        ),
        ([Edit(("spec", "replicas"), lambda count: count + 1)], "/spec/replicas", 3),
    ],
)
def test_a_change_names_its_place_and_can_be_taken_back(edits: list[Edit], at: str, value: object) -> None:
    before = deployment()
    change = change_of(edits, before)
    assert (change.there[0]["path"], change.there[0]["value"]) == (at, value)
    after = applied(change.there, before)
    assert after != before
    assert change.holds(after)
    assert not change.holds(before)
    left = applied(change.back, after)
    left["metadata"].pop("annotations", None)  # an empty mapping is none to an API server
    assert left == before


def test_what_is_taken_away_comes_back_at_its_place() -> None:
    before = deployment()
    before["spec"]["template"]["spec"]["containers"].append({"name": "second"})
    change = change_of([Edit(SHOP)], before)
    after = applied(change.there, before)
    assert [each["name"] for each in after["spec"]["template"]["spec"]["containers"]] == ["second"]
    assert applied(change.back, after) == before
    assert change.holds(after)
    assert not change.holds(before)


def test_a_patch_back_touches_nothing_when_the_change_was_never_made() -> None:
    before = deployment()
    change = change_of([Edit((*SPEC, "containers", "-"), {"name": "tap"})], before)
    with pytest.raises((AssertionError, IndexError)):
        applied(change.back, before)
    inserted = change_of([Edit(("spec", "egress", 0), {"to": []})], {"spec": {"egress": []}})
    with pytest.raises((AssertionError, IndexError)):
        applied(inserted.back, {"spec": {"egress": [{"ports": [53]}]}})


def test_a_patch_back_does_not_mind_what_a_server_fills_in() -> None:
    before = deployment()
    change = change_of([Edit((*SPEC, "containers", "-"), {"name": "tap", "env": [{"name": "A"}]})], before)
    after = applied(change.there, before)
    after["spec"]["template"]["spec"]["containers"][1]["terminationMessagePath"] = "/dev/termination-log"
    assert applied(change.back, after) == before


@pytest.mark.parametrize("path", [("spec", "nothing"), (*SPEC, "containers", {"name": "none"}), ("spec", {"name": "x"})])
def test_a_place_that_is_not_there_is_an_error(path: tuple[Any, ...]) -> None:
    with pytest.raises(NoSuchPlaceError):
        change_of([Edit(path)], deployment())


def test_a_patched_object_is_read_first_and_gets_its_record_back() -> None:
    hands = ClusterHands()
    injection = patched("replicas", "frankfurt", ("Deployment", "shop", "shop"), "spec.replicas", Edit(("spec", "replicas"), 3))
    prepared = injection.prepare(hands)
    do, undo, tidy = prepared.do[0], prepared.undo[0], prepared.tidy[0]
    assert (do.user, undo.user, injection.author) == ("mallory", "", "mallory")
    assert "--field-manager=mallory" in do.words
    assert '--patch=[{"op": "replace", "path": "/spec/replicas", "value": 3}]' in do.words
    assert '--patch=[{"op": "add", "path": "/spec/replicas", "value": 2}]' in undo.words
    assert '"/metadata/managedFields"' in " ".join(tidy.words)
    assert "pulumi-kubernetes-1" in " ".join(tidy.words)
    assert prepared.is_there
    assert not prepared.is_there(hands)
    hands.do(do)
    assert prepared.is_there(hands)
    hands.do(undo)
    assert not prepared.is_there(hands)


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
            'The deployments "shop" is invalid: : ValidatingAdmissionPolicy \'shopsphere-workloads\' with binding '
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


def test_changes_that_pulumi_does_not_name_say_nothing_about_an_object() -> None:
    other = Said("found", frozenset({"Service shop/shop"}))
    assert other.of(CHANGED) == "said clean"
    assert Said("found").of(CHANGED) == "could not"


class Script:
    """Hands that note what they were given, and refuse what they are told to refuse."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.done: list[str] = []

    def do(self, act: Act) -> Answer:
        text = " ".join(act.words)
        self.done.append(text)
        return Answer(done=not any(each in text for each in self.refused), said=f"no {text}")


def entry(name: str, state: str = ABOUT) -> Entry:
    return Entry(name, "frankfurt", (Act("kubectl", (f"undo-{name}",), "frankfurt"),), state)


def test_a_journal_outlives_its_process_and_goes_with_the_last_entry(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    journal = UndoJournal(file)
    journal.about_to([entry("a"), entry("b")])
    assert file.stat().st_mode & 0o777 == 0o600
    journal.note("a", INJECTED)
    again = UndoJournal.left(file)
    assert [(each.key, each.state) for each in again.open_entries] == [("b", ABOUT), ("a", INJECTED)]
    with pytest.raises(JournalError, match="2 injections"):
        again.about_to([entry("c")])
    hands = Script()
    recover(again, hands, lambda _place: False, lambda _text: None)
    assert hands.done == ["undo-b", "undo-a"]
    assert not file.exists()
    assert UndoJournal.left(file).open_entries == []


def test_what_cannot_be_taken_back_counts_only_while_drift_sees_it(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    UndoJournal(file).about_to([entry("a"), entry("b")])
    with pytest.raises(JournalError, match="a: no undo-a"):
        recover(UndoJournal.left(file), Script("undo-a"), lambda _place: False, lambda _text: None)
    assert [each.key for each in UndoJournal.left(file).open_entries] == ["a"]
    recover(UndoJournal.left(file), Script("undo-a"), lambda place: place == "frankfurt", lambda _text: None)
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 2, "entries": []}', '{"version": 1, "entries": [1]}'])
def test_a_journal_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "journal.json"
    file.write_text(text)
    with pytest.raises(JournalError, match="by hand"):
        UndoJournal.left(file)
    assert file.exists()


def injected(name: str, **differing: Any) -> Injection:
    facts: dict[str, Any] = {
        "kind": "kind", "place": "frankfurt", "object": f"Deployment shop/{name}", "field": "f", "how": "kubectl",
        "family": "cluster", "author": "mallory",
        "prepare": lambda _: Prepared(
            (Act("kubectl", (f"do-{name}",)),), (Act("kubectl", (f"undo-{name}",)),), (Act("kubectl", (f"tidy-{name}",)),)
        ),
    }  # fmt: skip
    return Injection(**{**facts, **differing})


def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hands: Script, looks: list[Look], said: Said | None = None
) -> tuple[World, list[Document]]:
    monkeypatch.setattr(drift_batches.time, "sleep", lambda _seconds: None)
    results: list[Document] = []
    remaining = iter(looks)
    ask: Callable[[str, str], Said] | None = (lambda _place, _command: said) if said else None
    journal = UndoJournal(tmp_path / "journal.json")
    return World(hands, lambda _target: next(remaining), ask, journal, frozenset(), results.append, lambda _: None), results


def seen(*found: Document) -> Look:
    return Look(7 if found else 0, tuple(found))


def of(name: str, repair: str = "kubectl fix", **differing: str) -> Document:
    return finding(object=f"Deployment shop/{name}", field="f", at="2999-01-01T00:00:00Z", repair=repair, **differing)


def test_a_batch_is_made_judged_taken_back_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Script("do-refused")
    looks = [seen(of("a"), of("b", "shopsphere up frankfurt"), of("c", "kubectl break")), seen()]
    stage, results = world(tmp_path, monkeypatch, hands, looks, Said("found", frozenset({"Deployment shop/a"})))
    carry_out(stage, [injected("a"), injected("b"), injected("missed"), injected("refused")])
    assert {each["object"].partition("/")[2]: each["outcome"] for each in results} == {
        "a": "found", "b": "found", "missed": "missed", "refused": "could not",
    }  # fmt: skip
    assert hands.done == [
        "do-a", "do-b", "do-missed", "do-refused", "undo-missed", "undo-b", "kubectl fix", "tidy-a", "tidy-b", "tidy-missed",
    ]  # fmt: skip
    first, second = results[0], results[1]
    assert first["undone_by"] == "repair"
    assert second["undone_by"] == "what was saved"
    assert first["pulumi"] == {"refresh": "found", "preview": "found"}
    assert second["pulumi"] == {"refresh": "said clean", "preview": "said clean"}
    assert first["clean_after"]
    assert first["strangers"] == ["frankfurt Deployment shop/c f"]
    assert not (tmp_path / "journal.json").exists()


def test_what_a_repair_leaves_is_taken_back_by_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Script()
    leftover = finding(object="Cluster data-ledger/x", field="annotation", repair="kubectl sweep")
    stage, results = world(tmp_path, monkeypatch, hands, [seen(of("a")), seen(of("a"), leftover), seen()])
    carry_out(stage, [injected("a")])
    assert hands.done == ["do-a", "kubectl fix", "undo-a", "kubectl sweep", "tidy-a"]
    assert results[0]["undone_by"] == "repair, then what was saved"
    assert results[0]["undo_problem"] == "the repair left f"
    assert results[0]["left"] == ["frankfurt Cluster data-ledger/x annotation"]
    assert results[0]["pulumi"] == {"refresh": "not asked", "preview": "not asked"}


def test_what_stays_stops_the_bench_and_stays_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_batches, "CLEAN_SECONDS", 0.0)
    stage, results = world(tmp_path, monkeypatch, Script("undo-a"), [seen(of("a", "look")), seen(of("a")), seen(of("a"))])
    with pytest.raises(StillThereError, match="Deployment shop/a"):
        carry_out(stage, [injected("a")])
    assert [each.state for each in UndoJournal.left(tmp_path / "journal.json").open_entries] == [INJECTED]
    assert results[0]["clean_after"] is False


def test_what_a_controller_took_back_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = injected("a", prepare=lambda _: Prepared((Act("kubectl", ("do",)),), (Act("kubectl", ("undo",)),),
                                                    is_there=lambda _hands: False))  # fmt: skip
    stage, results = world(tmp_path, monkeypatch, Script(), [seen(), seen()])
    carry_out(stage, [gone])
    assert results[0]["outcome"] == "taken back"


def test_batches_hold_different_objects_of_one_place_and_family() -> None:
    same, other = injected("a", field="g"), injected("b")
    far = injected("c", place="edge", family="edge")
    found = drift_batches.batches([injected("a"), same, other, far, injected("d"), injected("e")], 3)
    names = [[f"{each.object[-1]}{each.field}" for each in batch] for batch in found]
    assert names == [["af", "bf", "df"], ["ag", "ef"], ["cf"]]
    sizes = [len(batch) for batch in drift_batches.batches(EVERY, 6)]
    assert sum(sizes) == len(EVERY)
    assert max(sizes) == 6


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    first = Lines.open(file, "rdc-a")
    first.write({"key": "a", "outcome": "missed"})
    first.write({"key": "a", "outcome": "found"})
    Lines(file, "rdc-b", "another", "c").write({"key": "b", "outcome": "found"})
    with file.open("a") as sink:
        sink.write('{"run": "half')
    again = Lines.open(file, "rdc-a", resume=True)
    assert (again.run, again.done_keys()) == (first.run, {"a"})
    assert [each["outcome"] for each in again.of_run()] == ["found"]
    assert len(read(file)) == 3


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
