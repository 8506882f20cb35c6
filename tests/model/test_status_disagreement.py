"""A status that looks well in each part, and is not."""

from typing import Any

import pytest
from site_statuses import database_answer, site_status

from shopsphere.status.disagreement import disagreements
from shopsphere.status.model import PairStatus, Problem, SiteStatus

LEADS = database_answer("ledger-dublin", "sync")
LEADS_ALONE = database_answer()
FOLLOWS = database_answer(leader="10.99.0.11")


def pair(**changes: Any) -> PairStatus:
    values: dict[str, Any] = {
        "epoch": 4,
        "active": "frankfurt",
        "phase": "steady",
        "lease_holder": "frankfurt",
        "sync": "on",
    } | changes
    return PairStatus("rdc-a", **values)


def sites(frankfurt: dict[str, Any], dublin: dict[str, Any]) -> list[SiteStatus]:
    return [site_status("frankfurt", {"ledger": frankfurt}), site_status("dublin", {"ledger": dublin})]


@pytest.mark.requirement("`status` compares what the witness, the sites and their databases say")
@pytest.mark.parametrize(
    ("frankfurt", "dublin", "changes", "expected"),
    [
        (LEADS, FOLLOWS, {}, []),
        (LEADS_ALONE, FOLLOWS, {}, ["frankfurt: no other site has what is written now: nobody follows ledger"]),
        (LEADS, LEADS_ALONE, {}, ["dublin: frankfurt is active, and here is no copy of it but what a failover left"]),
        (FOLLOWS, FOLLOWS, {}, ["frankfurt: the witness says that it is active, and its databases only follow"]),
        (LEADS, FOLLOWS, {"sync": "off"}, ["rdc-a: the ledger runs without a copy (sync off): losing frankfurt"]),
        (
            LEADS_ALONE,
            LEADS_ALONE,
            {"active": "dublin", "sync": "off"},
            ["rdc-a: the ledger runs", "frankfurt: dublin is active", "dublin: no other site"],
        ),
        (FOLLOWS, LEADS, {"phase": "draining"}, []),
        (FOLLOWS, LEADS, {"active": "", "phase": ""}, []),
    ],
)
def test_what_disagrees_is_named(
    frankfurt: dict[str, Any], dublin: dict[str, Any], changes: dict[str, Any], expected: list[str]
) -> None:
    found = [f"{each.whose}: {each.what}" for each in disagreements(sites(frankfurt, dublin), [pair(**changes)])]
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)


def test_a_site_that_was_left_says_what_to_do() -> None:
    (problem,) = disagreements(sites(LEADS, LEADS_ALONE), [pair()])
    assert isinstance(problem, Problem)
    assert "`shopsphere rebuild dublin`" in problem.what


def test_pods_that_are_not_ready_are_a_problem_of_their_site() -> None:
    assert site_status("frankfurt", {"ledger": LEADS}, pods=6).problem == "4 of 10 pods are not ready"
