"""Keys and passwords are renewed under a running shop: what was begun with one secret goes on with the next."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_cluster import SERVICES, Cluster
from running_shop import Shop
from shop_processes import CALL_KEY, FACTS, SECRET, Process, migrate
from shopper import Shopper, order_of

from app.database.pool import Database
from app.errors import DatabaseUnavailableError
from app.migrations.run import MigrationError, await_schema

pytestmark = pytest.mark.requirement("secrets are renewed without a lost order or an error to a patient customer")

NEXT_SECRET, NEXT_KEY = "the-next-secret-of-the-tests-long-enough", "the-next-key-that-shop-and-payments-have"
OLD, NEW = "password-before", "password-after"


def storefront(shop: Shop, payments: str, rendered: Path, **environment: str) -> Process:
    common = {"COMMERCE_DSN": shop.cluster.service_dsn("commerce"), "PAYMENTS_URL": payments}
    return Process("serve", {**common, "SHOP_RENDERED": str(rendered), "SHOP_REGION_FACTS": FACTS, **environment})


def test_a_cart_and_a_form_go_on_while_pods_of_both_keys_answer(shop: Shop, rendered: Path) -> None:
    """In the second step pods sign with different keys, and each believes the other's."""
    before = storefront(
        shop, shop.payments.url, rendered, SHOP_SESSION_SECRET=SECRET, SHOP_SESSION_SECRET_OTHER=NEXT_SECRET
    )
    after = storefront(
        shop, shop.payments.url, rendered, SHOP_SESSION_SECRET=NEXT_SECRET, SHOP_SESSION_SECRET_OTHER=SECRET
    )
    try:
        customer = Shopper(before.url)
        customer.add()
        form = customer.checkout_form()
        first = customer.send(form, payment_method="tok_visa")
        assert first.status_code == 303
        at_the_other = Shopper(after.url)
        at_the_other.http.cookies = customer.http.cookies
        again = at_the_other.send(form, payment_method="tok_visa")
        assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
        assert at_the_other.get("/orders").text.count("/receipt") == 1
        newcomer = Shopper(after.url)
        newcomer.add()
        at_the_first = Shopper(before.url)
        at_the_first.http.cookies = newcomer.http.cookies
        assert "Tidal Rings" in at_the_first.get("/cart").text
    finally:
        before.stop()
        after.stop()


@pytest.mark.parametrize(
    ("of_shop", "of_payments"),
    [
        ((CALL_KEY, ""), (CALL_KEY, NEXT_KEY)),
        ((CALL_KEY, NEXT_KEY), (NEXT_KEY, CALL_KEY)),
        ((NEXT_KEY, CALL_KEY), (CALL_KEY, NEXT_KEY)),
        ((NEXT_KEY, ""), (NEXT_KEY, CALL_KEY)),
    ],
)
def test_an_order_is_paid_between_pods_of_neighbouring_steps(
    shop: Shop, cluster: Cluster, rendered: Path, of_shop: tuple[str, str], of_payments: tuple[str, str]
) -> None:
    named = ("PAYMENTS_CALL_KEY", "PAYMENTS_CALL_KEY_OTHER")
    payments = Process(
        "payments",
        {
            "LEDGER_DSN": cluster.service_dsn("ledger"),
            "PSP_URL": shop.psp.url,
            **dict(zip(named, of_payments, strict=True)),
        },
    )
    front = storefront(
        shop, payments.url, rendered, SHOP_SESSION_SECRET=SECRET, **dict(zip(named, of_shop, strict=True))
    )
    try:
        customer = Shopper(front.url)
        customer.add()
        answer = customer.send(customer.checkout_form(), payment_method="tok_visa")
        assert shop.order(order_of(answer.headers["location"])) == "paid"
    finally:
        front.stop()
        payments.stop()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """A server that asks the storefront's login for its password."""
    server = Cluster()
    try:
        done = migrate("commerce", server)
        assert done.returncode == 0, done.stderr
        rules = server.data_directory / "pg_hba.conf"
        rules.write_text(f"host commerce {SERVICES['commerce']} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        server.admin("SELECT pg_reload_conf()")
        yield server
    finally:
        server.remove()


def _dsn(server: Cluster, password: str) -> str:
    return server.service_dsn("commerce").replace("shop_app@", f"shop_app:{password}@")


def _change(server: Cluster, password: str) -> None:
    server.admin(f"ALTER ROLE shop_app PASSWORD '{password}'")


def test_a_server_of_the_fixture_asks_for_the_password(guarded: Cluster) -> None:
    _change(guarded, OLD)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(_dsn(guarded, NEW)).close()


def test_connections_go_on_and_new_ones_open_when_the_password_changes(guarded: Cluster) -> None:
    async def work() -> list[int]:
        _change(guarded, OLD)
        pods = [
            Database(_dsn(guarded, one), role="shop_app", application="test", size=4, other_dsn=_dsn(guarded, other))
            for one, other in ((OLD, NEW), (NEW, OLD))
        ]
        found = []
        try:
            for password in (OLD, NEW):
                _change(guarded, password)
                for pod in pods:
                    found += await asyncio.gather(*(pod.fetchval("SELECT 1 FROM pg_sleep(0.2)") for _ in range(4)))
                    await pod._pool.expire_connections()  # noqa: SLF001 what a time without customers does
        finally:
            for pod in pods:
                await pod.close()
        return found

    assert asyncio.run(work()) == [1] * 16


def test_a_password_that_is_neither_is_refused(guarded: Cluster) -> None:
    async def ask() -> None:
        _change(guarded, "another")
        dsns = _dsn(guarded, OLD), _dsn(guarded, NEW)
        database = Database(dsns[0], role="shop_app", application="test", size=1, other_dsn=dsns[1])
        try:
            await database.fetchval("SELECT 1")
        finally:
            await database.close()

    with pytest.raises(DatabaseUnavailableError, match="InvalidPasswordError"):
        asyncio.run(ask())


def test_a_pod_starts_while_the_server_has_the_other_password(
    guarded: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its init container waits for the schema as the service."""
    _change(guarded, NEW)
    monkeypatch.setenv("COMMERCE_DSN", guarded.service_dsn("commerce"))
    monkeypatch.setenv("COMMERCE_PASSWORD", OLD)
    with pytest.raises(MigrationError):
        await_schema("commerce", seconds=2)
    monkeypatch.setenv("COMMERCE_PASSWORD_OTHER", NEW)
    assert await_schema("commerce", seconds=20) == "present"
