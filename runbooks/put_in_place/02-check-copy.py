"""The copy beside is of this database, and has the schema that the shop needs."""

import sys

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.contents import schema_version
from runbooks.putting_in_place.instance import IS, KEPT, Instance
from runbooks.putting_in_place.loading import PROVEN
from runbooks.putting_in_place.replacement import REPLACE, Replacement
from shopsphere.clients.questions import ADMINISTRATION

TITLE = "Check that the copy beside is of this database, and has its schema"
SECONDS = 60
VARIANTS = frozenset({REPLACE})
_SERVER = """
SELECT json_build_object('system', (SELECT system_identifier::text FROM pg_control_system()),
  'major', current_setting('server_version_num')::int / 10000, 'recovers', pg_is_in_recovery())
"""


def check(run: Replacement) -> str:
    """Say what the copy is; refuse one that cannot take the place of the live database."""
    copy, leading = run.held_copy, run.leading()
    _require_names(run, leading)
    own, live = copy.ask(_SERVER), leading.ask(ADMINISTRATION, _SERVER)
    if own["recovers"]:
        raise BlockedError.because(
            f"the copy in {copy.folder} is still being recovered", action="wait until `restore --beside` has ended"
        )
    for what, name in (("system", "PostgreSQL's system identifier"), ("major", "PostgreSQL's major version")):
        if own[what] != live[what]:
            raise BlockedError.because(
                f"{name}: expected {live[what]} as of {leading.name}, found {own[what]} in {copy.folder}",
                action="restore a copy of this pair's database; of one that was made anew since, copy rows by hand",
            )
    then, now = schema_version(copy.ask), schema_version(leading.asker(run.live))
    if now and then != now:
        raise BlockedError.because(
            f"the schema of the copy is {then or 'none'}, that of the live database {now}: no pod would start",
            action=f"migrate the copy, and call this command again: {_migration(run)}",
        )
    if not now and not then:
        raise BlockedError.because(
            "neither the copy nor the live database says which schema it has",
            action="restore to a time at which the shop's tables were there",
        )
    run.remember("copy", run.coming)
    return f"{copy.folder} holds {copy.database} as of {copy.moment}, schema {then}; it is loaded as {copy.name}"


def verify(run: Replacement) -> bool:
    """All fitted in this run, or it was loaded and proven already."""
    return run.recall("copy") == run.coming or run.has_come_to(PROVEN)


def _require_names(run: Replacement, leading: Instance) -> None:
    there = leading.databases()
    if run.live not in there:
        raise BlockedError.because(
            f"{leading.name} has no database {run.live}; there are {', '.join(sorted(there)) or 'none'}",
            action=f"as its administrator: CREATE DATABASE {run.live} OWNER {run.live}; then call this command again",
        )
    if run.coming in there and there[run.coming].note.get(IS) == KEPT:
        raise BlockedError.because(
            f"{run.coming} is there and was live until it was taken back: it has what was written meanwhile",
            action=f"`{run.verb} --undo {run.coming}` makes it live again, --drop {run.coming} removes it",
        )


def _migration(run: Replacement) -> str:
    """Return the command that brings a copy to the newest schema; it takes no writes until it is told to."""
    name, place = run.live, run.held_copy.folder / "socket"
    writable = (
        f"psql -h {place} -U postgres {name} -c 'SET default_transaction_read_only = off' "
        f"-c 'ALTER DATABASE {name} SET default_transaction_read_only = off'"
    )
    program = (
        "from shopsphere.estate.region_facts import region_facts; from shopsphere.topology import load_topology; "
        f'print(region_facts(load_topology(environment="{run.access.environment}"), "{run.pair.name}"))'
    )
    facts = f"$({sys.executable} -c '{program}')"
    migrate = f"{name.upper()}_DSN='postgresql://{name}@/{name}?host={place}' {sys.executable} -m app migrate {name}"
    return f'{writable} && SHOP_REGION_FACTS="{facts}" {migrate}'
