"""Headquarters' pages on a real database: figures, what is withheld and what is not here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from export_databases import with_database
from postgres_cluster import Cluster
from report_world import FIRST, FOURTH, LOGIN, NAME, SECOND, headquarters

from app.reporting.reading import ROLE, Reading, Spent, read, spent
from app.reporting.span import Span

pytestmark = pytest.mark.requirement("headquarters' pages show what was released, say what is missing, and name nobody")

DAYS = Span(FIRST, date(2026, 10, 9))


@pytest.fixture(scope="module")
def reports(cluster: Cluster) -> Iterator[Cluster]:
    with headquarters(cluster):
        yield cluster


@pytest.fixture(scope="module")
def reading(reports: Cluster) -> Reading:
    return with_database(reports.service_dsn(NAME, LOGIN), lambda each: read(each, DAYS), ROLE)


def test_money_is_the_sum_of_all_versions_of_days_that_are_here_whole(reading: Reading) -> None:
    assert [tuple(map(str, each[:4])) + each[4:] for each in reading.money] == [
        ("1", "2026-10-05", "EUR", "orders", 60),
        ("1", "2026-10-05", "EUR", "revenue", 814_000),
        ("1", "2026-10-05", "EUR", "refunds", None),
        ("1", "2026-10-06", "EUR", "orders", 25),
        ("1", "2026-10-06", "EUR", "revenue", 150_050),
        ("1", "2026-10-06", "EUR", "refunds", 5_000),
        ("1", "2026-10-07", "EUR", "orders", 50),
        ("1", "2026-10-07", "EUR", "revenue", 900_000),
        ("2", "2026-10-05", "CHF", "orders", 33),
        ("2", "2026-10-05", "CHF", "revenue", 330_000),
        ("2", "2026-10-05", "EUR", "orders", None),
        ("2", "2026-10-05", "EUR", "revenue", None),
    ]


def test_visitors_are_people_of_days_that_are_here_whole(reading: Reading) -> None:
    assert [(each.region, each.day, each.step.value, each.value) for each in reading.visitors] == [
        (1, FIRST, "visit", 1000),
        (1, FIRST, "view", 700),
        (1, FIRST, "add", 200),
        (1, FIRST, "checkout", 90),
        (1, FIRST, "buy", None),
        (1, SECOND, "visit", None),
        (2, FIRST, "visit", 660),
    ]


def test_categories_and_products_are_added_up_over_the_days_on_which_they_are_said(reading: Reading) -> None:
    assert [(each.category, each.metric.value, each.value, each.days) for each in reading.sold] == [
        (1, "orders", 50, 1),
        (1, "revenue", 514_000, 1),
        (13, "orders", 25, 1),
        (13, "revenue", 150_050, 1),
    ]
    assert [(each.number, each.metric.value, each.value, each.days) for each in reading.products] == [
        (1, "view", 400, 2),
        (1, "add", 60, 1),
        (2, "view", 120, 1),
        (3, "view", None, 0),
    ]
    assert [(each.number, each.metric.value, each.value, each.days) for each in reading.categories] == [
        (1, "view", 450, 1)
    ]


def test_what_has_arrived_is_told_by_parts(reading: Reading) -> None:
    assert [(each.region, each.kind.value, each.day.day, each.here, each.parts) for each in reading.arrived] == [
        (1, "behaviour", 5, 2, 2),
        (1, "behaviour", 6, 1, 1),
        (1, "behaviour", 7, 1, 2),
        (1, "money", 5, 1, 1),
        (1, "money", 6, 1, 1),
        (1, "money", 7, 1, 1),
        (2, "behaviour", 5, 1, 1),
        (2, "money", 5, 1, 1),
    ]
    assert [(each.region, each.last_seq, each.heard_at is not None) for each in reading.regions] == [
        (1, 8, True),
        (2, 3, True),
    ]


def test_a_day_is_spent_with_the_first_part_that_is_here(reports: Cluster) -> None:
    found = with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, FOURTH), ROLE)
    assert found == (Spent(1, date(2026, 10, 1), 3), Spent(2, date(2026, 10, 1), 1))
    assert [each.rho_micro for each in found] == [150_000, 50_000]
    year_on = with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, date(2027, 10, 31)), ROLE)
    assert year_on == found
    assert with_database(reports.service_dsn(NAME, LOGIN), lambda each: spent(each, date(2027, 11, 1)), ROLE) == ()


@pytest.mark.parametrize("column", ["body", "signature", "digest"])
def test_the_login_reads_no_more_than_the_pages_need(column: str, reports: Cluster) -> None:
    with (
        psycopg.connect(reports.service_dsn(NAME, LOGIN)) as service,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        service.execute(f"SELECT {column} FROM reporting.release")
