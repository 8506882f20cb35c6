"""A restored copy becomes a database of the leading instance, beside the live one, which goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.contents import definitions_of, differences, rows_of
from runbooks.putting_in_place.copy import Copy
from runbooks.putting_in_place.instance import IS, Instance, commented, quoted
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.progress import say

LOAD_SECONDS = 12 * 3600.0
COMPARE_SECONDS = 4 * 3600.0
STAGE, OF_COPY = "stage", "copy"
LOADED, PROVEN = "loaded", "proven"
"""Stages of a database that is to take the place of the live one; without either it is half of one."""
STAGES = ("", LOADED, PROVEN)
_SHOWN = 5
_SAY_EVERY = 2**28
_DONE = "all was read"

# The live one's owner, locale, rights and settings, whatever they are by now. No service gets in before its time.
_MAKE = r"""
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', {new}) \gexec
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L'
  || '%s TABLESPACE %I CONNECTION LIMIT 0', {new}, pg_get_userbyid(datdba), pg_encoding_to_char(encoding),
  CASE datlocprovider WHEN 'i' THEN 'icu' ELSE 'libc' END, datcollate, datctype,
  CASE WHEN daticulocale IS NULL THEN '' ELSE format(' ICU_LOCALE %L', daticulocale) END, spcname)
FROM pg_database JOIN pg_tablespace ON pg_tablespace.oid = dattablespace WHERE datname = {live} \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', {new}, pg_get_userbyid(datdba))
FROM pg_database WHERE datname = {live} AND datacl IS NOT NULL \gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, {new},
  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
  CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database, aclexplode(datacl) WHERE datname = {live} \gexec
SELECT format('SELECT set_config(%L, %L, false)', name, value), format('ALTER %s SET %I FROM CURRENT', target, name),
  format('RESET %I', name)
FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase, unnest(setconfig) AS one,
  LATERAL (SELECT split_part(one, '=', 1), substring(one FROM position('=' IN one) + 1)) AS parts(name, value),
  LATERAL (SELECT CASE setrole WHEN 0 THEN format('DATABASE %I', {new})
    ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), {new}) END) AS whose(target)
WHERE datname = {live} \gexec
"""
# An extension belongs to whoever makes it, and a dump does not say who that was.
_EXTENSIONS = """
SELECT coalesce(json_agg(format('SET SESSION AUTHORIZATION %I; CREATE EXTENSION %I WITH SCHEMA %I VERSION %L; '
  || 'RESET SESSION AUTHORIZATION;', pg_get_userbyid(extowner), extname, extnamespace::regnamespace, extversion)), '[]')
FROM pg_extension WHERE extname <> 'plpgsql' AND extnamespace::regnamespace::text = 'public'
"""
_OF_DATABASE = """
SELECT json_build_object('owner', pg_get_userbyid(datdba), 'encoding', encoding, 'collation', datcollate,
  'characters', datctype, 'provider', datlocprovider, 'locale', daticulocale,
  'rights', (SELECT json_agg(format('%s %s %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END,
      privilege_type, is_grantable)) FROM (SELECT * FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
      ORDER BY grantee, privilege_type) AS each),
  'settings', (SELECT json_agg(format('%s %s', CASE setrole WHEN 0 THEN 'all' ELSE pg_get_userbyid(setrole) END, one)
      ORDER BY setrole, one) FROM pg_db_role_setting, unnest(setconfig) AS one WHERE setdatabase = pg_database.oid))
FROM pg_database WHERE datname = {name}
"""


def load(leading: Instance, copy: Copy) -> None:
    """Make the database anew and read all of the copy into it; what a killed run left half is dropped.

    Raises:
        ShopSphereError: the copy or the instance does not answer, or a statement failed.
    """
    new, live = copy.name, copy.database
    leading.run(ADMINISTRATION, _MAKE.format(new=quoted(new), live=quoted(live)), seconds=300)
    note(leading, copy, "")
    first = "\n".join(copy.ask(_EXTENSIONS))
    # What a crash would lose of it, the last write here brings along: it is one of the usual, synchronous ones.
    settings = ("synchronous_commit=off", "statement_timeout=0", "lock_timeout=0")
    told = leading.read(new, _sql_of(copy, first), seconds=LOAD_SECONDS, settings=settings)
    if _DONE not in told:
        raise ShopSphereError.build(
            f"{new} was not loaded to its end",
            expected="psql to have read all of the dump",
            found=told[-200:].strip() or "no word of it",
            action="call the same command again: it begins anew",
        )
    leading.run(new, "ANALYZE", seconds=COMPARE_SECONDS)
    note(leading, copy, LOADED)


def _sql_of(copy: Copy, first: str) -> Iterator[bytes]:
    yield f"{first}\n".encode()
    sent = told = 0
    for piece in copy.dump():
        yield piece
        sent += len(piece)
        if sent - told >= _SAY_EVERY:
            told = sent
            say(f"         {sent / 10**6:.0f} MB of SQL are loaded")
    yield f"\n\\echo {_DONE}\n\\q\n".encode()


def note(leading: Instance, copy: Copy, stage: str) -> None:
    """Write down at the database itself how far it came; whoever leads later has all that was written before."""
    facts = {IS: "restored", "to": copy.moment, OF_COPY: copy.id, STAGE: stage, "at": datetime.now(UTC).isoformat()}
    leading.run(ADMINISTRATION, commented(copy.name, facts))


def prove(leading: Instance, copy: Copy) -> None:
    """Compare copy and loaded database, all rows of all tables; write down that they are the same.

    Raises:
        BlockedError: they differ.
        ShopSphereError: one of them does not answer.
    """
    live, new = (
        leading.ask(ADMINISTRATION, _OF_DATABASE.format(name=quoted(each))) for each in (copy.database, copy.name)
    )
    found = [
        f"{name}: {live[name]} of the live one, {new[name]} of {copy.name}" for name in live if live[name] != new[name]
    ]
    for what in (definitions_of, rows_of):
        expected: dict[str, Any] = what(lambda question: copy.ask(question, seconds=COMPARE_SECONDS))
        found += differences(expected, what(leading.asker(copy.name, seconds=COMPARE_SECONDS)))
    if found:
        raise BlockedError.because(
            f"{copy.name} is not what the copy is, in {len(found)} things: {'; '.join(found[:_SHOWN])}",
            action=f"`shopsphere put-in-place PAIR --database {copy.database} --drop {copy.name}`, then call the same "
            "command again: it is loaded anew",
        )
    note(leading, copy, PROVEN)
