"""A restored database takes the place of the live one while customers go on, on real servers."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ledger_server import inventory
from replaced_pair import Pods, ReplacedPair, begun, servers_of

from runbooks.engine import StepFailedError
from runbooks.putting_in_place.run import require_one
from shopsphere.estate.databases import COMMERCE
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import UsageError

pytestmark = pytest.mark.requirement("a mistake that replication copied is taken out of the live database")

PERSON = ("Ada Lovelace", "1 Main St", "10115", "Berlin")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplacedPair]:
    yield from servers_of(COMMERCE, tmp_path_factory.mktemp("records"))


@pytest.fixture
def pair(servers: ReplacedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReplacedPair:
    return begun(servers, tmp_path / "records", monkeypatch)


def customer(pair: ReplacedPair) -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce", "INSERT INTO customers.customer (id, email, name, password_hash) VALUES (%s, %s, %s, 'x')",
        made, f"{made}@example.org", PERSON[0],
    )  # fmt: skip
    return made


def session(pair: ReplacedPair, whose: uuid.UUID | None = None) -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce",
        "INSERT INTO customers.session (id, customer_id, expires_at) VALUES (%s, %s, now() + interval '1 day')",
        made, whose,
    )  # fmt: skip
    return made


def order(pair: ReplacedPair, whose: uuid.UUID | None = None, *, state: str = "pending_payment") -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce",
        'INSERT INTO orders."order" (id, number, session_id, customer_id, state, currency, goods_minor, shipping_minor,'
        " payment_token, email, name, street, postcode, city, country)"
        " VALUES (%s, %s, %s, %s, 'pending_payment', 'EUR', 100, 0, 't', 'a@example.org', %s, %s, %s, %s, 'DE')",
        made, f"S-{made.hex[:10]}", uuid.uuid4(), whose, *PERSON,
    )  # fmt: skip
    for each in {"pending_payment": (), "paid": ("paid",), "dispatched": ("paid", "in_production", "dispatched")}[
        state
    ]:
        pair.live.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', each, made)
    return made


def ids(pair: ReplacedPair, table: str) -> set[uuid.UUID]:
    return {each for (each,) in pair.live.query("commerce", f"SELECT id FROM {table}")}


def beside(dsn: str, name: str) -> str:
    return f"{dsn.rpartition('/')[0]}/{name}"


class Customers:
    """Services' logins that place orders all the time, and come again when they are put out."""

    def __init__(self, pair: ReplacedPair) -> None:
        self.pair = pair
        self.good: list[float] = []
        self.bad: list[tuple[float, str]] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(3)]
        for each in self._threads:
            each.start()

    def _go_on(self) -> None:
        held: psycopg.Connection[Any] | None = None
        while not self._ended.is_set():
            try:
                held = held or psycopg.connect(
                    self.pair.live.service_dsn("commerce"), autocommit=True, connect_timeout=10
                )
                held.execute(
                    "INSERT INTO customers.session (id, expires_at)"
                    " VALUES (gen_random_uuid(), now() + interval '1 day')"
                )
                self.good.append(time.monotonic())
            except psycopg.Error as error:
                self.bad.append((time.monotonic(), str(error)))
                held = None
            time.sleep(0.01)
        if held:
            held.close()

    def end(self) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()


def test_a_dropped_table_comes_back_while_customers_go_on(pair: ReplacedPair) -> None:
    kept = [order(pair) for _ in range(3)]
    copy = pair.copy_now()
    pair.live.query("commerce", 'DROP TABLE orders.line, orders."order" CASCADE')
    customers = Customers(pair)
    try:
        wait_until(lambda: len(customers.good) > 20, what="customers", seconds=60)
        pair.call(named=copy.name)
        swapped = time.monotonic()
        wait_until(lambda: len([each for each in customers.good if each > swapped]) > 20, what="customers", seconds=60)
    finally:
        customers.end()
    assert ids(pair, 'orders."order"') == set(kept)
    assert customers.bad, "somebody was put out"
    assert customers.bad[-1][0] - customers.bad[0][0] < 10
    before = [name for name in pair.names() if name.startswith("commerce_before_")]
    assert len(before) == 1
    assert pair.names() == {"commerce", *before}


def test_rights_owner_and_settings_are_those_of_the_live_one(pair: ReplacedPair) -> None:
    """Given to the live one after the time of the copy, which therefore does not know of them."""
    copy = pair.copy_now()
    for statement in (
        "REVOKE TEMPORARY ON DATABASE commerce FROM PUBLIC",
        "GRANT CREATE ON DATABASE commerce TO shop_app WITH GRANT OPTION",
        "ALTER DATABASE commerce SET statement_timeout = '77s'",
        'ALTER DATABASE commerce SET search_path = "$user", public, "Odd name"',
        "ALTER ROLE shop_app IN DATABASE commerce SET work_mem = '5MB'",
        "ALTER DATABASE commerce CONNECTION LIMIT 61",
    ):
        pair.live.admin(statement)
    facts = """
        SELECT pg_get_userbyid(datdba), datacl::text, datconnlimit, datcollate,
          (SELECT array_agg(setrole::regrole || ' ' || setconfig::text ORDER BY setrole) FROM pg_db_role_setting
            WHERE setdatabase = pg_database.oid)
        FROM pg_database WHERE datname = 'commerce'"""
    before, rights = pair.live.query("postgres", facts), inventory(pair.live, "commerce")
    pair.call(named=copy.name)
    assert pair.live.query("postgres", facts) == before
    assert "61" in str(before)
    assert "77s" in str(before)
    assert inventory(pair.live, "commerce").databases == rights.databases
    with psycopg.connect(pair.live.service_dsn("commerce"), autocommit=True) as service:
        assert service.execute("SELECT count(*) FROM catalogue.product").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("DELETE FROM customers.customer")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("CREATE TABLE public.mine (i int)")


def test_services_are_kept_out_of_what_is_not_live(pair: ReplacedPair) -> None:
    copy = pair.copy_now()
    with pytest.raises(StepFailedError, match=f"--i-mean {copy.name}"):
        pair.call()
    assert pair.names() == {"commerce", copy.name}
    for login in (pair.live.service_dsn, pair.live.dsn):
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(beside(login("commerce"), copy.name))
    pair.call(named=copy.name)
    (kept,) = pair.names() - {"commerce"}
    with pytest.raises(psycopg.OperationalError, match="too many connections"):
        psycopg.connect(beside(pair.live.service_dsn("commerce"), kept))
    psycopg.connect(f"postgresql://postgres@127.0.0.1:{pair.live.port}/{kept}").close()


def test_persons_who_were_erased_and_sessions_that_were_ended_do_not_come_back(pair: ReplacedPair) -> None:
    erased, stays = customer(pair), customer(pair)
    theirs, sent = order(pair, erased, state="dispatched"), order(pair, stays, state="paid")
    ended, open_ = session(pair, stays), session(pair, stays)
    pending = order(pair, stays)
    copy = pair.copy_now()
    pair.live.query("commerce", "SELECT customers.erase_customer(%s)", erased)
    pair.live.query("commerce", "DELETE FROM customers.session WHERE id = %s", ended)
    pair.live.query("commerce", "SELECT orders.remove_person(ARRAY[%s, %s])", sent, pending)
    late = customer(pair)
    pair.live.query("commerce", "SELECT customers.erase_customer(%s)", late)
    pair.call(named=copy.name)
    assert ids(pair, "customers.customer") >= {stays}
    assert not ids(pair, "customers.customer") & {erased, late}
    assert ids(pair, "customers.session") >= {open_}
    assert ended not in ids(pair, "customers.session")
    named = dict(pair.live.query("commerce", "SELECT customer_id, orders FROM customers.erasure"))
    assert (named[erased], named[late]) == (1, 0)
    persons = {
        each: (email, ends, whose)
        for each, email, ends, whose in pair.live.query(
            "commerce", 'SELECT id, email, person_ends, customer_id FROM orders."order"'
        )
    }
    assert persons[theirs] == ("a@example.org", True, None), "under way: it goes as the order ends"
    assert persons[sent][0] == ""
    assert persons[pending][1], "its payment is still asked for"
    pair.live.query("commerce", "UPDATE orders.\"order\" SET state = 'delivered' WHERE id = %s", theirs)
    assert pair.live.query("commerce", 'SELECT email FROM orders."order" WHERE id = %s', theirs) == [("",)]


def test_what_is_erased_while_names_are_swapped_is_erased_too(
    pair: ReplacedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = customer(pair)
    copy = pair.copy_now()
    execute = Pods.execute

    def erase_first(self: Pods, *words: Any, **more: Any) -> str:
        if "RENAME" in " ".join(words[3]):
            pair.live.query("commerce", "SELECT customers.erase_customer(%s)", erased)
        return execute(self, *words, **more)

    monkeypatch.setattr(Pods, "execute", erase_first)
    pair.call(named=copy.name)
    assert erased not in ids(pair, "customers.customer")


def test_nothing_changes_before_what_is_lost_was_read(pair: ReplacedPair, capsys: pytest.CaptureFixture[str]) -> None:
    moved = order(pair)
    copy = pair.copy_now()
    pair.live.query("commerce", "UPDATE orders.\"order\" SET state = 'paid' WHERE id = %s", moved)
    lost = [order(pair) for _ in range(2)]
    customer(pair)
    with pytest.raises(StepFailedError, match="nothing that customers see was changed yet"):
        pair.call(named="commerce")
    said = " ".join(capsys.readouterr().err.split())
    numbers = dict(pair.live.query("commerce", 'SELECT id, number FROM orders."order"'))
    assert "2 orders placed after that time are lost" in said
    assert all(numbers[each] in said for each in lost)
    assert "1 orders go back" in said
    assert f"{numbers[moved]} from paid to pending_payment" in said
    assert "1 accounts made after that time are lost" in said
    assert "payments: the ledger is not touched" in said
    assert ids(pair, 'orders."order"') >= set(lost)
    pair.call(named=copy.name)
    assert not ids(pair, 'orders."order"') & set(lost)


def test_it_is_taken_back_and_what_was_kept_is_removed(pair: ReplacedPair) -> None:
    copy = pair.copy_now()
    wanted = order(pair)
    pair.call(named=copy.name)
    (kept,) = pair.names() - {"commerce"}
    assert wanted not in ids(pair, 'orders."order"')
    erased_meanwhile = next(iter(ids(pair, "customers.customer")), None) or customer(pair)
    pair.live.query("commerce", "SELECT customers.erase_customer(%s)", erased_meanwhile)
    pair.call(undo=kept)
    assert wanted in ids(pair, 'orders."order"')
    assert erased_meanwhile not in ids(pair, "customers.customer")
    assert pair.names() == {"commerce", copy.name}
    with psycopg.connect(pair.live.service_dsn("commerce")) as service:
        service.execute("SELECT 1")
    with pytest.raises(StepFailedError, match="was live until it was taken back"):
        pair.call(named=copy.name)
    with pytest.raises(UsageError, match="no database that was kept of commerce"):
        require_one(pair.request(drop="commerce"))
    pair.call(drop=copy.name)
    assert pair.names() == {"commerce"}


def test_sessions_of_the_site_that_follows_leave_the_old_database(pair: ReplacedPair) -> None:
    """Else they would write into it after a failover."""
    copy = pair.copy_now()
    pair.caught_up()
    held = psycopg.connect(pair.follower.service_dsn("commerce"), autocommit=True)
    held.execute("SELECT 1")
    pair.call(named=copy.name)
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    ((here,),) = pair.live.query("postgres", "SELECT oid FROM pg_database WHERE datname = 'commerce'")
    with psycopg.connect(pair.follower.service_dsn("commerce")) as again:
        row = again.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert row == (here,)
