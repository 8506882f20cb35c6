"""The shop at Frankfurt while forms come twice at once, are far too large, or a crowd tries passwords."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from curl_customer import CurlCustomer
from lab_access import At, Kube, Lab, Sql

from shopsphere.foundation.paths import REPOSITORY

SITE, CLIENT = "frankfurt", "client-eu"
SLUG, OTHER = "tidal-rings-tee", "aurel-one-lamp"
NAME = "Aurel One Lamp"
ROUNDS = 5
STRANGER = """
import collections, json, random, ssl, uuid, httpx
noise, seen = random.Random(7), collections.Counter()
trust = ssl.create_default_context()
with httpx.Client(base_url="https://www.shopsphere.test", timeout=30, verify=trust) as it:
    for size in (7_000, 30_000):
        for _ in range(650):
            body = {"idempotency_key": uuid.uuid4().hex, "product": noise.randbytes(size).hex()}
            try:
                seen[it.post("/cart/items", data=body).status_code] += 1
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):  # ended with the last answer
                seen[0] += 1
print(json.dumps(sorted(seen.items())))
"""


@pytest.fixture(scope="module", autouse=True)
def plenty(lab: Lab, sql: Sql) -> None:
    """No order of these tests meets an empty shelf."""
    sql(SITE, "commerce", "update inventory.stock set free = 1000000")


def shop_pods(kube: Kube) -> dict[str, tuple[str, int]]:
    """By name: whether each pod is ready, and how often its containers were started anew."""
    pods = kube(SITE, "pods", "-n", "shop", "-l", "app.kubernetes.io/name=shop")["items"]
    return {pod["metadata"]["name"]: _state(pod) for pod in pods}


def _state(pod: dict[str, Any]) -> tuple[str, int]:
    ready = next(each["status"] for each in pod["status"]["conditions"] if each["type"] == "Ready")
    return ready, sum(each["restartCount"] for each in pod["status"]["containerStatuses"])


@contextmanager
def pods_stay(kube: Kube) -> Iterator[None]:
    """The shop's pods are the same afterwards, ready, and not started anew."""
    before = shop_pods(kube)
    assert before
    assert {ready for ready, _ in before.values()} == {"True"}
    yield
    assert shop_pods(kube) == before


@pytest.mark.requirement("a cart is ordered once, however often its form is sent at once")
def test_one_cart_sent_from_two_tabs_at_once_is_one_order(lab: Lab, at: At, sql: Sql) -> None:
    for _ in range(ROUNDS):
        customer = CurlCustomer(at, CLIENT)
        customer.fill_cart(SLUG)
        tabs = [customer.checkout_form() for _ in range(2)]
        assert tabs[0].fields["idempotency_key"] != tabs[1].fields["idempotency_key"]
        orders, charges = 'select count(*) from orders."order"', "select count(*) from payments.payment"
        before = [int(sql(SITE, *each)) for each in (("commerce", orders), ("ledger", charges))]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(customer.send, tabs))
        assert sum(to.startswith("/orders/") for _, to in answers) == 1, answers
        after = [int(sql(SITE, *each)) for each in (("commerce", orders), ("ledger", charges))]
        assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1]


@pytest.mark.requirement("what is put into a cart while it is ordered is ordered or stays in it")
def test_a_line_that_comes_during_the_order_is_not_lost(lab: Lab, at: At, sql: Sql) -> None:
    for _ in range(ROUNDS):
        customer = CurlCustomer(at, CLIENT)
        customer.fill_cart(SLUG)
        checkout = customer.checkout_form()
        more = customer.form(f"/products/{OTHER}", "/cart/items")
        with ThreadPoolExecutor(2) as pool:
            ordered, added = pool.map(customer.send, (checkout, more))
        assert added[0] == 303
        taken = ordered[1].startswith("/orders/")
        receipt = customer.get(ordered[1]) if taken else ""
        kept = customer.get("/cart")
        assert (f"/products/{OTHER}" in kept) != (NAME in receipt), (ordered, added)
        assert taken != (f"/products/{SLUG}" in kept), "ordered, or in the cart still"


@pytest.mark.requirement("memory is bounded by bytes: no pod of the shop is killed for what a stranger sends")
def test_large_forms_kill_no_pod(lab: Lab, at: At, kube: Kube) -> None:
    with pods_stay(kube):
        answers = at(CLIENT, sys.executable, "-c", STRANGER, seconds=300).stdout
    told = dict(json.loads(answers))
    assert set(told) <= {0, 413, 422, 429}
    assert told.get(0, 0) < sum(told.values()) / 10


@pytest.mark.requirement("60 parallel sign-ins slow nobody else down and take no pod out of its Service")
def test_a_crowd_at_the_sign_in_form(lab: Lab, at: At, kube: Kube) -> None:
    script = (sys.executable, str(REPOSITORY / "bench" / "sign_ins.py"))
    with pods_stay(kube):
        found = json.loads(at(CLIENT, *script, "--clients", "60", "--seconds", "20", seconds=120).stdout)
    assert set(found["sign_ins"]["answers"]) <= {"401", "429"}
    assert found["sign_ins"]["429 without Retry-After"] == 0
    assert found["sign_ins"]["answers"]["429"] > 0
    assert found["pages"]["failed"] == 0, found["pages"]["failures"]
    assert found["checkouts"]["failures"] == {}
    assert found["checkouts"]["ms"]["count"] > 0
