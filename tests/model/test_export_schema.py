"""What may leave a region is five tables of numbers and fixed words: nothing else can be built, read or signed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from export_world import DAY, SMALL, money_release, signer

from app.catalogue.seed.products import categories, products
from app.export.linting import (
    CELL,
    HEADQUARTERS,
    REGION,
    Column,
    database_problems,
    message_problems,
    sealed_problems,
)
from app.export.linting import DECLARED as SCHEMAS
from app.export.release import LARGEST, UnreadableReleaseError, read, written
from app.export.schema import MOST_ROWS, ROWS, MoneyRow, ProductsRow, Release, columns_of, cut, unknown_numbers
from app.export.vocabulary import CATEGORY_NUMBERS, Currency, Interest, Kind, NoisyFlag, of_catalogue
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("only an allow-listed schema of aggregates leaves a region")

MONEY: dict[str, Any] = {
    "table": "money", "day": "2026-11-02", "currency": "EUR", "category": 3, "metric": "revenue", "value": 500,
    "flag": "exact",
}  # fmt: skip
VISITORS: dict[str, Any] = {
    "table": "visitors", "day": "2026-11-02", "value": 50, "flag": "noisy", "audience": "people", "metric": "visit",
}  # fmt: skip
HOURS: dict[str, Any] = {
    "table": "hours", "day": "2026-11-02", "value": 50, "flag": "noisy", "hour": 0, "audience": "people",
    "metric": "visit",
}  # fmt: skip
CATEGORIES = {
    "table": "categories", "day": "2026-11-02", "value": None, "flag": "small", "category": 1, "metric": "view",
}  # fmt: skip
PRODUCTS = {"table": "products", "day": "2026-11-02", "value": 99, "flag": "noisy", "product": 2, "metric": "buy"}


def document(*rows: dict[str, Any], **changed: Any) -> bytes:
    kind = "money" if rows[0].get("table") == "money" else "behaviour"
    whole = {"form": 1, "region": 1, "seq": 1, "kind": kind, "day": "2026-11-02", "part": 1, "parts": 1, "rows": rows}
    return json.dumps({**whole, **changed}, separators=(",", ":")).encode()


@pytest.mark.parametrize("row", [MONEY, VISITORS, HOURS, CATEGORIES, PRODUCTS], ids=lambda row: row["table"])
def test_each_table_has_a_row_that_is_read_and_written_alike(row: dict[str, Any]) -> None:
    release = read(document(row))
    assert written(release) == document(row)
    assert {name: value for name, value in columns_of(release.rows[0])._asdict().items() if value is not None} == {
        ("table_name" if name == "table" else name): DAY if name == "day" else value
        for name, value in row.items()
        if value is not None
    }


REFUSED = {
    "a name": document({**MONEY, "name": "Ada Lovelace"}),
    "a note beside the rows": document(MONEY, note="call Ada"),
    "another table": document({**MONEY, "table": "orders"}),
    "no table": document({name: value for name, value in MONEY.items() if name != "table"}),
    "a key of another table": document({**VISITORS, "hour": 3}),
    "a word that is none": document({**MONEY, "metric": "ada@example.org"}),
    "a text for a number": document({**MONEY, "category": "t-shirts"}),
    "a search term": document({**VISITORS, "metric": "visit", "audience": "gifts for ada"}),
    "a fraction": document({**MONEY, "value": 500.5}),
    "a currency that is none": document({**MONEY, "currency": "ADA"}),
    "a moment": document({**MONEY, "day": "2026-11-02T10:00:00"}),
    "hour 24": document({**HOURS, "hour": 24}),
    "a noisy value under 50": document({**VISITORS, "value": 49}),
    "a small one with its value": document({**VISITORS, "value": 12, "flag": "small"}),
    "a withheld sum with its value": document({**MONEY, "flag": "small"}),
    "a sum without a value": document({**MONEY, "value": None}),
    "nothing sold": document({**MONEY, "value": 0}),
    "exact behaviour": document({**VISITORS, "flag": "exact"}),
    "noisy money": document({**MONEY, "flag": "noisy"}),
    "a number that could be an id": document({**PRODUCTS, "product": 10**9}),
    "an order's number for a value": document({**MONEY, "value": 10**15 + 1}),
    "a region that is none": document(MONEY, region=100),
    "a row twice": document(MONEY, MONEY),
    "rows in another order": document(MONEY, {**MONEY, "category": 1}),
    "a row of another day": document({**MONEY, "day": "2026-11-01"}),
    "behaviour in a release of money": document(VISITORS, kind="money"),
    "a delta on the day itself": document({**MONEY, "flag": "delta"}),
    "a correction of the future": document({**MONEY, "flag": "delta"}, kind="correction"),
    "part 2 of 1": document(MONEY, part=2),
    "no rows": document(MONEY).replace(json.dumps(MONEY, separators=(",", ":")).encode(), b""),
    "another form": document(MONEY, form=2),
    "spaces": document(MONEY).replace(b",", b", "),
    "a field twice": document(MONEY).replace(b'"form":1', b'"form":1,"form":1'),
    "fields in another order": b'{"region":1,"form":1' + document(MONEY).removeprefix(b'{"form":1,"region":1'),
    "escaped letters": document(MONEY).replace(b'"EUR"', b'"\\u0045UR"'),
    "something behind it": document(MONEY) + b"\n",
    "too many bytes": document(MONEY) + b" " * LARGEST,
    "nothing": b"",
    "depth": b"[" * 100_000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableReleaseError):
        read(body)


@pytest.mark.parametrize("body", [REFUSED["a name"], REFUSED["a note beside the rows"]])
def test_unknown_fields_are_refused_by_the_types_themselves(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(body, type=Release)


def test_what_was_built_past_the_types_cannot_be_signed() -> None:
    row = MoneyRow(day=DAY, currency="Ada", category=1, metric="revenue", value=5, flag="exact")  # type: ignore[arg-type]
    release = Release(region=1, seq=1, kind=Kind.MONEY, day=DAY, part=1, parts=1, rows=(row,))
    with pytest.raises(UnreadableReleaseError):
        signer().seal(release)


def test_a_field_that_no_table_has_cannot_be_given() -> None:
    with pytest.raises(TypeError):
        ProductsRow(day=DAY, product=1, metric=Interest.VIEW, value=None, flag=NoisyFlag.SMALL, search="ada")  # type: ignore[call-arg]


def test_a_day_with_many_rows_is_several_parts_in_one_order() -> None:
    rows = [
        ProductsRow(day=DAY, product=number, metric=Interest.VIEW, value=None, flag=NoisyFlag.SMALL)
        for number in range(2500, 0, -1)
    ]
    parts = cut(rows)
    assert [len(part) for part in parts] == [MOST_ROWS, MOST_ROWS, 500]
    together = [columns_of(row).product for part in parts for row in part]
    assert together == list(range(1, 2501))
    for part in parts:
        release = Release(region=1, seq=1, kind=Kind.BEHAVIOUR, day=DAY, part=1, parts=3, rows=part)
        assert len(written(release)) < LARGEST


def test_numbers_are_the_catalogues() -> None:
    assert [each.slug for each in categories()] == list(CATEGORY_NUMBERS)
    assert sorted(CATEGORY_NUMBERS.values()) == list(range(1, len(CATEGORY_NUMBERS) + 1))
    assert of_catalogue().products == set(range(1, len(products()) + 1))
    release = read(document({**PRODUCTS, "product": 3}, {**PRODUCTS, "product": 4}))
    assert list(unknown_numbers(release, SMALL)) == ["product 3", "product 4"]
    assert list(unknown_numbers(read(document({**MONEY, "category": 5})), SMALL)) == ["category 5"]
    assert list(unknown_numbers(money_release(1), SMALL)) == []


def test_every_currency_of_the_topology_has_its_word() -> None:
    assert {pair.storefront.currency for pair in load_topology().pairs.values()} <= set(Currency)


def test_message_and_databases_are_declared_alike() -> None:
    assert list(message_problems()) == []
    assert list(sealed_problems()) == []
    for schema, tables in SCHEMAS.items():
        assert list(database_problems(schema, tables)) == []
        kinds = {column.type for columns in tables.values() for column in columns.values()}
        assert not kinds & {"text", "varchar", "bpchar", "json", "jsonb", "xml", "name", "inet"}
    assert "uuid" not in {column.type for columns in SCHEMAS[HEADQUARTERS].values() for column in columns.values()}


class Chatty(msgspec.Struct, tag_field="table", tag="chatty"):
    """A row as it must not be."""

    day: str
    note: str
    metric: Kind


def test_a_field_for_a_text_is_found_in_the_message() -> None:
    found = list(message_problems((*ROWS, Chatty)))
    assert [each.partition(":")[0] for each in found] == ["Chatty.day", "Chatty.note", "Chatty.metric"]
    assert "found another field" in found[1]
    lacking = list(message_problems([row for row in ROWS if row is not ProductsRow]))
    assert lacking == [
        "table_name: expected words that a table uses, found products too",
        "product: expected a table that has this column, found none",
    ]


@pytest.mark.parametrize(
    ("table", "name", "column", "said"),
    [
        ("cell", "note", Column("text", is_required=False), "expected no column, found text"),
        ("cell", "category", Column("text", is_required=False), "expected int2, found text"),
        ("cell", "flag", Column("flag", frozenset({"exact", "ada"})), "expected flag of delta, exact, noisy, small"),
        ("customers", "email", Column("text"), "expected no column, found text NOT NULL"),
        ("release", "body", Column("bytea", is_required=False), "expected bytea NOT NULL, found bytea"),
    ],
)
@pytest.mark.parametrize("schema", [REGION, HEADQUARTERS])
def test_a_column_that_differs_is_found_in_a_database(
    table: str, name: str, column: Column, said: str, schema: str
) -> None:
    changed = {each: dict(columns) for each, columns in SCHEMAS[schema].items()}
    changed.setdefault(table, {})[name] = column
    (found,) = database_problems(schema, changed)
    assert found.startswith(f"{schema}.{table}.{name}: ")
    assert said in found


def test_a_column_that_is_missing_is_found_in_a_database() -> None:
    changed = {each: dict(columns) for each, columns in SCHEMAS[HEADQUARTERS].items()}
    del changed["cell"]["flag"]
    (found,) = database_problems(HEADQUARTERS, changed)
    assert found == "reporting.cell.flag: expected flag of delta, exact, noisy, small NOT NULL, found no column"
    assert set(CELL) == set(columns_of(money_release(1).rows[0])._fields)
