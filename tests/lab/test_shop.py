"""What a customer gets through public DNS: pages, pictures, an order and its payment."""

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from curl_customer import CurlCustomer
from lab_access import At, Page, Sql

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import CommandError
from shopsphere.topology import Topology

SLUG = "tidal-rings-tee"
HOMES = [("client-eu", "frankfurt"), ("client-us", "ashburn")]


@pytest.mark.requirement("a client in each part of the world lands in its own region, over TLS, through public DNS")
@pytest.mark.parametrize(("client", "site"), HOMES)
def test_customer_lands_in_their_own_region(at: At, topology: Topology, client: str, site: str) -> None:
    shown = "%{http_code} %{remote_ip} %{ssl_verify_result}"
    command = ("curl", "-sS", "-m", "10", "-o", "/dev/null", "-D", "-", "-w", shown, "https://www.shopsphere.test/")
    output = at(client, *command).stdout
    assert output.endswith(f"200 {topology.site(site).address} 0")
    assert f"x-served-by: {site}" in output.lower()


@pytest.mark.requirement("the home page shows products read from Frankfurt's database")
def test_a_changed_price_is_on_the_page(page: Page, sql: Sql) -> None:
    name = sql("frankfurt", "commerce", f"select name from catalogue.product where slug = '{SLUG}'")
    renamed = f"{name} (seen in the database)"
    assert name in page("client-eu", f"/products/{SLUG}")
    sql("frankfurt", "commerce", f"update catalogue.product set name = '{renamed}' where slug = '{SLUG}'")
    try:
        wait_until(lambda: renamed in page("client-eu", f"/products/{SLUG}"), what="the new name", seconds=60)
    finally:
        sql("frankfurt", "commerce", f"update catalogue.product set name = '{name}' where slug = '{SLUG}'")


@pytest.mark.requirement("a seeded catalogue of at least 500 products with pictures")
def test_catalogue(sql: Sql) -> None:
    assert int(sql("frankfurt", "commerce", "select count(*) from catalogue.product")) >= 500


@pytest.mark.requirement("an image comes from the CDN and is a cache hit the second time")
def test_second_fetch_of_a_picture_is_a_hit(at: At, asset: str) -> None:
    for _ in range(2):
        headers = at("client-eu", "curl", "-sS", "-m", "10", "-o", "/dev/null", "-D", "-", asset).stdout
    assert headers.startswith("HTTP/2 200")
    assert re.search(r"(?im)^x-cache: hit", headers)


@pytest.mark.requirement("static assets only through the CDN")
def test_the_shop_itself_serves_no_assets(at: At, asset: str) -> None:
    path = asset.removeprefix("https://static.shopsphere.test")
    shown = ("-o", "/dev/null", "-w", "%{http_code}")
    assert at("client-eu", "curl", "-sS", "-m", "15", *shown, f"https://www.shopsphere.test{path}").stdout == "404"
    assert at("client-eu", "curl", "-sS", "-m", "15", *shown, "http://10.99.0.11/cart").stdout == "403"
    assert at("client-eu", "curl", "-sS", "-m", "15", *shown, f"http://10.99.0.11{path}").stdout == "403"
    without = at("client-eu", "curl", "-sk", "-m", "15", *shown, f"https://10.99.0.11:8443{path}", check=False)
    assert (without.code != 0, without.stdout) == (True, "000"), "the entry for the CDN asks for its certificate"


COUNT_ORDERS = """select count(*) from orders."order\""""


def next_order_at(sql: Sql, site: str, known: str) -> float:
    """Wait inside the site's database for an order beyond the `known` ones; the time (s) when it was there."""
    wait = f"""do $$ begin
        for attempt in 1..2000 loop
            exit when ({COUNT_ORDERS}) > {known};
            perform pg_sleep(0.01);
        end loop;
    end $$"""
    return float(sql(site, "commerce", f"{wait}; select extract(epoch from clock_timestamp())").split()[-1])


@pytest.mark.requirement("a checkout made with curl is in Frankfurt's databases and a moment later in Dublin's")
def test_checkout_reaches_both_sites(at: At, sql: Sql) -> None:
    customer = CurlCustomer(at, "client-eu")
    customer.fill_cart(SLUG)
    form = customer.checkout_form()
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(next_order_at, sql, "dublin", sql("dublin", "commerce", COUNT_ORDERS))
        watching = "select count(*) from pg_stat_activity where state = 'active' and query like 'do $$%'"
        wait_until(lambda: sql("dublin", "commerce", watching) == "1", what="the watch at Dublin", seconds=15)
        status, receipt = customer.send(form)
        acknowledged = time.time()
        assert status == 303
        assert seen.result() < acknowledged + 15  # one machine, one clock; bench/ measures what is required
    order = receipt.split("/")[2]
    at_dublin = f"""select count(*) from orders."order" where id::text = '{order}'"""
    assert sql("dublin", "commerce", at_dublin) == "1"
    assert sql("frankfurt", "commerce", at_dublin) == "1"
    assert "Paid" in customer.get(receipt)
    number = sql("frankfurt", "commerce", f"""select number from orders."order" where id::text = '{order}'""")
    paid = f"select count(*) from payments.payment where reference in ('{order}', '{number}')"
    assert sql("frankfurt", "ledger", paid) == "1"
    assert sql("dublin", "ledger", paid) == "1"


@pytest.mark.requirement("the same idempotency key twice gives one order and one payment")
def test_same_key_twice_is_one_order(at: At, sql: Sql) -> None:
    customer = CurlCustomer(at, "client-eu")
    customer.fill_cart(SLUG)
    form = customer.checkout_form()
    before = counts(sql)
    first, second = customer.send(form), customer.send(form)
    assert first == second
    assert first[0] == 303
    assert [after - old for after, old in zip(counts(sql), before, strict=True)] == [1, 1]


def counts(sql: Sql) -> list[int]:
    orders = sql("frankfurt", "commerce", 'select count(*) from orders."order"')
    payments = sql("frankfurt", "ledger", "select count(*) from payments.payment")
    return [int(orders), int(payments)]


@pytest.mark.requirement("the database itself refuses entries that do not sum to zero")
def test_unbalanced_entries_are_refused_at_commit(sql: Sql) -> None:
    payment, transfer = uuid.uuid4(), uuid.uuid4()
    unbalanced = f"""
        insert into payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at)
            values ('{payment}', '{payment}', 'x', 'probe', 100, 'EUR', 'tok_visa', 'created', now());
        insert into ledger.transfer (id, payment_id, kind) values ('{transfer}', '{payment}', 'capture');
        insert into ledger.entry values ('{transfer}', 1, 'psp-receivable', 'EUR', 100),
                                        ('{transfer}', 2, 'order-sales', 'EUR', -99)"""
    with pytest.raises(CommandError, match="expected 0"):
        sql("frankfurt", "ledger", unbalanced)
    assert sql("frankfurt", "ledger", f"select count(*) from ledger.transfer where id = '{transfer}'") == "0"


@pytest.mark.requirement("pages are whole: home, category, search, product, cart, order history")
@pytest.mark.parametrize("path", ["/", "/search?q=tee", f"/products/{SLUG}", "/cart", "/orders"])
def test_page_answers(at: At, path: str) -> None:
    shown = ("-o", "/dev/null", "-w", "%{http_code}")
    code = at("client-eu", "curl", "-sS", "-m", "10", *shown, f"https://www.shopsphere.test{path}").stdout
    assert code in {"200", "303"}
