"""Letters of e-mail addresses in the locale that the sites' databases have: C, which knows capitals of ASCII only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from postgres_cluster import Cluster
from shop_processes import migrate

from app.customers import repository
from app.customers.privacy import export_customer
from app.database import Database

pytestmark = pytest.mark.requirement("an e-mail address is the same in any case of letters")

COMMERCE = "commerce_letters"


@pytest.fixture(scope="module")
def dsn(cluster: Cluster) -> Iterator[str]:
    cluster.admin(f"CREATE DATABASE {COMMERCE} OWNER commerce TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    assert migrate("commerce", cluster, name_there=COMMERCE).returncode == 0
    yield cluster.dsn(COMMERCE)
    cluster.admin(f"DROP DATABASE {COMMERCE}")


@pytest.mark.parametrize(
    ("signed_up", "typed"),
    [
        ("Ada@Example.org", "aDA@eXAMPLE.ORG"),
        ("INFO@MÜLLER.example", "info@müller.example"),
        ("jürgen@example.org", "JÜRGEN@example.org"),
        ("Ζωή@example.org", "ζωή@EXAMPLE.org"),
    ],
)
def test_an_address_in_other_letters_is_the_same_account(
    dsn: str, monkeypatch: pytest.MonkeyPatch, signed_up: str, typed: str
) -> None:
    async def open_and_find() -> None:
        commerce = Database(dsn, role="shop_app", application="test", size=1)
        try:
            async with commerce.write() as connection:
                customer = await repository.insert(connection, signed_up, "Ada", "hash")
                assert await repository.insert(connection, typed, "Ada", "hash") is None
            for email in (signed_up, typed):
                found = await repository.credentials_of(commerce, email)
                assert found is not None
                assert found.customer == customer
        finally:
            await commerce.close()

    asyncio.run(open_and_find())
    monkeypatch.setenv("COMMERCE_DSN", dsn)
    assert export_customer(typed) == export_customer(signed_up)


def test_a_customer_of_before_is_found_as_they_wrote_it(cluster: Cluster, dsn: str) -> None:
    cluster.query(
        COMMERCE,
        "INSERT INTO customers.customer (id, email, name, password_hash) VALUES "
        "(gen_random_uuid(), 'ÅSA@example.org', 'Åsa', 'of before'), "
        "(gen_random_uuid(), 'åsa@example.org', 'Åsa', 'new')",
    )

    async def find() -> list[str]:
        commerce = Database(dsn, role="shop_app", application="test", size=1)
        try:
            found = [
                await repository.credentials_of(commerce, email) for email in ("ÅSA@EXAMPLE.org", "åsa@example.org")
            ]
            return [each.password_hash for each in found if each is not None]
        finally:
            await commerce.close()

    assert asyncio.run(find()) == ["of before", "new"]
