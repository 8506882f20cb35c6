"""The two processes of the export: a region's exporter and headquarters' server, over mutual TLS between them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import httpx
import psycopg
import pytest
from export_databases import with_database
from export_place import Place, figure
from export_world import DAY, REGION, Headquarters, SeededGaussian, money_release, signer
from postgres_cluster import Cluster
from shop_processes import Process

from app.bounded_http import NoAnswerError
from app.database import Database
from app.export import region_rows
from app.export.behaviour import Cell, visitors_cell
from app.export.delivery import Delivery
from app.export.exporting import Exporter
from app.export.line import HeadquartersLine
from app.export.outbox import Batch, Receipt
from app.export.publishing import Publisher
from app.export.release import Sealed, read
from app.export.stored_outbox import StoredOutbox
from app.export.verifying import Register, Verdict
from app.export.vocabulary import Audience, Currency, Kind, Step, of_catalogue
from shopsphere.foundation.certificates import KeyPair
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("headquarters gets aggregates only, once each, over an outbox")

SESSION = b"s" * 16
MADE = tuple(signer(1).seal(money_release(seq, DAY + timedelta(days=seq))) for seq in (1, 2, 3))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("export"))
    try:
        yield place
    finally:
        place.remove()


@pytest.fixture
def place(both: Place) -> Place:
    both.empty()
    return both


async def told(line: HeadquartersLine, releases: tuple[Sealed, ...] = MADE) -> Receipt:
    """Ask where headquarters stands, and send."""
    await line.mark(SESSION)
    return await line.send(Batch(session=SESSION, releases=releases))


def begun(verb: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What becomes of a process that does not start."""
    return subprocess.run(
        [sys.executable, "-m", "app", verb], cwd=REPOSITORY, text=True, capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
    )  # fmt: skip


def test_headquarters_takes_of_each_region_its_own_and_nothing_of_strangers(place: Place) -> None:
    client = place.files.client

    def refused(certificate: KeyPair, region: int = REGION) -> None:
        with pytest.raises(NoAnswerError):
            place.over_line(told, certificate, region)

    with place.headquarters() as server:
        assert place.over_line(told, client("region-1")) == Receipt(region=REGION, last=3)
        assert place.over_line(told, client("region-1")) == Receipt(region=REGION, last=3), "the same again"
        assert place.over_line(lambda line: line.fetch(1), client("region-1")) == MADE[1:]
        wrong = place.over_line(told, client("region-2"), 2)
        assert wrong == Receipt(region=2, last=0, verdict=Verdict.WRONG_REGION, seq=1)
        assert list(place.over_line(lambda line: line.fetch(0), client("region-2"), 2)) == []
        refused(client("region-3"), 3)
        assert figure(server, "take_strangers") == 0
        refused(client("headquarters"))
        refused(client("region-01"))
        refused(client("region-1", place.files.other))
        assert figure(server, "take_strangers") == 3
        assert figure(server, 'take_last_release{region="1"}') == 3
        assert figure(server, 'take_refused_total{region="2",verdict="wrong region"}') == 1
        assert figure(server, "take_certificate_ends_timestamp_seconds") is not None
        server.ask_to_leave()
        assert server.wait() == 0
    assert place.of_headquarters("SELECT region, seq FROM reporting.release ORDER BY 1, 2") == [(1, 1), (1, 2), (1, 3)]
    assert place.of_headquarters("SELECT number FROM reporting.region ORDER BY 1") == [(1,), (2,)]


def test_headquarters_does_not_start_on_another_schema_or_without_keys(place: Place) -> None:
    place.of_headquarters("ALTER TABLE reporting.cell ADD COLUMN note text")
    try:
        refused = begun("take-releases", place.taking_variables())
    finally:
        place.of_headquarters("ALTER TABLE reporting.cell DROP COLUMN note")
    assert refused.returncode == 1
    assert "reporting.cell.note: expected no column, found text" in refused.stderr
    nobody = begun("take-releases", {**place.taking_variables(), "TAKE_KEYS": str(place.files.folder / "line")})
    assert nobody.returncode == 1
    assert "nobody may send releases" in nobody.stderr
    assert "Traceback" not in refused.stderr + nobody.stderr


def ago(days: int) -> date:
    """A day (UTC) before today."""
    return datetime.now(UTC).date() - timedelta(days=days)


def await_taken(place: Place, number: int, running: Process) -> None:
    wait_until(lambda: len(place.taken()) >= number, what=f"{number} releases", seconds=60, explain=running.log)


def await_figure(running: Process, name: str, value: float) -> None:
    wait_until(lambda: figure(running, name) == value, what=f"{name} {value}", seconds=60, explain=running.log)


SUMS = "SELECT metric::text, value FROM reporting.cell WHERE category IS NULL AND flag <> 'small' ORDER BY seq, 1"
WAITS = "SELECT count(*)::int FROM pg_locks WHERE NOT granted AND relation = '{}'::regclass"


def test_a_day_of_orders_arrives_once_whoever_is_killed_in_between(place: Place) -> None:
    place.sell(ago(1), range(30), {1: 2000})
    with psycopg.connect(place.region.dsn("commerce")) as holding:
        holding.execute("LOCK TABLE export.cell IN EXCLUSIVE MODE")
        with place.headquarters(), place.exporter(ago(1)) as exporter:
            wait_until(lambda: place.of_region(WAITS.format("export.cell")) == [(1,)], what="a draw", seconds=60)
            exporter.kill()
        holding.rollback()
    assert place.of_region("SELECT last_seq FROM export.numbering") == [(0,)], "it was killed before it was done"
    with psycopg.connect(place.reports.dsn("headquarters")) as holding, place.headquarters() as headquarters:
        holding.execute("LOCK TABLE reporting.release IN ACCESS EXCLUSIVE MODE")
        with place.exporter(ago(1)) as exporter:
            waits = WAITS.format("reporting.release")
            wait_until(lambda: place.of_headquarters(waits) == [(1,)], what="a sending", seconds=60)
            exporter.kill()
        holding.rollback()
        await_taken(place, 1, headquarters)
        with place.exporter(ago(2)) as exporter:
            await_taken(place, 2, exporter)
            headquarters.kill()
            with place.headquarters():
                await_figure(exporter, "export_oldest_waiting_seconds", 0)
            assert figure(exporter, "export_last_release") == 2
            assert figure(exporter, "export_days_without_release") == 0
            assert figure(exporter, "export_failed_releases") == 0
            assert figure(exporter, "export_certificate_ends_timestamp_seconds") is not None
            exporter.ask_to_leave()
            assert exporter.wait() == 0
    assert place.taken() == [(1, "money", ago(1)), (2, "money", ago(2))]
    assert place.of_headquarters(SUMS) == [("orders", 30), ("revenue", 60_000)]
    assert place.of_region("SELECT count(*) FROM export.fact WHERE seq = 1") == [(60,)]
    assert place.of_region("SELECT confirmed_seq FROM export.numbering") == [(2,)]


def test_a_day_that_cannot_be_made_is_set_aside_and_headquarters_may_be_away(place: Place) -> None:
    place.sell(ago(2), range(30), {1: 2000})
    place.of_region("INSERT INTO catalogue.category VALUES ('novelties', 'apparel', '', '', 99)")
    place.of_region("UPDATE catalogue.product SET category = 'novelties' WHERE id = 1")
    try:
        with place.headquarters() as headquarters, place.exporter(ago(2)) as exporter:
            await_taken(place, 1, exporter)
            await_figure(exporter, "export_days_without_release", 1)
            await_figure(exporter, "export_oldest_waiting_seconds", 0)
            assert figure(exporter, "export_failed_releases") == 2, "the day, and the correction that looks at it"
            headquarters.kill()
            place.of_region("UPDATE catalogue.product SET category = 't-shirts' WHERE id = 1")
            await_figure(exporter, "export_last_release", 2)
            await_figure(exporter, "export_away", 1)
            assert len(place.taken()) == 1
            assert (figure(exporter, "export_oldest_waiting_seconds") or 0) > 0
            assert httpx.get(f"{exporter.url}/readyz", trust_env=False).status_code == 200
            with place.headquarters():
                await_taken(place, 2, exporter)
    finally:
        place.of_region("UPDATE catalogue.product SET category = 't-shirts' WHERE id = 1")
        place.of_region("DELETE FROM catalogue.category WHERE slug = 'novelties'")
    assert place.taken() == [(1, "money", ago(1)), (2, "money", ago(2))]
    assert place.of_headquarters(SUMS) == [("orders", 30), ("revenue", 60_000)]


@pytest.mark.parametrize(("name", "is_ours"), [("region-2", True), ("region-1", False)])
def test_who_is_another_region_or_of_another_authority_draws_and_sends_nothing(
    name: str, is_ours: bool, place: Place
) -> None:
    client = place.files.client(name, None if is_ours else place.files.other)
    with place.headquarters() as headquarters, place.exporter(ago(1), client) as exporter:
        await_figure(exporter, "export_away", 1)
        assert (figure(headquarters, "take_strangers") == 0) is is_ours
        assert figure(exporter, "export_last_release") == 0
    assert place.taken() == []


def test_a_certificate_that_is_renewed_is_shown_without_a_restart(place: Place) -> None:
    stranger, ours = place.files.client("region-1", place.files.other), place.files.client("region-1")
    shown = KeyPair(place.files.folder / "shown.crt", place.files.folder / "shown.key")
    shown.certificate.write_bytes(stranger.certificate.read_bytes())
    shown.key.write_bytes(stranger.key.read_bytes())
    with place.headquarters(), place.exporter(ago(1), shown) as exporter:
        await_figure(exporter, "export_away", 1)
        shown.certificate.write_bytes(ours.certificate.read_bytes())
        shown.key.write_bytes(ours.key.read_bytes())
        await_taken(place, 1, exporter)


def test_a_promoted_site_takes_back_what_it_lost_and_one_that_follows_does_nothing(place: Place) -> None:
    with place.headquarters():
        with place.exporter(ago(1)) as exporter:
            await_taken(place, 1, exporter)
        copy = Cluster(source=place.region)
        try:
            with place.exporter(ago(4), cluster=copy) as exporter:
                await_figure(exporter, "export_follows", 1)
                assert figure(exporter, "export_last_release") is None
            assert len(place.taken()) == 1
            copy.promote()
            with place.exporter(ago(2)) as lost:
                await_taken(place, 2, lost)
            before = place.of_headquarters("SELECT body FROM reporting.release ORDER BY seq")
            with place.exporter(ago(3), cluster=copy) as promoted:
                await_taken(place, 3, promoted)
            adopted = copy.query("commerce", "SELECT seq, is_adopted FROM export.release ORDER BY seq")
            assert adopted == [(1, False), (2, True), (3, False)]
            assert place.of_headquarters("SELECT body FROM reporting.release ORDER BY seq")[:2] == before
        finally:
            copy.remove()
    assert place.taken() == [(1, "money", ago(1)), (2, "money", ago(2)), (3, "money", ago(3))]


def test_the_exporter_does_not_start_on_another_schema_or_without_its_key(place: Place) -> None:
    place.of_region("ALTER TABLE export.cell ADD COLUMN note text")
    try:
        refused = begun("export", place.exporter_variables(ago(1)))
    finally:
        place.of_region("ALTER TABLE export.cell DROP COLUMN note")
    assert refused.returncode == 1
    assert "export.cell.note: expected no column, found text" in refused.stderr
    public = {"EXPORT_SIGNING_KEY_FILE": str(place.files.keys / "region-1.pem")}
    no_key = begun("export", {**place.exporter_variables(ago(1)), **public})
    assert no_key.returncode == 1
    assert "the key that signs releases cannot be used" in no_key.stderr
    assert "Traceback" not in refused.stderr + no_key.stderr


class Counted:
    """Visitors were counted on one day."""

    async def of(self, day: date) -> Mapping[Cell, int] | None:
        return {visitors_cell(Audience.PEOPLE, Step.VISIT): 900} if day == ago(1) else None


def test_behaviour_is_drawn_once_where_there_are_counts_and_nothing_before_headquarters_has_answered(
    place: Place,
) -> None:
    hears = Headquarters(Register({REGION: [signer(1).public]}), of_catalogue(), cut=["before"])
    publisher = Publisher(REGION, frozenset({Currency.EUR}), of_catalogue(), signer(1))

    async def work(commerce: Database) -> list[int]:
        delivery = Delivery(StoredOutbox(commerce, REGION, [signer(1).public], of_catalogue()), hears)
        exporter = Exporter(commerce, publisher, delivery, ago(2), Counted(), lambda: SeededGaussian(1))
        made = []
        for _ in range(4):
            await exporter.turn()
            made.append((await region_rows.standing(commerce)).seq)
        return made

    made = with_database(place.region.service_dsn("commerce", "export_app"), work, "export_app")
    assert made == [0, 4, 4, 4]
    assert [(each.kind, each.day) for each in (read(sealed.body) for sealed in hears.releases)] == [
        (Kind.MONEY, ago(2)), (Kind.MONEY, ago(1)), (Kind.BEHAVIOUR, ago(1)), (Kind.BEHAVIOUR, ago(1)),
    ]  # fmt: skip
    assert place.of_region("SELECT day, seq FROM export.spending") == [(ago(1), 3)]


@pytest.mark.requirement("what headquarters has taken is changed by nobody")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reporting.release SET day = day",
        "DELETE FROM reporting.release",
        "UPDATE reporting.cell SET value = 60",
        "DELETE FROM reporting.cell",
        "DELETE FROM reporting.region",
        "UPDATE reporting.region SET number = 9",
        "SELECT value FROM reporting.cell",
        "TRUNCATE reporting.cell",
        "CREATE TABLE reporting.mine (x int)",
        "ALTER TABLE reporting.release DISABLE TRIGGER ALL",
    ],
)
def test_the_login_that_takes_releases_changes_none(place: Place, statement: str) -> None:
    with (
        psycopg.connect(place.reports.service_dsn("headquarters", "take_app")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())
