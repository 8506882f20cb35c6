"""A restored ledger takes the place of the live one: what the payment provider has and it lacks is said before."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from replaced_pair import ReplacedPair, begun, servers_of
from running_shop import ADMIN_TOKEN
from shop_processes import CALL_KEY, Process

from runbooks.engine import StepFailedError
from shopsphere.estate.databases import LEDGER
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("a restored ledger is compared with the payment provider's books")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    books = tmp_path_factory.mktemp("psp") / "books.sqlite"
    running = Process("psp", {"PSP_STATE_FILE": str(books), "PSP_ADMIN_TOKEN": ADMIN_TOKEN})
    yield running
    running.stop()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[ReplacedPair]:
    yield from servers_of(LEDGER, tmp_path / "first")


@pytest.fixture
def pair(servers: ReplacedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplacedPair:
    return begun(servers, tmp_path / "records", monkeypatch)


def captured(pair: ReplacedPair, reference: str, minutes: int = 0) -> str:
    """Book a payment of some minutes ago by hand, as the owner may; the provider knows nothing of it."""
    payment, transfer, key = uuid.uuid4(), uuid.uuid4(), f"{reference}-{uuid.uuid4().hex}"
    pair.live.query(
        "ledger",
        "WITH paid AS (INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token,"
        "  state, charge_id, due_at, created_at, changed_at)"
        "  SELECT %s, %s, '', %s, 500, 'EUR', '', 'captured', %s, at, at, at FROM"
        "  (SELECT now() - make_interval(mins => %s) AS at) AS times RETURNING id, created_at),"
        " moved AS (INSERT INTO ledger.transfer (id, payment_id, kind, booked_at)"
        "  SELECT %s, id, 'capture', created_at FROM paid RETURNING id)"
        " INSERT INTO ledger.entry SELECT id, side, account, 'EUR', amount FROM moved, (VALUES"
        "  (1, 'psp-receivable', 500), (2, 'order-sales', -500)) AS sides (side, account, amount)",
        payment, key, reference, f"ch_{payment.hex}", minutes, transfer,
    )  # fmt: skip
    return key


def in_payments(pair: ReplacedPair, provider: Process, command: list[str]) -> str:
    """What a payments pod does: the address is the declared one, but for the name of the database."""
    assert command[0] == "env"
    name, _, address = command[1].partition("=")
    database = address.partition("?")[0].rpartition("/")[2]
    assert name == "LEDGER_DSN"
    assert address == LEDGER.dsn.replace("/ledger?", f"/{database}?")
    assert command[2:4] == ["shop", "reconcile"]
    dsn = f"{pair.live.service_dsn('ledger').rpartition('/')[0]}/{database}"
    done = subprocess.run(
        [sys.executable, "-m", "app", *command[3:]], cwd=REPOSITORY, text=True, capture_output=True, check=False,
        env={
            **os.environ, "LEDGER_DSN": dsn, "PSP_URL": provider.url, "PSP_TIMEOUT_SECONDS": "5",
            "PAYMENTS_CALL_KEY": CALL_KEY, "SHOP_ENVIRONMENT": "lab", "SHOP_SITE": "test",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_restored_ledger_is_compared_before_it_is_live(
    pair: ReplacedPair, provider: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    old = captured(pair, "S-old", 10)
    copy = pair.copy_now()
    new = captured(pair, "S-new")
    asked: list[list[str]] = []

    def payments(command: list[str]) -> str:
        asked.append(command)
        return in_payments(pair, provider, command)

    pair.pod.payments = payments
    with pytest.raises(StepFailedError, match=f"--i-mean {copy.name}"):
        pair.call()
    said = " ".join(capsys.readouterr().err.split())
    assert "1 payments asked for after that time are lost" in said
    assert "1 of them captured" in said
    assert "S-new (captured, charge" in said
    assert "against 1 payments: 1 differences" in said
    assert f"payment without charge: {old}" in said
    assert new not in said
    assert copy.name in asked[0][1]
    assert pair.run().leading().databases()[copy.name].limit == 0, "the service's login is out again"
    pair.pod.payments = None
    pair.call(named=copy.name)
    said = " ".join(capsys.readouterr().err.split())
    assert "the provider's books were NOT compared" in said
    assert pair.live.query("ledger", "SELECT reference FROM payments.payment") == [("S-old",)]
    with pytest.raises(Exception, match="append-only"):
        pair.live.query("ledger", "DELETE FROM ledger.entry")
