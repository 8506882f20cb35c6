"""What a person sees at 80 and at 200 columns, from fixed inputs."""

from __future__ import annotations

import io

import pytest
from golden import require_golden
from rich.console import Console
from site_statuses import database_answer, site_status

from runbooks.engine import DryRun, Forecast, Outlook, Step
from runbooks.readiness import render as ready
from runbooks.readiness.score import Readiness
from shopsphere.foundation.columns import UNBOUNDED
from shopsphere.foundation.finding import fails, passes, unknown
from shopsphere.status import render
from shopsphere.status.model import NameAnswer, PairStatus, SiteStatus, Status

WIDTHS = [80, 200]


def site(name: str, *, peer: str, leads: bool, pods: int = 10) -> SiteStatus:
    answers = {
        database: database_answer(f"{database}-{peer}", sync) if leads else database_answer(leader="10.99.0.11")
        for database, sync in (("commerce", "async"), ("ledger", "sync"))
    }
    return site_status(name, answers, pods=pods)


def names() -> tuple[NameAnswer, ...]:
    frankfurt = (("10.99.0.11",), ("frankfurt",), "")
    answers = [
        NameAnswer(f"{name}.shopsphere.test", f"ns{number} (10.99.0.5{number + 2})", jurisdiction, *frankfurt)
        for name, jurisdiction in (("www", "eu"), ("rdc-a", ""), ("frankfurt", ""))
        for number in (1, 2)
    ]
    silent = "10.99.0.52: no answer to www.shopsphere.test within 2.0 s (timed out)"
    return (*answers, NameAnswer("www.shopsphere.test", "resolver (10.99.0.52)", "", (), (), silent))


def no_witness(pair: str) -> PairStatus:
    return PairStatus(pair, problem=f"{pair}: where its witness is, is not known here")


STATUS = Status(
    (
        site("frankfurt", peer="dublin", leads=True),
        site("dublin", peer="frankfurt", leads=False, pods=9),
        SiteStatus("ashburn", "rdc-b", "unknown", None, "unreachable: ashburn: no answer from https://10.99.0.21:6443"),
    ),
    names(),
    (
        PairStatus(
            "rdc-a",
            epoch=12,
            active="frankfurt",
            phase="steady",
            lease_holder="frankfurt",
            sync="on",
            last_change="back to Frankfurt, incident 4711 (anna at ops-1, 2026-11-26 22:11:03 UTC)",
        ),
        no_witness("rdc-b"),
        no_witness("rdc-c"),
    ),
)


@pytest.mark.requirement(
    "`status` is readable at 80 columns: pair, epoch, active site, phase and sync stand there whole"
)
@pytest.mark.parametrize("width", WIDTHS)
def test_status(width: int) -> None:
    sink = io.StringIO()
    render.show(STATUS, Console(file=sink, width=width))
    require_golden(f"status-{width}", sink.getvalue())
    lines = sink.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "pair active epoch phase lease sync" in " ".join(lines[1].split())
    assert lines[2].split()[:6] == ["rdc-a", "frankfurt", "12", "steady", "frankfurt", "on"]


def test_in_a_pipe_each_row_is_one_line() -> None:
    shown = [line.plain for line in render.lines(STATUS, UNBOUNDED)]
    (dublin,) = [line for line in shown if line.startswith("dublin     ledger")]
    assert dublin.endswith("streaming from 10.99.0.11, 12.5 ms and 168 B behind")
    (cause,) = [line for line in shown if "where its witness is" in line]
    assert cause.startswith("rdc-b, rdc-c: ")


SILENT = (
    "no voter of the witness of rdc-a with a quorum behind it answered within 1.5 s (3 asked: newyork, ashburn, tokyo)"
)
READINESS = Readiness(
    "rdc-a",
    "",
    (
        unknown(SILENT, "bring a voter back").by("P1", "Both databases of the recovery site follow"),
        unknown(SILENT, "bring a voter back").by("P2", "The ledger is synchronous"),
        passes("its nodes offer 150000 W, and 14 W are needed").by("P5", "There is room"),
        fails(
            "no drill of rdc-a was ever held here",
            'hold one: `shopsphere drill rdc-a --execute --reason "first drill of a new pair"`',
        ).by("P8", "The last drill was held in the last 30 days and was green"),
    ),
)


@pytest.mark.parametrize("width", WIDTHS)
def test_ready(width: int) -> None:
    shown = ready.as_text(READINESS, width)
    require_golden(f"ready-{width}", shown + "\n")
    assert max(map(len, shown.splitlines())) <= width
    assert " ".join(shown.split()).count("within 1.5 s") == 1, "the same cause is said once"


def step(number: int, name: str, title: str) -> Step:
    def nothing(_context: object) -> None:
        return None

    return Step(
        number,
        f"{number:02d}-{name}",
        title,
        10,
        None,
        once=False,
        check=lambda _: "",
        act=nothing,
        verify=lambda _: True,
    )


PLAN = DryRun(
    "failover",
    (
        Forecast(
            step(1, "check-pair", "Read the witness: which site is active, in which epoch"),
            Outlook.ACTS,
            "epoch 1: frankfurt is active (steady, lease held by frankfurt); in epoch 2 dublin would be",
        ),
        Forecast(
            step(2, "check-target-site", "Check the site that would become active, and what would be lost"),
            Outlook.BLOCKED,
            "the ledger of dublin does not stream\n  do:       wait, or give --accept-data-loss: payments may be lost",
        ),
        Forecast(
            step(5, "advance-epoch", "Begin the next epoch with the other site active, when nobody holds the lease"),
            Outlook.LATER,
            "when the lease has run out",
        ),
    ),
)


@pytest.mark.parametrize("width", WIDTHS)
def test_failover_plan(width: int) -> None:
    lines = PLAN.lines(width)
    require_golden(f"failover-{width}", "\n".join(lines) + "\n")
    assert max(map(len, lines)) <= width


@pytest.mark.requirement("a plan can be kept in a change ticket as JSON")
def test_a_plan_as_values() -> None:
    document = PLAN.as_document()
    assert (document["runbook"], document["clear"]) == ("failover", False)
    assert [each["outlook"] for each in document["steps"]] == ["acts", "blocked", "later"]
    assert document["steps"][1]["step"] == "02-check-target-site"
