"""What is counted, for /metrics, in Prometheus' text format. Nothing of a batch is in it but its size and class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.clicks.reasons import Reason
from app.clicks.senders import Sender
from app.gauges import gauges


@dataclass(slots=True)
class Figures:
    """Counters since the start of the process.

    Attributes:
        batches: acknowledged, by class.
        events: acknowledged.
        stored_bytes: of acknowledged records before compression.
        records: acknowledged.
        refused: requests, by reason; one request may be refused once.
    """

    batches: Counter[Sender] = field(default_factory=Counter)
    events: int = 0
    stored_bytes: int = 0
    records: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)

    def text(self, now: Mapping[str, float | None]) -> str:
        """Return everything as text; `now` are values of this moment by name."""
        totals = {
            "clicks_events_total": self.events,
            "clicks_stored_bytes_total": self.stored_bytes,
            "clicks_records_total": self.records,
        }
        lines = [f"# TYPE {name} counter\n{name} {value}\n" for name, value in totals.items()]
        lines += _by_label("clicks_batches_total", "class", {each: self.batches[each] for each in Sender})
        lines += _by_label("clicks_refused_total", "reason", {each: self.refused[each] for each in Reason})
        return "".join(lines) + gauges(now)


def _by_label(name: str, label: str, values: Mapping[str, int]) -> list[str]:
    counted = [f'{name}{{{label}="{key}"}} {value}\n' for key, value in values.items()]
    return [f"# TYPE {name} counter\n", *counted]
