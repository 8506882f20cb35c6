"""An order that was lost with its site, while its payment was not: an operator finds it and gives the money back."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from curl_customer import CurlCustomer
from lab_access import At, Sql
from lab_command import shopsphere

from lab.cluster.addons import kubectl

PAIR, SITE = "rdc-a", "frankfurt"


def differences() -> list[dict[str, Any]]:
    done = shopsphere("reconcile", PAIR, "--json", check=False, seconds=300)
    assert done.code in {0, 1}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["orders"]["differences"]
    assert done.code == 1 or not found
    return found


@pytest.mark.requirement("after a failover orders and payments are compared, and money without an order goes back")
def test_a_payment_whose_order_was_lost_is_found_and_given_back(at: At, sql: Sql) -> None:
    customer = CurlCustomer(at, "client-eu")
    customer.fill_cart("tidal-rings-tee")
    status, receipt = customer.send(customer.checkout_form())
    assert status == 303
    order = receipt.split("/")[2]
    key = f"order-{UUID(order).hex}"
    sql(SITE, "commerce", f"delete from orders.line where order_id = '{order}'")
    sql(SITE, "commerce", f"""delete from orders."order" where id = '{order}'""")
    assert key not in {each["key"] for each in differences()}, "it may still be on its way"

    older = "created_at = created_at - interval '5 minutes', changed_at = changed_at - interval '5 minutes'"
    sql(SITE, "ledger", f"update payments.payment set {older} where key = '{key}'")
    (found,) = [each for each in differences() if each["key"] == key]
    assert found["kind"] == "payment without order"
    assert "shop void-payment" in found["action"]

    said = kubectl(SITE, "exec", "-n", "payments", "deploy/payments", "--", "shop", "void-payment", key, seconds=60)
    assert json.loads(said.strip().rpartition("\n")[2])["state"] == "refunded"
    assert key not in {each["key"] for each in differences()}
    booked = f"select sum(e.amount_minor), count(*) from ledger.entry e join ledger.transfer t on t.id = e.transfer_id \
        join payments.payment p on p.id = t.payment_id where p.key = '{key}' and e.account = 'psp-receivable'"
    assert sql(SITE, "ledger", booked).replace("|", " ").split() == ["0", "2"]
