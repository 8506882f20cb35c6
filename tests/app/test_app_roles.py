"""Role changes of the database: read-only keeps browsing alive, a promotion is followed without a restart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from shop_processes import SEALED, migrate, serve
from shopper import Shopper, order_of

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("pages stay readable and writes follow the active site")

PAGES = ("/", "/categories/t-shirts", "/search?q=moon", "/products/tidal-rings-tee", "/cart", "/orders", "/readyz")


def alter(cluster: Cluster, change: str, setting: str, value: str) -> None:
    """Change the server's settings, and wait until new sessions have `value` for a setting."""
    cluster.admin(f"ALTER SYSTEM {change}")
    cluster.admin("SELECT pg_reload_conf()")
    wait_until(lambda: cluster.query("commerce", f"SHOW {setting}") == [(value,)], what=change, seconds=30)


def make_writable(cluster: Cluster) -> None:
    alter(cluster, "RESET default_transaction_read_only", "transaction_read_only", "off")


@pytest.fixture
def read_only(cluster: Cluster) -> Iterator[None]:
    try:
        alter(cluster, "SET default_transaction_read_only = on", "transaction_read_only", "on")
        yield
    finally:
        make_writable(cluster)


@contextmanager
def without_a_standby(cluster: Cluster) -> Iterator[None]:
    """Every COMMIT waits for a standby that does not come."""
    try:
        alter(cluster, "SET synchronous_standby_names = 'nobody'", "synchronous_standby_names", "nobody")
        yield
    finally:
        alter(cluster, "RESET synchronous_standby_names", "synchronous_standby_names", "")


def test_read_only_database_takes_no_orders_but_shows_pages(shopper: Shopper, read_only: None) -> None:
    for page in PAGES:
        shopper.get(page)
    answer = shopper.add()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "You can look around" in answer.text


def test_form_that_met_a_read_only_database_works_afterwards(
    shop: Shop, shopper: Shopper, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("shopper").add()
    form = shopper.checkout_form()
    request.getfixturevalue("read_only")
    assert shopper.send(form, payment_method="tok_visa").status_code == 503
    make_writable(shop.cluster)
    answer = shopper.send(form, payment_method="tok_visa")
    assert answer.status_code == 303
    assert shop.order(order_of(answer.headers["location"])) == "paid"


def test_commit_without_an_answer_is_unknown_and_happens_once(shop: Shop, shopper: Shopper, cluster: Cluster) -> None:
    """A synchronous standby that is gone lets COMMIT wait for ever; the form is sent again after it came back."""
    shopper.add()
    form = shopper.checkout_form()
    with without_a_standby(cluster):
        answer = shopper.send(form, payment_method="tok_visa")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    wait_until(lambda: shopper.send(form, payment_method="tok_visa").status_code == 303, what="the order", seconds=60)
    answer = shopper.send(form, payment_method="tok_visa")
    session = shopper.get("/orders").text
    assert session.count("/receipt") == 1
    assert shop.payment(order_of(answer.headers["location"])) == [("captured", 2)]


def test_ledger_that_is_read_only_leaves_the_order_pending(shop: Shop, shopper: Shopper, read_only: None) -> None:
    answer = httpx.post(
        f"{shop.payments.url}/v1/payments", headers={"idempotency-key": "test-read-only-ledger"}, trust_env=False,
        auth=SEALED, json={"reference": "R", "amount_minor": 100, "currency": "EUR", "token": "tok_visa"},
    )  # fmt: skip
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert shop.cluster.query("ledger", "SELECT count(*) FROM payments.payment WHERE reference = 'R'") == [(0,)]


def test_standby_is_migrated_by_replication_and_promoted_under_a_running_shop(
    shop: Shop, cluster: Cluster, rendered: Path
) -> None:
    standby = Cluster(source=cluster)
    storefront = None
    try:
        done = migrate("commerce", standby)
        assert done.returncode == 0, done.stderr
        assert '"replicated"' in done.stdout
        storefront = serve(standby, shop.payments.url, rendered)
        shopper = Shopper(storefront.url)
        for page in PAGES:
            shopper.get(page)
        assert shopper.add().status_code == 503
        standby.promote()
        assert shop.order(order_of(shop.shopper().buy())) == "paid"  # the other one is a world of its own now
        location = shopper.buy()
        assert "Thank you, Ada" in shopper.get(location).text
    finally:
        if storefront:
            storefront.stop()
        standby.remove()


def test_restarted_database_is_found_again(shop: Shop, shopper: Shopper, cluster: Cluster) -> None:
    shopper.get("/")
    cluster.stop()
    answer = shopper.http.get("/")
    assert answer.status_code == 503
    assert "You can look around" not in answer.text, "nothing can be read either"
    assert shopper.http.get("/livez").status_code == 200
    cluster.start()
    shopper.get("/")
    assert shop.order(order_of(shopper.buy())) == "paid"


@pytest.mark.requirement("no money is taken for what only one site has on record")
def test_an_intent_that_only_this_site_has_is_not_charged(shop: Shop, cluster: Cluster) -> None:
    "a restart shows what waited for the other site: the key is there when its form comes again"

    def pay() -> httpx.Response:
        return httpx.post(
            f"{shop.payments.url}/v1/payments", headers={"idempotency-key": "test-half-an-intent"}, trust_env=False,
            json={"reference": "H", "amount_minor": 100, "currency": "EUR", "token": "tok_visa"}, auth=SEALED,
            timeout=30,
        )  # fmt: skip

    def charge() -> int:
        return httpx.get(f"{shop.psp.url}/v1/charges/by-key/test-half-an-intent", trust_env=False).status_code

    with without_a_standby(cluster), ThreadPoolExecutor() as customers:
        first = customers.submit(pay)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: cluster.query("ledger", waiting) == [(1,)], what="its COMMIT", seconds=90)
        cluster.stop()
        cluster.start()
        assert first.result().status_code == 503
        assert cluster.query("ledger", "SELECT state FROM payments.payment WHERE reference = 'H'") == [("created",)]
        assert pay().status_code == 503
        assert charge() == 404
    wait_until(lambda: pay().status_code == 201, what="the payment", seconds=60)
    assert charge() == 200
