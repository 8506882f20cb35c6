"""Whom an agent asks about the ledger: not the instance in whose place another one is about to lead."""

from __future__ import annotations

from typing import Any, cast

import pytest

from runbooks.agent.ledger import SiteLedger
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.foundation.errors import NoAnswerError

OLD, NEXT = "ledger-frankfurt-1", "ledger-frankfurt-2"


class Session:
    """An open one, which breaks with the node of its pod."""

    def __init__(self) -> None:
        self.asked, self.broken = 0, False

    def ask(self, _question: str) -> str:
        self.asked += 1
        if self.broken:
            raise ProgramError("the line broke")
        return "{}"

    def close(self) -> None:
        """Nothing is left."""


class Api:
    context = "frankfurt"

    def __init__(self) -> None:
        self.status = {"currentPrimary": OLD, "targetPrimary": OLD}
        self.session, self.begun = Session(), list[str]()

    def get(self, _path: str) -> dict[str, Any]:
        return {"metadata": {"name": "ledger-frankfurt", "resourceVersion": "1"}, "spec": {}, "status": self.status}

    def converse(self, _namespace: str, pod: str, *_words: Any, **_options: Any) -> Session:
        self.begun.append(pod)
        return self.session


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def ledger(api: Api) -> SiteLedger:
    return SiteLedger(lambda: cast("Cluster", api), "frankfurt", "dublin")


def look(ledger: SiteLedger) -> None:
    """As far as the instance is asked: this one says nothing that could be read."""
    with pytest.raises((KeyError, NoAnswerError)):
        ledger.look()


@pytest.mark.requirement("after the loss of a node the next instance that leads is asked at once")
@pytest.mark.parametrize("target", [NEXT, "pending"])
def test_nobody_is_called_in_whose_place_another_one_is_about_to_lead(
    api: Api, ledger: SiteLedger, target: str
) -> None:
    """On a lost node it would not answer for 3 s, while the next one leads."""
    look(ledger)
    assert api.begun == [OLD]
    api.session.broken = True
    look(ledger)
    api.status["targetPrimary"] = target
    for _ in range(3):
        with pytest.raises(NoAnswerError, match=f"about to lead in place of {OLD}"):
            ledger.look()
    assert api.begun == [OLD]
    api.status = {"currentPrimary": NEXT, "targetPrimary": NEXT}
    look(ledger)
    assert api.begun == [OLD, NEXT]


def test_an_open_session_goes_on(api: Api, ledger: SiteLedger) -> None:
    """CloudNativePG may take its choice back, and payments must not wait for that."""
    look(ledger)
    api.status["targetPrimary"] = NEXT
    before = api.session.asked
    look(ledger)
    assert (api.begun, api.session.asked) == ([OLD], before + 1)
