"""A planted customer comes in by the front door, and what they typed is found where the shop keeps it."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from typing import Any, cast

import pytest
from running_shop import Shop

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.html_forms import NoFormError, form_in
from shopsphere.residency.customer import FrontDoorError, Person, order
from shopsphere.residency.looking import PlaceReport, Verdict, look_at_places
from shopsphere.residency.place_cluster import DatabaseDump
from shopsphere.residency.place_files import Folder, Looked
from shopsphere.residency.plant import guest, plant
from shopsphere.residency.tokens import Planting, Token

SHOP = "https://www.shopsphere.test"


@pytest.fixture(scope="module")
def planted(shop: Shop) -> Planting:
    def front_door(_jurisdiction: str, person: Person) -> str:
        return order(person, shop.shopper().http)

    return plant(["eu"], SHOP, front_door, environment="lab", now=0.0)


def look(shop: Shop, tokens: tuple[Token, ...], jurisdiction: str) -> PlaceReport:
    place = Folder("data files and WAL", shop.cluster.data_directory, Looked(0))
    (report,) = look_at_places([place], tokens, jurisdiction=jurisdiction, at="here", seconds=120)
    return report


@pytest.mark.requirement("synthetic customers and payments are planted through the shop's own front door")
def test_a_customer_is_planted_with_account_order_and_payment(shop: Shop, planted: Planting) -> None:
    values = {each.name.partition("/")[2]: each.value for each in planted.tokens}
    account = "SELECT name FROM customers.customer WHERE email = %s"
    assert shop.cluster.query("commerce", account, values["email"]) == [(values["name"],)]
    address = 'SELECT email, name, street, city FROM orders."order" WHERE id = %s'
    assert shop.cluster.query("commerce", address, values["order"]) == [
        tuple(values[each] for each in ("email", "name", "street", "city"))
    ]
    assert shop.payment(values["order"])[0][0] in {"captured", "succeeded", "paid"}


@pytest.mark.requirement("a planted token is found in a database's files and WAL")
def test_every_token_is_found_in_the_files_of_the_database(shop: Shop, planted: Planting) -> None:
    shop.cluster.admin("CHECKPOINT")
    report = look(shop, planted.tokens, jurisdiction="us")  # as if the files were another jurisdiction's
    assert report.verdict is Verdict.LEAK
    assert {each.token for each in report.leaks} == {each.name for each in planted.tokens}
    places = " ".join(position for each in report.leaks for position in each.positions)
    assert "pg_wal/" in places or "base/" in places
    assert {each.form for each in report.leaks if each.token == "eu/order"} >= {"raw identifier"}


class LocalDump:
    """A cluster whose dump is made on this machine, with the very command that is run in a pod."""

    def __init__(self, shop: Shop) -> None:
        self.port = str(shop.cluster.port)

    def get(self, _path: str) -> dict[str, Any]:
        return {"metadata": {"namespace": "data-commerce", "name": "commerce-here"}}

    def output_of(self, _namespace: str, _pod: str, _container: str, command: list[str], **_: float) -> Iterator[bytes]:
        way = {"PGHOST": "127.0.0.1", "PGPORT": self.port, "PGUSER": "postgres", "PATH": os.environ["PATH"]}
        yield subprocess.run(command, env=way, capture_output=True, check=True, timeout=120).stdout


@pytest.mark.requirement("a planted token is found in a database, and shows at home that the search works")
def test_every_token_is_found_in_a_dump(shop: Shop, planted: Planting) -> None:
    for jurisdiction, verdict in (("us", Verdict.LEAK), ("eu", Verdict.CLEAN)):
        dump = DatabaseDump("commerce", lambda: cast(Cluster, LocalDump(shop)), "/")
        home = Token(name="us/name", jurisdiction="us", value="x" * 16)
        (report,) = look_at_places([dump], (*planted.tokens, home), jurisdiction=jurisdiction, at="here", seconds=120)
        assert report.verdict is verdict, report.problems
        found = {each.token for each in report.leaks}
        assert found == ({each.name for each in planted.tokens} if verdict is Verdict.LEAK else set())


def test_words_that_nobody_typed_are_in_no_file(shop: Shop, planted: Planting) -> None:
    other = tuple(
        each.model_copy(
            update={"name": f"us/{each.name}", "jurisdiction": "us", "value": planted.stem + secrets.token_hex(9)}
        )
        for each in planted.tokens
    )
    report = look(shop, (*planted.tokens, *other), jurisdiction="eu")
    assert (report.verdict, report.leaks) == (Verdict.CLEAN, ()), report.problems


def test_the_same_customer_orders_again_as_a_guest(shop: Shop, planted: Planting) -> None:
    made = order(guest(planted, "eu", SHOP), shop.shopper().http)
    assert made not in {each.value for each in planted.tokens}


def test_a_shop_that_refuses_is_said_to(shop: Shop, planted: Planting) -> None:
    person = guest(planted, "eu", SHOP).model_copy(update={"password": "a long enough password"})
    with pytest.raises(FrontDoorError, match="the sign-up was not taken"):  # there is an account by this address
        order(person, shop.shopper().http)


def test_a_page_without_the_form_is_said_to_be() -> None:
    with pytest.raises(NoFormError, match="/search"):
        form_in('<form action="/search"></form>', "/checkout")
