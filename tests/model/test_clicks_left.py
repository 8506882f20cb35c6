"""What the report of a move says of clicks that the left site's log has and nobody has counted."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks import clicks_left as module
from runbooks.change import RoleChange
from runbooks.clicks_left import clicks_left
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("clicks that a lost site still has are counted, or their number is told")


class Leader:
    """The instance that leads at the target, which answers with what a test says."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked = ""

    def execute(self, namespace: str, pod: str, _container: str, command: list[str]) -> str:
        assert (namespace, pod, command[-1]) == ("data-commerce", "commerce-dublin-1", "commerce")
        self.asked = command[-2]
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps(self.answer)


def said(leader: Leader) -> dict[str, str]:
    database = SimpleNamespace(leader=lambda: (leader, "data-commerce", "commerce-dublin-1"))
    access: Any = SimpleNamespace(topology=load_topology(), environment="lab", database=lambda _site, _model: database)
    return clicks_left(cast(RoleChange, SimpleNamespace(access=access, source="frankfurt", target="dublin")))


@pytest.fixture
def with_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "wanted_configuration", lambda _stack: {"shopsphere:kafka": {"size": "2Gi"}})


@pytest.mark.usefixtures("with_log")
def test_what_is_left_is_told_with_what_becomes_of_it() -> None:
    leader = Leader({"records": 12, "logs": 6, "seconds": 3})
    assert said(leader) == {
        "clicks_left": "12 records of frankfurt's log, as its worker saw it last, 3 s ago; they are counted when "
        "frankfurt is active again, within 24 h"
    }
    assert "site = 'frankfurt'" in leader.asked


@pytest.mark.usefixtures("with_log")
def test_a_log_that_was_never_counted_has_nothing_left() -> None:
    assert said(Leader({"records": 0, "logs": 0, "seconds": 0}))["clicks_left"].startswith("none: nothing of frankfurt")


@pytest.mark.usefixtures("with_log")
@pytest.mark.parametrize("answer", [ClusterError("no answer\n  do: wait"), "no document"])
def test_what_cannot_be_asked_stops_nothing(answer: object) -> None:
    assert said(Leader(answer))["clicks_left"].startswith("not known: ")


def test_a_site_without_an_event_log_has_no_line() -> None:
    assert said(Leader(ClusterError("never asked"))) == {}
