"""What a promotion asks of a site's API while customers wait."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import cast

import pytest

from runbooks.databases import is_settled, promote, settle_as_follower, takes_writes
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.estate.databases import LEDGER


class Api:
    """In place of Frankfurt's cluster: says whom the ledger is told to follow, and whether it leads; counts looks."""

    context = "frankfurt"

    def __init__(self, leader: str, *, leads: bool) -> None:
        self.leader, self.leads, self.looks = LEDGER.cluster(leader), leads, 0
        self.pod, self.gone = "ledger-frankfurt-1", ""
        self.synchronous: Document | None = {"standbyNamesPre": [LEDGER.cluster("dublin")]}
        self.complete: str | None = "ledger-frankfurt-2"
        self.told_to_lead = ""

    def get(self, _path: str) -> Document:
        self.looks += 1
        return self._document()

    def patch(self, _path: str, changes: Document, **_version: str) -> Document:
        spec = changes.get("spec", {})
        self.leader = spec.get("replica", {"primary": self.leader})["primary"]
        marks = changes.get("metadata", {}).get("annotations", {})
        self.complete = marks.get("shopsphere.io/complete-copies", self.complete)
        self.told_to_lead = marks.get("shopsphere.io/told-to-lead", self.told_to_lead)
        self.synchronous = spec.get("postgresql", {"synchronous": self.synchronous})["synchronous"]
        return self._document()

    def execute(self, _namespace: str, pod: str, *_words: object, **_bounds: object) -> str:
        if pod == self.gone:
            raise ClusterUnreachableError("no answer")
        return json.dumps({"value": self.leads})

    def _document(self) -> Document:
        own = LEDGER.cluster("frankfurt")
        return {
            "metadata": {"name": own, "resourceVersion": "1"},
            "spec": {
                "replica": {"self": own, "primary": self.leader},
                "postgresql": {"synchronous": self.synchronous} if self.synchronous else {},
            },
            "status": {"currentPrimary": self.pod},
        }


def ledger(api: Api) -> SiteDatabase:
    return SiteDatabase(LEDGER, "frankfurt", cast("Cluster", api))


@pytest.mark.requirement("while customers wait, nothing is asked that the step before has asked")
def test_who_told_a_database_to_lead_does_not_ask_what_it_was_told() -> None:
    api = Api("dublin", leads=True)
    database = ledger(api)
    database.document()  # as an earlier step does
    assert not takes_writes(database)
    promote(database, peer="dublin", lock=None)
    assert takes_writes(database)
    assert api.leader == LEDGER.cluster("frankfurt")
    assert api.looks == 2, "by the earlier step, and for the version to change"


@pytest.mark.requirement("an instance that is just being promoted is not taken for one that is behind, and replaced")
def test_who_tells_a_database_to_lead_writes_down_when() -> None:
    api, before = Api("dublin", leads=True), datetime.now(UTC).replace(microsecond=0)
    promote(ledger(api), peer="dublin", lock=None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", api.told_to_lead), "as the API server's policy reads it"
    assert before <= datetime.fromisoformat(api.told_to_lead) <= datetime.now(UTC)
    api.told_to_lead = ""
    promote(ledger(api), peer="dublin", lock=None)
    assert api.told_to_lead == "", "it was told before: the time is the first one's"


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
def test_what_was_a_complete_copy_once_is_none_when_the_site_leads_again() -> None:
    api = Api("dublin", leads=True)
    promote(ledger(api), peer="dublin", lock=None)
    assert (api.synchronous, api.complete) == (None, None), "the first payments wait for nobody"
    api = Api("dublin", leads=False)
    settle_as_follower(ledger(api), lock=None)
    assert (api.synchronous, api.complete) == (None, None)


def test_what_a_database_was_told_is_asked_anew_when_it_does_not_lead() -> None:
    api = Api("frankfurt", leads=False)
    database = ledger(api)
    assert not takes_writes(database)
    api.leader = LEDGER.cluster("dublin")  # somebody demoted it
    assert not takes_writes(database)
    api.leads = True  # whoever answers now: it is told to follow
    assert not takes_writes(database)
    api.leader = LEDGER.cluster("frankfurt")
    assert takes_writes(database)


def test_another_instance_may_lead_when_the_one_that_was_asked_is_gone() -> None:
    api = Api("dublin", leads=True)
    database = ledger(api)
    promote(database, peer="dublin", lock=None)
    api.pod, api.gone = "ledger-frankfurt-2", "ledger-frankfurt-1"
    with pytest.raises(ClusterUnreachableError):
        takes_writes(database)
    assert takes_writes(database)


@pytest.mark.requirement("the first payments after a promotion do not wait for a site that does not follow yet")
@pytest.mark.parametrize(("leader", "waits"), [("dublin", False), ("frankfurt", True)])
def test_who_follows_waits_for_nobody(leader: str, *, waits: bool) -> None:
    api = Api(leader, leads=leader == "frankfurt")
    database = ledger(api)
    assert is_settled(database.document()) is waits, "whom a leader waits for is its agent's business"
    settle_as_follower(database, lock=None)
    assert is_settled(database.document())
    assert bool(api.synchronous) is waits
