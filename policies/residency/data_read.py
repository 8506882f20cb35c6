"""Which of the estate's databases a text gives a program access to, and how strict a class of data is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

from policies.reading import Node
from policies.unknown import known
from shopsphere.estate import event_log_site
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, REGIONAL_SITE
from shopsphere.topology import HeldAt, Topology

NAMESPACES: Mapping[str, str] = {
    each.name: each.data_class for site in (REGIONAL_SITE, HEADQUARTERS_SITE) for each in site.namespaces
}
"""Class of the data in each namespace that every site has."""
EVENT_NAMESPACES: Mapping[str, str] = {each.name: each.data_class for each in event_log_site.EVENT_NAMESPACES}
"""The same of those that a site has with an event log alone."""


def strictness(model: Topology, data_class: str) -> int:
    """Return how strict a class is: 2 stays at home, 1 stays with us, 0 is for everybody, -1 is no class."""
    if data_class not in model.data_classes:
        return -1
    if data_class in model.cdn.carries:
        return 0
    return 2 if model.data_class(data_class).held_at is HeldAt.HOME else 1


def databases_in(node: Node, model: Topology) -> Iterator[DatabaseModel]:
    """Yield each database that a part of a document names, by address, cluster, secret or setting.

    Names of objects that do not exist yet can be unknown in a preview; the update knows them before a reader exists.
    """
    found = "\n".join(_texts(node))
    for database in DATABASES:
        if _signs(database, tuple(model.sites)).search(found):
            yield database


@cache
def _signs(database: DatabaseModel, sites: tuple[str, ...]) -> re.Pattern[str]:
    name = database.name
    words = [
        database.namespace.name,
        *(database.cluster(site) for site in sites),
        database.owner_secret,
        f"{name}-server",
        *(database.login_secret(each.name) for each in database.logins),
        f"{name}@",
        *(f"{each.role}@" for each in database.logins),
        f"{name}_DSN",
        f"{name}_PASSWORD",
    ]
    signs = [rf"(?<![\w-]){re.escape(word)}(?!\w)" for word in words]
    return re.compile("|".join([*signs, rf":{database.replication_port}(?!\d)"]), re.IGNORECASE)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in value:
            yield str(key)
            yield from _texts(known(partial(value.__getitem__, key)))
    elif isinstance(value, Sequence):
        for at in range(len(value)):
            yield from _texts(known(partial(value.__getitem__, at)))
