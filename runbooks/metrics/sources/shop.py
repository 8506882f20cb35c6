"""What the shop's own /metrics say at the active site: payments and orders that wait for their outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from runbooks.metrics import registry
from runbooks.metrics.metric import Metric, Sample
from runbooks.metrics.source import Source
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.estate.workloads import PAYMENTS, SHOP
from shopsphere.status.workload_program import run_in_workload

OF_PAYMENTS: Mapping[str, Metric] = {
    "payments_unsettled": registry.PAYMENTS_UNSETTLED,
    "payments_unsettled_with_problem": registry.PAYMENTS_PROBLEM,
    "payments_unsettled_oldest_seconds": registry.PAYMENTS_OLDEST,
    "payments_reconciled_seconds_ago": registry.PAYMENTS_RECONCILED,
    "payments_reconciliation_differences": registry.PAYMENTS_DIFFERENCES,
}
OF_ORDERS: Mapping[str, Metric] = {
    "orders_unsettled": registry.ORDERS_UNSETTLED,
    "orders_unsettled_with_problem": registry.ORDERS_PROBLEM,
    "orders_unsettled_oldest_seconds": registry.ORDERS_OLDEST,
    "orders_reconciled_seconds_ago": registry.ORDERS_RECONCILED,
    "orders_reconciliation_differences": registry.ORDERS_DIFFERENCES,
}


def ask(view: PairView, _site: str, *, workload: WorkloadDeclaration, names: Mapping[str, Metric]) -> Iterator[Sample]:
    """Ask a service of the active site, in a pod of its own; the other site's knows the past alone."""
    site = view.active
    command = ["shop", "metrics", str(workload.ports[0])]
    output = run_in_workload(view.access.cluster(site), workload, command)
    yield from read(output, names, site)


def read(text: str, names: Mapping[str, Metric], site: str) -> Iterator[Sample]:
    """Yield the figures with these names out of Prometheus' text format; others are left out.

    Raises:
        UnreadableAnswerError: it is not in that format, or has none of them.
    """
    try:
        figures = {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
        samples = [metric.sample(figures[name], site=site) for name, metric in names.items() if name in figures]
    except ValueError as error:
        raise UnreadableAnswerError(f"{site}: figures of the shop that cannot be read: {error}") from error
    if not samples:
        raise UnreadableAnswerError(f"{site}: the shop told none of {', '.join(names)}")
    yield from samples


SOURCES = tuple(
    Source(workload.name, 30, 10, partial(ask, workload=workload, names=names), tuple(names.values()))
    for workload, names in ((PAYMENTS, OF_PAYMENTS), (SHOP, OF_ORDERS))
)
