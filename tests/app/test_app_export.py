"""The export in real databases: what is decided and drawn once, stored, sent, taken once, and never changed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import psycopg
import pytest
from export_databases import order, settle, stock, upgrade, with_database
from export_world import REGION, SeededGaussian, signer
from msgspec.structs import replace
from postgres_cluster import Cluster

from app.database import Database
from app.errors import ReadOnlyDatabaseError, ShopError
from app.export import headquarters_rows, region_rows
from app.export.behaviour import Cell, product_cell, visitors_cell
from app.export.budget import OverspentError
from app.export.delivery import Delivery, State
from app.export.line import Shelf
from app.export.linting import HEADQUARTERS, database_problems, read_columns
from app.export.linting import REGION as REGION_SCHEMA
from app.export.outbox import LARGEST_SENT, Batch, BehindError, Receipt, Standing, batch_of
from app.export.publishing import Publisher, UnfinishedDayError
from app.export.release import LARGEST, Sealed, read
from app.export.stored_outbox import StoredOutbox
from app.export.verifying import Register, Verdict
from app.export.vocabulary import Audience, Currency, Interest, Kind, Step, of_catalogue

pytestmark = pytest.mark.requirement("headquarters gets aggregates only, once each, over an outbox")

OURS = signer(1)
REGISTER = Register({REGION: [OURS.public], 2: [signer(2).public]})
PUBLISHER = Publisher(REGION, frozenset({Currency.EUR}), of_catalogue(), OURS)
DAY = date(2026, 10, 5)
COUNTS: dict[Cell, int] = {visitors_cell(Audience.PEOPLE, Step.VISIT): 900, product_cell(1, Interest.VIEW): 300}
COMMERCE, PROMOTED, REPORTS = "commerce_export", "commerce_promoted", "headquarters_export"
SESSION = b"s" * 16
LOGINS = ("headquarters", "take_app", "report_app")


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Iterator[Cluster]:
    for role in LOGINS:
        cluster.admin(f"CREATE ROLE {role} LOGIN")
    for name in (COMMERCE, PROMOTED, REPORTS):
        owner = name.partition("_")[0]
        cluster.admin(f"CREATE DATABASE {name} OWNER {owner}")
        upgrade(cluster.dsn(name), owner)
    for name in (COMMERCE, PROMOTED):
        stock(cluster.dsn(name))
    yield cluster
    for name in (COMMERCE, PROMOTED, REPORTS):
        cluster.admin(f"DROP DATABASE {name} WITH (FORCE)")
    for role in LOGINS:
        cluster.admin(f"DROP ROLE {role}")


@pytest.fixture
def region(databases: Cluster) -> Iterator[Cluster]:
    """All databases empty: nothing was released, ordered or taken."""
    yield databases
    of_region = 'export.spending, export.cell, export.fact, export.release, orders.line, orders."order"'
    reset = "UPDATE export.numbering SET last_seq = 0, confirmed_seq = 0, confirmed_at = NULL"
    for name, statements in (
        (COMMERCE, (f"TRUNCATE {of_region}", reset)),
        (PROMOTED, (f"TRUNCATE {of_region}", reset)),
        (REPORTS, ("TRUNCATE reporting.cell, reporting.release, reporting.region",)),
    ):
        administrator = f"postgresql://postgres@127.0.0.1:{databases.port}/{name}"
        # As a replica no trigger stands in the way.
        with psycopg.connect(administrator, options="-c session_replication_role=replica") as connection:
            for statement in statements:
                connection.execute(statement.encode())


def query(cluster: Cluster, database: str, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
    return cluster.query(database, statement, *arguments)


def sell(cluster: Cluster, people: Sequence[int], goods: dict[int, int], **options: Any) -> None:
    """One order of each of these people on the day of the tests."""
    with psycopg.connect(cluster.dsn(COMMERCE)) as connection:
        for person in people:
            order(connection, options.get("day", DAY), f"person-{person}@example.org", goods)


def lineage_of(cluster: Cluster, name: str = COMMERCE) -> str:
    """Timeline and number of a database that leads, as a person would look for them."""
    ((timeline,),) = query(cluster, name, "SELECT timeline_id FROM pg_control_checkpoint()")
    ((number,),) = query(cluster, name, "SELECT oid FROM pg_database WHERE datname = %s", name)
    return f"{timeline:08X}/{number}"


def release(
    cluster: Cluster,
    what: str,
    day: date = DAY,
    *,
    gone: int = 0,
    lineage: str | None = None,
    name: str = COMMERCE,
    seed: int = 1,
    publisher: Publisher = PUBLISHER,
) -> tuple[Sealed, ...]:
    left = Standing(gone, lineage_of(cluster, name) if lineage is None else lineage)

    async def work(database: Database) -> tuple[Sealed, ...]:
        async with database.write() as connection:
            if what == "behaviour":
                return await publisher.behaviour(connection, day, COUNTS, SeededGaussian(seed), left)
            return await getattr(publisher, what)(connection, day, left)  # type: ignore[no-any-return]

    return with_database(cluster.dsn(name), work, "commerce")


def cells(cluster: Cluster, seq: int, metric: str = "revenue") -> list[tuple[Any, ...]]:
    statement = (
        "SELECT coalesce(category, 0), value, flag::text FROM export.cell WHERE seq = %s AND metric::text = %s "
        "AND flag <> 'small' ORDER BY 1"
    )
    return query(cluster, COMMERCE, statement, seq, metric)


def test_schemas_are_the_declared_ones_and_a_column_by_hand_is_found(region: Cluster) -> None:
    def found(name: str, schema: str) -> list[str]:
        async def work(database: Database) -> list[str]:
            return list(database_problems(schema, await read_columns(database, schema)))

        return with_database(region.dsn(name), work, name.partition("_")[0])

    for name, schema in ((COMMERCE, REGION_SCHEMA), (REPORTS, HEADQUARTERS)):
        assert found(name, schema) == []
        query(region, name, f"ALTER TABLE {schema}.cell ADD COLUMN note text")
        assert found(name, schema) == [f"{schema}.cell.note: expected no column, found text"]
        query(region, name, f"ALTER TABLE {schema}.cell DROP COLUMN note")
    query(region, REPORTS, "CREATE VIEW reporting.people AS SELECT 'Ada'::text AS name")
    assert found(REPORTS, HEADQUARTERS) == ["reporting.people.name: expected no column, found text"]
    query(region, REPORTS, "DROP VIEW reporting.people")
    query(region, REPORTS, "ALTER TYPE reporting.flag RENAME VALUE 'small' TO 'ada'")
    (label,) = found(REPORTS, HEADQUARTERS)
    assert label.endswith("found flag of ada, delta, exact, noisy NOT NULL")
    query(region, REPORTS, "ALTER TYPE reporting.flag RENAME VALUE 'ada' TO 'small'")


def test_a_day_is_drawn_once_and_stored_before_anybody_sees_it(region: Cluster) -> None:
    first = release(region, "behaviour", seed=1)
    assert len(first) == 2, "1684 cells are two parts"
    assert release(region, "behaviour", seed=2) == first, "a second call sends the same bytes"
    assert query(region, COMMERCE, "SELECT seq, day, rho_micro, digest FROM export.spending") == [
        (1, DAY, 50_000, first[0].digest)
    ]
    stored = query(region, COMMERCE, "SELECT count(*), count(value), min(value) FROM export.cell")[0]
    assert stored[0] == 1684
    assert stored[2] >= 50
    assert release(region, "behaviour", DAY + timedelta(days=1))[0] != first[0]
    assert query(region, COMMERCE, "SELECT last_seq FROM export.numbering") == [(4,)]


def test_two_processes_that_draw_at_once_find_one_draw(region: Cluster) -> None:
    async def work(database: Database) -> list[tuple[Sealed, ...]]:
        async def draw(seed: int) -> tuple[Sealed, ...]:
            async with database.write() as connection:
                left = Standing(0, lineage_of(region))
                return await PUBLISHER.behaviour(connection, DAY, COUNTS, SeededGaussian(seed), left)

        return list(await asyncio.gather(*(draw(seed) for seed in range(3))))

    made = with_database(region.dsn(COMMERCE), work, "commerce")
    assert made[0] == made[1] == made[2]
    assert query(region, COMMERCE, "SELECT count(*) FROM export.spending") == [(1,)]


def test_a_month_ends_in_program_and_database(region: Cluster) -> None:
    release(region, "behaviour")
    release(region, "money")
    spend = "INSERT INTO export.spending VALUES (%s, 3, sha256(''), %s)"
    with pytest.raises(psycopg.errors.CheckViolation, match="50000 of 1550000 spent"):
        query(region, COMMERCE, spend, DAY + timedelta(days=1), 1_500_001)
    query(region, COMMERCE, spend, DAY + timedelta(days=1), 1_500_000)
    with pytest.raises(OverspentError):
        release(region, "behaviour", DAY + timedelta(days=2))
    assert query(region, COMMERCE, "SELECT last_seq FROM export.numbering") == [(3,)], "nothing is left of it"
    assert release(region, "behaviour", date(2026, 11, 1))


def test_money_is_what_was_paid_and_waits_with_what_comes_late(region: Cluster) -> None:
    sell(region, range(30), {1: 2000})
    sell(region, range(30, 55), {2: 9000, 1: 100})
    with psycopg.connect(region.dsn(COMMERCE)) as connection:
        late = [
            order(connection, DAY, f"late-{each}@example.org", {1: 7}, state="pending_payment") for each in range(20)
        ]
        for each in range(22):
            order(connection, DAY, f"back-{each}@example.org", {3: 500}, state="declined", lapse="refunded")
        order(connection, DAY, "declined@example.org", {1: 10**6}, state="declined", lapse="unpaid")
    (day,) = release(region, "money")
    assert cells(region, 1) == [(0, 287_500, "exact"), (1, 62_500, "exact"), (13, 225_000, "exact")]
    assert cells(region, 1, "orders") == [(0, 55, "exact"), (1, 30, "exact"), (13, 25, "exact")]
    assert cells(region, 1, "refunds") == [(0, 11_000, "exact"), (9, 11_000, "exact")]
    assert len(read(day.body).rows) == 3 * 21, "a row for each category, whatever was sold"
    with psycopg.connect(region.dsn(COMMERCE)) as connection:
        for identity in late[:19]:
            settle(connection, identity, "paid")
    assert release(region, "correction", DAY + timedelta(days=7)) == ()
    with psycopg.connect(region.dsn(COMMERCE)) as connection:
        settle(connection, late[19], "paid")
    (correction,) = release(region, "correction", DAY + timedelta(days=14))
    sell(region, range(200, 220), {1: 7})
    assert release(region, "correction", DAY + timedelta(days=20)) == (), "a week is not over"
    assert cells(region, 2) == [(0, 140, "delta"), (1, 140, "delta")]
    assert cells(region, 2, "orders") == [(0, 20, "delta"), (1, 20, "delta")]
    assert release(region, "correction", DAY + timedelta(days=14)) == (correction,)
    assert release(region, "correction", DAY + timedelta(days=21)) != ()
    assert release(region, "correction", DAY + timedelta(days=28)) == ()
    assert query(region, COMMERCE, "SELECT count(*) FROM export.fact WHERE seq IS NULL") == [(0,)]


def test_a_product_that_changes_its_category_changes_no_fact(region: Cluster) -> None:
    sell(region, range(30), {1: 2000})
    release(region, "money")
    query(region, COMMERCE, "UPDATE catalogue.product SET category = 'caps' WHERE id = 1")
    try:
        assert release(region, "correction", DAY + timedelta(days=7)) == ()
    finally:
        query(region, COMMERCE, "UPDATE catalogue.product SET category = 't-shirts' WHERE id = 1")


def test_erased_people_count_as_none(region: Cluster) -> None:
    sell(region, range(30), {1: 2000})
    query(region, COMMERCE, "UPDATE orders.\"order\" SET email = '' WHERE email < 'person-25'")
    release(region, "money")
    assert cells(region, 1) == []
    assert query(region, COMMERCE, "SELECT count(*) FROM export.fact") == [(60,)]


def test_nothing_is_made_while_the_database_lacks_what_was_sent(region: Cluster) -> None:
    for what in ("behaviour", "money", "correction"):
        with pytest.raises(BehindError, match=r"release 1 or a later one, of 00000001/[0-9]+\n"):
            release(region, what, gone=1)
        with pytest.raises(BehindError, match=r"release 0 as the latest, of 00000001/[0-9]+\n"):
            release(region, what, lineage=lineage_of(region, PROMOTED))
    with pytest.raises(BehindError, match="release 1\n"):
        with_database(region.dsn(COMMERCE), lambda each: outbox(each).confirm(1), "commerce")


def outbox(commerce: Database) -> StoredOutbox:
    return StoredOutbox(commerce, REGION, [OURS.public], of_catalogue())


def test_a_promotion_ends_what_was_known_and_who_only_follows_knows_nothing(region: Cluster) -> None:
    made = release(region, "money")
    copy = Cluster(source=region)
    try:
        there = copy.dsn(COMMERCE)

        def standing() -> Standing:
            return with_database(there, lambda each: outbox(each).standing(), "commerce")

        assert standing() == Standing(1, "")
        with pytest.raises(ReadOnlyDatabaseError):
            with_database(there, lambda each: outbox(each).confirm(0), "commerce")
        copy.promote()
        before = lineage_of(region)
        after = before.replace("00000001/", "00000002/")
        assert standing() == Standing(1, after) != Standing(1, before)
        with pytest.raises(BehindError, match=f"of {after}\n"):
            release(copy, "behaviour", gone=1, lineage=before)
        assert release(copy, "money", gone=1, lineage=after) == made
        assert with_database(there, lambda each: outbox(each).confirm(1), "commerce") == after
    finally:
        copy.remove()


def test_a_day_that_is_not_over_is_not_released(region: Cluster) -> None:
    today = datetime.now(UTC).date()
    for what in ("behaviour", "money"):
        with pytest.raises(UnfinishedDayError, match=f"a day up to {today - timedelta(days=1)}\n"):
            release(region, what, today)
        assert release(region, what, today - timedelta(days=1))
    with pytest.raises(UnfinishedDayError, match=f"a day up to {today}\n"):
        release(region, "correction", today + timedelta(days=1))
    assert release(region, "correction", today) == ()


def test_a_sale_that_has_no_word_or_no_row_stops_the_release_and_counts_nothing(region: Cluster) -> None:
    with psycopg.connect(region.dsn(COMMERCE)) as connection:
        for person in range(20):
            order(connection, DAY, f"person-{person}@example.org", {1: 2000})
        connection.execute("INSERT INTO catalogue.category VALUES ('novelties', 'apparel', '', '', 99)")
        connection.execute("UPDATE catalogue.product SET category = 'novelties' WHERE id = 1")
    try:
        with pytest.raises(ShopError, match="found:    novelties\n"):
            release(region, "money")
    finally:
        query(region, COMMERCE, "UPDATE catalogue.product SET category = 't-shirts' WHERE id = 1")
        query(region, COMMERCE, "DELETE FROM catalogue.category WHERE slug = 'novelties'")
    release(region, "money")
    sell(region, range(20, 40), {1: 2000})
    day = DAY + timedelta(days=7)
    sell(region, [1], {2: 5}, day=day)
    assert release(region, "correction", day) != ()
    sell(region, [2], {2: 5}, day=day)
    release(region, "correction", day + timedelta(days=7))
    assert query(region, COMMERCE, "SELECT count(*) FROM export.fact WHERE seq IS NULL AND day = %s", day) == [(4,)]
    fewer = Publisher(REGION, frozenset({Currency.CHF}), of_catalogue(), OURS)
    with pytest.raises(ShopError, match="found:    EUR\n"):
        release(region, "money", day, publisher=fewer)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE export.release SET day = day",
        "DELETE FROM export.cell",
        "DELETE FROM export.spending",
        "UPDATE export.spending SET rho_micro = 1",
        "TRUNCATE export.cell",
        "DELETE FROM export.fact",
    ],
)
def test_what_was_released_does_not_change(statement: str, region: Cluster) -> None:
    sell(region, range(20), {1: 2000})
    release(region, "behaviour")
    release(region, "money")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not change"):
        query(region, COMMERCE, statement)


def test_facts_change_once_and_numbers_have_no_gap(region: Cluster) -> None:
    sell(region, range(20), {1: 2000})
    release(region, "money")
    for statement in (
        "UPDATE export.fact SET seq = NULL",
        "UPDATE export.fact SET amount = 1",
        "UPDATE export.fact SET seq = 1",
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="changes once"):
            query(region, COMMERCE, statement)
    copy = "INSERT INTO export.release SELECT {}, kind, day - 1, part, parts, body, digest, signer, signature "
    copy += "FROM export.release"
    for seq in (1, 3):
        with pytest.raises(psycopg.errors.CheckViolation, match="not the next one"):
            query(region, COMMERCE, copy.format(seq))


@pytest.mark.parametrize("login", ["shop_app"])
def test_the_storefront_may_not_look_at_the_export(login: str, region: Cluster) -> None:
    with psycopg.connect(region.service_dsn(COMMERCE)) as service:
        assert service.info.user == login
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("SELECT FROM export.fact")


class Line:
    """The way into headquarters' database, without HTTP between."""

    def __init__(self, reports: Database, peer: int = REGION) -> None:
        self._reports = reports
        self._peer = peer
        self.sent = 0

    async def mark(self, session: bytes) -> int:
        async with self._reports.write() as connection:
            return (await headquarters_rows.begin(connection, self._peer, session)).last

    async def send(self, batch: Batch) -> Receipt:
        self.sent += 1
        async with self._reports.write() as connection:
            return (await headquarters_rows.receive(connection, batch, REGISTER, self._peer, of_catalogue()))[0]

    async def fetch(self, after: int) -> tuple[Sealed, ...]:
        return await headquarters_rows.after(self._reports, self._peer, after)


def deliver(cluster: Cluster, name: str = COMMERCE) -> tuple[Delivery, int]:
    """One turn of a new process; returns it with how many batches it sent."""

    async def work(commerce: Database) -> tuple[Delivery, int]:
        reports = Database(
            cluster.service_dsn(REPORTS, "take_app"), role="take_app", application="export-tests", size=2
        )
        line = Line(reports)
        delivery = Delivery(outbox(commerce), line)
        try:
            await delivery.turn()
        finally:
            await reports.close()
        return delivery, line.sent

    return with_database(cluster.dsn(name), work, "commerce")


def test_headquarters_takes_each_release_once_and_its_sums_are_the_regions(region: Cluster) -> None:
    sell(region, range(30), {1: 2000})
    release(region, "money")
    release(region, "behaviour")
    delivery, sent = deliver(region)
    assert (delivery.state, delivery.gone, sent) == (State.IN_STEP, Standing(3, lineage_of(region)), 1)
    assert deliver(region)[1] == 0
    sell(region, range(100, 120), {1: 7})
    release(region, "correction", DAY + timedelta(days=7))
    deliver(region)
    total = (
        "SELECT metric::text, sum(value) FROM {}.cell WHERE table_name = 'money' AND category IS NULL AND day = %s "
        "AND flag <> 'small' GROUP BY 1 ORDER BY 1"
    )
    assert query(region, REPORTS, total.format("reporting"), DAY) == [("orders", 50), ("revenue", 60_140)]
    everything = "SELECT seq, place, table_name::text, day, hour, audience::text, currency::text, category, product, "
    everything += "metric::text, value, flag::text FROM {}.cell ORDER BY seq, place"
    assert query(region, REPORTS, everything.format("reporting")) == query(
        region, COMMERCE, everything.format("export")
    )
    assert query(region, COMMERCE, "SELECT confirmed_seq, confirmed_at IS NOT NULL FROM export.numbering") == [
        (4, True)
    ]

    async def complete(database: Database) -> list[frozenset[date]]:
        days = (date(2026, 10, 1), date(2026, 11, 1))
        return [await headquarters_rows.complete_days(database, REGION, kind, *days) for kind in Kind]

    assert with_database(region.dsn(REPORTS), complete, "headquarters") == [
        {DAY}, {DAY}, {DAY + timedelta(days=7)},
    ]  # fmt: skip
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not change"):
        query(region, REPORTS, "DELETE FROM reporting.cell")


def receive(
    cluster: Cluster, *batches: Sequence[Sealed], peer: int = REGION, session: bytes = SESSION
) -> list[Receipt]:
    async def work(database: Database) -> list[Receipt]:
        async with database.write() as connection:
            await headquarters_rows.begin(connection, peer, SESSION)
        receipts = []
        for each in batches:
            async with database.write() as connection:
                batch = Batch(session=session, releases=tuple(each))
                receipts.append((await headquarters_rows.receive(connection, batch, REGISTER, peer, of_catalogue()))[0])
        return receipts

    return with_database(cluster.service_dsn(REPORTS, "take_app"), work, "take_app")


def test_headquarters_tells_apart_what_is_wrong_and_keeps_what_came_before_it(region: Cluster) -> None:
    made = [
        *release(region, "money"),
        *release(region, "behaviour"),
        *release(region, "money", DAY + timedelta(days=1)),
    ]
    other = OURS.seal(replace(read(made[0].body), rows=read(made[0].body).rows[1:]))
    again = OURS.seal(replace(read(made[0].body), seq=5))
    assert receive(region, made[1:]) == [Receipt(region=REGION, last=0, verdict=Verdict.GAP, seq=2)]
    assert receive(region, [made[0], made[2]]) == [Receipt(region=REGION, last=1, verdict=Verdict.GAP, seq=3)]
    assert receive(region, made, made) == [Receipt(region=REGION, last=4)] * 2
    assert receive(region, [other]) == [Receipt(region=REGION, last=4, verdict=Verdict.OTHER_CONTENT, seq=1)]
    assert receive(region, [again]) == [Receipt(region=REGION, last=4, verdict=Verdict.DAY_AGAIN, seq=5)]
    assert receive(region, made[:1], peer=2) == [Receipt(region=2, last=0, verdict=Verdict.WRONG_REGION, seq=1)]
    assert receive(region, [signer(5).seal(read(made[0].body))])[0].verdict is Verdict.UNKNOWN_SIGNER
    assert receive(region, made, session=b"t" * 16)[0].verdict is Verdict.SUPERSEDED
    assert query(region, REPORTS, "SELECT count(*) FROM reporting.release") == [(4,)]
    with pytest.raises(psycopg.errors.CheckViolation, match="not the next one"):
        query(
            region, REPORTS,
            "INSERT INTO reporting.release SELECT region, 9, kind, day + 9, part, parts, body, digest, signer, "
            "signature FROM reporting.release WHERE seq = 1",
        )  # fmt: skip


def test_a_promoted_site_takes_back_what_it_lost_and_draws_nothing_again(region: Cluster) -> None:
    sell(region, range(30), {1: 2000})
    made = [*release(region, "money"), *release(region, "behaviour")]
    deliver(region)
    delivery, _ = deliver(region, PROMOTED)
    assert (delivery.state, delivery.gone) == (State.IN_STEP, Standing(3, lineage_of(region, PROMOTED)))
    assert list(release(region, "behaviour", name=PROMOTED, seed=9, gone=3)) == made[1:]
    assert list(release(region, "money", name=PROMOTED, gone=3)) == made[:1]
    spent = "SELECT day, seq, digest, rho_micro FROM export.spending"
    assert query(region, PROMOTED, spent) == query(region, COMMERCE, spent)
    assert query(region, PROMOTED, "SELECT bool_and(is_adopted) FROM export.release") == [(True,)]
    with psycopg.connect(region.dsn(PROMOTED)) as connection:
        for person in range(50):
            order(connection, DAY, f"person-{person}@example.org", {1: 2000})
    assert release(region, "correction", DAY + timedelta(days=7), name=PROMOTED, gone=3) == (), "its days are closed"
    assert release(region, "money", DAY + timedelta(days=1), name=PROMOTED, gone=3)
    deliver(region, PROMOTED)
    assert query(region, REPORTS, "SELECT last_seq FROM reporting.region") == [(4,)]


def test_what_headquarters_shows_fits_into_an_answer(region: Cluster) -> None:
    """All releases of a long row of lost ones are of the largest size, and are fetched in turns."""
    with psycopg.connect(region.dsn(REPORTS)) as connection:
        connection.execute("INSERT INTO reporting.region (number) VALUES (%s)", (REGION,))
        for seq in range(1, 11):
            body = str(seq).encode().ljust(LARGEST)
            connection.execute(
                "INSERT INTO reporting.release (region, seq, kind, day, part, parts, body, digest, signer, signature) "
                "VALUES (%s, %s, 'money', %s, 1, 1, %s, sha256(%s), %s, %s)",
                (REGION, seq, DAY + timedelta(days=seq), body, body, bytes(8), bytes(64)),
            )

    async def work(reports: Database) -> tuple[Sealed, ...]:
        return await headquarters_rows.after(reports, REGION, 3)

    shown = with_database(region.service_dsn(REPORTS, "take_app"), work, "take_app")
    assert [each.body.strip() for each in shown] == [b"4", b"5", b"6", b"7"]
    assert len(msgspec.json.encode(Shelf(releases=shown))) <= LARGEST_SENT


def test_a_release_of_another_key_is_not_taken_back(region: Cluster) -> None:
    made = release(region, "money")
    receive(region, made)

    async def work(commerce: Database) -> State:
        reports = Database(region.service_dsn(REPORTS, "take_app"), role="take_app", application="export-tests", size=2)
        delivery = Delivery(StoredOutbox(commerce, REGION, [signer(7).public], of_catalogue()), Line(reports))
        try:
            await delivery.turn()
        finally:
            await reports.close()
        return delivery.state

    assert with_database(region.dsn(PROMOTED), work, "commerce") is State.REFUSED
    assert query(region, PROMOTED, "SELECT count(*) FROM export.release") == [(0,)]


def test_no_trace_of_a_customer_is_in_what_headquarters_has(region: Cluster) -> None:
    sell(region, range(60), {1: 2000, 2: 300})
    release(region, "money")
    release(region, "behaviour")
    deliver(region)
    ids = [str(each[0]) for each in query(region, COMMERCE, 'SELECT id FROM orders."order"')]
    emails = [f"person-{each}@example.org" for each in range(60)]
    tables = ("region", "release", "cell")
    dump = "\n".join(
        query(region, REPORTS, f"SELECT string_agg(t::text, ' ') FROM reporting.{each} t")[0][0] for each in tables
    )
    bodies = [bytes(each[0]) for each in query(region, REPORTS, "SELECT body FROM reporting.release")]
    assert b'"revenue"' in bodies[0], "one looks where something is"
    for token in [*ids, *(each.replace("-", "") for each in ids), *emails, "Long Lane", "Cork", "Name of"]:
        raw = token.encode()
        forms = (raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), hashlib.sha256(raw).hexdigest().encode())
        assert [form for form in forms for body in [*bodies, dump.encode()] if form in body] == []


def test_age_of_what_waits_is_told(region: Cluster) -> None:
    async def oldest(database: Database) -> float | None:
        return await region_rows.oldest_waiting_seconds(database)

    assert with_database(region.dsn(COMMERCE), oldest, "commerce") is None
    release(region, "money")
    seconds = with_database(region.dsn(COMMERCE), oldest, "commerce")
    assert seconds is not None
    assert 0 <= seconds < 60
    deliver(region)
    assert with_database(region.dsn(COMMERCE), oldest, "commerce") is None


def test_a_row_that_is_no_cell_is_refused_by_both_databases(region: Cluster) -> None:
    release(region, "money")
    receive(region, release(region, "money"))
    for schema, name in (("export", COMMERCE), ("reporting", REPORTS)):
        columns = "seq, place, table_name, day, audience, currency, category, product, metric, value, flag"
        first = "region, " if schema == "reporting" else ""
        number = "1, " if first else ""
        for values in (
            "'money', '2026-10-05', 'people', 'EUR', NULL, NULL, 'revenue', 5, 'exact'",
            "'money', '2026-10-05', NULL, 'EUR', NULL, NULL, 'revenue', 5, 'noisy'",
            "'money', '2026-10-05', NULL, 'EUR', NULL, NULL, 'revenue', 5, 'small'",
            "'products', '2026-10-05', NULL, NULL, NULL, 5, 'view', 49, 'noisy'",
            "'products', '2026-10-05', NULL, NULL, NULL, 5, 'view', 60, 'exact'",
            "'visitors', '2026-10-05', NULL, NULL, NULL, NULL, 'visit', 60, 'noisy'",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                query(region, name, f"INSERT INTO {schema}.cell ({first}{columns}) VALUES ({number}1, 999, {values})")


def test_batches_are_read_from_where_headquarters_stands(region: Cluster) -> None:
    for days in range(3):
        release(region, "money", DAY + timedelta(days=days))

    async def work(database: Database) -> Batch | None:
        return batch_of(SESSION, await region_rows.after(database, 1))

    batch = with_database(region.dsn(COMMERCE), work, "commerce")
    assert batch is not None
    assert [read(each.body).seq for each in batch.releases] == [2, 3]


def test_a_release_twice_of_one_day_is_refused_by_the_database(region: Cluster) -> None:
    release(region, "money")

    async def work(database: Database) -> None:
        (stored,) = await region_rows.of_day(database, Kind.MONEY, DAY)
        again = OURS.seal(replace(read(stored.body), seq=2))
        async with database.write() as connection:
            await region_rows.insert(connection, again, read(again.body))

    with pytest.raises(asyncpg.UniqueViolationError):
        with_database(region.dsn(COMMERCE), work, "commerce")
