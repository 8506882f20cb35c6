"""A customer takes all that is kept about them, and erases the account; the other site follows."""

from __future__ import annotations

import json
import uuid
from functools import partial

import pytest
from curl_customer import CurlCustomer
from lab_access import At, Sql

from shopsphere.foundation.clock import wait_until

ACTIVE, PASSIVE = "frankfurt", "dublin"
PERSON = """select email || name || street || postcode || city from orders."order" where id = '{}'"""


def wait_for_nothing(sql: Sql, statement: str) -> None:
    """Wait until neither site has an answer."""
    for site in (ACTIVE, PASSIVE):
        is_gone = partial(lambda at: sql(at, "commerce", statement) == "", site)
        wait_until(is_gone, what=f"nothing at {site} for {statement}", seconds=90)


@pytest.mark.requirement("an erased customer's order under way is delivered, and then says nothing of a person")
def test_download_and_erasure_reach_both_sites(at: At, sql: Sql) -> None:
    email, password = f"own-{uuid.uuid4().hex[:12]}@example.org", "a long enough password"
    customer = CurlCustomer(at, "client-eu")
    form = customer.form("/account/sign-up", "/account/sign-up")
    assert customer.send(form, email=email, name="Ada Own", password=password)[0] == 303
    customer.fill_cart("tidal-rings-tee")
    form = customer.checkout_form()
    status, receipt = customer.send(form, email=email, name="Ada Own")
    assert status == 303
    order = receipt.split("/")[2]

    kept = json.loads(customer.get("/account/my-data.json"))
    assert kept["account"]["email"] == email
    assert [each["id"] for each in kept["orders"]] == [order]
    assert "password_hash" not in json.dumps(kept)

    form = customer.form("/account/erase", "/account/erase")
    assert customer.send(form, password="another one entirely", confirmed="yes")[0] == 401
    assert customer.send(form, password=password, confirmed="yes") == (303, "/account/erased")
    wait_for_nothing(sql, f"select 1 from customers.customer where email = '{email}'")
    assert "Ada Own" in sql(ACTIVE, "commerce", PERSON.format(order)), "it cannot be delivered"
    for state in ("in_production", "dispatched", "delivered"):
        sql(ACTIVE, "commerce", f"""update orders."order" set state = '{state}' where id = '{order}'""")
    wait_for_nothing(sql, PERSON.format(order))
    erasures = [sql(site, "commerce", "select count(*) from customers.erasure") for site in (ACTIVE, PASSIVE)]
    assert erasures[0] == erasures[1] != "0"
