"""How many clicks a site's event log still has that nobody has counted, told when another site has taken over.

The worker counts at the active site alone. What the log of the site that was left has beyond its place is counted when
that site is active again, if its volume still has it then.
"""

from __future__ import annotations

import json

from runbooks.change import RoleChange
from shopsphere.clients.questions import CONTAINER, PSQL
from shopsphere.estate.databases import COMMERCE
from shopsphere.estate.event_log import CLICK_HOURS
from shopsphere.estate.stack import site_stack
from shopsphere.estate.stack_files import KAFKA_KEY, wanted_configuration
from shopsphere.foundation.errors import ShopSphereError

_LEFT = """
SELECT json_build_object('records', coalesce(sum(greatest(seen_end - next, 0)), 0),
    'logs', count(*), 'seconds', coalesce(extract(epoch FROM now() - max(counted_at))::int, 0))
FROM insight.source_offset WHERE site = '{site}'
"""


def clicks_left(change: RoleChange) -> dict[str, str]:
    """Return what the report says of them; nothing where the site that was left has no event log."""
    stack = site_stack(change.access.topology, change.source, change.access.environment)
    try:
        if not wanted_configuration(stack).get(KAFKA_KEY):
            return {}
        cluster, namespace, pod = change.access.database(change.target, COMMERCE).leader()
        statement = _LEFT.format(site=change.source)
        said = cluster.execute(namespace, pod, CONTAINER, [*PSQL, "--command", statement, COMMERCE.name])
        logs, records, seconds = (int(json.loads(said)[name]) for name in ("logs", "records", "seconds"))
    except (ShopSphereError, ValueError, TypeError, KeyError) as error:
        return {"clicks_left": f"not known: {str(error).splitlines()[0]}"}
    if not logs:
        return {"clicks_left": f"none: nothing of {change.source}'s log was ever counted"}
    return {
        "clicks_left": f"{records} records of {change.source}'s log, as its worker saw it last, {seconds} s ago; they "
        f"are counted when {change.source} is active again, within {CLICK_HOURS} h"
    }
