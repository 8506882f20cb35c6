"""What an operator sees of the worker, for /metrics. What is not known is not in it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.gauges import gauges, whole_gauges
from app.insight.balance import Outcome, Unit
from app.insight.counting import Partition
from app.insight.pruning import Pruning
from app.insight.working import State, Worker


def figures(worker: Worker, pruning: Pruning, certificate_ends: float | None = None) -> str:
    """Return the figures in Prometheus' text format.

    Args:
        worker: that counts.
        pruning: that removes.
        certificate_ends: when the first certificate ends by which it and the brokers know each other (Unix time).
    """
    parts = list(worker.reader.partitions.values()) if worker.reader is not None else None
    values: dict[str, float | None] = {
        **{f"insight_{state}": float(worker.state is state) for state in State},
        "insight_seconds_since_commit": worker.still_seconds,
        "insight_lag_records": None if parts is None else float(sum(each.lag for each in parts)),
        "insight_lag_seconds": None if parts is None else _lag_seconds(parts),
        "insight_partitions": None if parts is None else float(len(parts)),
        "insight_tabs": None if parts is None else float(sum(len(each.marks) for each in parts)),
        "insight_tabs_forgotten": None if parts is None else float(sum(each.marks.forgotten for each in parts)),
        "insight_readers_begun": float(worker.begun),
        "insight_commits": float(worker.written),
        "insight_rows_removed": float(pruning.removed),
    }
    ends = {"insight_certificate_ends_timestamp_seconds": certificate_ends}
    lines = ["# TYPE insight_outcomes_total counter\n"]
    lines += [
        f'insight_outcomes_total{{outcome="{outcome}",unit="{unit}"}} {worker.outcomes[outcome, unit]}\n'
        for outcome in Outcome
        for unit in Unit
        if worker.outcomes[outcome, unit]
    ]
    return gauges(values) + whole_gauges(ends) + "".join(lines)


def _lag_seconds(parts: Sequence[Partition]) -> float | None:
    """Return how old the newest thing is that is read of a partition that is behind; 0 when none is."""
    behind = [each.clock for each in parts if each.lag]
    if not all(behind):
        return None  # nothing of it is read yet
    return max(0.0, time.time() - min(behind) / 1000) if behind else 0.0
