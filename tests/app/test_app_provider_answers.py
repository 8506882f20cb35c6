"""The payments service against a provider that says anything: money is booked for what was agreed, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from postgres_cluster import Cluster
from scripted_provider import Asked, Reply, ScriptedProvider, charge_of, nobody, reply
from shop_processes import SEALED, Process, migrate

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("payments are exact, though services are asynchronous")

LEDGER = "ledger_scripted"


@dataclass(frozen=True)
class Desk:
    """A payments service with an own ledger and an own provider."""

    cluster: Cluster
    service: Process
    provider: ScriptedProvider

    def pay(self, key: str, **changes: object) -> httpx.Response:
        wanted = {"reference": "EU-TEST", "amount_minor": 20_000, "currency": "EUR", "token": "tok_visa", **changes}
        return httpx.post(
            f"{self.service.url}/v1/payments",
            json=wanted,
            headers={"idempotency-key": key},
            trust_env=False,
            auth=SEALED,
            timeout=20,
        )

    def row(self, key: str) -> tuple[Any, ...]:
        """State, problem, charge and booked amount of a payment."""
        return self.cluster.query(
            LEDGER,
            "SELECT state, problem, charge_id, (SELECT sum(e.amount_minor)::int FROM ledger.entry e JOIN "
            "ledger.transfer t ON t.id = e.transfer_id WHERE t.payment_id = p.id AND e.account = 'psp-receivable') "
            "FROM payments.payment p WHERE key = %s",
            key,
        )[0]

    def end_waits(self, keys: Sequence[str]) -> None:
        """Let the resolver come to these payments now."""
        self.cluster.query(LEDGER, "UPDATE payments.payment SET due_at = now() WHERE key = ANY(%s)", list(keys))

    def is_alive(self) -> bool:
        return httpx.get(f"{self.service.url}/livez", trust_env=False).status_code == 200


@pytest.fixture(scope="module")
def _desk(cluster: Cluster) -> Iterator[Desk]:
    cluster.admin(f"CREATE DATABASE {LEDGER} OWNER ledger")
    assert migrate("ledger", cluster, name_there=LEDGER).returncode == 0
    provider = ScriptedProvider()
    service = Process(
        "payments",
        {
            "LEDGER_DSN": cluster.service_dsn(LEDGER),
            "PSP_URL": provider.url,
            "PSP_TIMEOUT_SECONDS": "0.7",
            "PSP_API_KEY": "sk_of_the_test",
            "PAYMENTS_RESOLVE_SECONDS": "0.2",
        },
    )
    yield Desk(cluster, service, provider)
    service.stop()
    provider.close()


@pytest.fixture
def desk(_desk: Desk) -> Iterator[Desk]:
    yield _desk
    _desk.provider.script = nobody
    _desk.cluster.query(LEDGER, "UPDATE payments.payment SET state = 'declined' WHERE state IN ('created', 'unknown')")


@pytest.fixture
def key() -> str:
    return f"order-{uuid4().hex}"


def answering(**changes: object) -> Any:
    """A provider that has a charge for every key that it was asked to charge, changed in some way."""
    charges: dict[str, dict[str, object]] = {}

    def script(asked: Asked) -> Reply:
        if asked.method == "POST" and asked.path.endswith("/capture"):
            charge = next(each for each in charges.values() if each["id"] == asked.path.split("/")[-2])
            charge["status"] = "captured"
            return reply(200, charge)
        if asked.method == "POST":
            made = charge_of(asked, f"ch_{uuid4().hex}", **changes)
            return reply(201, charges.setdefault(asked.headers["idempotency-key"], made))
        found = charges.get(asked.path.rsplit("/", 1)[-1])
        return reply(404, {}) if found is None else reply(200, found)

    return script


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 10_000}, {"currency": "USD"}, {"reference": "EU-OTHER"}, {"amount_minor": "20000"},
        {"status": "pending"}, {"status": "refunded"}, {"id": None}, {"currency": None},
    ],
)  # fmt: skip
def test_another_charge_than_agreed_is_an_alarm_and_never_booked(
    desk: Desk, key: str, changes: dict[str, object]
) -> None:
    desk.provider.script = answering(**changes)
    answer = desk.pay(key)
    assert (answer.status_code, answer.json()["state"]) == (202, "unknown")
    state, problem, charge, booked = desk.row(key)
    assert (state, charge, booked) == ("unknown", None, None)
    assert problem
    assert "error" in "".join(line for line in desk.service.log().splitlines() if problem[:20] in line)
    assert "payments_unsettled_with_problem 1" in httpx.get(f"{desk.service.url}/metrics", trust_env=False).text


def test_an_authorised_charge_is_captured(desk: Desk, key: str) -> None:
    desk.provider.script = answering(status="authorised")
    assert desk.pay(key).json()["state"] == "captured"
    assert desk.row(key)[3] == 20_000


def test_an_authorised_charge_that_cannot_be_captured_is_unknown_and_said_so(desk: Desk, key: str) -> None:
    inner = answering(status="authorised")
    desk.provider.script = lambda asked: reply(500, {}) if asked.path.endswith("/capture") else inner(asked)
    assert desk.pay(key).json()["state"] == "unknown"
    desk.provider.script = inner
    wait_until(lambda: desk.row(key)[0] == "captured", what="the authorised charge to be captured", seconds=90)


def test_an_authorised_charge_of_another_amount_is_not_captured(desk: Desk, key: str) -> None:
    desk.provider.script = answering(status="authorised", amount_minor=1)
    before = len(desk.provider.asked)
    assert desk.pay(key).json()["state"] == "unknown"
    assert not [asked for asked in desk.provider.asked[before:] if asked.path.endswith("/capture")]


def test_a_refused_card_is_declined(desk: Desk, key: str) -> None:
    desk.provider.script = lambda _: reply(402, {"code": "card_declined"})
    assert desk.pay(key).json()["state"] == "declined"


def test_a_request_that_the_provider_refuses_is_declined_only_when_it_has_no_charge(desk: Desk, key: str) -> None:
    def refused(asked: Asked) -> Reply:
        return reply(422, {"detail": "no such currency"}) if asked.method == "POST" else reply(404, {})

    desk.provider.script = refused
    assert desk.pay(key).json()["state"] == "declined"

    def charged_before(asked: Asked) -> Reply:
        if asked.method == "POST":
            return reply(422, {"detail": "this key was used for another request"})
        return reply(
            200, {"id": "ch_old", "status": "captured", "amount_minor": 5, "currency": "EUR", "reference": "X"}
        )

    desk.provider.script = charged_before
    other = f"order-{uuid4().hex}"
    assert desk.pay(other).json()["state"] == "unknown"
    assert desk.row(other)[3] is None


SHAPES = [
    b"", b"[]", b"null", b"7", b'"captured"', b"{", b"[" * 50_000, b"\xff\xfe", b"x" * 3_000_000,
    b'{"id": 1, "status": ["captured"]}',
]  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 203, 302, 401, 418, 429, 503])
def test_no_answer_of_any_shape_ends_the_resolver(desk: Desk, key: str, status: int) -> None:
    played = iter(range(10**6))
    desk.provider.script = lambda _: (status, SHAPES[next(played) % len(SHAPES)])
    keys = [key, *(f"order-{uuid4().hex}" for _ in range(4))]
    for each in keys:
        assert desk.pay(each).json()["state"] == "unknown"

    def seen_all() -> bool:
        desk.end_waits(keys)
        return next(played) > 30

    wait_until(seen_all, what="the resolver to have seen every shape", seconds=90, interval=0.2)
    assert desk.is_alive()
    sound = answering()
    desk.provider.script = sound
    desk.end_waits(keys)
    wait_until(lambda: {desk.row(each)[0] for each in keys} == {"captured"}, what="each payment to settle", seconds=90)


def test_a_repeated_charge_id_is_booked_once_and_said_so(desk: Desk, key: str) -> None:
    desk.provider.script = answering(id=f"ch_{key}")
    assert desk.pay(key).json()["state"] == "captured"
    other, third = f"order-{uuid4().hex}", f"order-{uuid4().hex}"
    assert desk.pay(other).json()["state"] == "unknown"
    assert "booked for another payment" in desk.row(other)[1]
    desk.provider.script = answering()
    assert desk.pay(third).json()["state"] == "captured"
    assert desk.is_alive()


@pytest.mark.parametrize(
    "odd", ["../../../../admin/faults", "order?x=1&y=2#zzzzzz", "order-with-a\ttab-in-it", "a" * 256]
)
def test_a_key_is_no_path(desk: Desk, odd: str) -> None:
    answer = desk.pay(odd)
    assert (answer.status_code, answer.json()["state"]) == (422, "rejected")


def test_a_key_that_was_stored_before_is_encoded(desk: Desk) -> None:
    odd = f"../../{uuid4().hex}?#\t%"
    desk.cluster.query(
        LEDGER,
        "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at) "
        "VALUES (gen_random_uuid(), %s, '', 'OLD', 5, 'EUR', 'tok_visa', 'unknown', now())",
        odd,
    )
    seen = len(desk.provider.asked)
    wait_until(lambda: len(desk.provider.asked) > seen, what="the resolver to ask", seconds=90)
    looked_up = [asked.path for asked in desk.provider.asked[seen:] if asked.method == "GET"]
    assert looked_up[0].startswith("/v1/charges/by-key/..%2F..%2F")
    assert looked_up[0].count("/") == 4
    assert desk.is_alive()


def test_the_provider_is_told_who_asks(desk: Desk, key: str) -> None:
    desk.provider.script = answering()
    desk.pay(key)
    assert desk.provider.asked[-1].headers["authorization"] == "Bearer sk_of_the_test"
    assert "sk_of_the_test" not in desk.service.log()


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 100_000_001}, {"amount_minor": 0}, {"amount_minor": "5"}, {"currency": "EUR\n"},
        {"currency": "eur"}, {"reference": "a\u0000b"}, {"reference": ""}, {"token": "4242424242424242"}, {"more": 1},
    ],
)  # fmt: skip
def test_what_can_never_be_paid_is_rejected_in_so_many_words(desk: Desk, key: str, changes: dict[str, object]) -> None:
    answer = desk.pay(key, **changes)
    assert (answer.status_code, answer.json()["state"]) == (422, "rejected")
    assert "payment rejected" in desk.service.log()


def test_nothing_is_rejected_that_is_on_record(desk: Desk, key: str) -> None:
    desk.provider.script = answering()
    assert desk.pay(key).json()["state"] == "captured"
    answer = desk.pay(key, amount_minor=100_000_001)
    assert (answer.status_code, "state" in answer.json()) == (409, False)


def test_the_largest_order_can_be_paid(desk: Desk, key: str) -> None:
    desk.provider.script = answering()
    assert desk.pay(key, amount_minor=100_000_000).json()["state"] == "captured"
