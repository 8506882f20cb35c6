"""What a promotion asks of a site's API while customers wait."""

from __future__ import annotations

import json
from typing import cast

import pytest

from runbooks.databases import promote, takes_writes
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.estate.databases import LEDGER


class Api:
    """In place of Frankfurt's cluster: says whom the ledger is told to follow, and whether it leads; counts looks."""

    context = "frankfurt"

    def __init__(self, leader: str, *, leads: bool) -> None:
        self.leader, self.leads, self.looks = LEDGER.cluster(leader), leads, 0

    def get(self, _path: str) -> Document:
        self.looks += 1
        return self._document()

    def patch(self, _path: str, changes: Document, **_version: str) -> Document:
        self.leader = changes["spec"]["replica"]["primary"]
        return self._document()

    def execute(self, *_words: object, **_bounds: object) -> str:
        return json.dumps({"value": self.leads})

    def _document(self) -> Document:
        own = LEDGER.cluster("frankfurt")
        return {
            "metadata": {"name": own, "resourceVersion": "1"},
            "spec": {"replica": {"self": own, "primary": self.leader}},
        }


def ledger(api: Api) -> SiteDatabase:
    return SiteDatabase(LEDGER, "frankfurt", cast("Cluster", api))


@pytest.mark.requirement("while customers wait, nothing is asked that the step before has asked")
def test_who_told_a_database_to_lead_does_not_ask_what_it_was_told() -> None:
    api = Api("dublin", leads=True)
    database = ledger(api)
    assert not takes_writes(database)
    looks = api.looks
    promote(database, peer="dublin", lock=None)
    assert takes_writes(database)
    assert (api.leader, api.looks) == (LEDGER.cluster("frankfurt"), looks)


def test_what_a_database_was_told_is_asked_anew_when_it_does_not_lead() -> None:
    api = Api("frankfurt", leads=False)
    database = ledger(api)
    assert not takes_writes(database)
    api.leader = LEDGER.cluster("dublin")  # somebody demoted it
    assert not takes_writes(database)
    api.leads = True  # whoever answers now: it is told to follow
    assert not takes_writes(database)
    api.leader = LEDGER.cluster("frankfurt")
    assert not takes_writes(database), "this look learns what it is told"
    assert takes_writes(database)
