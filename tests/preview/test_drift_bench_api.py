"""The bench's changes by somebody else, on a real API server with a site's admission: found, refused, taken back."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from admitting_api import in_force
from kube_api import DEPLOYER, KubeApi, api_with_databases
from test_drift import apply, apply_rights, compared, state_of

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

sys.path.append(str(REPOSITORY / "bench" / "drift"))
import batches as drift_batches
from acts import CONTROLLER, GROUP, KUBECTL, SHELL, Act, Answer
from batches import World, carry_out
from drift_bench_world import GROUND
from findings import Look
from grouping import batches
from injected_objects import objects
from injected_workloads import workloads
from undo_journal import UndoJournal

Document = dict[str, Any]
_BEFORE_THE_VERB = 5
"""Words of a repair command that lead to the cluster."""


class ApiHands:
    """kubectl at that server, as somebody else or as the deployment."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api

    def do(self, act: Act) -> Answer:
        words, body = act.words, act.body or None
        assert act.tool in {KUBECTL, SHELL}, act
        if act.tool == SHELL:
            words = tuple(shlex.split(words[0])[_BEFORE_THE_VERB:])
        who = (f"--as={act.user}", f"--as-group={GROUP}") if act.user else ()
        done = self._api.kubectl(*who, *words, stdin=body, context=DEPLOYER, check=False)
        return Answer(not done.code, done.stdout if not done.code else done.stderr)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    with api_with_databases(tmp_path_factory.mktemp("kube")) as started:
        yield started


@pytest.mark.full
@pytest.mark.requirement("at least 50 drifts by another identity are found, with object, field and author")
def test_what_admission_lets_in_is_found_and_taken_back(
    api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_batches, "CLEAN_SECONDS", 90.0)
    monkeypatch.setattr(drift_batches, "_PAUSE", 0.2)
    state, results = state_of(lambda _each: True), list[Document]()
    apply(api, state)
    apply_rights(api, state)
    in_force(api)
    # In a cluster a controller makes it, and no pod is let in without.
    account = ("create", "serviceaccount", "default", "--namespace=shop")
    api.kubectl(f"--as={CONTROLLER}", f"--as-group={GROUP}", *account, context=DEPLOYER)

    def look(_target: str) -> Look:
        found = compared(api, state)
        unseen = tuple({"site": each.site, "what": each.what, "why": each.why} for each in found.unseen)
        return Look(7 if found.drifts else 0, tuple(each.as_json() for each in found.drifts), unseen)

    wait_until(lambda: look("").is_clean(), what="a clean site", seconds=180, interval=0.5)
    journal = UndoJournal(tmp_path / "journal.json")
    world = World(ApiHands(api), look, None, journal, frozenset(), results.append, print)
    ground = replace(GROUND, pod_address=str(load_topology(environment="lab").site("frankfurt").pod_network[-2]))
    for batch in batches([*workloads(ground), *objects(ground)], 20):
        carry_out(world, batch)
    counts = Counter(each["outcome"] for each in results)
    odd = [each for each in results if each["outcome"] not in {"found", "refused by admission"}]
    # What the database operator makes is not there, and the guard is a file of the lab's API servers.
    assert {each["object"].partition(" ")[0] for each in odd} <= {"RoleBinding"}, [
        (each["key"], each["outcome"], each["problem"], each.get("drift")) for each in odd
    ]
    assert counts["found"] >= 50
    assert counts["refused by admission"] >= 20
    assert len({each["kind"] for each in results if each["outcome"] == "found"}) >= 10
    assert [each["key"] for each in results if "drift" in each and not each["clean_after"]] == []
    assert {stranger for each in results for stranger in each.get("strangers", ())} == set()
    assert look("").is_clean()
    assert not journal.file.exists()
