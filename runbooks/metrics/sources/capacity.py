"""How full the volumes of a site's databases are, and how much log is kept for a copy that is away."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import DISK_USED, LOG_KEPT
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.databases import DATABASES


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Ask both databases of a site."""
    for database in DATABASES:
        capacity = view.capacity(site, database)
        yield DISK_USED.sample(capacity.disk_used, site=site, database=database.name)
        yield LOG_KEPT.sample(capacity.keep_bytes, site=site, database=database.name)


SOURCE = Source("capacity", 60, 10, ask, (DISK_USED, LOG_KEPT), of_each_site=True)
