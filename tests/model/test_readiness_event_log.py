"""Readiness of a pair with an event log: what is wrong with it is told, and keeps no pair from being moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ready_pair import AWAY, COUNTING, HOME, ReadyPair, drill, soon_ending

from runbooks.readiness import render
from runbooks.readiness.drill_record import save
from runbooks.readiness.score import score
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReadyPair:
    made = ReadyPair(monkeypatch, tmp_path)
    save(records_directory(Environment.LAB), drill())
    return made


def with_event_log(pair: ReadyPair) -> ReadyPair:
    for site in pair.sites.values():
        site.take_event_log()
    return pair


def test_a_pair_with_an_event_log_that_works(pair: ReadyPair) -> None:
    readiness = score(with_event_log(pair).view())
    assert readiness.is_ready, render.as_text(readiness)
    assert not readiness.warnings
    assert "all 4 workloads of it are ready at dublin" in readiness.findings[12].found
    assert "the worker of frankfurt is 0 s behind" in readiness.findings[12].found


def says(pair: ReadyPair, site: str, **values: float) -> None:
    usual = {"counts": 1, "still": 0.4, "behind": 0, "ends": soon_ending(days=700)}
    pair.sites[site].worker = COUNTING.format(**{**usual, **values})


EVENT_LOG_DEFECTS: list[tuple[str, Callable[[ReadyPair], object]]] = [
    ("statefulset kafka/kafka is not there", lambda pair: of_kind(pair, AWAY, "statefulsets").clear()),
    ("kafka/kafka has 0 of 1", lambda pair: of_kind(pair, HOME, "statefulsets")[0]["status"].clear()),
    ("recommend/recommend has 0 of 1", lambda pair: of_kind(pair, AWAY, "deployments")[-1]["status"].clear()),
    ("worker of frankfurt does not count", lambda pair: says(pair, HOME, counts=0)),
    ("frankfurt has written nothing for 61 s", lambda pair: says(pair, HOME, still=61)),
    ("frankfurt is 10 min behind", lambda pair: says(pair, HOME, behind=601)),
    ("the worker's at dublin ends", lambda pair: says(pair, AWAY, counts=0, ends=soon_ending(days=6))),
    ("the worker's at frankfurt ends", lambda pair: says(pair, HOME, ends=soon_ending(days=6))),
    ("no pod of insight is ready", lambda pair: pods_of_worker(pair, HOME)[0]["status"].clear()),
    ("kafka/kafka at frankfurt kafka:1 a", lambda pair: pair.sites[AWAY].lists["/api/v1/pods"].pop()),
    ("kafka/power at dublin allows 1 ", lambda pair: quota(pair, AWAY)["hard"].update({"requests.watts": "1"})),
    ("cannot be read", lambda pair: setattr(pair.sites[HOME], "worker", "insight_counts 1\n")),
]


def quota(pair: ReadyPair, site: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = pair.sites[site].lists["/api/v1/resourcequotas"][-1]["status"]
    return found


def of_kind(pair: ReadyPair, site: str, kind: str) -> list[dict[str, Any]]:
    return pair.sites[site].lists[f"/apis/apps/v1/{kind}"]


def pods_of_worker(pair: ReadyPair, site: str) -> list[dict[str, Any]]:
    return pair.sites[site].lists["/api/v1/namespaces/insight/pods"]


@pytest.mark.requirement("clicks are worth less than orders: an event log that is down keeps no pair from being moved")
@pytest.mark.parametrize(("told", "spoil"), EVENT_LOG_DEFECTS, ids=[told for told, _ in EVENT_LOG_DEFECTS])
def test_a_broken_event_log_is_a_warning(pair: ReadyPair, told: str, spoil: Callable[[ReadyPair], object]) -> None:
    spoil(with_event_log(pair))
    readiness = score(pair.view())
    (warning,) = readiness.warnings
    assert warning.check == "P13"
    assert told in warning.found
    assert warning.action
    assert readiness.is_ready
    assert readiness.blockers == ()
    text = render.as_text(readiness)
    assert "P13  warn" in text
    assert text.endswith("rdc-a: ready to fail over; frankfurt is active; no order waits for P13")
    assert json.loads(render.as_json(readiness))["warnings"] == [13]


def test_one_site_with_an_event_log_and_one_without(pair: ReadyPair) -> None:
    pair.sites[AWAY].take_event_log()
    (warning,) = score(pair.view()).warnings
    assert "frankfurt has no event log, and dublin has one" in warning.found


def test_what_is_wrong_with_orders_counts_beside_a_warning(pair: ReadyPair) -> None:
    of_kind(with_event_log(pair), AWAY, "statefulsets").clear()
    of_kind(pair, AWAY, "deployments")[0]["status"].clear()
    readiness = score(pair.view())
    assert [each.check for each in readiness.wrong] == ["P5"]
    assert [each.check for each in readiness.warnings] == ["P13"]
    assert not readiness.is_ready
    assert "shop/shop at dublin has 0 of 1" in readiness.wrong[0].found


def test_a_declared_workload_that_neither_site_runs(pair: ReadyPair) -> None:
    for site in pair.sites.values():
        site.lists["/apis/apps/v1/deployments"].pop()
    (finding,) = score(pair.view()).wrong
    assert (finding.check, finding.found) == ("P5", "gateway/gateway is not at dublin")
