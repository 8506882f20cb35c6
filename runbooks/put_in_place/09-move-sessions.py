"""Nobody at any instance, those that follow too, is still connected to the database that was live before.

A session keeps its database when that is renamed. At a site that follows nothing ends it: readers there would go on
reading the old one, and after a failover their sessions would write into it.
"""

from functools import partial

from runbooks.putting_in_place.instance import Instance, quoted
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.foundation.side_by_side import at_each

TITLE = "Wait until every instance has the new names, and end sessions that still have the old database"
SECONDS = 300
VARIANTS = frozenset({REPLACE, UNDO})
_END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = {aside} AND usename <> 'postgres' AND backend_type = 'client backend'
"""
_LOOK = """
SELECT json_build_object(
  'names', (SELECT count(*) FROM pg_database WHERE datname IN ({aside}, {live})) = 2
    AND NOT EXISTS (SELECT FROM pg_database WHERE datname = {coming}),
  'sessions', (SELECT count(*) FROM pg_stat_activity
    WHERE datname = {aside} AND usename <> 'postgres' AND backend_type = 'client backend'))
"""


def check(run: Replacement) -> str:
    """Say which instances."""
    return f"{len(run.instances())} instances of both sites"


def act(run: Replacement) -> None:
    """End them at each that has the new names by now."""
    at_each(run.instances(), partial(_end, run))


def verify(run: Replacement) -> bool:
    """Each has the new names, and nobody has the old database; whoever still has it is ended."""
    found = at_each(run.instances(), partial(_look, run))
    if all(each["names"] for each in found) and any(each["sessions"] for each in found):
        act(run)
    return all(each["names"] and not each["sessions"] for each in found)


def _words(run: Replacement) -> dict[str, str]:
    return {"aside": quoted(run.aside), "live": quoted(run.live), "coming": quoted(run.coming)}


def _end(run: Replacement, instance: Instance) -> None:
    instance.run(ADMINISTRATION, _END.format(**_words(run)))


def _look(run: Replacement, instance: Instance) -> dict[str, bool | int]:
    found: dict[str, bool | int] = instance.ask(ADMINISTRATION, _LOOK.format(**_words(run)))
    return found
