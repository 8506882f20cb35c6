"""Drift of whom the ledger waits for at a site of several nodes: the instances beside, as its agent says, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_drift_databases import PEER, SITE, STEADY, WAITS, Server

from shopsphere.drift.database_role import SYNCHRONY

SECOND = f"ledger-{SITE}-2"
pytestmark = pytest.mark.requirement("database roles, settings and grants are compared with witness and declaration")


def server_of_two(synchronous: str, *, waits: bool = True) -> Server:
    server = Server()
    server.document["status"]["instanceNames"] = [f"ledger-{SITE}-1", SECOND]
    server.standing = replace(STEADY, waits=waits)
    server.state(synchronous=synchronous)
    return server


@pytest.mark.parametrize(
    ("synchronous", "waits"),
    [
        (WAITS, True),
        (f'FIRST 2 ("ledger-{PEER}","{SECOND}")', True),
        (f'FIRST 2 ("ledger-{PEER}","{SECOND}")', False),
        (f'FIRST 1 ("{SECOND}")', False),
        ("", False),
    ],
)
def test_the_agent_may_let_it_wait_for_the_instances_beside(synchronous: str, *, waits: bool) -> None:
    assert server_of_two(synchronous, waits=waits).found() == []


@pytest.mark.parametrize(
    ("synchronous", "leads_out"),
    [
        (f'FIRST 1 ("{SECOND}")', False),  # the witness says that the other site has everything
        (f'FIRST 1 ("ledger-{PEER}","{SECOND}")', False),  # one of the two is enough
        (f'ANY 2 ("ledger-{PEER}","{SECOND}")', False),  # nobody writes that
        (f'FIRST 2 ("ledger-{PEER}","ledger-{SITE}-3")', True),  # no instance of the site
        (f'FIRST 2 ("ledger-{PEER}","ledger-{SITE}-1")', False),  # itself: it waits for ever
    ],
)
def test_another_order_is_found(synchronous: str, *, leads_out: bool) -> None:
    assert server_of_two(synchronous).found() == [(SYNCHRONY, "", "critical", leads_out)]
