"""A whole run: what is accepted and until when, what could not be looked at, the exit code, text and JSON."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from declared_site import exported
from live_objects import applied_rights, live_objects, set_by
from rbac_of_site import RIGHTS

from cli import main as cli
from shopsphere.clients.cluster_errors import ClusterUnreachableError, ForbiddenError
from shopsphere.drift import looking, render
from shopsphere.drift.ignores import FILE, Ignore, IgnoresError, read_ignores, sift
from shopsphere.drift.kinds import KINDS
from shopsphere.drift.model import Drift, Kind, Report, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Severity
from shopsphere.topology import load_topology

Document = dict[str, Any]
TODAY = date(2026, 11, 27)
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
KIND_OF_PATH = {kind.path(): kind.kind for kind in KINDS} | {kind.path("shop"): kind.kind for kind in KINDS}


class Api:
    """A cluster that holds objects, and counts what it is asked."""

    def __init__(self, lives: dict[str, Document], refused: tuple[str, ...] = ()) -> None:
        resources = [each for each in exported()["deployment"]["resources"] if each["type"].startswith("kubernetes:")]
        kinds = [each["inputs"]["kind"] for each in resources]
        self.objects = [*zip(kinds, lives.values(), strict=True), *applied_rights()]
        self.refused = refused
        self.asked: list[str] = []

    def items(self, path: str, **query: str) -> list[Document]:
        assert query == {}
        self.asked.append(path)
        kind = KIND_OF_PATH[path]
        if kind in self.refused:
            raise ForbiddenError(f"GET {path}: 403 Forbidden")
        return [live for other, live in self.objects if other == kind]


def drift(**changes: Any) -> Drift:
    facts: Document = {
        "site": "frankfurt",
        "object": "Deployment shop/shop",
        "field": "spec.template.spec.containers[name=shop].resources.limits.cpu",
        "declared": "1",
        "live": "2",
        "kind": Kind.CHANGED,
        "severity": Severity.MEDIUM,
        "repair": "do it",
    }
    return Drift(**{**facts, **changes})


def ignore(**changes: Any) -> Ignore:
    facts: Document = {
        "sites": ("frankfurt",),
        "object": "Deployment shop/*",
        "field": "spec.template.spec.containers[name=shop].resources.*",
        "reason": "measured under load until the sizes are declared",
        "owner": "platform",
        "expires": TODAY,
    }
    return Ignore.model_validate({**facts, **changes})


def told(found: SiteDrift, *ignores: Ignore) -> Any:
    return looking.report("frankfurt", "lab", [found], ignores, TODAY)


def test_a_clean_site_is_clean_with_one_request_a_kind() -> None:
    api = Api(live_objects())
    found = told(looking.judge_site(exported(), api, REPAIR, RIGHTS))
    assert (found.exit_code, found.verdict, found.drifts, found.unseen) == (ExitCode.GOOD, "clean", (), ())
    assert sorted(api.asked) == sorted(set(api.asked))
    assert len(api.asked) == len(KINDS)
    assert "/api/v1/secrets" not in api.asked
    assert "/api/v1/namespaces/shop/secrets" in api.asked


def test_a_kind_that_cannot_be_listed_is_unknown_and_hides_no_other() -> None:
    lives = live_objects()
    found = told(looking.judge_site(exported(), Api(lives, refused=("Secret",)), REPAIR, RIGHTS))
    assert (found.exit_code, found.verdict) == (ExitCode.UNKNOWN, "unknown")
    assert [(each.what, "403" in each.why) for each in found.unseen] == [("objects of the kind Secret", True)]
    set_by(lives["config"], ("data", "ca.crt"), "another")
    found = told(looking.judge_site(exported(), Api(lives, refused=("Secret",)), REPAIR, RIGHTS))
    assert (found.exit_code, len(found.drifts), len(found.unseen)) == (ExitCode.CHANGES, 1, 1)


def test_what_an_unlisted_kind_may_have_made_is_not_called_undeclared() -> None:
    api = Api(live_objects(), refused=("ReplicaSet",))
    owner = [{"uid": "x", "kind": "ReplicaSet"}]
    api.objects.append(("Pod", {"metadata": {"name": "a", "namespace": "shop", "uid": "a", "ownerReferences": owner}}))
    found = told(looking.judge_site(exported(), api, REPAIR, RIGHTS))
    assert (found.drifts, found.exit_code) == ((), ExitCode.UNKNOWN)


def test_a_declared_kind_that_is_not_compared_is_unknown() -> None:
    state = exported()
    body = {"apiVersion": "example.org/v1", "kind": "Queue", "metadata": {"name": "q", "namespace": "shop"}}
    state["deployment"]["resources"].append({"custom": True, "type": "kubernetes:example.org/v1:Queue", "inputs": body})
    found = told(looking.judge_site(state, Api(live_objects()), REPAIR, RIGHTS))
    assert found.exit_code == ExitCode.UNKNOWN
    assert found.unseen[0].what == "objects of the kind Queue (example.org/v1)"


def test_a_stack_that_declares_nothing_is_unknown() -> None:
    found = told(looking.judge_site({"deployment": {}}, Api(live_objects()), REPAIR, RIGHTS))
    assert (found.exit_code, found.drifts) == (ExitCode.UNKNOWN, ())


@pytest.mark.requirement("a site that hangs or is dead is unknown, never clean, and hides no other")
def test_sites_are_looked_at_side_by_side_and_within_a_bound() -> None:
    topology = load_topology()
    stacks = [site_stack(topology, site, Environment.LAB) for site in ("dublin", "frankfurt", "chicago", "ashburn")]
    never = threading.Event()

    def look(stack: StackId) -> SiteDrift:
        if stack.site == "dublin":
            never.wait(60)
        if stack.site == "chicago":
            raise ClusterUnreachableError("chicago: no answer\n  from its API")
        if stack.site == "ashburn":
            raise ValueError("nobody foresaw this")
        return SiteDrift(stack.label, 3, 3)

    found = looking.side_by_side(stacks, look, seconds=2)
    never.set()
    assert [each.site for each in found] == ["dublin", "frankfurt", "chicago", "ashburn"]
    assert [len(each.unseen) for each in found] == [1, 0, 1, 1]
    assert found[2].unseen[0].why == "chicago: no answer from its API"
    assert "ValueError: nobody foresaw this" in found[3].unseen[0].why
    assert looking.report("all", "lab", found, (), TODAY).exit_code == ExitCode.UNKNOWN


def test_an_accepted_difference_is_left_out_until_it_expires() -> None:
    found = sift([drift(), drift(object="Deployment shop/worker")], [ignore()], seen={"frankfurt"}, today=TODAY)
    assert (found.drifts, found.ignored) == ([], 2)
    late = sift([drift()], [ignore(expires=date(2026, 11, 26))], seen={"frankfurt"}, today=TODAY)
    assert [(each.kind, each.live) for each in late.drifts] == [
        (Kind.CHANGED, "2"),
        (Kind.IGNORE, "expired on 2026-11-26"),
    ]


@pytest.mark.parametrize(
    ("found", "entry"),
    [
        (drift(field="spec.template.spec.containers[name=tap].resources.limits.cpu"), ignore()),
        (drift(site="dublin"), ignore()),
        (drift(), ignore(manager="kubectl-edit")),
        (drift(object="Deployment payments/payments"), ignore()),
        (drift(residency=True), ignore(object="*", field="*")),
    ],
)
def test_what_an_entry_does_not_name_is_no_business_of_its(found: Drift, entry: Ignore) -> None:
    left = sift([found], [entry], seen={"frankfurt", "dublin"}, today=TODAY)
    assert [each.kind for each in left.drifts] == [Kind.CHANGED, Kind.IGNORE]
    assert left.drifts[1].live == "matches nothing"


def test_an_entry_for_a_site_that_was_not_seen_may_match_there() -> None:
    assert sift([], [ignore(sites=("frankfurt", "dublin"))], seen={"frankfurt"}, today=TODAY).drifts == []


def test_the_file_of_ignores_is_read_exactly(tmp_path: Path) -> None:
    file = tmp_path / "ignores.yaml"
    entry = '{sites: [frankfurt], object: "A b/c", reason: because it is, owner: platform, expires: "2026-12-31"}'
    file.write_text(f"entries:\n  - {entry}\n")
    assert [each.expires for each in read_ignores(file)] == [date(2026, 12, 31)]
    for wrong in ("reason: because it is", "owner: platform", 'expires: "2026-12-31"', "sites: [frankfurt]"):
        shorter = entry.replace(f", {wrong}", "").replace(f"{wrong}, ", "")
        file.write_text(f"entries:\n  - {shorter}\n")
        with pytest.raises(IgnoresError, match="Field required"):
            read_ignores(file)
    sites = {*load_topology().sites}
    assert {site for each in read_ignores(FILE) for site in each.sites} <= sites


def test_text_names_everything_and_the_worst_first() -> None:
    lives = live_objects()
    set_by(lives["config"], ("data", "ca.crt"), "another")
    set_by(lives["policy"], ("spec", "egress", 2), {})
    found = told(looking.judge_site(exported(), Api(lives), REPAIR, RIGHTS))
    lines = render.as_text(found).splitlines()
    assert lines[0] == "CRITICAL, residency  frankfurt: NetworkPolicy shop/to-dns, spec.egress[2]: added"
    assert lines[1:4] == [
        "    declared: nothing",
        "    live:     {}",
        "    by:       kubectl-patch at 2026-11-27T12:34:56Z",
    ]
    assert lines[4].startswith("    do:       kubectl --kubeconfig")
    assert lines[6].startswith("HIGH  frankfurt: ConfigMap shop/pair-authority")
    assert lines[-1] == "drifted: 1 added, 1 changed"


def test_json_has_all_of_it() -> None:
    lives = live_objects()
    set_by(lives["config"], ("data", "ca.crt"), "another")
    document = json.loads(render.as_json(told(looking.judge_site(exported(), Api(lives), REPAIR, RIGHTS))))
    (found,) = document["findings"]
    assert found["author"] == {
        "manager": "kubectl-patch",
        "operation": "Update",
        "subresource": "",
        "at": "2026-11-27T12:34:56Z",
    }
    assert (found["site"], found["object"], found["field"]) == (
        "frankfurt",
        "ConfigMap shop/pair-authority",
        'data["ca.crt"]',
    )
    assert (found["declared"], found["live"], found["kind"], found["severity"]) == ("PEM", "another", "changed", "high")
    assert (document["verdict"], document["counts"]) == ("drifted", {"changed": 1})


@pytest.mark.parametrize(
    ("sites", "code"),
    [
        ([SiteDrift("frankfurt", 1, 1)], 0),
        ([SiteDrift("frankfurt", 1, 1, (drift(),))], 7),
        ([SiteDrift("frankfurt", 1, 1), looking.side_by_side([], lambda _: SiteDrift(""), seconds=1)], 0),
    ],
)
def test_the_command_ends_with_what_was_found(
    sites: list[Any], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [each for each in sites if isinstance(each, SiteDrift)]

    def compare(_topology: object, target: str, environment: str) -> Report:
        return looking.report(target, environment, found, (), TODAY)

    monkeypatch.setattr(looking, "compare", compare)
    assert cli.run(["drift", "frankfurt", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["target"] == "frankfurt"


def test_without_a_lab_everything_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    assert cli.run(["drift", "all"]) == ExitCode.UNKNOWN
    said = capsys.readouterr().out
    assert said.count("UNKNOWN") == 8
    assert cli.run(["drift", "atlantis"]) == ExitCode.WORDS
