"""The pair's last drill, from this machine's records."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import DRILL_ENDED, DRILL_GREEN
from runbooks.metrics.source import Source
from runbooks.readiness.drill_record import Result, last_drill
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.paths import records_directory


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Read its record; without one, or while it goes on, there is no sample."""
    environment = view.access.environment
    last = last_drill(records_directory(environment), view.pair.name, environment)
    if last is not None and last.ended is not None:
        yield DRILL_ENDED.sample(last.ended.timestamp())
        yield DRILL_GREEN.sample(last.result is Result.GREEN)


SOURCE = Source("drill", 60, 5, ask, (DRILL_ENDED, DRILL_GREEN))
