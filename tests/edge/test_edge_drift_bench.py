"""The bench's changes of names and CDN, on real servers, against drift and against the real Pulumi."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from edge_host import EdgeHost
from test_edge_pulumi import Pulumi, pulumi  # noqa: F401 - a fixture

from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.http import HttpService
from shopsphere.drift.edge import judge_edge
from shopsphere.drift.edge_declared import declared_edge
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run

sys.path.append(str(REPOSITORY / "bench" / "drift"))
import batches as drift_batches
import pulumi_words
from acts import CDN, DNS, SHELL, Act, Answer, asked
from batches import World, carry_out
from drift_bench_world import GROUND
from findings import Look
from grouping import batches
from injected_edge import CACHE
from injected_edge import edge as of_the_edge
from pulumi_words import COMMANDS, Said
from undo_journal import UndoJournal

DOMAIN = "shopsphere.test"
FOUND, CLEAN = ("found", "found"), ("said clean", "said clean")
SAID = {
    (f"chicago.{DOMAIN}. A at ns2", "records"): FOUND,
    (f"chicago.{DOMAIN}. A at ns2", ""): FOUND,
    ("distribution static", "defaultTtlSeconds"): FOUND,
    (f"shop-us.{DOMAIN}. A at ns2", ""): CLEAN,
    (f"zone internal.{DOMAIN}. at ns2", ""): CLEAN,
    ("distribution drift-bench", ""): CLEAN,
}
"""What Pulumi's `refresh` and `preview --refresh` say. Of other batches they are not asked: that takes seconds each."""


class EdgeHands:
    """The servers' own APIs, and the cache's administrative port."""

    def __init__(self, config: EdgeConfig, edge: EdgeHost) -> None:
        trust = EdgeIdentity.of(config.edge_keys, DEPLOYER).context()
        self._authorities = {
            each: HttpService(each, edge.dns_api(each), trust=trust) for each in edge.settings.authorities
        }
        self._cdn = HttpService("the CDN", edge.cdn_api, trust=trust)

    def do(self, act: Act) -> Answer:
        if act.tool in {DNS, CDN}:
            return asked(self._cdn if act.tool == CDN else self._authorities[act.place], act)
        words = ["bash", "-c", act.words[0]] if act.tool == SHELL else act.words
        done = run(words, check=False, seconds=60)
        return Answer(not done.code, done.stdout if not done.code else done.stderr)


@pytest.mark.full
@pytest.mark.requirement("drifts of names and of the CDN by somebody else are found; what Pulumi says of the same")
def test_changes_of_the_edge_are_found_and_taken_back(
    pulumi: Pulumi,  # noqa: F811 - the fixture
    edge: EdgeHost,
    config: EdgeConfig,
    authorities: list[powerdns.DnsAuthority],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drift_batches, "CLEAN_SECONDS", 90.0)
    monkeypatch.setattr(drift_batches, "_PAUSE", 0.2)
    monkeypatch.setenv("PULUMI_DEBUG_COMMANDS", "true")
    declared = declared_edge(json.loads(pulumi("stack", "export", "--show-secrets").stdout))
    document = cdn_agent.connect_to(config.cdn_url, edge.identity(DEPLOYER)).get("static")
    assert document

    def look(_target: str) -> Look:
        found = judge_edge(declared, "shopsphere up edge")
        unseen = tuple({"site": each.site, "what": each.what, "why": each.why} for each in found.unseen)
        return Look(7 if found.drifts else 0, tuple(each.as_json() for each in found.drifts), unseen)

    def ask(_place: str, command: str) -> Said:
        log = tmp_path / "events"
        log.unlink(missing_ok=True)
        done = pulumi(*COMMANDS[command], "--event-log", str(log), check=False)
        events = [json.loads(line) for line in log.read_text().splitlines()]
        return pulumi_words.said(done.code, done.stdout + done.stderr, events, 0)

    ground = replace(
        GROUND, domain=DOMAIN, document=document, varnish=str(edge.settings.varnish_directory),
        authorities=tuple(each.name for each in authorities),
    )  # fmt: skip
    results: list[dict[str, Any]] = []
    journal = UndoJournal(tmp_path / "journal.json")
    world = World(EdgeHands(config, edge), look, ask, journal, frozenset(), results.append, print)
    for batch in batches(of_the_edge(ground), 12):
        is_asked = any((each.object, each.field) in SAID for each in batch)
        carry_out(world if is_asked else replace(world, ask=None), batch)
    outcomes = {(each["object"], each["field"]): each["outcome"] for each in results}
    assert {key for key, outcome in outcomes.items() if outcome != "found"} == set()
    assert {each["undone_by"] for each in results if each["object"] == CACHE} == {"repair"}
    assert [each["key"] for each in results if not each["clean_after"] or each["strangers"]] == []
    said = {(each["object"], each["field"]): (each["pulumi"]["refresh"], each["pulumi"]["preview"]) for each in results}
    assert {key: said[key] for key in SAID} == SAID
    assert look("").is_clean()
    assert not journal.file.exists()
