"""Where readiness gets its facts: what voters, agents, `df` and pods say, read as they really say it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import Request, Response
from open_door import OpenDoor, SaidSite

from runbooks.agent.databases import Role
from runbooks.readiness import p03_versions, p04_secrets, p05_capacity, p07_witness, p09_leftovers
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.postgres_capacity import share_used
from shopsphere.clients.site_agent import SiteAgentError, ask_agent
from shopsphere.foundation.finding import Verdict, fails, passes, together, unknown
from shopsphere.topology import load_topology
from shopsphere.witness.store import Store
from shopsphere.witness.voter import Voter

# As etcd 3.6.13 answers.
WELL = {"health": "true", "reason": ""}
ALONE = {"health": "false", "reason": "RAFT NO LEADER"}
FIGURES = """\
# HELP etcd_mvcc_db_total_size_in_bytes Total size of the underlying database physically allocated in bytes.
# TYPE etcd_mvcc_db_total_size_in_bytes gauge
etcd_mvcc_db_total_size_in_bytes 24576
etcd_mvcc_db_total_size_in_use_in_bytes 20480
etcd_server_quota_backend_bytes 6.7108864e+07
"""


def answered(status: int, document: dict[str, Any]) -> Response:
    return httpx.Response(status, json=document)


@pytest.mark.requirement("readiness names the voter that takes no part, also while the others have a quorum")
def test_each_voter_is_asked_by_itself() -> None:
    def answer(request: Request) -> Response:
        match request.url.host:
            case "10.0.0.1":
                return httpx.Response(200, text=FIGURES) if request.url.path == "/metrics" else answered(200, WELL)
            case "10.0.0.2":
                return answered(503, ALONE)
            case "10.0.0.3":
                return answered(503, {"code": 14, "message": "unavailable"})
        raise httpx.ConnectTimeout("silence")

    urls = [f"http://10.0.0.{number}:2480" for number in (4, 3, 2, 1)]
    found = Store(urls, transport=httpx.MockTransport(answer)).each_voter()
    assert found == [
        Voter(urls[3], "", size=24576, in_use=20480, quota=67108864),
        Voter(urls[2], "RAFT NO LEADER"),
        Voter(urls[1], "no voter's answer"),
        Voter(urls[0], "ConnectTimeout"),
    ]


@pytest.mark.requirement("a witness that fills up is told long before it takes no change any more")
def test_a_voter_that_fills_up_is_not_ready() -> None:
    voters = [Voter(f"https://10.99.0.{host}:2480", "", size=33_600_000, quota=67_108_864) for host in (21, 31, 40)]
    found = p07_witness.judge(voters, {"10.99.0.21": "ashburn"})
    assert found.verdict is Verdict.FAILED
    assert "ashburn 33600000 of 67108864 bytes" in found.found
    half = [Voter(each.url, "", size=33_500_000, quota=67_108_864) for each in voters]
    assert p07_witness.judge(half, {}).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("silent", "verdict", "told"),
    [(0, Verdict.PASSED, "3 voters"), (1, Verdict.FAILED, "still has a quorum"), (2, Verdict.FAILED, "HAS NO QUORUM")],
)
def test_a_quorum_with_one_voter_missing_works_but_is_not_ready(silent: int, verdict: Verdict, told: str) -> None:
    places = {str(site.address): name for name, site in load_topology().sites.items()}
    voters = [Voter(f"http://10.99.0.{host}:2480", "") for host in (21, 31, 40)]
    voters[:silent] = [Voter(each.url, "ConnectTimeout") for each in voters[:silent]]
    judged = p07_witness.judge(voters, places)
    assert judged.verdict is verdict
    assert told in judged.found
    assert not silent or "not ashburn (ConnectTimeout)" in judged.found


def test_an_agent_is_understood_as_it_answers(tmp_path: Path) -> None:
    said = SaidSite(tmp_path, {"site": "dublin", "role": Role.REPLICA, "record": None})
    said.speaks()
    with OpenDoor(tmp_path) as door:
        state = ask_agent(door.url)
    said.publisher.stop()
    assert p09_leftovers.judge_recovery_agent("dublin", state).verdict is Verdict.PASSED
    assert p09_leftovers.judge_active_agent("dublin", state).verdict is Verdict.FAILED


def test_an_agent_that_is_gone_is_an_error_of_ours() -> None:
    with pytest.raises(SiteAgentError, match="does not answer"):
        ask_agent("http://127.0.0.1:1", seconds=1)


def test_the_fuller_volume_counts() -> None:
    table = "       Used       Avail\n40010952704 57782341632\n   800  200\n"
    assert share_used(table) == 0.8
    for broken in ("", "Used Avail\n", "Used Avail\nx y\n", "Used Avail\n0 0\n"):
        with pytest.raises(UnreadableAnswerError):
            share_used(broken)


def pod(image: str, identity: str, **metadata: str | list[dict[str, str]]) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": "shop-1", **metadata},
        "spec": {"containers": [{"name": "shop", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "shop", "imageID": identity}]},
    }


def test_the_registry_may_differ_and_the_content_may_not() -> None:
    digest = "sha256:" + "a1b2" * 16
    one = p03_versions.images_of([pod("eu.example/shop:1", f"eu.example/shop@{digest}")])
    other = p03_versions.images_of([pod("localhost/shopsphere/shop:1", digest)])
    assert one == other == {"shop/shop": "shop:1 a1b2a1b2a1b2"}
    assert p03_versions.judge_same("images", {"a": one, "b": {"shop/shop": "shop:1"}}).verdict is Verdict.FAILED


def test_pods_that_leave_or_are_jobs_do_not_count() -> None:
    leaving = pod("shop:0", "", deletionTimestamp="now")
    job = pod("shop:0", "", ownerReferences=[{"kind": "Job"}])
    ended = pod("shop:0", "")
    ended["status"]["phase"] = "Succeeded"
    elsewhere = pod("dns:0", "", namespace="kube-system")
    assert p03_versions.images_of([leaving, job, ended, elsewhere]) == {}


def test_a_rollout_under_way_is_two_images() -> None:
    assert p03_versions.images_of([pod("shop:1", ""), pod("shop:2", "")]) == {"shop/shop": "shop:1, shop:2"}


def test_a_secret_that_a_database_needs_is_missed_also_where_neither_site_has_it() -> None:
    judged = p04_secrets.judge_equal({"a": {}, "b": {}}, required=frozenset({"data-ledger/pair-ca"}))
    assert judged.verdict is Verdict.FAILED
    assert "data-ledger/pair-ca is not at a" in judged.found


@pytest.mark.requirement("an empty category passes")
def test_nothing_to_check_is_a_pass() -> None:
    assert together([]).verdict is Verdict.PASSED
    assert p05_capacity.judge_workloads("dublin", [], []).verdict is Verdict.PASSED
    assert p05_capacity.judge_quotas("dublin", [], []).verdict is Verdict.PASSED
    assert p04_secrets.judge_equal({"a": {}, "b": {}}, required=frozenset()).verdict is Verdict.PASSED


def test_a_failure_outweighs_an_unknown_and_an_unknown_a_pass() -> None:
    assert together([passes("a"), unknown("b")]).verdict is Verdict.UNKNOWN
    joined = together([passes("a"), unknown("b", "look"), fails("c", "mend"), fails("d", "mend")])
    assert (joined.verdict, joined.found, joined.action) == (Verdict.FAILED, "b; c; d", "look; mend")


@pytest.mark.requirement("a voter that leads from afar is told, with what changes it")
@pytest.mark.parametrize(
    ("leading", "told"),
    [
        ((21,), "ashburn leads: a change takes 290 ms"),
        (
            (40,),
            "newyork leads: a change takes 400 ms, and 290 ms if ashburn led; `shopsphere witness tend` sees to it",
        ),
        ((), "no voter tells that it leads"),
        ((21, 40), "who leads it is not known: ashburn and newyork"),
    ],
)
def test_who_leads_the_witness(leading: tuple[int, ...], told: str) -> None:
    topology = load_topology()
    places = {str(site.address): name for name, site in topology.sites.items()}
    voters = [Voter(f"https://10.99.0.{host}:2480", "", leads=host in leading) for host in (21, 31, 40)]
    found = p07_witness.judge_lead(topology.pair("rdc-a"), topology, voters, places)
    assert (found.verdict, found.found) == (Verdict.PASSED if len(leading) < 2 else Verdict.UNKNOWN, told)
