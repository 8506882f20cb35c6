"""What the worker that counts a site's clicks says of itself on its /metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.estate.event_log_site import COUNT
from shopsphere.status.workload_program import run_in_workload


@dataclass(frozen=True)
class WorkerFigures:
    """What is known of a worker.

    Attributes:
        counts: whether it counts; where the database only follows, it does not.
        still_seconds: how long ago all that it had read was written (s).
        behind_seconds: age of the newest click that it has read, while there are more (s); 0 where there are none, None
            where it is not known.
        behind_records: clicks that it has not read; None where it is not known.
        certificate_ends: when the first of its certificates ends (UTC); None where it has none.
    """

    counts: bool
    still_seconds: float
    behind_seconds: float | None
    behind_records: float | None
    certificate_ends: datetime | None


def worker_figures(cluster: Cluster) -> WorkerFigures:
    """Ask the worker of a site, in a ready pod of its own.

    Raises:
        NoReadyPodError: none is ready: it stands still, or what it needs is away.
        ClusterError: the API does not answer, or the figures cannot be read.
    """
    return read_figures(run_in_workload(cluster, COUNT, ["shop", "metrics", str(COUNT.ports[0])]), cluster.context)


def read_figures(text: str, site: str) -> WorkerFigures:
    """Return the figures in a text of Prometheus' format; `site` names it in errors.

    Raises:
        UnreadableAnswerError: it is not in that format, or lacks what every worker says.
    """
    try:
        families = text_string_to_metric_families(text)
        said = {each.name: each.value for family in families for each in family.samples if not each.labels}
        end = said.get("insight_certificate_ends_timestamp_seconds")
        return WorkerFigures(
            counts=said["insight_counts"] == 1,
            still_seconds=said["insight_seconds_since_commit"],
            behind_seconds=said.get("insight_lag_seconds"),
            behind_records=said.get("insight_lag_records"),
            certificate_ends=None if end is None else datetime.fromtimestamp(end, UTC),
        )
    except (ValueError, KeyError) as error:
        raise UnreadableAnswerError(f"{site}: figures of the worker of clicks that cannot be read: {error}") from error
