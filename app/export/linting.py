"""Whether message, region's database and headquarters' database have one schema, and none has room for a text.

The message's schema is schema.py; the databases' are what PostgreSQL says they are, so a column that somebody adds by
hand is found as one that a migration brings. The exporter looks before it sends, headquarters before it takes.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from app.database import Queries
from app.errors import ShopError
from app.export.release import Sealed
from app.export.schema import ROWS, Columns, Release
from app.export.vocabulary import (
    Audience,
    Currency,
    HourMetric,
    Interest,
    Kind,
    MoneyFlag,
    MoneyMetric,
    NoisyFlag,
    Step,
)

REGION, HEADQUARTERS = "export", "reporting"
"""Schemas of the two databases."""
MOST_TOLD = 10
"""Problems that one message names."""


class Column(NamedTuple):
    """A column as PostgreSQL has it.

    Attributes:
        type: name of its type, without a schema.
        labels: of an enumeration; empty for any other type.
        is_required: whether it refuses NULL.
    """

    type: str
    labels: frozenset[str] = frozenset()
    is_required: bool = True


def _words(name: str, *enumerations: type[StrEnum]) -> Column:
    return Column(name, frozenset(str(each) for words in enumerations for each in words))


def _optional(column: Column) -> Column:
    return column._replace(is_required=False)


_KIND = _words("kind", Kind)
CELL: Mapping[str, Column] = {
    "table_name": Column("table_name", frozenset(str(row.__struct_config__.tag) for row in ROWS)),
    "day": Column("date"),
    "hour": _optional(Column("int2")),
    "audience": _optional(_words("audience", Audience)),
    "currency": _optional(_words("currency", Currency)),
    "category": _optional(Column("int2")),
    "product": _optional(Column("int4")),
    "metric": _words("metric", MoneyMetric, Step, HourMetric, Interest),
    "value": _optional(Column("int8")),
    "flag": _words("flag", MoneyFlag, NoisyFlag),
}
"""The columns of a row, in both databases."""
_RELEASE: Mapping[str, Column] = {
    "seq": Column("int8"),
    "kind": _KIND,
    "day": Column("date"),
    "part": Column("int2"),
    "parts": Column("int2"),
    "body": Column("bytea"),
    "digest": Column("bytea"),
    "signer": Column("bytea"),
    "signature": Column("bytea"),
}
_PLACE: Mapping[str, Column] = {"seq": Column("int8"), "place": Column("int2")}
_OF_REGION: Mapping[str, Column] = {"region": Column("int2")}
_MOMENT = Column("timestamptz")
DECLARED: Mapping[str, Mapping[str, Mapping[str, Column]]] = {
    HEADQUARTERS: {
        "region": {
            "number": Column("int2"),
            "last_seq": Column("int8"),
            "session": _optional(Column("bytea")),
            "heard_at": _optional(_MOMENT),
        },
        "release": {**_OF_REGION, **_RELEASE, "received_at": _MOMENT},
        "cell": {**_OF_REGION, **_PLACE, **CELL},
    },
    REGION: {
        "numbering": {
            "only_row": Column("bool"),
            "last_seq": Column("int8"),
            "confirmed_seq": Column("int8"),
            "confirmed_at": _optional(_MOMENT),
        },
        "release": {**_RELEASE, "is_adopted": Column("bool"), "made_at": _MOMENT},
        "cell": {**_PLACE, **CELL},
        "spending": {
            "day": Column("date"),
            "seq": Column("int8"),
            "digest": Column("bytea"),
            "rho_micro": Column("int4"),
        },
        "fact": {
            "order_id": Column("uuid"),  # stays in the region: no message has a field for it
            "metric": CELL["metric"],
            "category": Column("int2"),
            "day": Column("date"),
            "currency": _words("currency", Currency),
            "amount": Column("int8"),
            "seq": _optional(Column("int8")),
        },
    },
}
"""Every table and column that the two schemas may have."""
_FOUND = """
SELECT c.relname::text, a.attname::text, t.typname::text, a.attnotnull,
    coalesce((SELECT array_agg(e.enumlabel::text) FROM pg_enum e WHERE e.enumtypid = t.oid), '{}')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
"""


async def read_columns(queries: Queries, schema: str) -> dict[str, dict[str, Column]]:
    """Return the columns of all tables and views of a schema, as PostgreSQL has them."""
    found: dict[str, dict[str, Column]] = {}
    for table, name, kind, is_required, labels in await queries.fetch(_FOUND, schema):
        found.setdefault(table, {})[name] = Column(kind, frozenset(labels), is_required)
    return found


async def require_one_schema(queries: Queries, schema: str) -> None:
    """Return if message and database have the one schema that is declared.

    Raises:
        ShopError: there is something that is not declared, or something is missing.
        DatabaseUnavailableError: the database did not answer: it is not known.
    """
    found = await read_columns(queries, schema)
    problems = [*message_problems(), *sealed_problems(), *database_problems(schema, found)]
    if problems:
        raise ShopError.build(
            "the schema of the export is not the declared one, so nothing is sent or taken",
            expected=f"the tables, columns and words of app/export/linting.py in schema {schema}",
            found="; ".join(problems[:MOST_TOLD]) + ("; and more" if len(problems) > MOST_TOLD else ""),
            action="take out what was added by hand, or let the migration of this version bring what is missing",
        )


def database_problems(schema: str, found: Mapping[str, Mapping[str, Column]]) -> Iterator[str]:
    """Yield what a database has beside its declared columns, lacks of them, or has in another way."""
    declared = DECLARED[schema]
    for table in sorted(declared.keys() | found.keys()):
        wanted, there = declared.get(table, {}), found.get(table, {})
        for name in sorted(wanted.keys() | there.keys()):
            if wanted.get(name) != there.get(name):
                yield f"{schema}.{table}.{name}: expected {_said(wanted.get(name))}, found {_said(there.get(name))}"


def message_problems(rows: Sequence[type[Any]] = ROWS) -> Iterator[str]:
    """Yield what the message has that no column takes, what no message fills, and fields that could hold a text."""
    filled: dict[str, set[str]] = {"table_name": {str(row.__struct_config__.tag) for row in rows}}
    for row in rows:
        for name, hint in get_type_hints(row, include_extras=True).items():
            column = CELL.get(name)
            if column is None:
                yield f"{row.__name__}.{name}: expected one of {', '.join(CELL)}, found another field"
                continue
            yield from (f"{row.__name__}.{name}: {each}" for each in _misfits(hint, column))
            filled.setdefault(name, set()).update(_labels(hint))
    for name in Columns._fields:
        if name not in filled:
            yield f"{name}: expected a table that has this column, found none"
        elif (unused := CELL[name].labels - filled[name]) != set():
            yield f"{name}: expected words that a table uses, found {', '.join(sorted(unused))} too"
    for name, hint in get_type_hints(Release, include_extras=True).items():
        if name != "rows" and (name, set(_plain(hint))) not in _RELEASE_FIELDS:
            yield f"Release.{name}: expected a number, a day or a kind, found {hint}"


def sealed_problems() -> Iterator[str]:
    """Yield what stands beside a release's bytes on the line and is not who signed them."""
    yield from (f"Sealed.{name}" for name in Sealed.__struct_fields__ if name not in {"body", "signer", "signature"})


_RELEASE_FIELDS = (
    ("form", {int}),
    ("region", {int}),
    ("seq", {int}),
    ("kind", {Kind}),
    ("day", {date}),
    ("part", {int}),
    ("parts", {int}),
)


def _plain(hint: Any) -> Iterator[Any]:
    """Yield the types that a field may be of, without their bounds; None stands for itself."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from _plain(get_args(hint)[0])
    elif origin in {Union, types.UnionType}:
        for each in get_args(hint):
            yield from _plain(each)
    elif origin is Literal:
        yield from (type(each) for each in get_args(hint))
    else:
        yield None if hint is type(None) else hint


def _misfits(hint: Any, column: Column) -> Iterator[str]:
    for kind in _plain(hint):
        if kind is None or (kind is date and column.type == "date"):
            continue
        if kind is int and column.type in {"int2", "int4", "int8"}:
            continue
        if isinstance(kind, type) and issubclass(kind, StrEnum) and set(map(str, kind)) <= column.labels:
            continue
        yield f"expected {_said(column)}, found {kind}"


def _labels(hint: Any) -> Iterable[str]:
    return (str(each) for kind in _plain(hint) if isinstance(kind, type) and issubclass(kind, StrEnum) for each in kind)


def _said(column: Column | None) -> str:
    if column is None:
        return "no column"
    words = f" of {', '.join(sorted(column.labels))}" if column.labels else ""
    return f"{column.type}{words}{' NOT NULL' if column.is_required else ''}"
