"""What a database holds, in figures that are equal where the contents are: rows, definitions, owners and rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from runbooks.putting_in_place.instance import Ask
from shopsphere.clients.questions import objects_question

PLAIN = """
SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres';
SET extra_float_digits = 1; SET bytea_output = 'hex';
"""
"""Settings under which a value has the same text everywhere."""
TABLES = """
SELECT coalesce(json_agg(format('%I.%I', nspname, relname) ORDER BY nspname, relname), '[]')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
"""
SEQUENCES = """
SELECT coalesce(json_object_agg(format('%I.%I', schemaname, sequencename), coalesce(last_value, 0)), '{}')
FROM pg_sequences
"""
DEFINITIONS = """
WITH own AS (
  SELECT pg_class.oid, format('%I.%I', nspname, relname) AS name FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid >= 16384 AND nspname !~ '^pg_(toast|temp)'),
facts(object, value) AS (
  SELECT 'column ' || name || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'not null' END, pg_get_expr(adbin, adrelid), attidentity, attgenerated)
  FROM own JOIN pg_attribute ON attrelid = own.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = own.oid AND adnum = attnum
  UNION ALL SELECT 'constraint ' || name || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
  FROM own JOIN pg_constraint ON conrelid = own.oid
  UNION ALL SELECT 'index ' || name, pg_get_indexdef(indexrelid) FROM own JOIN pg_index ON indexrelid = own.oid
  UNION ALL SELECT 'trigger ' || name || '.' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid)
  FROM own JOIN pg_trigger ON tgrelid = own.oid AND NOT tgisinternal
  UNION ALL SELECT 'extension ' || extname,
    concat_ws(' ', extversion, pg_get_userbyid(extowner), extnamespace::regnamespace)
  FROM pg_extension
  UNION ALL SELECT 'type ' || pg_type.oid::regtype::text, concat_ws(' ', typtype, pg_get_userbyid(typowner),
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid))
  FROM pg_type WHERE pg_type.oid >= 16384 AND typtype IN ('e', 'd', 'r')
  UNION ALL SELECT 'default rights of ' || pg_get_userbyid(defaclrole) || ' ' || defaclobjtype::text, defaclacl::text
  FROM pg_default_acl
  UNION ALL SELECT 'large objects', count(*)::text FROM pg_largeobject_metadata)
SELECT json_object_agg(object, value) FROM facts
"""
VERSION = "SELECT coalesce(json_agg(version_num), '[]') FROM public.alembic_version"
_TABLES_AT_ONCE = 20


def is_there(ask: Ask, table: str) -> bool:
    """Whether a database has a table; a name that SQL takes, as in `orders."order"`."""
    return bool(ask(f"SELECT to_json(to_regclass('{table}') IS NOT NULL)"))


def schema_version(ask: Ask) -> str:
    """Return how far the migrations of a database came; empty where nothing says it."""
    return " ".join(map(str, ask(VERSION))) if is_there(ask, "public.alembic_version") else ""


def rows_of(ask: Ask) -> dict[str, Any]:
    """Return for each table the number of its rows and a sum over them, and for each sequence where it is."""
    tables = iter(ask(TABLES))
    found: dict[str, Any] = {f"sequence {name}": value for name, value in ask(SEQUENCES).items()}
    while some := list(islice(tables, _TABLES_AT_ONCE)):
        sums = " UNION ALL ".join(
            f"SELECT {_literal(name)} AS name, count(*) AS rows, "  # noqa: S608 - a name out of the catalogue, quoted there
            f"coalesce(sum(hashtextextended((t.*)::text, 0)::numeric), 0)::text AS total FROM ONLY {name} AS t"
            for name in some
        )
        question = f"{PLAIN} SELECT json_object_agg(name, json_build_array(rows, total)) FROM ({sums}) AS sums"  # noqa: S608 see above
        found |= {f"table {name}": value for name, value in ask(question).items()}
    return found


def definitions_of(ask: Ask) -> dict[str, Any]:
    """Return what is defined, by whom, and who may do what with it."""
    found: dict[str, Any] = dict(ask(f"{PLAIN} {DEFINITIONS}"))
    return found | {f"{name} {field}": value for name, field, value in ask(f"{PLAIN} {objects_question()}")}


def differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what differs between two such answers."""
    for name in sorted({*expected, *found}):
        if expected.get(name) != found.get(name):
            then, now = (each.get(name, "not there") for each in (expected, found))
            yield f"{name}: {then} in the copy, {now} where it was loaded"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
