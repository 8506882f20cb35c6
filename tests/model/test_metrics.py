"""The exporter: a real scrape over HTTP of a pair made of plain documents."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from ready_pair import AWAY, HOME, PAIR, ReadyPair, drill, named, record

from runbooks.metrics.collecting import Collection
from runbooks.metrics.exposition import registry_of
from runbooks.metrics.registry import METRICS
from runbooks.metrics.serving import CONNECTIONS, Serving
from runbooks.metrics.sources import SOURCES
from runbooks.readiness.drill_record import save
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Sync, Voter, WitnessUnreachableError

Figures = dict[tuple[str, ...], float]
ENDED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAYMENTS = """# TYPE payments_unsettled gauge
payments_unsettled 2
# TYPE payments_unsettled_oldest_seconds gauge
payments_unsettled_oldest_seconds 41.5
# TYPE something_else gauge
something_else 1
"""


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReadyPair:
    made = ReadyPair(monkeypatch, tmp_path)
    save(records_directory(Environment.LAB), drill(ended=ENDED))
    gib = 2**30
    made.voters = [
        Voter("http://10.99.0.71:2480", "", 64 * 2**20, 2**20, 2 * gib, ends=ENDED + timedelta(days=400)),
        Voter("http://192.0.2.9:2480", "ConnectError"),
    ]
    for site, written in ((HOME, True), (AWAY, False)):
        made.sites[site].take_event_log()
        made.agents[site] |= {
            "lease_seconds_left": 7.5 if written else 0.0,
            "permit": None,
            "witness": {"seconds_ago": 0.4 if written else 1.2},
            "unproven": "",
            "belief": {"signed": True, "problem": ""},
            "certificates": {"API server": "2027-11-30T00:00:00+00:00", "witness": None},
        }
        _make_visible(made, site, monkeypatch)
    return made


def _make_visible(pair: ReadyPair, site: str, patch: pytest.MonkeyPatch) -> None:
    """What `status` lists beside what readiness lists, and the shop's own programs."""
    cluster = pair.sites[site]
    documents = []
    for database in DATABASES:
        document = cluster.clusters[database.name]
        document["metadata"]["labels"] = {"app.kubernetes.io/name": database.name}
        documents.append(document)
    cluster.lists["/apis/postgresql.cnpg.io/v1/clusters"] = documents
    cluster.lists["/api/v1/persistentvolumes"] = []
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    for workload in ("shop", "payments"):
        cluster.lists[f"/api/v1/namespaces/{workload}/pods"] = [named(workload, f"{workload}-1", status=ready)]
    usual = cluster.execute

    def execute(namespace: str, pod: str, container: str, command: Sequence[str], **bounds: float) -> str:
        if command == ["shop", "metrics", "8001"] and namespace == "payments":
            return PAYMENTS
        if command == ["shop", "metrics", "8000"] and namespace == "shop":
            return "orders_unsettled 0\norders_unsettled_oldest_seconds 0\n"
        return usual(namespace, pod, container, command, **bounds)

    patch.setattr(cluster, "execute", execute)


@pytest.fixture
def collection(pair: ReadyPair, said: list[str]) -> Collection:
    return Collection([pair.access], said.append)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def scrape(collection: Collection) -> Iterator[str]:
    serving = Serving("127.0.0.1", 0, registry_of(collection.samples))
    serving.start()
    yield f"http://127.0.0.1:{serving.port}/metrics"
    serving.stop()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=10).status_code == 200
    except httpx.HTTPError:
        return False


def figures(url: str) -> Figures:
    """Every sample by its name and the values of its labels, sorted by the labels' names."""
    answer = httpx.get(url, trust_env=False, timeout=10)
    assert answer.status_code == 200
    found: Figures = {}
    for family in text_string_to_metric_families(answer.text):
        for each in family.samples:
            assert each.labels.pop("pair") == PAIR
            found[each.name, *(value for _, value in sorted(each.labels.items()))] = each.value
    return found


def up(found: Figures, source: str, site: str = "") -> float:
    return found["shopsphere_source_up", site, source]


@pytest.mark.requirement("what an operator has to be woken for is told: lease, doors, lag, sync, payments, quota")
def test_a_healthy_pair(collection: Collection, scrape: str, said: list[str]) -> None:
    assert figures(scrape) == {("shopsphere_pair_info", "eu", HOME, AWAY): 1}
    collection.once()
    found = figures(scrape)
    assert said == []
    expected: Figures = {
        ("shopsphere_lease_held", HOME): 1,
        ("shopsphere_lease_held", AWAY): 0,
        ("shopsphere_site_active", HOME): 1,
        ("shopsphere_site_active", AWAY): 0,
        ("shopsphere_phase", "steady"): 1,
        ("shopsphere_phase", "draining"): 0,
        ("shopsphere_phase", "fencing"): 0,
        ("shopsphere_sync_on",): 1,
        ("shopsphere_epoch",): 1,
        ("shopsphere_door_open", "writes", HOME): 1,
        ("shopsphere_door_open", "writes", AWAY): 0,
        ("shopsphere_door_open", "databases", AWAY): 1,
        ("shopsphere_lease_left_seconds", HOME): 7.5,
        ("shopsphere_permit_standing", HOME): 0,
        ("shopsphere_witness_heard_seconds", AWAY): 1.2,
        ("shopsphere_fence_proven", AWAY): 1,
        ("shopsphere_record_believed", AWAY): 1,
        ("shopsphere_voter_up", "http://192.0.2.9:2480"): 0,
        ("shopsphere_replication_streaming", "ledger", HOME): 1,
        ("shopsphere_replication_streaming", "ledger", AWAY): 1,
        ("shopsphere_replication_synchronous", "ledger", HOME): 1,
        ("shopsphere_replication_synchronous", "commerce", HOME): 0,
        ("shopsphere_replication_lag_bytes", "ledger", HOME): 168,
        ("shopsphere_replication_lag_seconds", "ledger", AWAY): 0,
        ("shopsphere_database_leads", "commerce", HOME): 1,
        ("shopsphere_database_leads", "commerce", AWAY): 0,
        ("shopsphere_database_disk_used_ratio", "ledger", HOME): 0.4,
        ("shopsphere_log_kept_bytes", "ledger", HOME): 268435456,
        ("shopsphere_nodes_ready", AWAY): 1,
        ("shopsphere_payments_unsettled", HOME): 2,
        ("shopsphere_payments_unsettled_oldest_seconds", HOME): 41.5,
        ("shopsphere_orders_unsettled", HOME): 0,
        ("shopsphere_drill_ended_timestamp_seconds",): ENDED.timestamp(),
        ("shopsphere_drill_green",): 1,
        ("shopsphere_check_passed", "P1"): 1,
        ("shopsphere_check_passed", "P7"): 0,
        ("shopsphere_certificates_unreadable", HOME): 0,
        ("shopsphere_check_passed", "P13"): 1,
        ("shopsphere_event_log_ready", AWAY, "kafka"): 1,
        ("shopsphere_event_log_ready", HOME, "collector"): 1,
        ("shopsphere_clicks_still_seconds", HOME): 0.4,
        ("shopsphere_clicks_behind", HOME): 12,
        ("shopsphere_clicks_behind_seconds", AWAY): 0,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("shopsphere_replication_lag_seconds", "ledger", HOME) not in found, "the copy measures its time itself"
    assert {value for key, value in found.items() if key[0] == "shopsphere_source_up"} == {1}
    quotas = [value for key, value in found.items() if key[0] == "shopsphere_voter_quota_bytes"]
    assert quotas == [2147483648], "a voter that tells no quota has no sample"
    assert sorted(value for key, value in found.items() if key[0] == "shopsphere_voter_up") == [0, 1]
    ends = {key[1:]: value for key, value in found.items() if key[0].startswith("shopsphere_certificate_ends")}
    assert ("tls.crt", "gateway", "gateway-tls", HOME) in ends
    assert ("ca.crt", "data-ledger", "pair-ca", AWAY) in ends
    assert min(ends.values()) > time.time()
    witness = [key[1] for key, value in found.items() if key[0].startswith("shopsphere_witness_certificate") and value]
    edge = {key[1] for key, value in found.items() if key[0].startswith("shopsphere_edge_certificate") and value}
    assert edge == {"ca.crt", "runbooks.crt", "door of ns1"}
    roles = {key[1:]: value for key, value in found.items() if key[0].startswith("shopsphere_role_certificate")}
    assert {key for key in roles if roles[key] > time.time()} == {("watch", HOME), ("watch", AWAY)}
    event_log = [value for key, value in found.items() if key[0].startswith("shopsphere_event_log_certificate")]
    assert [round((end - time.time()) / 86400) for end in event_log] == [700, 700]
    assert sorted(witness) == ["voter http://10.99.0.71:2480", "watcher.crt"]


def test_every_metric_has_a_source_or_is_awaited(collection: Collection, scrape: str) -> None:
    collection.once()
    told = {key[0] for key in figures(scrape)} | {
        f"shopsphere_{service}_{what}"
        for service in ("payments", "orders")
        for what in ("unsettled_with_problem", "reconciled_seconds", "reconciliation_differences")
    }  # the fakes leave these out, as a service does before its first comparison
    told.add("shopsphere_complete_copies")  # of sites of several instances, which these are not
    assert told == {name for name, metric in METRICS.items() if not metric.awaited}
    named = {metric.name for source in SOURCES for metric in source.metrics}
    assert named == told - {"shopsphere_pair_info", "shopsphere_source_up"}


@pytest.mark.requirement("who operates a site waits for its event log as for everything else")
def test_an_event_log_that_stands_still(pair: ReadyPair, collection: Collection, scrape: str) -> None:
    worker = pair.sites[AWAY].lists["/apis/apps/v1/deployments"][-2]
    assert worker["metadata"]["name"] == "insight"
    worker["status"] = {}
    pair.sites[HOME].lists["/apis/apps/v1/statefulsets"].clear()
    collection.once()
    found = figures(scrape)
    assert found["shopsphere_event_log_ready", HOME, "kafka"] == 0, "one that is not there is not ready"
    assert found["shopsphere_event_log_ready", AWAY, "insight"] == 0
    assert up(found, "event-log", AWAY) == 1, "its worker has no ready pod, and is not asked"
    assert ("shopsphere_clicks_still_seconds", AWAY) not in found
    assert found["shopsphere_check_passed", "P13"] == 0


def test_a_pair_without_an_event_log_has_no_figures_of_one(
    pair: ReadyPair, collection: Collection, scrape: str
) -> None:
    for site in pair.sites.values():
        site.declared = site.declared[:3]
    collection.once()
    found = figures(scrape)
    assert up(found, "event-log", HOME) == up(found, "event-log", AWAY) == 1
    assert [key for key in found if key[0].startswith(("shopsphere_event_log", "shopsphere_clicks"))] == []


@pytest.mark.requirement("what does not answer has no figures: none stands still")
def test_a_dead_site_takes_its_figures_along(pair: ReadyPair, collection: Collection, scrape: str) -> None:
    collection.once()
    pair.sites[AWAY].dead = True
    collection.once()
    found = figures(scrape)
    assert (up(found, "site", AWAY), up(found, "site", HOME)) == (0, 1)
    assert (up(found, "certificates", AWAY), up(found, "capacity", AWAY)) == (0, 0)
    left = {key[0] for key in found if AWAY in key} - {"shopsphere_source_up", "shopsphere_pair_info"}
    assert left == {
        "shopsphere_site_active",
        "shopsphere_lease_held",
        "shopsphere_door_open",
        "shopsphere_lease_left_seconds",
        "shopsphere_permit_standing",
        "shopsphere_witness_heard_seconds",
        "shopsphere_fence_proven",
        "shopsphere_record_believed",
        "shopsphere_agent_certificate_ends_timestamp_seconds",
        "shopsphere_role_certificate_ends_timestamp_seconds",
    }, "what the witness, the agent and this machine say of the site"


def test_a_lost_witness_is_told_once(pair: ReadyPair, collection: Collection, scrape: str, said: list[str]) -> None:
    def lost() -> Never:
        raise WitnessUnreachableError("the witness has no quorum that answers")

    answering = pair.witness.see
    pair.witness.see = lost
    collection.once()
    collection.once()
    found = figures(scrape)
    assert up(found, "witness") == 0
    assert not {key for key in found if key[0] in {"shopsphere_lease_held", "shopsphere_epoch", "shopsphere_sync_on"}}
    assert up(found, "agent", HOME) == 1
    assert said.count("rdc-a witness does not answer: the witness has no quorum that answers") == 1
    pair.witness.see = answering
    collection.once()
    assert "rdc-a witness answers again" in said
    assert up(figures(scrape), "witness") == 1


def test_a_move_is_seen(pair: ReadyPair, collection: Collection, scrape: str) -> None:
    pair.seen = replace(pair.seen, record=record(active=AWAY, epoch=2, sync=Sync.OFF), lease_holder=AWAY)
    pair.agents[HOME]["writes"], pair.agents[AWAY]["writes"] = False, True
    collection.once()
    found = figures(scrape)
    assert (found["shopsphere_lease_held", HOME], found["shopsphere_lease_held", AWAY]) == (0, 1)
    assert (found["shopsphere_epoch",], found["shopsphere_sync_on",]) == (2, 0)
    assert found["shopsphere_door_open", "writes", HOME] == 0
    assert found["shopsphere_payments_unsettled", AWAY] == 2, "asked at the site that is active"
    assert ("shopsphere_payments_unsettled", HOME) not in found


def test_an_agent_without_a_proof_has_no_figure_of_it(pair: ReadyPair, collection: Collection, scrape: str) -> None:
    del pair.agents[HOME]["unproven"]
    pair.agents[AWAY]["unproven"] = "a packet came out that must not"
    del pair.agents[HOME]["belief"]
    pair.agents[AWAY]["belief"]["problem"] = "nobody has signed it"
    collection.once()
    found = figures(scrape)
    assert ("shopsphere_fence_proven", HOME) not in found
    assert found["shopsphere_fence_proven", AWAY] == 0
    assert ("shopsphere_record_believed", HOME) not in found
    assert found["shopsphere_record_believed", AWAY] == 0


def test_a_database_that_does_not_answer_is_down_and_nothing_else(
    pair: ReadyPair, collection: Collection, scrape: str
) -> None:
    pair.sites[AWAY].clusters["ledger"]["status"] = {}
    collection.once()
    found = figures(scrape)
    assert found["shopsphere_database_up", "ledger", AWAY] == 0
    assert found["shopsphere_database_up", "commerce", AWAY] == 1
    of_it = {key[0] for key in found if key[1:] == ("ledger", AWAY)}
    capacity = {"shopsphere_database_disk_used_ratio", "shopsphere_log_kept_bytes"}  # from another question
    assert of_it - capacity == {"shopsphere_database_up"}


def test_another_path_is_not_found(scrape: str) -> None:
    assert httpx.get(scrape.replace("/metrics", "/"), trust_env=False).status_code == 404


@pytest.mark.requirement("connections that say nothing are bounded, and end")
def test_silent_connections_do_not_add_up(scrape: str) -> None:
    port = httpx.URL(scrape).port
    assert port
    silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(CONNECTIONS)]
    time.sleep(0.2)  # each is answered by a thread, which waits for its request by now
    with pytest.raises(httpx.HTTPError):
        httpx.get(scrape, trust_env=False, timeout=3)
    for each in silent:
        each.close()
    # Their places are free when the threads that hold them have read that they ended.
    wait_until(lambda: answers(scrape), what="an answer", seconds=30, interval=0.05)
    assert figures(scrape)
