"""An agent says when the certificates end by which it is known, and readiness and metrics hear of it in time."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from runbooks.agent.own_certificates import API, WITNESS, api_certificate_end, with_certificates
from runbooks.readiness.agent_certificates import ends_in, judge_agents
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.foundation.certificates import KeyPair, end_of, issue, new_authority
from shopsphere.foundation.finding import Finding, Verdict
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    authority = new_authority(tmp_path, "an authority")
    return issue(authority, KeyPair(tmp_path / "agent-dublin.crt", tmp_path / "agent-dublin.key"), common_name="agent")


def kubeconfig(folder: Path, user: dict[str, str]) -> Path:
    file = folder / "agent.kubeconfig"
    contexts = [{"name": "other", "context": {"user": "other"}}, {"name": "dublin", "context": {"user": "agent"}}]
    users = [{"name": "other", "user": {"token": "t"}}, {"name": "agent", "user": user}]
    file.write_text(yaml.safe_dump({"contexts": contexts, "users": users}))
    return file


def test_a_certificate_in_the_kubeconfig_or_beside_it_is_read(tmp_path: Path, keys: KeyPair) -> None:
    end = end_of(keys.certificate)
    assert end is not None
    inside = {"client-certificate-data": base64.b64encode(keys.certificate.read_bytes()).decode()}
    assert api_certificate_end(kubeconfig(tmp_path, inside), "dublin") == {API: end.isoformat()}
    beside = {"client-certificate": "agent-dublin.crt"}
    assert api_certificate_end(kubeconfig(tmp_path, beside), "dublin") == {API: end.isoformat()}


@pytest.mark.parametrize(
    ("user", "context", "found"),
    [
        ({"token": "t"}, "dublin", {}),
        ({"client-certificate-data": "bm9uZQ=="}, "dublin", {API: None}),
        ({"client-certificate-data": "?"}, "dublin", {API: None}),
        ({"client-certificate": "nowhere.crt"}, "dublin", {API: None}),
        ({"token": "t"}, "frankfurt", {API: None}),
    ],
)
def test_what_is_no_certificate_is_said_and_a_token_has_none(
    tmp_path: Path, user: dict[str, str], context: str, found: dict[str, None]
) -> None:
    assert api_certificate_end(kubeconfig(tmp_path, user), context) == found


@pytest.mark.parametrize("content", [b"\xff\xfe", b"users: [{name: agent, user: text}]", b"- a list", b"{", b""])
def test_what_is_no_kubeconfig_stops_no_agent(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "agent.kubeconfig"
    file.write_bytes(content)
    assert api_certificate_end(file, "dublin") == {API: None}


def test_a_kubeconfig_that_comes_later_is_found(tmp_path: Path, keys: KeyPair) -> None:
    file = tmp_path / "agent.kubeconfig"
    config: Any = SimpleNamespace(kubeconfig=file, context="dublin", witness_keys=tmp_path, site="dublin")
    describe = with_certificates(dict, config)
    assert describe()["certificates"][API] is None  # type: ignore[index] # it is a mapping
    inside = {"client-certificate-data": base64.b64encode(keys.certificate.read_bytes()).decode()}
    kubeconfig(tmp_path, inside)
    end = end_of(keys.certificate)
    assert end is not None
    assert describe()["certificates"][API] == end.isoformat()  # type: ignore[index] # as above


def test_no_kubeconfig_is_no_certificate(tmp_path: Path) -> None:
    assert api_certificate_end(tmp_path / "none", "dublin") == {API: None}


def test_the_state_has_both_and_the_witness_follows_its_file(tmp_path: Path, keys: KeyPair) -> None:
    file = kubeconfig(tmp_path, {"token": "t"})
    config: Any = SimpleNamespace(kubeconfig=file, context="dublin", witness_keys=tmp_path, site="dublin")
    describe = with_certificates(lambda: {"role": "replica"}, config)
    end = end_of(keys.certificate)
    assert end is not None
    assert json.loads(json.dumps(describe())) == {"role": "replica", "certificates": {WITNESS: end.isoformat()}}
    keys.certificate.write_text("torn")
    assert describe()["certificates"] == {WITNESS: None}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, {}),
        ({"certificates": None}, {}),
        ({"certificates": {API: "2027-01-01T00:00:00+00:00"}}, {API: datetime(2027, 1, 1, tzinfo=UTC)}),
        ({"certificates": {API: None, WITNESS: "2027-01-01T00:00:00"}}, {API: None, WITNESS: None}),
    ],
)
def test_an_older_agent_says_nothing_and_a_time_without_a_zone_is_none(
    said: dict[str, Any], found: dict[str, Any]
) -> None:
    assert ends_in(said) == found


def judged(states: dict[str, timedelta | None]) -> Finding:
    def agent(site: str) -> dict[str, Any]:
        left = states[site]
        if left is None:
            raise SiteAgentError(f"{site} is silent")
        return {"certificates": {API: (NOW + left).isoformat()}}

    view = SimpleNamespace(pair=TOPOLOGY.pair("rdc-a"), access=SimpleNamespace(topology=TOPOLOGY), agent=agent)
    return judge_agents(cast("PairView", view), NOW)


@pytest.mark.requirement("certificates that end are told long before")
def test_readiness_fails_a_week_before_and_tells_a_month_before() -> None:
    far, soon, now = timedelta(days=300), timedelta(days=20), timedelta(days=6)
    assert judged({"frankfurt": far, "dublin": far}).verdict is Verdict.PASSED
    told = judged({"frankfurt": far, "dublin": soon})
    assert (told.verdict, "RENEW SOON, the certificate of dublin's agent for the API server" in told.found) == (
        Verdict.PASSED,
        True,
    )
    failed = judged({"frankfurt": now, "dublin": far})
    assert failed.verdict is Verdict.FAILED
    assert "frankfurt's agent for the API server ends 2026-12-06" in failed.found
    assert "restart the agent, at the site that follows first" in failed.action


def test_a_silent_agent_is_for_another_check() -> None:
    assert judged({"frankfurt": None, "dublin": timedelta(days=300)}).verdict is Verdict.PASSED
    assert judged({"frankfurt": None, "dublin": None}).found == "no certificates"
