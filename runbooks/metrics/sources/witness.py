"""The witness's record of the pair, and who holds the lease."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import EPOCH, LEASE_HELD, PHASE, RECORD_CHANGED, SITE_ACTIVE, SYNC_ON
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from shopsphere.witness import Phase, Sync


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Ask the quorum."""
    record, holder = view.record, view.seen.lease_holder
    for site in view.pair.sites:
        yield SITE_ACTIVE.sample(site == record.active, site=site)
        yield LEASE_HELD.sample(site == holder, site=site)
    for phase in Phase:
        yield PHASE.sample(phase is record.phase, phase=phase.value)
    yield EPOCH.sample(record.epoch)
    yield SYNC_ON.sample(record.sync is Sync.ON)
    yield RECORD_CHANGED.sample(record.changed_at.timestamp())


SOURCE = Source("witness", 5, 5, ask, (SITE_ACTIVE, LEASE_HELD, PHASE, EPOCH, SYNC_ON, RECORD_CHANGED))
"""Five seconds are more than three voters may take, asked one after the other."""
