"""The list of sources: a new one is a file here and an entry in SOURCES."""

from __future__ import annotations

from runbooks.metrics.source import Source
from runbooks.metrics.sources import (
    agent,
    backups,
    capacity,
    certificates,
    checks,
    drill,
    edge,
    event_log,
    roles,
    shop,
    site,
    voters,
    witness,
)

SOURCES: tuple[Source, ...] = (
    witness.SOURCE,
    voters.SOURCE,
    agent.SOURCE,
    site.SOURCE,
    capacity.SOURCE,
    *shop.SOURCES,
    event_log.SOURCE,
    certificates.SOURCE,
    edge.SOURCE,
    roles.SOURCE,
    drill.SOURCE,
    backups.SOURCE,
    checks.SOURCE,
)
