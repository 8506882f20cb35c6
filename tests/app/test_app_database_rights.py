"""Roles, rights and ways out of a database: the declared ones are the migrations', every other one is found."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import yaml
from golden import WRITE
from ledger_server import RULES, LedgerServer, inventory
from postgres_cluster import Cluster

from shopsphere.clients.postgres_inventory import Fact, Sender, State
from shopsphere.clients.questions import TEMPLATE
from shopsphere.drift.database_declared import FOLDER, ITSELF, rights
from shopsphere.drift.model import Drift
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("database roles, settings and grants are compared with what is declared")

READER = "recommend_app"
WRITTEN = """\
# What the application's migrations give, as PostgreSQL has it. `body` and `definition` are checksums of code (MD5).
# A test compares it with a real server; SHOPSPHERE_GOLDEN=write pytest tests/app/test_app_database_rights.py renews it.
"""


def as_text(version: str, facts: tuple[Fact, ...]) -> str:
    objects: dict[str, dict[str, str]] = {}
    for each in facts:
        objects.setdefault(each.object, {})[each.field or ITSELF] = each.value
    body = yaml.safe_dump({"version": version, "objects": objects}, sort_keys=False, width=1000, allow_unicode=True)
    return WRITTEN + body


@pytest.mark.parametrize("name", ["commerce", "ledger", "every"])
def test_declared_rights_are_those_of_the_migrations(name: str, cluster: Cluster) -> None:
    found = inventory(cluster, "ledger" if name == "every" else name)
    version, facts = ("", found.databases[TEMPLATE]) if name == "every" else (found.version, found.databases[name])
    if os.environ.get(WRITE) == "write":
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.yaml").write_text(as_text(version, facts))
        rights.cache_clear()
    assert rights(name) == (version, facts)


def test_the_declared_rights_say_what_was_meant() -> None:
    """By hand: what the file is generated from could itself be wrong."""
    _, ledger = rights("ledger")
    given = {(each.object, each.field): each.value for each in ledger if "payments_app" in each.field}
    assert given[("table ledger.entry", "granted to payments_app")] == "INSERT, SELECT"
    assert given[("table ledger.transfer", "granted to payments_app")] == "SELECT"
    written = {field for object_, field in given if object_ == "table ledger.transfer" and field.startswith("column")}
    assert written == {f"column {name} granted to payments_app" for name in ("id", "payment_id", "kind")}
    assert given[("table ledger.account", "granted to payments_app")] == "SELECT"
    assert given[("table payments.payment", "column state granted to payments_app")] == "INSERT, UPDATE"
    assert given[("table payments.payment", "column charge_id granted to payments_app")] == "UPDATE"
    assert given[("table payments.payment", "column amount_minor granted to payments_app")] == "INSERT"
    assert ("table payments.payment", "column created_at granted to payments_app") not in given
    _, commerce = rights("commerce")
    reads = {
        (each.object, each.field.partition(" granted")[0]): each.value for each in commerce if READER in each.field
    }
    assert set(reads.values()) == {"SELECT", "USAGE"}
    assert {object_ for object_, _ in reads} == {
        "schema catalogue", "schema insight", "schema inventory", "schema orders", "table catalogue.product",
        "table catalogue.variant", "table insight.session_look", "table inventory.stock", "table orders.line",
        'table orders."order"', "table public.alembic_version",
    }  # fmt: skip
    assert {field for object_, field in reads if object_ == 'table orders."order"'} == {
        f"column {name}" for name in ("id", "session_id", "customer_id", "state", "placed_at")
    }
    counts = {each.object for each in commerce if "insight_app" in each.field and each.value not in {"SELECT", "USAGE"}}
    exports = {
        (each.object.removeprefix("table "), each.field.partition("granted")[0].strip()): each.value
        for each in commerce
        if "export_app" in each.field and each.value not in {"SELECT", "USAGE"}
    }
    assert exports == {
        ("export.numbering", "column confirmed_at"): "UPDATE",
        ("export.numbering", "column confirmed_seq"): "UPDATE",
        ("export.numbering", "column last_seq"): "UPDATE",
        ("export.release", ""): "INSERT, SELECT",
        ("export.cell", ""): "INSERT, SELECT",
        ("export.spending", ""): "INSERT, SELECT",
        ("export.fact", ""): "INSERT, SELECT",
        ("export.fact", "column seq"): "UPDATE",
    }
    names = ("balance", "minute_count", "minute_product", "session_look", "source_offset")
    assert counts == {f"table insight.{name}" for name in names}
    definers = {each.object for each in commerce if each.field == "runs as" and each.value == "its owner"}
    assert "function customers.erase_customer(uuid)" in definers
    public = {each.object for each in commerce if each.field == "granted to PUBLIC" and each.object.startswith("table")}
    assert public == set()


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    found = LedgerServer()
    try:
        yield found
    finally:
        found.cluster.remove()


def test_a_server_as_the_operator_leaves_it_has_no_finding(server: LedgerServer) -> None:
    assert server.findings() == []


INJECTED = [
    ("postgres", "CREATE ROLE mallory LOGIN", "role mallory", "", "high"),
    ("postgres", "CREATE ROLE mallory LOGIN SUPERUSER", "role mallory", "", "critical"),
    ("postgres", "ALTER ROLE ledger SUPERUSER", "role ledger", "superuser", "critical"),
    ("postgres", "ALTER ROLE ledger REPLICATION", "role ledger", "replication", "critical"),
    ("postgres", "ALTER ROLE payments_app BYPASSRLS", "role payments_app", "bypassrls", "critical"),
    ("postgres", "ALTER ROLE payments_app NOLOGIN", "role payments_app", "login", "high"),
    ("postgres", "ALTER ROLE ledger CREATEROLE", "role ledger", "createrole", "high"),
    ("postgres", "ALTER ROLE postgres PASSWORD 'known'", "role postgres", "password", "high"),
    ("postgres", "GRANT pg_read_all_data TO ledger", "role ledger", "member of pg_read_all_data", "critical"),
    ("postgres", "REVOKE payments_app FROM ledger", "role ledger", "member of payments_app", "high"),
    ("ledger", "GRANT UPDATE ON ledger.entry TO payments_app", "table ledger.entry", "granted to payments_app", "high"),
    ("ledger", "GRANT SELECT ON payments.payment TO PUBLIC", "table payments.payment", "granted to PUBLIC", "high"),
    (
        "ledger",
        "GRANT UPDATE (amount_minor) ON payments.payment TO payments_app",
        "table payments.payment",
        "column amount_minor granted to payments_app",
        "high",
    ),
    (
        "ledger",
        "REVOKE SELECT ON ledger.transfer FROM payments_app",
        "table ledger.transfer",
        "granted to payments_app",
        "high",
    ),
    ("ledger", "GRANT CREATE ON SCHEMA ledger TO payments_app", "schema ledger", "granted to payments_app", "high"),
    (
        "ledger",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO ledger",
        "function pg_catalog.pg_read_file(text)",
        "granted to ledger",
        "high",
    ),
    (
        "ledger",
        "GRANT SELECT ON pg_catalog.pg_authid TO payments_app",
        "relation pg_authid",
        "granted to payments_app",
        "high",
    ),
    ("ledger", "ALTER TABLE ledger.entry OWNER TO payments_app", "table ledger.entry", "owner", "high"),
    (
        "ledger",
        "ALTER TABLE ledger.entry DISABLE TRIGGER append_only",
        "table ledger.entry",
        "trigger append_only",
        "high",
    ),
    ("ledger", "ALTER TABLE ledger.entry ENABLE ROW LEVEL SECURITY", "table ledger.entry", "row security", "high"),
    ("ledger", "CREATE POLICY p ON ledger.entry USING (true)", "table ledger.entry", "policy p", "high"),
    ("ledger", "CREATE EXTENSION pg_trgm", "extension pg_trgm", "", "critical"),
    ("ledger", "CREATE FOREIGN DATA WRAPPER away", "foreign data wrapper away", "", "critical"),
    ("ledger", "CREATE PUBLICATION away FOR ALL TABLES", "publication away", "", "critical"),
    (
        "ledger",
        "CREATE SUBSCRIPTION away CONNECTION 'host=203.0.113.9 dbname=x password=secret' PUBLICATION p "
        "WITH (connect = false, slot_name = NONE)",
        "subscription away",
        "",
        "critical",
    ),
    (
        "postgres",
        "SELECT pg_create_physical_replication_slot('away')",
        "replication slot away",
        "",
        "critical",
    ),
    (
        "ledger",
        "CREATE FUNCTION pg_catalog.leak(cstring) RETURNS cstring LANGUAGE internal AS 'textin'",
        "function leak(cstring)",
        "",
        "critical",
    ),
    ("ledger", "CREATE FUNCTION ledger.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function ledger.f()", "", "high"),
    ("ledger", "CREATE VIEW ledger.v AS SELECT * FROM ledger.entry", "view ledger.v", "", "high"),
    (
        "postgres",
        "ALTER ROLE ledger SET session_preload_libraries = 'x'",
        "setting session_preload_libraries",
        "for role ledger",
        "critical",
    ),
    (
        "postgres",
        "ALTER DATABASE ledger SET search_path = evil",
        "setting search_path",
        "for in database ledger",
        "high",
    ),
    ("postgres", "ALTER SYSTEM SET log_statement = 'all'", "setting log_statement", "by ALTER SYSTEM", "high"),
    (
        "postgres",
        "GRANT SET ON PARAMETER log_statement TO ledger",
        "setting log_statement",
        "granted to ledger",
        "high",
    ),
]


def of(found: list[Drift]) -> list[tuple[str, str, str]]:
    told = [
        (each.object.removeprefix("PostgreSQL ledger-frankfurt: "), each.field, each.severity.value) for each in found
    ]
    return [(object_.removeprefix("ledger: "), field, severity) for object_, field, severity in told]


@pytest.mark.parametrize(("database", "statement", "object_", "field", "severity"), INJECTED)
def test_what_somebody_changed_is_found_and_its_own_repair_puts_it_back(
    database: str, statement: str, object_: str, field: str, severity: str, server: LedgerServer
) -> None:
    server.run(database, statement)
    found = left = server.findings()
    for _ in range(2):  # who changes a table's owner takes rights away with the old one
        for each in left:
            server.repair(each)
        left = server.findings()
    assert (object_, field, severity) in of(found)
    assert {name for name, _, _ in of(found)} == {object_}
    assert "secret" not in str(found)
    assert left == []


def test_a_name_that_is_a_statement_stays_a_name_in_the_repair(server: LedgerServer) -> None:
    server.run("postgres", 'CREATE ROLE "x; CREATE ROLE worse; --"')
    (found,) = server.findings()
    server.run("postgres", found.repair[found.repair.index("DROP ROLE") :].rstrip("'"))
    assert server.findings() == []


def test_what_only_a_person_can_judge_has_no_statement_that_destroys(server: LedgerServer) -> None:
    server.run("ledger", "CREATE TABLE ledger.copy AS SELECT * FROM ledger.entry")
    server.run("postgres", "CREATE DATABASE elsewhere")
    found = server.findings()
    server.run("ledger", "DROP TABLE ledger.copy")
    server.run("postgres", "DROP DATABASE elsewhere")
    assert of(found) == [("database elsewhere", "", "high"), ("table ledger.copy", "", "high")]
    assert all(each.repair.startswith("look at it with: kubectl") for each in found)


def test_a_database_that_was_kept_is_said_to_be_one(server: LedgerServer) -> None:
    name = "ledger_before_20261130t053000z"
    server.run("postgres", f"CREATE DATABASE {name} CONNECTION LIMIT 0")
    found = server.findings()
    server.run("postgres", f"DROP DATABASE {name}")
    assert of(found) == [(f"database {name}", "", "medium")]
    assert found[0].live
    assert found[0].live.startswith(f"{name} was ledger until 2026-11-30 05:30:00 UTC")
    assert f"--drop {name}" in found[0].repair


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (f"host all all 203.0.113.0/24 trust\n{RULES}", [("host all all 203.0.113.0/24 trust", "critical")]),
        (RULES.replace("host all all all scram", "host all all all md5 #"), None),
        (RULES.replace("local all all peer map=local", ""), [("local all all peer map=local", "high")]),
        ("host all all all scram-sha-256" + RULES, [("order", "critical")]),
    ],
)
def test_lines_that_let_in_are_compared_with_their_order(
    rules: str, expected: list[tuple[str, str]] | None, server: LedgerServer
) -> None:
    server.write_rules(rules)
    found = [(each.field, each.severity.value) for each in server.findings()]
    server.write_rules(RULES)
    changed = [("host all all all md5", "critical"), ("host all all all scram-sha-256", "high")]
    assert found == (changed if expected is None else expected)


def test_who_follows_and_who_is_followed_say_so(server: LedgerServer) -> None:
    server.write_rules("host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n")
    follower = Cluster(source=server.cluster)
    try:
        wait_until(lambda: inventory(server.cluster, "ledger").state.senders, what="the follower", seconds=90)
        leads, follows = inventory(server.cluster, "ledger"), inventory(follower, "ledger")
    finally:
        follower.remove()
        server.write_rules(RULES)
    assert leads.state == State(
        in_recovery=False,
        synchronous="",
        source="",
        source_tls="",
        senders=(Sender("walreceiver", "postgres", "127.0.0.1"),),
    )
    assert (follows.state.in_recovery, follows.state.source, follows.state.source_tls) == (True, "127.0.0.1", "prefer")
    assert follows.databases == leads.databases


def test_a_view_in_place_of_the_version_is_not_run(server: LedgerServer) -> None:
    """Whoever owns the database could have the administrator run a function of theirs."""
    server.run(
        "ledger",
        "ALTER TABLE public.alembic_version RENAME TO kept;;"
        "CREATE FUNCTION public.trap() RETURNS text LANGUAGE sql AS 'SELECT ''0003''::text';;"
        "CREATE VIEW public.alembic_version AS SELECT public.trap() AS version_num",
    )
    found = inventory(server.cluster, "ledger")
    server.run(
        "ledger",
        "DROP VIEW public.alembic_version;;DROP FUNCTION public.trap();;"
        "ALTER TABLE public.kept RENAME TO alembic_version",
    )
    assert found.version == ""
    assert inventory(server.cluster, "ledger").version == rights("ledger")[0]
