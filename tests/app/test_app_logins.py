"""Who counts clicks, recommends or exports has a role of its own at the shop's database, for its work alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
from postgres_cluster import OTHERS, Cluster
from shop_processes import migrate

from app.database import Database
from app.recommendations.building import Limits
from app.recommendations.catalogue import buyers, categories, numbers_of, shown_now
from app.recommendations.sessions import StoredSessions
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("each program logs in to a database as a role that may do its work alone")
COMMERCE = "commerce_logins"
NOBODY = "00000000-0000-0000-0000-000000000000"
FORBIDDEN = (
    "SELECT id FROM customers.customer",
    "SELECT id FROM customers.session",
    "SELECT * FROM carts.cart",
    "SELECT * FROM carts.line",
    'SELECT name FROM orders."order"',
    'SELECT street FROM orders."order"',
    "SELECT customisation FROM orders.line",
    "UPDATE orders.\"order\" SET state = 'declined'",
    'DELETE FROM orders."order"',
    "INSERT INTO orders.line DEFAULT VALUES",
    "UPDATE inventory.stock SET free = 1000",
    "UPDATE catalogue.product SET on_sale = false",
    "UPDATE catalogue.price SET size = size",
    "DELETE FROM customers.customer",
    f"SELECT customers.export_own('{NOBODY}')",
    f"SELECT customers.erase_own('{NOBODY}')",
    f"SELECT customers.export_customer('{NOBODY}')",
    "SELECT customers.find_customer('a@example.org')",
    "DROP TABLE insight.session_look",
    "TRUNCATE insight.session_look",
    "CREATE TABLE public.mine (i int)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "SET ROLE commerce",
    "SET ROLE shop_app",
    "COPY catalogue.product (id) TO PROGRAM 'cat'",
)
OF_ONE = {
    "insight_app": (
        'SELECT id FROM orders."order"',
        'SELECT email FROM orders."order"',
        "SELECT sku FROM orders.line",
        "SELECT sku FROM inventory.stock",
        "SELECT on_sale FROM catalogue.product",
        "DELETE FROM insight.source_offset",
        "SET ROLE recommend_app",
    ),
    "recommend_app": (
        "INSERT INTO insight.session_look VALUES (1, 1, 1)",
        "DELETE FROM insight.session_look",
        "SELECT * FROM insight.minute_count",
        "SELECT * FROM insight.trending",
        "SELECT next FROM insight.source_offset",
        "SELECT slug FROM catalogue.product",
        'SELECT email FROM orders."order"',
        "SELECT quantity FROM orders.line",
        "SET ROLE insight_app",
    ),
    "export_app": (
        "SELECT session FROM insight.session_look",
        "SELECT * FROM insight.trending",
        "SELECT sku FROM inventory.stock",
        "SELECT name FROM catalogue.product",
        "UPDATE orders.\"order\" SET email = ''",
        "INSERT INTO export.numbering DEFAULT VALUES",
        "DELETE FROM export.numbering",
        "UPDATE export.numbering SET only_row = true",
        "UPDATE export.release SET day = day",
        "DELETE FROM export.spending",
        "TRUNCATE export.cell",
        "UPDATE export.fact SET amount = 1",
        "DELETE FROM export.fact",
        "ALTER TABLE export.cell DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "SET ROLE insight_app",
    ),
}


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Cluster]:
    cluster.admin(f"CREATE DATABASE {COMMERCE} OWNER commerce")
    try:
        done = migrate("commerce", cluster, name_there=COMMERCE)
        assert done.returncode == 0, done.stderr
        yield cluster
    finally:
        cluster.admin(f"DROP DATABASE {COMMERCE} WITH (FORCE)")


def test_the_tests_have_the_logins_that_a_site_has() -> None:
    found = {each.name: tuple(login.role for login in each.logins[1:]) for each in DATABASES}
    assert {name: roles for name, roles in found.items() if roles} == OTHERS


@pytest.mark.parametrize(
    ("role", "statement"), [(role, each) for role, more in OF_ONE.items() for each in (*FORBIDDEN, *more)]
)
def test_what_is_not_its_work_is_refused(place: Cluster, role: str, statement: str) -> None:
    with (
        psycopg.connect(place.service_dsn(COMMERCE, role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


def test_the_recommender_reads_all_that_it_asks_for(place: Cluster) -> None:
    now = int(time.time())
    place.query(COMMERCE, "INSERT INTO insight.session_look VALUES (7, 3, %s)", now)

    async def asked() -> tuple[int, int, list[int]]:
        dsn = place.service_dsn(COMMERCE, "recommend_app")
        commerce = Database(dsn, role="recommend_app", application="test", size=1)
        try:
            assert await buyers(commerce) == {}
            looks = await StoredSessions(commerce).clicks(now, Limits(days=1))
            shown = len(numbers_of(await shown_now(commerce)))
            return shown, len(await categories(commerce)), looks.products.tolist()
        finally:
            await commerce.close()

    products = place.query(COMMERCE, "SELECT count(*) FROM catalogue.product WHERE on_sale")[0][0]
    assert asyncio.run(asked()) == (products, products, [3])


@pytest.mark.parametrize("role", sorted(OF_ONE))
def test_each_waits_for_its_schema_as_itself(place: Cluster, role: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "await-schema", "commerce", "--seconds", "20"],
        cwd=REPOSITORY, text=True, capture_output=True, timeout=60, check=False,
        env={**os.environ, "COMMERCE_DSN": place.service_dsn(COMMERCE, role)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture
def older() -> Iterator[Cluster]:
    """A server whose operator has not heard of these logins."""
    found = Cluster()
    try:
        for role in OTHERS["commerce"]:
            found.admin(f"DROP ROLE {role}")
        yield found
    finally:
        found.remove()


def test_a_migration_fails_until_the_roles_are_there_and_makes_its_owner_no_member(older: Cluster) -> None:
    for role, version in (("insight_app", "0007"), ("recommend_app", "0007"), ("export_app", "0008")):
        refused = migrate("commerce", older)
        assert refused.returncode == 1
        assert f"role {role} is missing and commerce may not create it" in refused.stderr
        assert "CloudNativePG makes it (managed.roles)" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert older.query("commerce", "SELECT version_num FROM public.alembic_version") == [(version,)]
        older.admin(f"CREATE ROLE {role} LOGIN")
    assert migrate("commerce", older).returncode == 0
    members = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'commerce'::regrole"
    assert older.query("commerce", members) == [("shop_app",)]


def test_an_owner_that_may_create_roles_makes_them_without_a_login(older: Cluster) -> None:
    older.admin("ALTER ROLE commerce CREATEROLE")
    done = migrate("commerce", older)
    assert done.returncode == 0, done.stderr
    made = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1"
    assert older.query("commerce", made, list(OTHERS["commerce"])) == [
        ("export_app", False),
        ("insight_app", False),
        ("recommend_app", False),
    ]
