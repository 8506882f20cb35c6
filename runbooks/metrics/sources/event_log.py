"""A site's event log: which of its workloads are ready, and how far its worker is. Nothing of a pair without one."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics import registry
from runbooks.metrics.metric import Sample
from runbooks.metrics.source import Source
from runbooks.readiness.p05_capacity import workloads_at
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.event_log_site import COUNT
from shopsphere.status.worker_figures import WorkerFigures, worker_figures


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Ask a site's API, and its worker where a pod of that is ready; one that stands still has no ready pod."""
    ready = {each.place.partition("/")[2]: each.is_ready for each in workloads_at(view, site, of_event_log=True)}
    for workload, is_ready in ready.items():
        yield registry.EVENT_LOG_READY.sample(is_ready, site=site, workload=workload)
    if ready.get(COUNT.name):
        yield from of_worker(site, worker_figures(view.access.cluster(site)))


def of_worker(site: str, said: WorkerFigures) -> Iterator[Sample]:
    """Yield what a worker says, as far as it is known."""
    yield registry.CLICKS_STILL.sample(said.still_seconds, site=site)
    if said.behind_records is not None:
        yield registry.CLICKS_BEHIND.sample(said.behind_records, site=site)
    if said.behind_seconds is not None:
        yield registry.CLICKS_BEHIND_SECONDS.sample(said.behind_seconds, site=site)
    if said.certificate_ends:
        yield registry.EVENT_LOG_CERTIFICATE_ENDS.sample(said.certificate_ends.timestamp(), site=site)


SOURCE = Source(
    "event-log",
    30,
    10,
    ask,
    (
        registry.EVENT_LOG_READY,
        registry.CLICKS_STILL,
        registry.CLICKS_BEHIND,
        registry.CLICKS_BEHIND_SECONDS,
        registry.EVENT_LOG_CERTIFICATE_ENDS,
    ),
    of_each_site=True,
)
